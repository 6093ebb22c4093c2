"""`python manage.py work`: runs the worker until it is asked to stop, or once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.worker import Worker, work_once


class Command(BaseCommand):
    help = "Folds what was signed, adds up counts, sends mail and forgets what is due. Runs until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="do everything that is due, then end")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            trouble = work_once()
            if trouble:
                self.stderr.write(f"The mail server does not answer; the mails wait: {trouble}")
            return
        if not Worker().run():
            raise CommandError("The worker stopped without being asked to; its log says why.")

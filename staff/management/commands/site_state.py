"""`python manage.py site_state [STATE]`: tells what the site does at the moment, or switches parts of it off."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from staff import site_state
from staff.site_state import Notice, State
from toolkit.database_trouble import AWAY

WITHOUT_DATABASE = (
    "The database does not answer. For this machine alone: manage.py site_state maintenance --here"
)


class Command(BaseCommand):
    help = "Prints the state of the site, or switches it: full, signing-paused, read-only, maintenance."
    requires_system_checks = ()  # it must work while much else does not

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("state", nargs="?", choices=State.values)
        parser.add_argument("--message", default="", help="shown to visitors, as plain text")
        parser.add_argument("--reason", default="", help="for the audit log")
        parser.add_argument(
            "--here",
            action="store_true",
            help="maintenance for this machine alone, without the database; “full --here” ends it",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["state"] and options["here"]:
                self.switch_here(State(options["state"]), options["message"])
            elif options["state"]:
                self.switch(State(options["state"]), options["message"], options["reason"])
            self.tell()
        except AWAY as error:
            raise CommandError(WITHOUT_DATABASE) from error

    def switch(self, state: State, message: str, reason: str) -> None:
        site_state.switch(state, actor=None, at=timezone.now(), message=message, reason=reason)

    def switch_here(self, state: State, message: str) -> None:
        if state not in {State.MAINTENANCE, State.FULL}:
            raise CommandError("With --here only maintenance can be switched on, and full.")
        try:
            site_state.switch_here(on=state is State.MAINTENANCE, message=message)
        except OSError as error:
            raise CommandError(f"{site_state.file_here()} cannot be written: {error.strerror}.") from error

    def tell(self) -> None:
        here = site_state.written_here()
        if here is not None:
            self.say("this machine alone", here)
        try:
            self.say("the site", site_state.stored() or Notice())
        except AWAY:
            if here is None:
                raise
            self.stdout.write("the site: unknown, the database does not answer")

    def say(self, whose: str, now: Notice) -> None:
        since = f", since {timezone.localtime(now.since):%Y-%m-%d %H:%M}" if now.since else ""
        message = f"\n  {now.message}" if now.message else ""
        self.stdout.write(f"{whose}: {now.state} ({now.state.label}{since}){message}")

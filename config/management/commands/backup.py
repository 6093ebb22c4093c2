"""`python manage.py backup DIRECTORY`: the whole database, as it is at this moment, while everything runs."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils import timezone

from config.backups import ledger
from config.backups.files import BackupError, tidied_up_when_ended
from config.backups.making import backup, backups_in


class Command(BaseCommand):
    help = "Writes a backup, with a manifest that proves it, into a directory; also who left, so that they stay away."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", type=Path)
        parser.add_argument(
            "--keep-days", type=int, metavar="N", help="then delete backups older than N days"
        )
        parser.add_argument(
            "--only-who-left",
            action="store_true",
            help="no backup; only brings erasures.jsonl up to date, which takes a moment",
        )

    @tidied_up_when_ended()
    def handle(self, *args: Any, directory: Path, **options: Any) -> None:
        try:
            if options["only_who_left"]:
                self.only_who_left(directory)
                return
            made = backup(directory, at=timezone.now(), keep_days=options["keep_days"])
        except (BackupError, DatabaseError) as error:
            raise CommandError(str(error).partition("\n")[0]) from error
        except OSError as error:
            raise CommandError(f"{error.filename or directory}: {error.strerror}.") from error
        rows = sum(count for count, _digest in made.manifest.tables.values())
        self.stdout.write(f"{made.path}: {made.manifest.size:,} bytes, {rows:,} rows.")
        for path in made.expired:
            self.stdout.write(f"{path.name} has expired and is deleted.")

    def only_who_left(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        oldest = min((moment for moment, _path in backups_in(directory)), default=timezone.now())
        told = ledger.write_down(directory, since=oldest - ledger.OVERLAP)
        self.stdout.write(f"{directory / ledger.NAME}: {told:,} new.")

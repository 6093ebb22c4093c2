"""`python manage.py restore FILE`: brings a backup back, or with `--verify` proves that it could be."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils import timezone

from config.backups.files import BackupError, tidied_up_when_ended
from config.backups.restoring import Restored, restore, verify


class Command(BaseCommand):
    help = (
        "Brings a backup back into the empty database of DATABASE_URL, and erases again who was erased since."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        how = parser.add_mutually_exclusive_group()
        how.add_argument(
            "--verify",
            action="store_true",
            help="change nothing: load it into a database made for that, compare every table, and drop that again",
        )
        how.add_argument("--replace", action="store_true", help="destroy what is in the database now")

    @tidied_up_when_ended()
    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            if options["verify"]:
                self.verify(file)
            else:
                self.tell(restore(file, replace=options["replace"], at=timezone.now()))
        except (BackupError, DatabaseError) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{error.filename or file}: {error.strerror}.") from error

    def verify(self, file: Path) -> None:
        manifest, differences = verify(file)
        if differences:
            raise CommandError("It differs from what was backed up:\n" + "\n".join(differences))
        rows = sum(count for count, _digest in manifest.tables.values())
        self.stdout.write(
            f"Equal: {len(manifest.tables)} tables with {rows:,} rows, as of {manifest.at:%Y-%m-%d %H:%M:%S} UTC."
        )

    def tell(self, done: Restored) -> None:
        again = done.again
        self.stdout.write(
            f"Restored as of {done.manifest.at:%Y-%m-%d %H:%M:%S} UTC; every table is equal to what was backed up.\n"
            f"Since then: {again['erased']} erased again, {again['removed']} signatures taken back again, "
            f"{again['unsubscribed']} unsubscribed again.\n"
            f"{done.mails_dropped} waiting mails dropped, which may have been sent since. "
            f"{done.mailings_paused} mailings paused: who got a copy since the backup is not known; "
            "cancel them, or resume knowing that some get it twice."
        )
        if done.migrated:
            self.stdout.write(f"{done.migrated} migrations applied that are newer than the backup.")
        if not done.knows_who_left:
            self.stderr.write(
                "No erasures.jsonl lies beside the backup, so everybody who left since is back. "
                "Put it there and restore once more, with --replace."
            )
        if done.left_unasked:
            self.stderr.write(
                f"The replaced database could not say who left since the last backup ({done.left_unasked}). "
                "Look into the mailbox for requests since then."
            )
        if done.unreadable:
            self.stderr.write(f"{done.unreadable} lines of erasures.jsonl cannot be read.")

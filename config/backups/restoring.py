"""Proving a backup, and bringing it back without those who have left since."""

import logging
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.models import Max

from config.backups import ledger
from config.backups.files import BackupError, Manifest, checked, differences
from config.backups.making import database
from mailings.models import Mailing
from signers.models import Signature, Supporter
from signers.sending import waiting
from staff import audit
from staff.models import SiteState

logger = logging.getLogger(__name__)


@dataclass
class Restored:
    """What was done after the backup was back."""

    manifest: Manifest
    migrated: int = 0
    again: Counter[str] = field(default_factory=Counter)
    unreadable: int = 0
    mails_dropped: int = 0
    mailings_paused: int = 0
    knows_who_left: bool = True
    left_unasked: str = ""  # why the replaced database could not say who left


def verify(path: Path) -> tuple[Manifest, list[str]]:
    """Loads the backup into a database made for it alone; what differs from the manifest, or nothing."""
    manifest = checked(path, database=connection.vendor)
    with database().scratch(path) as tables:
        return manifest, differences(manifest.tables, tables)


def restore(path: Path, *, replace: bool, at: datetime) -> Restored:
    """Brings the backup back into the database of the settings. Raises BackupError, and then nothing was
    changed."""
    manifest = checked(path, database=connection.vendor)
    refuse_unknown_migrations(manifest)
    since = manifest.at - ledger.OVERLAP
    done = Restored(manifest)
    is_empty = database().is_empty()
    if not is_empty and not replace:
        raise BackupError(
            f"The database is not empty: {what_is_there()} --replace would destroy all of that."
        )
    connection.close()
    if others := database().others_connected():
        raise BackupError(f"{others} others are connected to the database. Stop web server and worker first.")
    if not is_empty:
        done.left_unasked = ask_who_left(path.parent, since)
        connection.close()
    database().load(path, manifest.tables, replace=not is_empty)
    catch_up(done, path.parent, since=since, at=at)
    return done


def refuse_unknown_migrations(manifest: Manifest) -> None:
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    # Apps of Django and others may have been squashed or left since; ours never are.
    ours = {app for app, _, _ in (name.partition(".") for name in known)}
    newer = sorted(name for name in set(manifest.migrations) - known if name.partition(".")[0] in ours)
    if newer:
        raise BackupError(
            f"The backup is of a newer release, which knows {newer[0]} and {len(newer) - 1} more migrations."
        )


def what_is_there() -> str:
    try:
        people, signatures = Supporter.objects.count(), Signature.objects.count()
        last = Signature.objects.aggregate(last=Max("signed_at"))["last"]
    except (DatabaseError, InterfaceError):
        return "it has tables that are not those of this release."
    newest = f", the latest signed at {last:%Y-%m-%d %H:%M} UTC" if last else ""
    return f"it holds {people:,} supporters and {signatures:,} signatures{newest}."


def ask_who_left(folder: Path, since: datetime) -> str:
    """Writes into the ledger who left since the backup; why not, where the database cannot say."""
    try:
        ledger.write_down(folder, since=since)
    except (DatabaseError, InterfaceError) as error:
        return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
    return ""


def catch_up(done: Restored, folder: Path, *, since: datetime, at: datetime) -> None:
    """What has happened since the backup and must not be undone by it. Doing it again changes nothing."""
    connection.close()
    ContentType.objects.clear_cache()
    done.migrated = migrate()
    done.knows_who_left = (folder / ledger.NAME).exists()
    entries, done.unreadable = ledger.entries(folder, since=since)
    for entry in entries:
        done.again[entry.what.value] += ledger.do_again(entry, at=at)
    with transaction.atomic():
        # Most have been sent since, and nobody can tell which.
        done.mails_dropped = waiting().update(dropped_at=at)
        done.mailings_paused = Mailing.objects.filter(
            started_at__isnull=False, finished_at=None, canceled_at=None, paused_at=None
        ).update(paused_at=at)
        # Who was logged in then may have logged out, or left, since.
        Session.objects.all().delete()
        audit.record(
            actor=None,
            action="restored",
            subject=SiteState(pk=1),
            at=at,
            reason=f"From the backup of {done.manifest.at:%Y-%m-%d %H:%M:%S} UTC.",
            mails_dropped=done.mails_dropped,
            mailings_paused=done.mailings_paused,
            **done.again,
        )


def migrate() -> int:
    """How many migrations the backup did not know yet."""
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if missing:
        call_command("migrate", interactive=False, verbosity=0)
    return missing

"""Making a backup, and letting old ones go."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from config.backups import ledger, postgresql, sqlite
from config.backups.files import ENDINGS, FORMAT, BackupError, Manifest, digest_of, manifest_of, unfinished

OURS = re.compile(r"undersigned-(\d{8}T\d{6})Z\.(?:dump|sqlite3)")


@dataclass(frozen=True)
class Made:
    path: Path
    manifest: Manifest
    left: int  # new lines in the ledger
    expired: list[Path]


def database() -> ModuleType:
    """What can back up the kind of database in use."""
    return {"postgresql": postgresql, "sqlite": sqlite}[connection.vendor]


def backup(folder: Path, *, at: datetime, keep_days: int | None = None) -> Made:
    """Writes the database, as it is at one moment, and its manifest into the folder. Raises BackupError, OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    named = folder / f"undersigned-{at:%Y%m%dT%H%M%S}Z{ENDINGS[connection.vendor]}"
    if named.exists():
        raise BackupError(f"{named.name} exists already.")
    with unfinished(named) as path:
        moment, tables = database().make(path)
        manifest = Manifest(
            FORMAT, connection.vendor, moment, applied(), path.stat().st_size, digest_of(path), tables
        )
        # First: a backup that can be seen has one.
        with unfinished(manifest_of(named)) as beside:
            beside.write_bytes(manifest.packed())
    oldest = min((moment, *(moment for moment, _path in backups_in(folder))))
    left = ledger.write_down(folder, since=oldest - ledger.OVERLAP)
    return Made(named, manifest, left, expire(folder, but=named, at=at, keep_days=keep_days))


def applied() -> list[str]:
    """The migrations the database has, as `app.name`."""
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())


def backups_in(folder: Path) -> list[tuple[datetime, Path]]:
    found = []
    for path in folder.iterdir():
        if match := OURS.fullmatch(path.name):
            found.append((datetime.strptime(match[1] + "+0000", "%Y%m%dT%H%M%S%z"), path))
    return found


def expire(folder: Path, *, but: Path, at: datetime, keep_days: int | None) -> list[Path]:
    """Deletes backups older than that, with their manifests."""
    if keep_days is None:
        return []
    since = at - timedelta(days=keep_days)
    old = sorted(path for moment, path in backups_in(folder) if moment < since and path != but)
    for path in old:
        path.unlink()
        manifest_of(path).unlink(missing_ok=True)
    return old

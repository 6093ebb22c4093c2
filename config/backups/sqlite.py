"""SQLite's half: its backup API, which copies a database while others write to it."""

import hashlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from django.db import connection

from config.backups.files import BackupError, Tables, refuse_different


class RowSum:
    """An aggregate of SQLite: the sum over a digest of each row."""

    def __init__(self) -> None:
        self.total = 0

    def step(self, *values: object) -> None:
        self.total += int.from_bytes(
            hashlib.blake2b(repr(values).encode(errors="surrogatepass"), digest_size=8).digest()
        )

    def finalize(self) -> str:
        return str(self.total)


def make(path: Path) -> tuple[datetime, Tables]:
    at = datetime.now(UTC)
    with closing(opened(live(), "ro")) as source, closing(opened(path, "rw")) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it
        return at, tables_of(copy)


def tables_of(session: sqlite3.Connection) -> Tables:
    session.create_aggregate("row_sum", -1, RowSum)  # type: ignore[arg-type]
    names = session.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY 1"
    ).fetchall()
    found: Tables = {}
    for (name,) in names:
        table = quoted(name)
        columns = ", ".join(quoted(row[1]) for row in session.execute(f"PRAGMA table_info({table})"))
        found[name] = list(session.execute(f"SELECT count(*), row_sum({columns}) FROM {table}").fetchone())
    return found


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def tables_now() -> Tables:
    with closing(opened(live(), "ro")) as session:
        return tables_of(session)


@contextmanager
def scratch(path: Path) -> Iterator[Tables]:
    """What the backup holds, once it is copied into a database made for it alone."""
    with tempfile.TemporaryDirectory(prefix="undersigned-") as folder:
        copy = Path(folder) / "scratch.sqlite3"
        copy.touch(mode=0o600)
        with closing(opened(path, "ro")) as source, closing(opened(copy, "rw")) as target:
            copied(source, target)
            yield tables_of(target)


def is_empty() -> bool:
    if not live().exists():
        return True
    with closing(opened(live(), "ro")) as session:
        return not session.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()


def others_connected() -> int:
    """Nobody can tell; whoever has it open simply finds the other content in it."""
    return 0


def load(path: Path, tables: Tables, *, replace: bool) -> None:
    """Writes the backup's pages over the database in one transaction, all of them or none."""
    with closing(opened(path, "ro")) as source:
        try:
            refuse_different(tables, tables_of(source))
        except sqlite3.DatabaseError as error:
            raise BackupError(f"The file is damaged, or no SQLite database: {error}.") from error
    live().touch(mode=0o600)
    with closing(opened(path, "ro")) as source, closing(opened(live(), "rw")) as target:
        copied(source, target)
        target.execute("PRAGMA journal_mode = WAL")


def copied(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    try:
        problems = [row[0] for row in source.execute("PRAGMA integrity_check(3)")]
        if problems != ["ok"]:
            raise BackupError(f"The file is damaged: {problems[0]}")
        source.backup(target)
    except sqlite3.OperationalError as error:
        raise BackupError(
            f"The database cannot be written: {error}. Stop web server and worker first."
        ) from error
    except sqlite3.DatabaseError as error:
        raise BackupError(f"This is no SQLite database: {error}.") from error


def live() -> Path:
    name = str(connection.settings_dict["NAME"])
    if connection.is_in_memory_db():  # type: ignore[attr-defined]
        raise BackupError("A database in memory has no backups; name a file in DATABASE_URL.")
    return Path(name)


def opened(path: Path, mode: str) -> sqlite3.Connection:
    """`mode` is ro or rw. A backup is read without making files beside it."""
    uri = Path(os.path.abspath(path)).as_uri()
    try:
        return sqlite3.connect(f"{uri}?mode={mode}", uri=True, timeout=20)
    except sqlite3.Error as error:
        raise BackupError(f"{path} cannot be opened: {error}.") from error

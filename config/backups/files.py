"""The files of a backup: the database as one file, and beside it what is in it."""

import hashlib
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any

FORMAT = 1
ENDINGS = {"postgresql": ".dump", "sqlite": ".sqlite3"}
# A table's rows and a sum over a digest of each, the same in whichever order they lie.
Tables = dict[str, list[Any]]


class BackupError(Exception):
    """Why it does not work; the message is for whoever runs the command."""


@dataclass(frozen=True)
class Manifest:
    """What a backup holds. `at` is the moment of which it is; whatever was committed later is not in it."""

    format: int
    database: str
    at: datetime
    migrations: list[str]
    size: int
    sha256: str
    tables: Tables

    def packed(self) -> bytes:
        return json.dumps(asdict(self) | {"at": self.at.isoformat()}, indent=1).encode()

    @classmethod
    def unpacked(cls, content: bytes) -> "Manifest":
        """Raises ValueError, TypeError or KeyError for what is no manifest of ours."""
        values = json.loads(content)
        if values["format"] != FORMAT:
            raise ValueError(f"its format is {values['format']}, and this release reads {FORMAT}")
        values["at"] = datetime.fromisoformat(values["at"])
        manifest = cls(**values)
        if manifest.at.tzinfo is None or not isinstance(manifest.tables, dict):
            raise ValueError("it is incomplete")
        return manifest


def differences(wanted: Tables, found: Tables) -> list[str]:
    """In words, a table each; nothing where all is equal."""
    words = []
    for name in sorted(wanted.keys() | found.keys()):
        one, other = wanted.get(name), found.get(name)
        if one == other:
            continue
        if one is None or other is None:
            words.append(f"{name}: {'not expected' if one is None else 'missing'}")
        elif one[0] != other[0]:
            words.append(f"{name}: {other[0]:,} rows instead of {one[0]:,}")
        else:
            words.append(f"{name}: as many rows, {one[0]:,}, but not the same")
    return words


def refuse_different(wanted: Tables, found: Tables) -> None:
    words = differences(wanted, found)
    if words:
        more = f"; and {len(words) - 3} more" if len(words) > 3 else ""
        raise BackupError(f"The file holds something else than was backed up: {'; '.join(words[:3])}{more}.")


def manifest_of(backup: Path) -> Path:
    return backup.with_name(backup.name + ".json")


def checked(backup: Path, *, database: str) -> Manifest:
    """The manifest of a whole, unchanged backup of this kind of database. Raises BackupError."""
    if not backup.is_file():
        raise BackupError(f"There is no file {backup}.")
    beside = manifest_of(backup)
    if not beside.is_file():
        raise BackupError(
            f"{beside.name} is missing. It stands beside each backup, and without it nothing proves it."
        )
    try:
        manifest = Manifest.unpacked(beside.read_bytes())
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BackupError(f"{beside.name} does not describe a backup of Undersigned ({error}).") from error
    if manifest.database != database:
        raise BackupError(f"This is a backup of {manifest.database}, and DATABASE_URL names {database}.")
    size = backup.stat().st_size
    if size != manifest.size:
        raise BackupError(f"{backup.name} has {size:,} bytes instead of {manifest.size:,}: it is not whole.")
    if digest_of(backup) != manifest.sha256:
        raise BackupError(f"{backup.name} was changed or damaged since it was made: its SHA-256 is another.")
    return manifest


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def tidied_up_when_ended() -> Iterator[None]:
    """SIGTERM and SIGHUP end the process as an exception does: what is half made is removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def end(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


@contextmanager
def unfinished(path: Path) -> Iterator[Path]:
    """Another name to write to, readable by nobody else; it becomes `path` when all went well, and else goes."""
    other = path.with_name(f".{path.name}.unfinished")
    try:
        other.unlink(missing_ok=True)
        os.close(os.open(other, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        yield other
        other.chmod(0o600)
        sync(other)
        other.rename(path)
        sync(path.parent)
    except BaseException:
        other.unlink(missing_ok=True)
        raise


def sync(path: Path) -> None:
    """A power cut from now on leaves it as it is."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)

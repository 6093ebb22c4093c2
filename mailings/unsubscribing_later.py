"""Unsubscribing while the database takes nothing: written into a file on this machine, and done when it takes again.

Leaving is a right, mail programs that do it for people (RFC 8058) need not try twice, and whoever was told "done"
must not get another mail. So it is never refused, and never forgotten.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import OperationalError, ProgrammingError

from mailings.unsubscribing import unsubscribe
from toolkit.database_trouble import AWAY

logger = logging.getLogger(__name__)

DONE = b"#"  # takes the place of a line's first byte


def file_here() -> Path:
    """Each line is the number of a copy and the moment."""
    return Path(settings.VAR_DIR) / "unsubscribe-later"


def note(*, recipient_id: int, at: datetime) -> None:
    """On the disk when it returns. Raises OSError."""
    file_here().parent.mkdir(parents=True, exist_ok=True)
    # Line ends on both sides: what a full disk has cut off before does not spoil this one.
    line = f"\n{recipient_id} {at.isoformat()}\n".encode()
    with locked(file_here(), os.O_WRONLY | os.O_CREAT | os.O_APPEND) as file:
        if os.write(file, line) != len(line):
            raise OSError("The disk is full.")
        os.fsync(file)
    with opened(file_here().parent, os.O_RDONLY) as folder:
        os.fsync(folder)  # which has the file's name, should it be new


def something_waits() -> bool:
    try:
        return file_here().stat().st_size > 0
    except OSError:
        return False


def catch_up(*, limit: int = 1000) -> int:
    """Does what was noted; returns how much. Another process that is at it is left to it.

    Can be killed at any point: a line is marked after it was done, and doing it twice changes nothing.
    """
    if not something_waits():
        return 0
    try:
        # The folder's lock, not the file's: a database that hangs now must not keep others from writing down.
        with locked(file_here().parent, os.O_RDONLY, patient=False), opened(file_here(), os.O_RDWR) as file:
            return catch_up_in(file, limit)
    except BlockingIOError:
        return 0
    except OSError as error:
        logger.error("%s cannot be read: %s", file_here(), error.strerror)
        return 0


def catch_up_in(file: int, limit: int) -> int:
    done = 0
    with alone(file):
        content = os.pread(file, os.fstat(file).st_size, 0)
    for offset, line in open_lines(content):
        if done == limit:
            return done
        do(line)
        os.pwrite(file, DONE, offset)
        done += 1
    with alone(file):
        # Unless something was written meanwhile: then next time.
        if os.fstat(file).st_size == len(content):
            os.ftruncate(file, 0)
    return done


def open_lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Where each line that is not done begins, and what it says."""
    offset = 0
    for line in content.split(b"\n"):
        if line and not line.startswith(DONE):
            yield offset, line
        offset += len(line) + 1


def do(line: bytes) -> None:
    """Raises what says that the database is away; what can never be done is told and left."""
    try:
        number, moment = line.decode().split(" ")
        unsubscribe(recipient_id=int(number), at=datetime.fromisoformat(moment))
    except AWAY:
        raise
    except ProgrammingError as error:
        raise OperationalError("Its tables are those of another release.") from error
    except Exception as error:  # noqa: BLE001 - one line's trouble must not stop the others
        logger.error("A line of %s cannot be done: %s", file_here(), type(error).__name__)


@contextmanager
def locked(path: Path, flags: int, *, patient: bool = True) -> Iterator[int]:
    """The file, ours alone meanwhile. Raises BlockingIOError to the impatient."""
    with opened(path, flags) as file, alone(file, patient=patient):
        yield file


@contextmanager
def opened(path: Path, flags: int) -> Iterator[int]:
    file = os.open(path, flags, 0o600)
    try:
        yield file
    finally:
        os.close(file)


@contextmanager
def alone(file: int, *, patient: bool = True) -> Iterator[None]:
    """Nobody keeps the file's lock for longer than the disk takes."""
    fcntl.flock(file, fcntl.LOCK_EX | (0 if patient else fcntl.LOCK_NB))
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)

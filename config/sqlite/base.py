"""The database backend: transactions that write take turns.

SQLite lets those who wait for it sleep longer and longer, so that some wait for seconds while others come and go. A
lock on a file beside the database, asked for every millisecond by one thread of each process, keeps that short.
"""

import fcntl
import os
import threading
import time
from functools import cache
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base

WAIT = 20.0  # seconds, like the timeout in the settings
LOOKED_EVERY = 0.001  # seconds


class DatabaseWrapper(base.DatabaseWrapper):
    """A transaction has its turn from its BEGIN to its end, however it ends."""

    _turns: "Turns | None" = None

    def _start_transaction_under_autocommit(self) -> None:
        turns = turns_at(str(self.settings_dict["NAME"]), os.getpid()) if self._is_a_file() else None
        if turns is not None:
            turns.take()
            self._turns = turns
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._end_turn()
            raise

    def _commit(self) -> Any:
        result = super()._commit()  # type: ignore[misc]
        # Only now: after a COMMIT that failed comes a ROLLBACK.
        self._end_turn()
        return result

    def _rollback(self) -> Any:
        try:
            return super()._rollback()  # type: ignore[misc]
        finally:
            self._end_turn()

    def _close(self) -> Any:
        try:
            return super()._close()  # type: ignore[misc]
        finally:
            self._end_turn()

    def _is_a_file(self) -> bool:
        return not self.is_in_memory_db() and bool(self.settings_dict["NAME"])

    def _end_turn(self) -> None:
        turns, self._turns = self._turns, None
        if turns is not None:
            turns.end()


class Turns:
    """Of one process at one database."""

    def __init__(self, path: str) -> None:
        self._threads = threading.Lock()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take(self) -> None:
        """Raises OperationalError when others keep it for too long."""
        deadline = time.monotonic() + WAIT
        if not self._threads.acquire(timeout=WAIT):
            raise OperationalError("database is locked")
        try:
            while not self._locked():
                if time.monotonic() > deadline:
                    raise OperationalError("database is locked")
                time.sleep(LOOKED_EVERY)
        except BaseException:
            self._threads.release()
            raise

    def end(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)
        self._threads.release()

    def _locked(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@cache
def turns_at(database: str, process: int) -> Turns | None:
    """A process that was forked needs a lock of its own. None where there can be no such file: SQLite will do."""
    try:
        return Turns(f"{database}.turns")
    except OSError:
        return None

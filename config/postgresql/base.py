"""The database backend: a connection that another thread can end, and no new one while PostgreSQL hangs."""

import os
import socket
import time
from types import TracebackType
from typing import Any

from django.db import DataError, OperationalError
from django.db.backends.postgresql import base
from django.db.utils import DatabaseErrorWrapper
from django.utils.functional import cached_property
from psycopg2 import errors
from psycopg2.extensions import TRANSACTION_STATUS_ACTIVE

from config.postgresql import patience

# libpq counts in whole seconds, and takes 1 for 2.
SHORTEST = 2

# What Django calls otherwise, and those who handle it have to tell apart: the database is away, or the row is to blame.
RENAMED: dict[type[BaseException], type[Exception]] = {
    errors.ReadOnlySqlTransaction: OperationalError,
    errors.ProgramLimitExceeded: DataError,
    errors.StatementTooComplex: DataError,
}


class Errors(DatabaseErrorWrapper):
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        renamed = RENAMED.get(kind) if kind else None
        if renamed is None or error is None:
            super().__exit__(kind, error, trace)
            return
        if renamed is OperationalError:
            self.wrapper.errors_occurred = True  # type: ignore[attr-defined]
        raise renamed(*error.args).with_traceback(trace) from error


class DatabaseWrapper(base.DatabaseWrapper):
    @cached_property
    def wrap_database_errors(self) -> Errors:
        return Errors(self)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        left = patience.left()
        if patience.is_hanging() or left <= 0:
            raise self.Database.OperationalError("it hangs; not waiting for it once more")
        given = int(conn_params.get("connect_timeout") or SHORTEST)
        shorter = {"connect_timeout": max(SHORTEST, int(min(given, left)))}
        began = time.monotonic()
        try:
            return super().get_new_connection(conn_params | shorter)
        except self.Database.OperationalError:
            if time.monotonic() - began >= SHORTEST - 0.5:
                patience.lost(conn_params)
            raise

    def hang_up(self) -> bool:
        """Ends a statement that is waited for, from another thread: whoever waits gets an OperationalError at once.

        Not `cancel()`, which asks the server, and that is what does not answer. False where nobody waits.
        """
        waiting = self.connection
        if waiting is None or waiting.closed:
            return False
        if waiting.info.transaction_status != TRANSACTION_STATUS_ACTIVE:
            return False
        with socket.socket(fileno=os.dup(waiting.fileno())) as line:
            # Closed at this very moment, its number may be somebody else's already.
            if waiting.closed or waiting.fileno() < 0:
                return False
            line.shutdown(socket.SHUT_RDWR)
        patience.lost(self.get_connection_params())
        return True

"""How long a request waits for PostgreSQL, and that nobody else waits while it is known to hang.

Timeouts of the server's do not help against a server that hangs, nor TCP's as long as its kernel acknowledges. So one
thread in each process looks after all requests under way, and ends the connection of one that has waited too long.
From then on new connections are refused at once, and one more thread knocks until the database answers again.
"""

import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import psycopg2
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg2.extensions import POLL_OK, POLL_READ

LOOKS_EVERY, KNOCKS_EVERY, ANSWERS_WITHIN = 0.2, 1.0, 2.0  # seconds


class Watch:
    """One request: when its time is over, and how to end its waiting."""

    def __init__(self, until: float, hang_up: Callable[[], bool]) -> None:
        self.until, self.hang_up = until, hang_up


_watches: set[Watch] = set()
_lock = threading.RLock()
_current = threading.local()
_threads: dict[str, threading.Thread] = {}


@contextmanager
def limited(seconds: float, hang_up: Callable[[], bool]) -> Iterator[None]:
    """For so long this thread may wait for the database; then `hang_up` is called until it says True."""
    watch, around = Watch(time.monotonic() + seconds, hang_up), getattr(_current, "watch", None)
    _keep_running("patience", _look_after_all)
    _current.watch = watch
    _watches.add(watch)
    try:
        yield
    finally:
        # Under the lock: nobody hangs up on the connection's next user.
        with _lock:
            _watches.discard(watch)
        _current.watch = around


@contextmanager
def elsewhere() -> Iterator[None]:
    """While this thread waits for something that is not the database, such as a visitor: that time does not count."""
    watch = getattr(_current, "watch", None)
    if watch is None:
        yield
        return
    rest, watch.until = left(), float("inf")
    try:
        yield
    finally:
        watch.until = time.monotonic() + rest


def within(seconds: float) -> AbstractContextManager[None]:
    """The same for this thread's own connection, on any database."""
    hang_up = getattr(connections[DEFAULT_DB_ALIAS], "hang_up", None)
    return limited(seconds, hang_up) if hang_up else nullcontext()


def left() -> float:
    """Seconds that this thread may still wait; very many outside of a request."""
    watch = getattr(_current, "watch", None)
    return watch.until - time.monotonic() if watch else float("inf")


def is_hanging() -> bool:
    """Whether the database did not answer lately, and has not since."""
    return _runs("knocking")


def lost(parameters: dict[str, Any]) -> None:
    """Somebody waited for nothing. Until the database of `parameters` answers, nobody else shall."""
    _keep_running("knocking", lambda: _knock_until_answered(parameters))


def _runs(name: str) -> bool:
    thread = _threads.get(name)
    return thread is not None and thread.is_alive()


def _keep_running(name: str, run: Callable[[], None]) -> None:
    """Once in each process: threads do not come along into the children of a fork, and count as dead there."""
    if _runs(name):
        return
    with _lock:
        if not _runs(name):
            _threads[name] = threading.Thread(target=run, name=name, daemon=True)
            _threads[name].start()


def _look_after_all() -> None:
    while True:
        time.sleep(LOOKS_EVERY)
        now = time.monotonic()
        for watch in [watch for watch in _watches.copy() if watch.until <= now]:
            _end(watch)


def _end(watch: Watch) -> None:
    with _lock:
        try:
            if watch in _watches and watch.until <= time.monotonic() and watch.hang_up():
                _watches.discard(watch)
        except (OSError, psycopg2.Error):
            pass  # the connection has just ended by itself


def _knock_until_answered(parameters: dict[str, Any]) -> None:
    while not answers(parameters):
        time.sleep(KNOCKS_EVERY)


def answers(parameters: dict[str, Any]) -> bool:
    """Whether the database runs a statement within two seconds. A refusal is an answer: it costs nobody any time."""
    until = time.monotonic() + ANSWERS_WITHIN
    try:
        connection = psycopg2.connect(**parameters, async_=True)
    except psycopg2.OperationalError:
        return True
    try:
        if not _ready(connection, until):
            return False
        connection.cursor().execute("SELECT 1")
        return _ready(connection, until)
    except psycopg2.Error:
        return True
    finally:
        connection.close()


def _ready(connection: Any, until: float) -> bool:
    """Waits for what an asynchronous connection is at."""
    while (state := connection.poll()) != POLL_OK:
        rest = until - time.monotonic()
        reads, writes = ([connection], []) if state == POLL_READ else ([], [connection])
        if rest <= 0 or not any(select.select(reads, writes, [], rest)):
            return False
    return True

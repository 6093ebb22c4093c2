"""What the site does at the moment: everything, no signing, reading only, or maintenance."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction

from staff import audit
from staff.models import SiteState, State, User
from toolkit.database_trouble import AWAY
from toolkit.plain_text import storable

__all__ = ["Notice", "State", "current", "known", "look", "notice", "remember", "switch", "switch_here"]

ASKED_EVERY = 1.0  # seconds, in each process
# A database that hangs costs whoever asks some seconds: then it is left alone for so many times as long.
LEFT_ALONE = 5
LONGEST_MESSAGE = 500
ONLY_ROW = 1


@dataclass(frozen=True)
class Notice:
    """A state, what staff tell visitors about it (plain text, possibly ""), and since when; None if it always was."""

    state: State = State.FULL
    message: str = ""
    since: datetime | None = None


class Watch:
    """The last known notice of one place, looked up at most once a second. One thread asks, the others don't wait, but
    for the very first answer.
    """

    def __init__(self, ask: Callable[[], Notice | None], clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._asking = threading.Lock()
        self.known = Notice()
        self._good_until = -math.inf
        self._asked = False

    def look(self) -> Notice:
        """What is known. Raises what asking raises, and keeps what was known before."""
        if self._asked and self._clock() < self._good_until:
            return self.known
        if not self._asking.acquire(blocking=not self._asked):
            return self.known
        began = self._clock()
        if began < self._good_until:  # somebody else has asked meanwhile
            self._asking.release()
            return self.known
        self._good_until = math.inf  # until we know how long asking took
        try:
            self.known = self._ask() or Notice()
        finally:
            ended = self._clock()
            self._good_until = ended + max(ASKED_EVERY, LEFT_ALONE * (ended - began))
            self._asked = True
            self._asking.release()
        return self.known

    def remember(self, notice: Notice, *, for_seconds: float = ASKED_EVERY) -> None:
        self.known = notice
        self._good_until = self._clock() + for_seconds
        self._asked = True


def stored() -> Notice | None:
    """From the database. One query."""
    try:
        row = SiteState.objects.filter(pk=ONLY_ROW).values_list("state", "message", "since").first()
    except (DatabaseError, InterfaceError):
        # Outside of a request nobody else gives a broken connection back.
        if not connection.in_atomic_block:
            connection.close()
        raise
    return Notice(State(row[0]), row[1], row[2]) if row else None


def file_here() -> Path:
    """Where it lies, this machine is in maintenance, whatever the database says; it holds the message."""
    return Path(settings.VAR_DIR) / "maintenance-here"


def written_here() -> Notice | None:
    try:
        with file_here().open("rb") as file:
            text = file.read(4 * LONGEST_MESSAGE).decode("utf-8", "replace")
    except OSError:
        return None
    return Notice(State.MAINTENANCE, cleaned(text))


_database = Watch(stored)
_here = Watch(written_here)


def look() -> Notice:
    """As `notice`, but raises when the database was asked just now and did not answer."""
    here = _here.look()
    if here.state is not State.FULL:
        return here
    try:
        return _database.look()
    except AWAY:
        raise
    except (DatabaseError, ValueError):
        # Before the migration there is no table; a state that only a later release knows is a ValueError.
        return _database.known


def notice() -> Notice:
    """What is known; never raises. While the database is away, what was known last."""
    try:
        return look()
    except AWAY:
        return known()


def known() -> Notice:
    """Without asking anybody, for those who have just waited for the database in vain."""
    return _here.known if _here.known.state is not State.FULL else _database.known


def current() -> State:
    return notice().state


def remember(notice: Notice, *, for_seconds: float = ASKED_EVERY) -> None:
    """Takes this for known without asking, also about this machine's file."""
    _database.remember(notice, for_seconds=for_seconds)
    _here.remember(Notice(), for_seconds=for_seconds)


def switch(state: State, *, actor: User | None, at: datetime, message: str = "", reason: str = "") -> bool:
    """Switches the whole site, within a second for other processes; False where it was so already.

    `message` is for visitors, `reason` for the audit log.
    """
    message = "" if state is State.FULL else cleaned(message)  # nothing is refused that it could explain
    with transaction.atomic():
        row, _made = SiteState.objects.select_for_update().get_or_create(
            pk=ONLY_ROW, defaults={"state": State.FULL, "since": at}
        )
        was = State(row.state)
        changed = (was, row.message) != (state, message)
        if changed:
            row.since = at if was != state else row.since
            row.state, row.message = state, message
            row.save(update_fields=["state", "message", "since"])
            audit.record(
                actor=actor,
                action="switch",
                subject=row,
                at=at,
                reason=storable(reason),
                before=was.label,
                message=message,
            )
    _database.remember(Notice(State(row.state), row.message, row.since))
    return changed


def switch_here(*, on: bool, message: str = "") -> None:
    """Puts this machine alone into maintenance, or takes it out, without the database. Raises OSError."""
    path = file_here()
    if on:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(cleaned(message), encoding="utf-8")
        path.chmod(0o644)  # whoever writes it, the web server reads it
    else:
        path.unlink(missing_ok=True)
    _here.remember(written_here() or Notice())


def cleaned(message: str) -> str:
    return storable(message).strip()[:LONGEST_MESSAGE]

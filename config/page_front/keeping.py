"""Keeps held pages as they are: one thread in each process looks once a second, so that no visitor waits for it."""

import logging
import os
import re
import threading
import time
from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.http import Http404
from django.utils import timezone

from config.middleware import VISITORS_WAIT
from config.page_front.held import Headers, Held, Shelf, answers_of
from config.page_front.inputs import Inputs, inputs_of
from config.page_front.marks import Marked, Number
from config.postgresql import patience
from staff import site_state
from staff.site_state import Notice, State

logger = logging.getLogger(__name__)

LOOKED_EVERY = 0.9  # seconds
# While the database is away; what Cache-Control allows as `stale-if-error`.
KEPT_WHILE_AWAY = 600.0
# A page whose words have changed is made anew meanwhile.
STALE_AT_MOST = 0.8
# What nobody has asked for so long makes room.
FORGOTTEN_AFTER = 600.0
# Should anything that a page shows be missing in its inputs, it is wrong for no longer than this.
MADE_ANEW_AFTER = 300.0
# A page that does not come out as Django's; it is no use to try with each visitor.
LEFT_TO_DJANGO = 60.0
TRIES = 3
MOST_WANTED = 2000
STAMPED_EVERY = 10  # seconds, as `signed_tokens.stamp` does

PATH = re.compile(r"/petitions/([-a-zA-Z0-9_]+)/(count\.json)?")
Application = Callable[[dict[str, Any], Any], Any]


class DjangoIsAway(Exception):
    """It answers 503: its database is away, or the site is in maintenance."""


class Keeper:
    """Fills the shelf and keeps it true. `look` and `fill_next` are what its thread does, once it was started."""

    def __init__(
        self, django: Application, shelf: Shelf, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.django, self.shelf, self.clock = django, shelf, clock
        self._wanted: dict[str, Headers | None] = {}
        self._left: dict[str, float] = {}
        self._away = False
        self._wake = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    # --- Asked by visitors' threads ---

    def want(self, path: str, headers: Headers | None = None) -> None:
        """Hold this one from now on; `headers` are Django's answer to somebody a moment ago."""
        if path not in self._left and len(self._wanted) < MOST_WANTED:
            self._wanted[path] = headers
            self._wake.set()

    def start(self) -> None:
        """Only in the process that serves: no thread survives a fork."""
        if self._thread is None:
            with self._starting:
                if self._thread is None:
                    os.register_at_fork(after_in_child=self._after_fork)
                    self._thread = threading.Thread(target=self._run, name="page front", daemon=True)
                    self._thread.start()

    def _after_fork(self) -> None:
        self.shelf.clear()
        self._wanted.clear()
        self._wake, self._starting, self._thread = threading.Event(), threading.Lock(), None

    # --- The thread ---

    def _run(self) -> None:
        next_look = 0.0
        while True:
            if not self._wanted:
                self._wake.wait(max(0.0, next_look - self.clock()) if self.shelf or self._left else None)
            self._wake.clear()
            try:
                # A database that hangs must not hold this thread for longer than it hangs.
                with patience.within(VISITORS_WAIT):
                    if self.clock() >= next_look:
                        next_look = self.clock() + LOOKED_EVERY
                        self.look(at=timezone.now())
                    else:
                        self.fill_next(at=timezone.now())
            except Exception:
                # Nobody would start this thread again; Django answers whatever is not held.
                logger.exception("The page front holds nothing until it knows better.")
                self.shelf.clear()
                self._wanted.clear()

    def look(self, *, at: datetime) -> None:
        """Compares all held pages with the database: two queries. While that is away, they stay as they are."""
        began = self.clock()
        pages = list(self.shelf)
        try:
            site = site_wide()
            if site.state is State.MAINTENANCE:
                # Also where the database is away, and this machine's own file says so.
                self.shelf.clear()
                return
            known = {page.slug: page.inputs for page in pages}
            found = inputs_of(known.keys(), at=at, known=known)
        except (DatabaseError, InterfaceError) as error:
            self._nothing_learned(error)
            return
        if self._away:
            self._away = False
            logger.warning("The database answers again.")
        for path in [path for path, until in list(self._left.items()) if until <= began]:
            del self._left[path]
        for page in pages:
            self._compare(page, found.get(page.slug), site, began=began, at=at)

    def _nothing_learned(self, error: Exception) -> None:
        if not connection.in_atomic_block:
            connection.close()
        if not self._away:
            self._away = True
            logger.warning("Pages are served as they are: %s", str(error).partition("\n")[0])

    def _compare(
        self, page: Held, inputs: Inputs | None, site: object, *, began: float, at: datetime
    ) -> None:
        idle = began - page.asked > FORGOTTEN_AFTER
        if idle or site != page.site or inputs is None or not inputs.is_public:
            self.shelf.drop(page.path)
            return
        if inputs.key != page.inputs.key:
            page.until = min(page.until, began + STALE_AT_MOST)
            self.want(page.path)
            return
        slot = slot_of(at)
        if inputs != page.inputs or slot != page.slot:
            page.inputs, page.slot = inputs, slot
            page.answers = answers_of(page.source.contents(inputs, at=at), page.headers)
        page.until = began + KEPT_WHILE_AWAY
        if began - page.filled > MADE_ANEW_AFTER:
            self.want(page.path)

    def fill_next(self, *, at: datetime) -> None:
        """Holds one of the pages that are wanted."""
        try:
            path, headers = next(iter(self._wanted.items()))
        except (StopIteration, RuntimeError):
            return  # none, or another thread wants one at this very moment
        try:
            page = self.fill(path, headers, at=at)
        except (DatabaseError, InterfaceError, DjangoIsAway) as error:
            self._nothing_learned(error)
            page = self.shelf.by_path.get(path)
            if page is not None:
                page.until = self.clock() + KEPT_WHILE_AWAY
        except Exception:
            # Whatever is wrong with this page says nothing about the others.
            logger.exception("%s cannot be held; left to Django.", path)
            self._left[path] = self.clock() + LEFT_TO_DJANGO
            self.shelf.drop(path)
        else:
            if page is None:
                self.shelf.drop(path)
            else:
                self.shelf.put(page)
        self._wanted.pop(path, None)

    def fill(self, path: str, headers: Headers | None = None, *, at: datetime) -> Held | None:
        """The page as Django makes it, or None where there is none to hold. Two queries, or three without `headers`.

        It is held only if its own bytes prove to be Django's, by the ETag of an answer.
        """
        parts = PATH.fullmatch(path)
        if parts is None:
            return None
        slug = parts[1]
        for _ in range(TRIES):
            began, site = self.clock(), site_wide()
            inputs = inputs_of([slug], at=at).get(slug)
            if inputs is None or not inputs.is_public:
                return None
            try:
                source = Number() if parts[2] else Marked(slug)
            except Http404:
                return None
            if headers is None:
                status, headers = self._ask(path)
                if status.startswith("503 "):
                    raise DjangoIsAway(status)
                if not status.startswith("200 "):
                    return None
            if not is_for_everybody(headers):
                return None
            answers = answers_of(source.contents(inputs, at=at), headers)
            if answers.etag == dict(headers).get("ETag"):
                until = began + KEPT_WHILE_AWAY
                return Held(
                    path,
                    slug,
                    source,
                    headers,
                    site,
                    inputs,
                    answers,
                    slot_of(at),
                    began,
                    until,
                    self.clock(),
                )
            # Somebody has signed in between; or a page says more about its numbers than its marks know.
            headers = None
        logger.error("%s does not come out as Django renders it; left to Django.", path)
        self._left[path] = self.clock() + LEFT_TO_DJANGO
        return None

    def _ask(self, path: str) -> tuple[str, Headers]:
        """Django's status and headers for a visitor of this site."""
        said: list[Any] = []
        answer = self.django(request_for(path), lambda *status_and_headers: said.extend(status_and_headers))
        for _part in answer:
            pass
        close = getattr(answer, "close", None)
        if close:
            close()
        return said[0], said[1]


def site_wide() -> Notice:
    """What every page depends on. While the database is away, what was known last."""
    return site_state.notice()


def is_for_everybody(headers: Headers) -> bool:
    named = {name.lower(): value for name, value in headers}
    is_public = named.get("cache-control", "").startswith("public")
    return is_public and "set-cookie" not in named and "cookie" not in named.get("vary", "").lower()


def slot_of(at: datetime) -> int:
    return int(at.timestamp()) // STAMPED_EVERY


def request_for(path: str) -> dict[str, Any]:
    site = urlsplit(settings.SITE_URL)
    host = settings.ALLOWED_HOSTS[0]
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": host,
        "SERVER_PORT": "443" if site.scheme == "https" else "80",
        "REMOTE_ADDR": "",
        "HTTP_HOST": site.netloc if host.startswith((".", "*")) else host,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": site.scheme,
        "wsgi.input": BytesIO(),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }

"""The worker: folds, counts, mails and forgets, each job as often as it says here."""

import logging
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import Error, connection
from django.utils import timezone

from campaigns.nominating import forget_marks
from campaigns.postal_codes import locate_places
from config import error_reports
from config.metrics import serve_from_worker
from fraud.alerts import alert
from fraud.applying import work
from fraud.bursts import watch
from fraud.forgetting import forget as forget_marks_of_signatures
from fraud.judging import BurstJudge
from mailings.bounce_mailbox import MailboxAway, fetch
from mailings.freezing import write_due
from mailings.reports import forget_reports
from mailings.sending import send_some
from mailings.unsubscribing_later import catch_up
from petitions.league import rank_all
from petitions.momentum import remember as remember_momentum
from petitions.share_images.keeping import Painter
from petitions.target_lists.keeping import forget_lists
from signers import folding
from signers.answering import answer
from signers.counting import add_up, recount
from signers.counting_people import count_missing
from signers.folding import fold
from signers.forgetting import forget_unconfirmed
from signers.mending import mend
from signers.sending import bring_forward, late, piled_up, send_due
from staff import site_state
from staff.heartbeat import beat
from toolkit import meters
from toolkit.database_trouble import AWAY
from toolkit.emails import ServerUnavailable, in_short

logger = logging.getLogger(__name__)

FOLDED_AT_ONCE, SENT_AT_ONCE = 500, 20
# Seconds to wait while the database, or the mail server, is away; the last one for as long as it takes.
DATABASE_BACKOFF: tuple[float, ...] = (0.5, 1, 2, 5)
MAIL_BACKOFF = (10, 20, 40, 60)
LEAVES_WITHIN = 5  # seconds for what is under way when the worker is asked to stop
KEPT_OPEN = 60  # seconds without work after which a database connection is given back
RECOUNT_HOUR = 3  # UTC
RESTS_FOR = timedelta(seconds=1)  # before it looks again whether the site may be written to
ENDING = (signal.SIGTERM, signal.SIGINT)


@dataclass
class Job:
    """Something done again and again. `run` gets the moment and returns how much it did."""

    name: str
    run: Callable[[datetime], int]
    every: timedelta
    due: float = 0.0  # by `time.monotonic`: a clock that is set anew neither holds a job up nor sets it off
    again_at_once: bool = False  # as long as there was something to do
    never_rests: bool = False  # also while the site is read-only or in maintenance


def quick_jobs() -> list[Job]:
    """What people wait for, in the order in which it is done."""
    return [
        Job("fold", fold_some, timedelta(seconds=0.4), again_at_once=True),
        Job("answer", lambda at: answer(at=at), timedelta(seconds=1), again_at_once=True),
        Job("add up", lambda at: add_up(at=at), timedelta(seconds=1)),
        Job("unsubscribe what was noted", lambda _at: catch_up(), timedelta(seconds=1), again_at_once=True),
        Job("heartbeat", heartbeat, timedelta(seconds=5), never_rests=True),
    ]


def watching_jobs(keep_on: Callable[[], bool] = lambda: True) -> list[Job]:
    """What must neither wait for the slow ones nor keep people waiting, while somebody attacks."""
    return [
        Job("look for bursts", lambda at: watch(at=at, keep_on=keep_on), timedelta(seconds=10)),
        Job("alert", lambda at: alert(at=at), timedelta(seconds=10)),
        Job("clusters", lambda at: work(at=at), timedelta(seconds=1), again_at_once=True),
        Job("forget networks", lambda at: forget_marks_of_signatures(at=at), timedelta(hours=1)),
    ]


def rush_jobs() -> list[Job]:
    """What is done twice at a time while very much waits: one waits for the database, and the other works."""
    return [Job("fold more", fold_more, timedelta(seconds=1), again_at_once=True)]


def fold_more(at: datetime) -> int:
    return fold_some(at) if folding.more_wait_than(folded_at_once()) else 0


def fold_some(at: datetime) -> int:
    return fold(at=at, limit=folded_at_once(), judge=BurstJudge())


def folded_at_once() -> int:
    """A batch takes less for each the larger it is; on SQLite nobody can sign while it is written."""
    return FOLDED_AT_ONCE if takes_turns_by_row() else FOLDED_AT_ONCE // 3


def slow_jobs(now: datetime, keep_on: Callable[[], bool] = lambda: True) -> list[Job]:
    """What may take minutes where there are millions of signatures."""
    painter = Painter()
    return [
        Job("lists of mailings", lambda at: write_due(at=at), timedelta(seconds=2), again_at_once=True),
        Job("mails dated ahead", lambda at: bring_forward(at=at), timedelta(seconds=15)),
        Job("momentum", lambda at: remember_momentum(at=at), timedelta(seconds=10)),
        Job("league", lambda at: rank_all(at), timedelta(seconds=10)),
        Job("mend choices", lambda at: mend(at=at), timedelta(days=1)),
        Job("count people", lambda _at: count_missing(), timedelta(hours=1)),
        Job("forget", lambda at: forget_unconfirmed(at=at), timedelta(hours=1)),
        Job("forget marks of nominations", lambda at: forget_marks(at=at), timedelta(hours=1)),
        Job("forget lists of targets", lambda at: forget_lists(at=at), timedelta(hours=1)),
        Job("locate places", lambda _at: locate_places(), timedelta(hours=1)),
        Job("forget reports", lambda at: forget_reports(at=at), timedelta(hours=1)),
        Job("fetch bounces", fetch_bounces, timedelta(minutes=5)),
        Job("forget sessions", forget_sessions, timedelta(days=1)),
        Job(
            "share images",
            lambda at: painter.draw_due(at=at, keep_on=keep_on),
            timedelta(seconds=15),
            again_at_once=True,
        ),
        Job("recount", Nightly(lambda: len(recount()), now), timedelta(minutes=1)),
    ]


def heartbeat(at: datetime) -> int:
    beat(at=at)
    return 0


def fetch_bounces(at: datetime) -> int:
    """From the mailbox they come to, where there is one."""
    if not settings.BOUNCE_MAILBOX:
        return 0
    try:
        return fetch(at=at)
    except MailboxAway as error:
        logger.error("The mailbox for bounces does not answer: %s", error.reason)
        return 0


def forget_sessions(_at: datetime) -> int:
    """Those of staff who have not been here for long."""
    SessionStore.clear_expired()
    return 0


class Nightly:
    """What is asked for every minute, and done once a night."""

    def __init__(self, run: Callable[[], int], now: datetime) -> None:
        self.run = run
        self.next = next_night(now)

    def __call__(self, at: datetime) -> int:
        if at < self.next:
            # Sooner where the clock was set back.
            self.next = min(self.next, next_night(at))
            return 0
        self.next = next_night(at)
        return self.run()


def next_night(now: datetime) -> datetime:
    tonight = now.replace(hour=RECOUNT_HOUR, minute=0, second=0, microsecond=0)
    return tonight if tonight > now else tonight + timedelta(days=1)


class Backoff:
    """How long to wait for something that is away, and when to say so: once when it goes, once when it is back."""

    def __init__(self, what: str, seconds: tuple[float, ...]) -> None:
        self.what = what
        self.seconds = seconds
        self.failures = 0

    def failed(self, reason: object) -> float:
        """Seconds to wait."""
        if self.seconds == DATABASE_BACKOFF:
            meters.DATABASE_ERRORS.labels("worker").inc()
        if not self.failures:
            logger.error("%s does not answer: %s", self.what, reason)
        self.failures += 1
        return self.seconds[min(self.failures, len(self.seconds)) - 1]

    def worked(self) -> None:
        if self.failures:
            logger.info("%s answers again.", self.what)
        self.failures = 0


class Worker:
    """Threads, so that nothing that hangs or takes long delays a signature, or the mail that confirms it."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.mail_server = Backoff("The mail server", MAIL_BACKOFF)

    def run(self) -> bool:
        """Works until SIGTERM or SIGINT, then finishes what it is at; False where it stopped without being asked."""
        # Blocked in every thread, and waited for here: a handler could run at any point of a thread's work.
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        threads = [
            self._thread("quick", self._work, quick_jobs()),
            *([self._thread("rush", self._work, rush_jobs())] if takes_turns_by_row() else []),
            self._thread("slow", self._work, slow_jobs(timezone.now(), self._keeps_on)),
            self._thread("watching", self._work, watching_jobs(self._keeps_on)),
            self._thread("mail", self._send, self._mails, self.mail_server),
            *(
                self._thread(
                    f"more mail {number}",
                    self._send,
                    self._more_mails,
                    Backoff("The mail server, asked to take more at once,", MAIL_BACKOFF),
                )
                for number in range(1, mail_connections())
            ),
            self._thread(
                "mailings",
                self._send,
                self._mailings,
                Backoff("The mail server, asked to take mailings,", MAIL_BACKOFF),
            ),
        ]
        for thread in threads:
            thread.start()
        serve_from_worker()
        logger.info("The worker has started.")
        asked = None
        while asked is None and all(thread.is_alive() for thread in threads):
            asked = signal.sigtimedwait(ENDING, 1)
        self.stopping.set()
        leaving = time.monotonic() + LEAVES_WITHIN
        for thread in threads:
            thread.join(max(0, leaving - time.monotonic()))
        logger.info("The worker has stopped.")
        return asked is not None

    def _thread(self, name: str, run: Callable[..., None], *arguments: Any) -> threading.Thread:
        return threading.Thread(target=run, args=arguments, name=name, daemon=True)

    def _keeps_on(self) -> bool:
        return not self.stopping.is_set() and not rests()

    def _work(self, todo: list[Job]) -> None:
        backoff = Backoff("The database", DATABASE_BACKOFF)
        while not self.stopping.is_set():
            pause = run_due(todo, timezone.now(), backoff)
            if pause > KEPT_OPEN:
                connection.close()
            self.stopping.wait(pause)
        connection.close()

    def _send(self, send: Callable[[datetime], int], server: Backoff) -> None:
        database = Backoff("The database", DATABASE_BACKOFF)
        while not self.stopping.is_set():
            self.stopping.wait(send_some_of(send, database, server))
        connection.close()

    def _mails(self, at: datetime) -> int:
        return send_due(at=at, limit=SENT_AT_ONCE, keep_on=self._keeps_on)

    def _more_mails(self, at: datetime) -> int:
        """Beside the others while mails pile up; not at a server in trouble, which would put more of them in doubt."""
        if self.mail_server.failures or not piled_up(at=at):
            return 0
        return self._mails(at)

    def _mailings(self, at: datetime) -> int:
        """The mails people wait for go first, also at a server that takes one connection at a time."""
        return send_some(at=at, keep_on=lambda: self._keeps_on() and not late(at=timezone.now()))


def takes_turns_by_row() -> bool:
    """Whether several can work on one queue, each on rows of its own. SQLite lets one write at a time."""
    return bool(connection.features.has_select_for_update_skip_locked)


def mail_connections() -> int:
    return settings.MAIL_CONNECTIONS if takes_turns_by_row() else 1


def send_some_of(send: Callable[[datetime], int], database: Backoff, server: Backoff) -> float:
    """Sends what is due; returns the seconds until the next look."""
    if rests():
        return RESTS_FOR.total_seconds()
    try:
        done = send(timezone.now())
    except ServerUnavailable as error:
        database.worked()
        return server.failed(in_short(error.reason))
    except AWAY as error:
        connection.close()
        return database.failed(type(error).__name__)
    except Exception as error:  # noqa: BLE001 - whatever it is, mails must go on
        log_failure(threading.current_thread().name, error)
        return MAIL_BACKOFF[0]
    database.worked()
    if done:
        server.worked()
    return 0 if done else 1


def run_due(
    todo: list[Job], now: datetime, backoff: Backoff, clock: Callable[[], float] = time.monotonic
) -> float:
    """Does what is due, each job whatever became of the others; returns the seconds until the next."""
    began = clock()
    for job in todo:
        if job.due > began:
            continue
        if not job.never_rests and rests():
            job.due = began + RESTS_FOR.total_seconds()
            continue
        try:
            done = job.run(now)
        except AWAY as error:
            connection.close()
            return backoff.failed(type(error).__name__)
        except Exception as error:  # noqa: BLE001 - one job's trouble must not stop the others
            log_failure(job.name, error)
            done = 0
        else:
            backoff.worked()
        job.due = began if done and job.again_at_once else began + job.every.total_seconds()
    return max(0.0, min(job.due for job in todo) - clock())


def rests() -> bool:
    """Whether nothing may be written, because staff switched the site to read-only or maintenance."""
    return not site_state.current().takes_changes


def log_failure(name: str, error: Exception) -> None:
    """Where it happened, but not the error's own text, which may quote what somebody typed."""
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    place = f"{where.tb_frame.f_code.co_filename}:{where.tb_lineno}" if where else "unknown"
    meters.JOBS_FAILED.labels(name).inc()
    error_reports.report(error)
    logger.error("The job “%s” failed: %s at %s", name, type(error).__name__, place)
    if isinstance(error, Error):
        connection.close()


def work_once() -> str:
    """Does everything that is due, until nothing is left; returns what is wrong with the mail server, or ""."""
    trouble = ""
    painter = Painter()
    beat(at=timezone.now())
    if rests():
        logger.warning("The site is %s: nothing is done until it is switched back.", site_state.current())
        return ""
    catch_up()
    forget_unconfirmed(at=timezone.now())
    forget_reports(at=timezone.now())
    fetch_bounces(timezone.now())
    forget_marks(at=timezone.now())
    forget_lists(at=timezone.now())
    locate_places()
    mend(at=timezone.now())
    count_missing()
    while write_due(at=timezone.now()):
        pass
    quiet = False
    while not quiet:
        quiet = not fold_some(timezone.now())
        quiet &= not watch(at=timezone.now())
        quiet &= not work(at=timezone.now())
        quiet &= not answer(at=timezone.now())
        quiet &= not add_up(at=timezone.now())
        quiet &= not painter.draw_due(at=timezone.now())
        if not trouble:
            try:
                quiet &= not send_due(at=timezone.now(), limit=SENT_AT_ONCE)
                quiet &= not send_some(at=timezone.now())
            except ServerUnavailable as error:
                trouble = error.reason
    alert(at=timezone.now())
    forget_marks_of_signatures(at=timezone.now())
    remember_momentum(at=timezone.now())
    rank_all(timezone.now())
    return trouble

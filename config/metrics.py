"""`/metrics` for Prometheus: what all processes counted, and how old the oldest thing in each queue is."""

import hmac
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import Min, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from config.shared_figures import Share, added_up, figures_of, metrics_of
from mailings import sending as mailings_sending
from mailings.models import Mailing, Recipient
from signers import sending
from signers.models import AddressChange, CountChange, OwnPageRequest, Submission
from staff import site_state
from staff.heartbeat import last_beat
from toolkit import meters

logger = logging.getLogger(__name__)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Milliseconds for one of our questions: whoever watches wants to hear that the database is slow, not to wait for it.
QUESTION_TAKES = 2000


class MetricsMiddleware:
    """Answers `/metrics` before anything else does, for whatever host Prometheus calls us by; keeps our own figures."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        keep_figures()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info != "/metrics" or not settings.METRICS_TOKEN:
            return self.get_response(request)
        response = answer(request)
        response["Cache-Control"] = "no-store"
        return response


def answer(request: HttpRequest) -> HttpResponse:
    if not may_read(request.META.get("HTTP_AUTHORIZATION", "")):
        return HttpResponse(
            "A token is needed.\n", "text/plain", status=401, headers={"WWW-Authenticate": "Bearer"}
        )
    if request.method not in {"GET", "HEAD"}:
        return HttpResponse("Only GET.\n", "text/plain", status=405, headers={"Allow": "GET, HEAD"})
    return HttpResponse(figures(at=timezone.now()), CONTENT_TYPE)


def may_read(authorization: str) -> bool:
    """Whether the header carries the token; without METRICS_TOKEN nobody may."""
    expected = f"Bearer {settings.METRICS_TOKEN}".encode()
    given = authorization.encode("utf-8", "surrogateescape" if authorization.isascii() else "surrogatepass")
    return bool(settings.METRICS_TOKEN) and hmac.compare_digest(given, expected)


@cache
def keep_figures() -> None:
    """Lets this process's figures be added to those of the others. Once for each process; nothing without a token."""
    if not settings.METRICS_TOKEN:
        return
    try:
        share = Share(Path(settings.METRICS_DIR), meters.REGISTRY)
        # Where nobody asks, those of processes that have ended would pile up.
        added_up(Path(settings.METRICS_DIR))
    except OSError as error:
        logger.error("METRICS_DIR cannot be written, so figures are left out: %s", error.strerror)
        return
    share.keep_writing()


def figures(*, at: datetime) -> bytes:
    """Everything, in Prometheus's text format."""
    registry = CollectorRegistry()
    registry.register(Answers(at))
    return generate_latest(registry)


class Answers:
    def __init__(self, at: datetime) -> None:
        self.at = at

    def collect(self) -> Iterator[Metric]:
        yield from metrics_of(counted())
        yield from asked_of_the_database(at=self.at)


def counted() -> dict:
    """By all processes of this machine; only by this one where their files cannot be read."""
    try:
        return added_up(Path(settings.METRICS_DIR))
    except OSError:
        return figures_of(meters.REGISTRY.collect())


# --- What the database knows -----------------------------------------------------------------------------------


@contextmanager
def patiently() -> Iterator[None]:
    """No question takes longer than `QUESTION_TAKES`. On SQLite there is no transaction, which would wait its turn to
    write."""
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = {QUESTION_TAKES}")
        yield


def asked_of_the_database(*, at: datetime) -> list[Metric]:
    """Queues, worker and state. Where the database is away, only that it is."""
    up = GaugeMetricFamily("undersigned_database_up", "Whether the database answers our questions.")
    try:
        with patiently():
            found = [*queues(at=at), silence(at=at), state()]
    except (DatabaseError, InterfaceError):
        connection.close()
        up.add_metric([], 0)
        return [up]
    up.add_metric([], 1)
    return [up, *found]


def queues(*, at: datetime) -> list[Metric]:
    """How long the first in each queue has been waiting beyond its time, in seconds; 0 where nobody is."""
    ages = GaugeMetricFamily(
        "undersigned_queue_oldest_seconds",
        "How long the oldest in the queue has been due, in seconds; 0 for an empty queue.",
        labels=["queue"],
    )
    for name, oldest in oldest_due(at).items():
        ages.add_metric([name], max(0.0, (at - oldest).total_seconds()) if oldest else 0)
    length = GaugeMetricFamily(
        "undersigned_count_changes_waiting", "Changes not yet in a count; an estimate that never says less."
    )
    length.add_metric([], count_changes())
    parked = GaugeMetricFamily(
        "undersigned_submissions_parked_now", "Submissions set aside, for staff to see to."
    )
    parked.add_metric([], Submission.objects.filter(parked_at__isnull=False).count())
    return [ages, length, parked]


def oldest_due(at: datetime) -> dict[str, datetime | None]:
    """Since when the first in each queue has been due. A query each, on an index or a table that is small."""
    return {
        "submissions": first(Submission.objects.filter(parked_at=None).order_by("id"), "received_at"),
        "parked submissions": least(Submission.objects.filter(parked_at__isnull=False), "parked_at"),
        "requests for own pages": first(OwnPageRequest.objects.order_by("id"), "received_at"),
        "changes of address": first(
            AddressChange.objects.filter(answered_at=None).order_by("id"), "asked_at"
        ),
        "mails": first(sending.waiting().filter(due_at__lte=at).order_by("due_at"), "due_at"),
        "mails in doubt": least(sending.in_doubt(at=at), "handed_over_at"),
        "lists of mailings": least(
            Mailing.objects.filter(started_at__isnull=False, listed_at=None, canceled_at=None), "started_at"
        ),
        "copies of mailings": oldest_copy(at),
        "copies in doubt": first(
            mailings_sending.in_doubt(at=at).order_by("handed_over_at"), "handed_over_at"
        ),
    }


def first(rows: QuerySet, column: str) -> datetime | None:
    return rows.values_list(column, flat=True).first()


def least(rows: QuerySet, column: str) -> datetime | None:
    return rows.aggregate(least=Min(column))["least"]


def oldest_copy(at: datetime) -> datetime | None:
    """Of the mailings under way; a query for each, which its index answers at once."""
    due = Q(due_at__lte=at)
    moments = [
        first(Recipient.objects.queued().filter(due, mailing=mailing).order_by("due_at", "id"), "due_at")
        for mailing in mailings_sending.under_way(at=at).values_list("pk", flat=True)
    ]
    return min((moment for moment in moments if moment), default=None)


def count_changes() -> int:
    """By the distance of their keys: counting them one by one would take long just when it matters."""
    keys = CountChange.objects.order_by("id").values_list("pk", flat=True)
    oldest, newest = keys.first(), keys.last()
    return newest - oldest + 1 if oldest and newest else 0


def silence(*, at: datetime) -> Metric:
    """-1 for a worker that has never run."""
    beat = last_beat()
    family = GaugeMetricFamily(
        "undersigned_worker_silent_seconds", "Since the worker last said that it is alive."
    )
    family.add_metric([], max(0.0, (at - beat).total_seconds()) if beat else -1)
    return family


def state() -> Metric:
    """1 for the one that holds."""
    family = GaugeMetricFamily(
        "undersigned_site_state", "What the site does at the moment.", labels=["state"]
    )
    now = site_state.current()
    for each in site_state.State:
        family.add_metric([each.value], each is now)
    return family


# --- Of a worker on another machine ----------------------------------------------------------------------------


class WorkerAnswer(BaseHTTPRequestHandler):
    """`/metrics` of a process that serves no pages."""

    timeout = 5
    server_version = "undersigned"
    sys_version = ""

    def do_GET(self) -> None:
        if self.path != "/metrics":
            self.say(404, b"Only /metrics is here.\n")
        elif not may_read(self.headers.get("Authorization", "")):
            self.say(401, b"A token is needed.\n")
        else:
            self.say(200, figures(at=timezone.now()))
            connection.close()

    def say(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: it would hold the visitor's address."""


class WorkerServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever breaks off is no news."""


def serve_from_worker() -> WorkerServer | None:
    """Listens where WORKER_METRICS says, in a thread of its own; None where it says nothing."""
    keep_figures()
    if not settings.WORKER_METRICS:
        return None
    host, _, port = settings.WORKER_METRICS.rpartition(":")
    server = WorkerServer((host.strip("[]"), int(port)), WorkerAnswer)
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server

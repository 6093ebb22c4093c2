"""What the site counts about itself for Prometheus: each meter once, counted wherever it happens.

A label holds a word of ours, never a path, an address or a name. `config.metrics` serves the figures.
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.core import CounterMetricFamily

# When a series began is nothing anybody asks; it would double what is kept.
disable_created_metrics()
REGISTRY = CollectorRegistry()

REQUESTS = Histogram(
    "undersigned_request_seconds",
    "Requests that Django answered, by route, method and kind of status.",
    ["route", "method", "status"],
    registry=REGISTRY,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
ACCEPTED = Counter(
    "undersigned_signatures_accepted",
    "Sign forms that were answered with 303: written down.",
    registry=REGISTRY,
)
FOLDED = Counter("undersigned_submissions_folded", "Submissions dealt with by the fold.", registry=REGISTRY)
HELD = Counter(
    "undersigned_signatures_held", "Signatures that the fold set aside for staff.", registry=REGISTRY
)
PARKED = Counter("undersigned_submissions_parked", "Submissions that could not be folded.", registry=REGISTRY)
MAILS = Counter(
    "undersigned_mails",
    "What came of mails. Kind: confirmation (to one person for one event) or mailing (a copy of one).",
    ["kind", "outcome"],
    registry=REGISTRY,
)
DATABASE_ERRORS = Counter(
    "undersigned_database_errors", "Times the database did not answer.", ["where"], registry=REGISTRY
)
JOBS_FAILED = Counter(
    "undersigned_jobs_failed", "Jobs of the worker that failed.", ["job"], registry=REGISTRY
)

CONFIRMATION, MAILING = "confirmation", "mailing"
SENT, PUT_OFF, FAILED, IN_DOUBT, BOUNCED, COMPLAINED = (
    "sent",
    "put off",
    "failed",
    "in doubt",
    "bounced",
    "complained",
)

for _kind in (CONFIRMATION, MAILING):
    for _outcome in (SENT, PUT_OFF, FAILED, IN_DOUBT, BOUNCED, COMPLAINED):
        # A series that begins with its first event shows no increase, and the first event is the one to hear of.
        MAILS.labels(_kind, _outcome)
for _where in ("web", "worker"):
    DATABASE_ERRORS.labels(_where)

_page_front = {200: 0, 304: 0}


def page_front_answer(status: int) -> None:
    """Counts a 200 or 304 of the page front. A plain addition: two threads at once may lose one, which is no matter."""
    _page_front[status] += 1


class _PageFront:
    """Those additions as a metric."""

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily(
            "undersigned_page_front_answers", "Pages answered before Django, by status.", labels=["status"]
        )
        for status, answers in list(_page_front.items()):
            family.add_metric([str(status)], answers)
        yield family


REGISTRY.register(_PageFront())

"""What a rule would find in what came in lately; and making a cluster of it, by hand."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from fraud.applying import numbers_of
from fraud.bursts import dense, label, suspicious_keys, take_in
from fraud.models import Burst, Mark, Rule
from fraud.rules import GROUPINGS, matching
from signers.models import Signature

# Signatures that are gathered while staff wait.
MOST_GATHERED = 20_000
MOST_SHOWN = 50


@dataclass(frozen=True)
class Found:
    """Signatures that belong together: how many, how many of them count, and from when to when they came."""

    key: str
    label: str
    signatures: int
    counted: int
    confirmed: int
    held: int
    first_at: datetime
    last_at: datetime


def find(rule: Rule, *, hours: int, at: datetime) -> list[Found]:
    """The largest first. Nothing is changed."""
    since = at - timedelta(hours=hours)
    keys = suspicious_keys(rule, since=since, at=at)[:MOST_SHOWN]
    return [found for key in keys if (found := _found(rule, key, since))]


def _found(rule: Rule, key: str, since: datetime) -> Found | None:
    span = dense(rule, key, since=since)
    if span is None:
        return None
    first_at, last_at = span
    marks = Mark.objects.filter(matching(rule.kind, key), folded_at__gt=since, received_at__gte=first_at)
    numbers = numbers_of(Signature.objects.filter(mark__in=marks))
    return Found(
        key=key,
        label=label(Burst(kind=rule.kind, key=key)),
        signatures=numbers["changed"],
        counted=numbers["counted"],
        confirmed=numbers["confirmed"],
        held=numbers["held"],
        first_at=first_at,
        last_at=last_at,
    )


def gather(rule: Rule, *, key: str, hours: int, at: datetime) -> Burst | None:
    """A cluster of what was found, for staff to decide about; nothing is held for it. None where it is not there."""
    column = GROUPINGS[rule.kind].column
    if "\0" in key or (column == "petition_id" and not (key.isascii() and key.isdigit() and len(key) < 19)):
        return None
    span = dense(rule, key, since=at - timedelta(hours=hours))
    if span is None:
        return None
    burst = Burst(kind=rule.kind, key=key[:253], found_at=at, first_at=span[0], last_at=span[1], ended_at=at)
    burst.label = label(burst)
    burst.save(force_insert=True)
    gathered = 0
    while gathered < MOST_GATHERED and (number := take_in(burst, at=at)):
        gathered += number
    return burst

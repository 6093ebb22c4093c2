"""Noticing bursts, and holding what came before they were noticed: the worker looks every few seconds."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from fraud import changing, patterns
from fraud.judging import reason
from fraud.models import AllowedDomain, Burst, Kind, Mark, Member, Rule
from fraud.rules import GROUPINGS, matching, rules
from petitions.models import Petition
from signers.models import Signature
from toolkit.bulk_inserts import insert_all
from toolkit.email_addresses import mailbox_key

logger = logging.getLogger(__name__)

# Marks are looked at by when they were folded, for so much longer than a rule's window: the fold may lag behind.
GRACE = timedelta(minutes=5)
MOST_FOUND = 200  # a rule and look
TAKEN_AT_ONCE = 500
# What staff found to be people is left alone for so long; what must stay so goes on a list.
LEFT_ALONE = timedelta(days=1)
# A domain with so many confirmed signatures from before is nobody's invention.
WELL_KNOWN = 20
# How much faster than in the hour before a petition must be signed to be suspicious.
PACE, HOUR = 3, timedelta(hours=1)
NONE = Q(pk__in=())
_CONSONANTS = "BCDFGHJKLMNPQRSTVWXZ"


def watch(*, at: datetime, keep_on: Callable[[], bool] = lambda: True) -> int:
    """Finds bursts, takes in what belongs to them and ends those that are over; returns how many signatures it took in.

    Signatures whose mailbox was proven belong to a burst, but are left alone.
    """
    active = [rule for rule in rules() if rule.is_on]
    taken = 0
    for burst in Burst.objects.filter(ended_at=None).order_by("pk"):
        taken += take_in_all(burst, at=at, keep_on=keep_on)
    for rule in active:
        _refresh(rule, at)
        for key in keys_found(rule, at=at):
            opened = _open(rule, key, at)
            # Before the next rule looks: what belongs to one cluster makes no second one.
            taken += take_in_all(opened, at=at, keep_on=keep_on) if opened else 0
    _end(active, at)
    return taken


def keys_found(rule: Rule, *, at: datetime) -> list[str]:
    """What began to have too many signatures; without what goes on already or was found to be harmless lately."""
    keys = suspicious_keys(rule, since=at - rule.window - GRACE, at=at)
    if not keys:
        return []
    of_kind = Burst.objects.filter(kind=rule.kind, key__in=keys)
    known = set(of_kind.filter(ended_at=None).values_list("key", flat=True))
    known |= set(of_kind.filter(dismissed_at__gt=at - LEFT_ALONE).values_list("key", flat=True))
    return [key for key in keys if key not in known and _new_span(rule, key, at)]


def _new_span(rule: Rule, key: str, at: datetime) -> tuple[datetime, datetime] | None:
    """As `dense`, of what belongs to no cluster yet."""
    return dense(
        rule, key, since=at - rule.window - GRACE, but=Exists(Member.objects.filter(signature=OuterRef("pk")))
    )


def suspicious_keys(rule: Rule, *, since: datetime, at: datetime) -> list[str]:
    """What as many signatures as the rule's threshold have in common, that came within its window.

    Of those folded since a moment. One query, and one or a few for each key.
    """
    marks = _looked_at(rule, since)
    counted = marks.order_by().values_list(GROUPINGS[rule.kind].column).annotate(number=Count("pk"))
    found = counted.filter(number__gte=rule.threshold).order_by("-number")[:MOST_FOUND]
    keys = [str(key) for key, _number in found]
    return [key for key in keys if _is_suspicious(rule, key, since, at)]


def _looked_at(rule: Rule, since: datetime) -> QuerySet[Mark]:
    return Mark.objects.filter(GROUPINGS[rule.kind].looked_at, folded_at__gt=since)


def _is_suspicious(rule: Rule, key: str, since: datetime, at: datetime) -> bool:
    if dense(rule, key, since=since) is None:
        return False
    if rule.kind == Kind.DOMAIN:
        return not is_allowed(key) and not _is_well_known(key, since)
    return rule.kind != Kind.SPEED or _is_ahead_of_its_pace(int(key), since, at)


def dense(
    rule: Rule, key: str, *, since: datetime, but: Q | Exists = NONE
) -> tuple[datetime, datetime] | None:
    """From when to when signatures of this key came so close together; None where they nowhere did."""
    marks = _looked_at(rule, since).filter(matching(rule.kind, key)).exclude(but)
    moments = list(marks.order_by("received_at").values_list("received_at", flat=True))
    ends = rule.threshold - 1
    starts = [
        start for start, end in zip(moments, moments[ends:], strict=False) if end - start <= rule.window
    ]
    return (starts[0], moments[-1]) if starts else None


def is_allowed(domain: str) -> bool:
    """Whether it, or what it is a part of, is on the list."""
    labels = domain.split(".")
    above = [".".join(labels[cut:]) for cut in range(len(labels))]
    return AllowedDomain.objects.filter(domain__in=above).exists()


def _is_well_known(domain: str, before: datetime) -> bool:
    earlier = Mark.objects.filter(domain=domain, folded_at__lte=before, signature__confirmed_at__isnull=False)
    return earlier.order_by()[:WELL_KNOWN].count() == WELL_KNOWN


def _is_ahead_of_its_pace(petition_id: int, since: datetime, at: datetime) -> bool:
    marks = Mark.objects.filter(petition_id=petition_id)
    lately = marks.filter(folded_at__gt=since).count() / (at - since).total_seconds()
    before = marks.filter(folded_at__gt=since - HOUR, folded_at__lte=since).count() / HOUR.total_seconds()
    return lately >= PACE * before


def _open(rule: Rule, key: str, at: datetime) -> Burst | None:
    span = _new_span(rule, key, at)
    if span is None:
        return None
    burst = Burst(kind=rule.kind, key=key, found_at=at, first_at=span[0], last_at=span[1])
    burst.label = label(burst)
    try:
        with transaction.atomic():
            burst.save(force_insert=True)
    except IntegrityError:
        return None  # Another worker saw the same.
    logger.warning(
        "Cluster %d: more than %d signatures in %d minutes, found by “%s”.",
        burst.pk,
        rule.threshold,
        rule.minutes,
        rule.get_kind_display(),
    )
    return burst


def label(burst: Burst) -> str:
    """What its signatures have in common, for staff."""
    if burst.kind in {Kind.NETWORK, Kind.NEIGHBORHOOD}:
        return f"Network {letters(burst.key)}"
    if burst.kind == Kind.DOMAIN:
        return burst.key
    if burst.kind == Kind.SPEED:
        petition = Petition.objects.filter(pk=burst.key).select_related("letter", "target").first()
        return str(petition)[:253] if petition else ""
    signature = Signature.objects.filter(
        pk__in=Mark.objects.filter(matching(burst.kind, burst.key)).order_by("-folded_at").values("pk")[:1]
    ).first()
    if signature is None:
        return ""
    pattern = (
        patterns.name_pattern(signature.first_name, signature.last_name)
        if burst.kind == Kind.NAME
        else patterns.mailbox_pattern(mailbox_key(signature.email))
    )
    return pattern[:253]


def letters(key: str) -> str:
    """A few letters for a hash, to tell two apart; nothing can be made of them."""
    number = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big")
    return "".join(_CONSONANTS[number // 20**place % 20] for place in range(5))


def _refresh(rule: Rule, at: datetime) -> None:
    """When the last signature of each burst came."""
    bursts = {burst.key: burst for burst in Burst.objects.filter(kind=rule.kind, ended_at=None)}
    if not bursts:
        return
    column = GROUPINGS[rule.kind].column
    latest = _looked_at(rule, at - rule.window - GRACE).filter(**{f"{column}__in": list(bursts)})
    moments = latest.order_by().values_list(column).annotate(Max("received_at"))
    for key, moment in moments:
        Burst.objects.filter(pk=bursts[str(key)].pk, last_at__lt=moment).update(last_at=moment)


def _end(active: Iterable[Rule], at: datetime) -> None:
    """Those of which nothing came for as long as their rule looks back, and those whose rule is off by now."""
    going_on = Burst.objects.filter(ended_at=None)
    still: list[int] = []
    for rule in active:
        of_rule = going_on.filter(kind=rule.kind, last_at__gt=at - rule.window)
        still += [
            pk
            for pk, key in of_rule.values_list("pk", "key")
            if rule.kind != Kind.DOMAIN or not is_allowed(key)
        ]
    going_on.exclude(pk__in=still).update(ended_at=at)


def take_in_all(burst: Burst, *, at: datetime, keep_on: Callable[[], bool] = lambda: True) -> int:
    taken = 0
    while keep_on() and (number := take_in(burst, at=at)):
        taken += number
    return taken


@transaction.atomic
def take_in(burst: Burst, *, at: datetime) -> int:
    """Makes members of some signatures that are none yet, and holds those that are not proven; returns how many."""
    theirs = Member.objects.filter(burst=burst, signature=OuterRef("pk"))
    marks = Mark.objects.filter(
        matching(burst.kind, burst.key), folded_at__gte=burst.first_at, received_at__gte=burst.first_at
    ).exclude(Exists(theirs))
    ids = list(marks.order_by("pk").values_list("pk", flat=True)[:TAKEN_AT_ONCE])
    if not ids:
        return 0
    signatures = changing.locked(ids)
    insert_all(
        [Member(burst=burst, signature=row) for row in signatures], unique=["burst_id", "signature_id"]
    )
    if burst.ended_at is None:
        _hold(signatures, burst, at)
    return len(signatures)


def _hold(signatures: Sequence[Signature], burst: Burst, at: datetime) -> None:
    released = set(
        Member.objects.filter(signature__in=[row.pk for row in signatures], released_at__isnull=False)
        .values_list("signature_id", flat=True)
    )  # fmt: skip
    held = [
        row
        for row in signatures
        if not (row.confirmed_at or row.removed_at or row.held_at or row.pk in released)
    ]
    changing.hold(held, at=at)
    alike: dict[str, list[Signature]] = {}
    for row in held:
        alike.setdefault(json.dumps(row.evidence), []).append(row)
    for rows in alike.values():
        evidence = [*rows[0].evidence, reason(burst.kind)]
        Signature.objects.filter(pk__in=[row.pk for row in rows]).update(evidence=evidence)

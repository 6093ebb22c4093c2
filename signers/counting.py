"""The number of each petition: changes are appended by whoever makes them, and added up here every second."""

import logging
from collections.abc import Collection
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, connection, transaction
from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from petitions.models import Petition, Tally
from signers.models import CountChange, Signature

logger = logging.getLogger(__name__)

# Any number no other advisory lock of this database has.
LOCK = 7_310_577_001
RECOUNTED_AT_ONCE = 20  # petitions; a short statement each, also with millions of signatures

MISSING_TALLIES = """
    INSERT INTO petitions_tally (petition_id, count, local)
    SELECT DISTINCT petition_id, 0, 0 FROM signers_countchange c
    WHERE NOT EXISTS (SELECT FROM petitions_tally t WHERE t.petition_id = c.petition_id)
    AND EXISTS (SELECT FROM petitions_petition p WHERE p.id = c.petition_id)
    ON CONFLICT DO NOTHING"""
# One statement, one snapshot: what is deleted is what is added. A petition whose tally was made a moment too late
# keeps its changes for the next second; those of a petition that was deleted go.
ADD_UP = """
    WITH gone AS (
        DELETE FROM signers_countchange c
        WHERE EXISTS (SELECT FROM petitions_tally t WHERE t.petition_id = c.petition_id)
        OR NOT EXISTS (SELECT FROM petitions_petition p WHERE p.id = c.petition_id)
        RETURNING petition_id, change, local_change
    ), sums AS (
        SELECT petition_id, sum(change) AS change, sum(local_change) AS local_change FROM gone GROUP BY petition_id
    ), added AS (
        UPDATE petitions_tally t SET count = t.count + s.change, local = t.local + s.local_change
        FROM sums s WHERE t.petition_id = s.petition_id
    )
    SELECT count(*) FROM gone"""
# Forgets the changes that the signatures of the same snapshot already hold.
REPAIR = """
    WITH gone AS (DELETE FROM signers_countchange WHERE petition_id = %(petition)s)
    UPDATE petitions_tally SET (count, local) = (
        SELECT count(*), count(*) FILTER (WHERE is_local) FROM signers_signature
        WHERE petition_id = %(petition)s AND accepted_at IS NOT NULL AND removed_at IS NULL AND held_at IS NULL
    ) WHERE petition_id = %(petition)s"""


@dataclass(frozen=True)
class Discrepancy:
    """A tally that was wrong: what it said (with the changes not yet added up), and what was counted."""

    petition_id: int
    said: int
    said_local: int
    counted: int
    counted_local: int


def add_up(*, at: datetime) -> int:
    """Moves every change into its petition's tally; returns how many. Of several workers one does it."""
    if not CountChange.objects.exists():
        return 0
    try:
        with transaction.atomic():
            return _add_up_on_postgresql() if connection.vendor == "postgresql" else _add_up()
    except IntegrityError:
        # A tally would fall below zero, so it was wrong before. One wrong number must not stop all others.
        logger.exception("A tally disagreed with its changes; counting again.")
        waiting = set(CountChange.objects.values_list("petition_id", flat=True))
        return len(recount(waiting))


def _add_up_on_postgresql() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(MISSING_TALLIES)
        cursor.execute(ADD_UP)
        return cursor.fetchone()[0]


def _add_up() -> int:
    """For a database with one writer at a time: inside the transaction nothing else changes."""
    sums = CountChange.objects.values_list("petition_id").annotate(Sum("change"), Sum("local_change"))
    existing = Petition.objects.filter(pk__in=CountChange.objects.values("petition_id"))
    _make_missing_tallies(existing)
    for petition_id, change, local_change in sums:
        Tally.objects.filter(pk=petition_id).update(
            count=F("count") + change, local=F("local") + local_change
        )
    return CountChange.objects.all().delete()[0]


def _make_missing_tallies(petitions: QuerySet[Petition]) -> None:
    missing = petitions.filter(tally=None).values_list("pk", flat=True)
    Tally.objects.bulk_create([Tally(petition_id=pk) for pk in missing], ignore_conflicts=True)


def recount(petition_ids: Collection[int] | None = None) -> list[Discrepancy]:
    """Compares every tally (or those named) with the signatures, and repairs and logs what is wrong.

    Exact while people sign: tally and waiting changes together must be the signatures, in every snapshot.
    """
    petitions = Petition.objects.order_by("pk")
    if petition_ids is not None:
        petitions = petitions.filter(pk__in=petition_ids)
    ids = list(petitions.values_list("pk", flat=True))
    chunks = [ids[start : start + RECOUNTED_AT_ONCE] for start in range(0, len(ids), RECOUNTED_AT_ONCE)]
    return [discrepancy for chunk in chunks for discrepancy in _recount(chunk)]


def _recount(petition_ids: list[int]) -> list[Discrepancy]:
    """Looks without a lock, since one snapshot is enough to see what is wrong; the lock is for mending."""
    _make_missing_tallies(Petition.objects.filter(pk__in=petition_ids))
    with transaction.atomic() if connection.vendor == "postgresql" else nullcontext():
        _without_time_limit()
        suspects = _discrepancies(petition_ids)
    return [mended for suspect in suspects for mended in _mend(suspect.petition_id)]


@transaction.atomic
def _mend(petition_id: int) -> list[Discrepancy]:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # Keeps `add_up` away; whoever signs is not held up.
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    _without_time_limit()
    discrepancies = _discrepancies([petition_id])
    for discrepancy in discrepancies:
        logger.error(
            "Petition %d said %d (%d local), counted were %d (%d local); repaired.",
            discrepancy.petition_id,
            discrepancy.said,
            discrepancy.said_local,
            discrepancy.counted,
            discrepancy.counted_local,
        )
        _repair(discrepancy.petition_id)
    return discrepancies


def _without_time_limit() -> None:
    """The limit is meant for what a visitor waits for: a night's count that it stops would begin anew for ever."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0")


def _discrepancies(petition_ids: list[int]) -> list[Discrepancy]:
    return [
        Discrepancy(*row) for row in _said_and_counted(petition_ids) if (row[1], row[2]) != (row[3], row[4])
    ]


def _said_and_counted(petition_ids: list[int]) -> QuerySet[Tally, tuple[int, int, int, int, int]]:
    """One query, hence one snapshot: petition, said, said local, counted, counted local."""
    waiting = CountChange.objects.filter(petition_id=OuterRef("pk")).order_by().values("petition_id")
    signatures = (
        Signature.objects.counted().filter(petition_id=OuterRef("pk")).order_by().values("petition_id")
    )
    return Tally.objects.filter(pk__in=petition_ids).values_list(
        "pk",
        F("count") + _number(waiting.annotate(number=Sum("change"))),
        F("local") + _number(waiting.annotate(number=Sum("local_change"))),
        _number(signatures.annotate(number=Count("pk"))),
        _number(signatures.annotate(number=Count("pk", filter=Q(is_local=True)))),
    )


def _number(rows: QuerySet) -> Coalesce:
    return Coalesce(Subquery(rows.values("number"), output_field=IntegerField()), 0)


def _repair(petition_id: int) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(REPAIR, {"petition": petition_id})
        return
    CountChange.objects.filter(petition_id=petition_id).delete()
    signatures = Signature.objects.counted().filter(petition_id=petition_id)
    Tally.objects.filter(pk=petition_id).update(
        count=signatures.count(), local=signatures.filter(is_local=True).count()
    )

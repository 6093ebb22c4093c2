"""The number of each petition: changes are appended by whoever makes them, and added up here every second."""

# ruff: noqa: S608 - the statements are put together from constants, never from what somebody typed

import logging
from collections.abc import Collection
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, datetime

from django.db import IntegrityError, connection, transaction
from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from petitions.models import DayTally, Petition, Tally
from signers.counting_people import (
    GAINED,
    LOCK,
    WITHOUT_COMPILING,
    PeopleDiscrepancy,
    count_anew,
    count_lock,
    recount_people,
    without_time_limit,
)
from signers.models import CountChange, Signature

logger = logging.getLogger(__name__)

RECOUNTED_AT_ONCE = 20  # petitions; a short statement each, also with millions of signatures

MISSING_TALLIES = """
    INSERT INTO petitions_tally (petition_id, count, local)
    SELECT DISTINCT petition_id, 0, 0 FROM signers_countchange c
    WHERE NOT EXISTS (SELECT 1 FROM petitions_tally t WHERE t.petition_id = c.petition_id)
    AND EXISTS (SELECT 1 FROM petitions_petition p WHERE p.id = c.petition_id)
    ON CONFLICT DO NOTHING"""
# One statement, one snapshot: what is deleted is what is added. A petition whose tally was made a moment too late
# keeps its changes for the next second; those of a petition that was deleted go. Tells how many changes it took, and
# the campaigns whose people must be counted in full: those that never were, and those with a change of nobody knows
# whom, from a process that began before the upgrade that brought the supporter into changes.
ADD_UP = f"""
    WITH gone AS (
        DELETE FROM signers_countchange c
        WHERE EXISTS (SELECT FROM petitions_tally t WHERE t.petition_id = c.petition_id)
        OR NOT EXISTS (SELECT FROM petitions_petition p WHERE p.id = c.petition_id)
        RETURNING petition_id, supporter_id, change, local_change
    ), sums AS (
        SELECT petition_id, sum(change) AS change, sum(local_change) AS local_change, min(supporter_id) AS least
        FROM gone GROUP BY petition_id
    ), added AS (
        UPDATE petitions_tally t SET count = t.count + s.change, local = t.local + s.local_change
        FROM sums s WHERE t.petition_id = s.petition_id
    ), days AS (
        INSERT INTO petitions_daytally (petition_id, day, gained)
        SELECT petition_id, %(day)s, change FROM sums
        WHERE change <> 0 AND petition_id IN (SELECT id FROM petitions_petition)
        ON CONFLICT (petition_id, day) DO UPDATE SET gained = petitions_daytally.gained + excluded.gained
    ), {GAINED}, people AS (
        UPDATE petitions_campaigntally t SET people = t.people + g.people
        FROM gained g WHERE t.campaign_id = g.campaign_id AND g.people <> 0
    )
    SELECT (SELECT count(*) FROM gone), ARRAY(
        SELECT DISTINCT l.campaign_id FROM sums s
        JOIN petitions_petition p ON p.id = s.petition_id
        JOIN petitions_letter l ON l.id = p.letter_id
        LEFT JOIN petitions_campaigntally t ON t.campaign_id = l.campaign_id
        WHERE s.least = 0 OR t.campaign_id IS NULL
    )"""
# The same in steps, for a database with one writer at a time: inside the transaction nothing else changes.
SUMS = """
    SELECT petition_id, sum(change) AS change, sum(local_change) AS local_change
    FROM signers_countchange GROUP BY petition_id"""
STEPS = (
    MISSING_TALLIES,
    f"""WITH {GAINED} UPDATE petitions_campaigntally SET people = petitions_campaigntally.people + gained.people
    FROM gained WHERE petitions_campaigntally.campaign_id = gained.campaign_id""",
    f"""UPDATE petitions_tally SET count = count + s.change, local = local + s.local_change
    FROM ({SUMS}) AS s WHERE petitions_tally.petition_id = s.petition_id""",
    f"""INSERT INTO petitions_daytally (petition_id, day, gained)
    SELECT petition_id, %(day)s, change FROM ({SUMS}) AS s
    WHERE change <> 0 AND petition_id IN (SELECT id FROM petitions_petition)
    ON CONFLICT (petition_id, day) DO UPDATE SET gained = gained + excluded.gained""",
)
COUNT_IN_FULL = """
    SELECT DISTINCT l.campaign_id FROM signers_countchange c
    JOIN petitions_petition p ON p.id = c.petition_id
    JOIN petitions_letter l ON l.id = p.letter_id
    LEFT JOIN petitions_campaigntally t ON t.campaign_id = l.campaign_id
    WHERE c.supporter_id = 0 OR t.campaign_id IS NULL"""
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
    """Moves every change into the number of its petition, of the day and of its campaign's people; returns how many.

    The day is that of `at`. Of several workers one does it.
    """
    if not CountChange.objects.exists():
        return 0
    day = timezone.localtime(at).date()
    try:
        with transaction.atomic():
            return _add_up_on_postgresql(day) if connection.vendor == "postgresql" else _add_up(day)
    except IntegrityError:
        # A number would fall below zero, so it was wrong before. One wrong number must not stop all others.
        logger.exception("A tally disagreed with its changes; counting again.")
        waiting = CountChange.objects.values("petition_id")
        petitions = list(Petition.objects.filter(pk__in=waiting).values_list("pk", "letter__campaign"))
        found = recount({pk for pk, _campaign_id in petitions})
        return len(found) + len(recount_people({campaign_id for _pk, campaign_id in petitions}))


def _add_up_on_postgresql(day: date) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(WITHOUT_COMPILING)
        cursor.execute(MISSING_TALLIES)
        cursor.execute(ADD_UP, {"day": day})
        added, in_full = cursor.fetchone()
    count_anew(in_full)
    return int(added)


def _add_up(day: date) -> int:
    with connection.cursor() as cursor:
        for statement in STEPS:
            cursor.execute(statement, {"day": day.isoformat()})
        cursor.execute(COUNT_IN_FULL)
        in_full = [campaign_id for (campaign_id,) in cursor.fetchall()]
    added = CountChange.objects.all().delete()[0]
    count_anew(in_full)
    return added


def _make_missing_tallies(petitions: QuerySet[Petition]) -> None:
    missing = petitions.filter(tally=None).values_list("pk", flat=True)
    Tally.objects.bulk_create([Tally(petition_id=pk) for pk in missing], ignore_conflicts=True)


def recount(petition_ids: Collection[int] | None = None) -> "list[Discrepancy | PeopleDiscrepancy]":
    """Compares every tally (or those named) with the signatures, and repairs and logs what is wrong.

    Exact while people sign: tally and waiting changes together must be the signatures, in every snapshot. Without
    `petition_ids` also the people of every campaign.
    """
    petitions = Petition.objects.order_by("pk")
    if petition_ids is not None:
        petitions = petitions.filter(pk__in=petition_ids)
    ids = list(petitions.values_list("pk", flat=True))
    chunks = [ids[start : start + RECOUNTED_AT_ONCE] for start in range(0, len(ids), RECOUNTED_AT_ONCE)]
    found: list[Discrepancy | PeopleDiscrepancy] = [wrong for chunk in chunks for wrong in _recount(chunk)]
    return found + (recount_people() if petition_ids is None else [])


def _recount(petition_ids: list[int]) -> list[Discrepancy]:
    """Looks without a lock, since one snapshot is enough to see what is wrong; the lock is for mending."""
    _make_missing_tallies(Petition.objects.filter(pk__in=petition_ids))
    with transaction.atomic() if connection.vendor == "postgresql" else nullcontext():
        without_time_limit()
        suspects = _discrepancies(petition_ids)
    return [mended for suspect in suspects for mended in _mend(suspect.petition_id)]


@transaction.atomic
def _mend(petition_id: int) -> list[Discrepancy]:
    count_lock()
    without_time_limit()
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
        # Changes that are forgotten can no longer tell who they were of.
        count_anew(Petition.objects.filter(pk=petition_id).values_list("letter__campaign", flat=True))
    return discrepancies


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


def count_days(petition_ids: Collection[int]) -> None:
    """Makes the days of these petitions anew, from when their counted signatures began to count.

    For signatures that came in otherwise than by being added up. What was removed again leaves no trace.
    """
    DayTally.objects.filter(petition__in=petition_ids).delete()
    days = (
        Signature.objects.counted()
        .filter(petition__in=petition_ids)
        .order_by()
        .values_list("petition_id", TruncDate("accepted_at"))
        .annotate(Count("pk"))
    )
    DayTally.objects.bulk_create(
        [DayTally(petition_id=petition_id, day=day, gained=gained) for petition_id, day, gained in days]
    )

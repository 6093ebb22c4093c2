"""How many people stand behind each campaign: everybody once, however many of its petitions they signed.

What is said is exact in every snapshot: it is the number of supporters who would have a counted signature if the
changes not yet added up had not happened. A signature and its change are written in one transaction, so a snapshot has
both or neither; and whoever changes what is said holds `count_lock`.
"""

# ruff: noqa: S608 - the statements are put together from constants, never from what somebody typed

import logging
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass

from django.db import connection, transaction

from campaigns.models import Campaign

logger = logging.getLogger(__name__)

# Any number no other advisory lock of this database has.
LOCK = 7_310_577_001

# PostgreSQL would take seconds to make machine code of statements that run in milliseconds.
WITHOUT_COMPILING = "SET LOCAL jit = off"
COUNTED = "s.accepted_at IS NOT NULL AND s.removed_at IS NULL AND s.held_at IS NULL"
# By campaign and supporter who has changes waiting: `counted` signatures now, and the sum of the changes, of all
# (`change`) and of those about to be `taken`. Written so that there is but one plan, whatever the planner knows of the
# tables: a look into the index of each supporter's signatures, once.
WAITING = f"""
    waiting AS (
        SELECT l.campaign_id, c.supporter_id, sum(c.change) AS change,
            sum(CASE WHEN t.petition_id IS NULL THEN 0 ELSE c.change END) AS taken
        FROM signers_countchange c
        JOIN petitions_petition p ON p.id = c.petition_id
        JOIN petitions_letter l ON l.id = p.letter_id
        LEFT JOIN petitions_tally t ON t.petition_id = c.petition_id
        WHERE c.supporter_id <> 0
        GROUP BY l.campaign_id, c.supporter_id
    ), signers AS MATERIALIZED (
        SELECT w.campaign_id, w.change, w.taken, (
            SELECT count(*) FROM signers_signature s
            WHERE s.supporter_id = w.supporter_id AND {COUNTED} AND w.campaign_id = (
                SELECT l.campaign_id FROM petitions_petition p JOIN petitions_letter l ON l.id = p.letter_id
                WHERE p.id = s.petition_id
            )
        ) AS counted
        FROM waiting w
    )"""
# What taking the changes does to each campaign.
GAINED = f"""{WAITING}, gained AS (
        SELECT campaign_id, sum(
            CASE WHEN counted - change + taken > 0 THEN 1 ELSE 0 END - CASE WHEN counted - change > 0 THEN 1 ELSE 0 END
        ) AS people
        FROM signers GROUP BY campaign_id
    )"""
# What a campaign has to say in this snapshot. Sorted by count(DISTINCT): a DISTINCT of its own may be split between
# processes, whose parts PostgreSQL 15 puts together in the order of one hash table into another, each row slower than
# the one before; 400,000 signatures took longer than ten minutes.
PEOPLE = f"""
    (SELECT count(DISTINCT s.supporter_id) FROM signers_signature s
        JOIN petitions_petition p ON p.id = s.petition_id
        JOIN petitions_letter l ON l.id = p.letter_id
        WHERE l.campaign_id = %(campaign)s AND {COUNTED}
    ) - (
        SELECT coalesce(sum(
            CASE WHEN counted > 0 THEN 1 ELSE 0 END - CASE WHEN counted - change > 0 THEN 1 ELSE 0 END
        ), 0) FROM signers WHERE campaign_id = %(campaign)s
    )"""
SAID_AND_COUNTED = f"""
    WITH {WAITING} SELECT people, {PEOPLE} FROM petitions_campaigntally WHERE campaign_id = %(campaign)s"""
COUNT_ANEW = f"""
    WITH {WAITING}
    INSERT INTO petitions_campaigntally (campaign_id, people)
    SELECT id, {PEOPLE} FROM campaigns_campaign WHERE id = %(campaign)s
    ON CONFLICT (campaign_id) DO UPDATE SET people = excluded.people"""


@dataclass(frozen=True)
class PeopleDiscrepancy:
    """A campaign that was wrong about its people: what it said, and what was counted."""

    campaign_id: int
    said: int
    counted: int


def count_missing() -> int:
    """Counts the campaigns that have no number yet: new ones, and all after the upgrade that brought the number."""
    missing = list(Campaign.objects.filter(tally=None).values_list("pk", flat=True))
    for campaign_id in missing:
        with transaction.atomic():
            count_lock()
            count_anew([campaign_id])
    return len(missing)


def recount_people(campaign_ids: Iterable[int] | None = None) -> list[PeopleDiscrepancy]:
    """Compares what every campaign (or those named) says with its signatures, and repairs and logs what is wrong.

    Looks without a lock, since one snapshot is enough to see what is wrong; the lock is for mending.
    """
    count_missing()
    if campaign_ids is None:
        campaign_ids = list(Campaign.objects.order_by("pk").values_list("pk", flat=True))
    return [found for campaign_id in campaign_ids if _differs(campaign_id) for found in _mend(campaign_id)]


def _differs(campaign_id: int) -> bool:
    with transaction.atomic() if connection.vendor == "postgresql" else nullcontext():
        without_time_limit()
        return bool(_discrepancies(campaign_id))


@transaction.atomic
def _mend(campaign_id: int) -> list[PeopleDiscrepancy]:
    count_lock()
    without_time_limit()
    discrepancies = _discrepancies(campaign_id)
    for discrepancy in discrepancies:
        logger.error(
            "Campaign %d said %d people, counted were %d; repaired.",
            discrepancy.campaign_id,
            discrepancy.said,
            discrepancy.counted,
        )
        count_anew([campaign_id])
    return discrepancies


def _discrepancies(campaign_id: int) -> list[PeopleDiscrepancy]:
    with connection.cursor() as cursor:
        cursor.execute(SAID_AND_COUNTED, {"campaign": campaign_id})
        return [
            PeopleDiscrepancy(campaign_id, said, counted)
            for said, counted in cursor.fetchall()
            if said != counted
        ]


def count_anew(campaign_ids: Iterable[int]) -> None:
    """Sets what each campaign says from all of its signatures. The caller holds `count_lock`."""
    for campaign_id in campaign_ids:
        without_time_limit()
        with connection.cursor() as cursor:
            cursor.execute(COUNT_ANEW, {"campaign": campaign_id})


def count_lock() -> None:
    """Keeps everybody else who counts away until the transaction ends; whoever signs is not held up.

    SQLite needs none: inside a transaction nothing else changes.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def without_time_limit() -> None:
    """The limit is meant for what a visitor waits for: a count that it stops would begin anew for ever."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute(WITHOUT_COMPILING)

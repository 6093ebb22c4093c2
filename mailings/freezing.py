"""Freezing a mailing: its text, an edition for each petition; its list, a copy for everybody who gets it."""

import logging
from datetime import datetime

from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet

from campaigns.models import Organization
from mailings.audience import Audience, audience_of, for_editions, in_database
from mailings.models import Edition, Mailing
from mailings.rendering import compiled, edition_of
from signers.counting_people import without_time_limit
from staff import audit
from toolkit.database_trouble import AWAY

logger = logging.getLogger(__name__)

# Longer lists take seconds, and are not what somebody should wait for in the browser.
LISTED_AT_ONCE = 50_000
# After so many tries a list is given up, until somebody resumes its mailing.
LIST_TRIES = 3
# Seconds for which whoever starts a mailing waits for another list that is being written.
PATIENCE = 5
LOCK_NOT_AVAILABLE = "55P03"
# Spreads the two subjects over the list: numbers without a common factor, so that neighbors part.
SPREAD, PARTS = 7919, 10_000


class NotNow(Exception):
    """Why the mailing cannot be moved on; the message is for staff."""


# --- The text ------------------------------------------------------------------------------------------------


def store_editions(mailing: Mailing, audience: Audience) -> None:
    """One edition for each petition that somebody is led to."""
    wanted = audience.petition_ids()
    parsed = compiled(mailing)
    petitions = for_editions().filter(pk__in=[pk for pk in wanted if pk])
    editions = [edition_of(parsed, petition) for petition in petitions.iterator(chunk_size=200)]
    if None in wanted:
        editions.append(edition_of(parsed, None))
    Edition.objects.bulk_create(editions, batch_size=50)


# --- The list ------------------------------------------------------------------------------------------------


def unwritten() -> QuerySet[Mailing]:
    """Mailings that were started to very many, and whose lists are not there yet."""
    return Mailing.objects.filter(started_at__isnull=False, listed_at=None, canceled_at=None)


def write_due(*, at: datetime) -> int:
    """Writes the list that has waited longest; returns how many people are on it, 0 where no list can be written.

    One that cannot be written makes way for the others, and after `LIST_TRIES` its mailing is paused. Raises only when
    the database itself is in trouble.
    """
    for waiting in unwritten().filter(list_tries__lt=LIST_TRIES).order_by("list_tries", "started_at", "pk"):
        try:
            people = write_list(waiting, at=at)
        except AWAY:
            raise
        except Exception as error:  # noqa: BLE001 - one odd list must not hold up the others
            # Not the error's text, which may quote a person.
            logger.error("The list of mailing %d could not be written: %s", waiting.pk, type(error).__name__)
            _put_off(waiting, at)
        else:
            if people:
                return people
    return 0


@transaction.atomic
def _put_off(mailing: Mailing, at: datetime) -> None:
    row = unwritten().select_for_update(no_key=True).filter(pk=mailing.pk).first()
    if row is None:
        return
    row.list_tries += 1
    given_up = row.list_tries >= LIST_TRIES
    if given_up:
        row.paused_at = row.paused_at or at
        audit.record(actor=None, action="list given up", subject=row, at=at, tries=row.list_tries)
    row.save(update_fields=["list_tries", "paused_at"])


def write_list(mailing: Mailing, *, at: datetime) -> int:
    """Queues a copy for everybody who gets the mailing, in one transaction; returns how many that are.

    Meanwhile the mailing can be paused, and canceled; then nothing is kept.
    """
    without_list = unwritten().filter(pk=mailing.pk, started_at=mailing.started_at)
    with transaction.atomic():
        one_list_at_a_time()
        row = (
            without_list.select_related("campaign__organization")
            .defer("campaign__organization__logo")
            .first()
        )
        if row is None or row.starts_at is None:
            return 0
        number = store_recipients(row, audience_of(row, at=at), starts_at=max(at, row.starts_at))
        if not without_list.update(listed_at=at, people=number):
            transaction.set_rollback(True)
            return 0
        audit.record(actor=None, action="list written", subject=row, at=at, recipients=number)
    return number


def one_list_at_a_time(*, patience: int | None = None) -> None:
    """Of two mailings started at once, the second has to see whom the first one reaches.

    Waits until the transaction that writes another list ends; after `patience` seconds raises NotNow.
    """
    without_time_limit()
    rows = Organization.objects.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True)
    if patience is None or connection.vendor != "postgresql":
        list(rows)
        return
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = %s", [f"{patience}s"])
        try:
            list(rows)
        except OperationalError as error:
            if getattr(error.__cause__, "pgcode", "") != LOCK_NOT_AVAILABLE:
                raise
            raise NotNow(
                "The list of a mailing is being written this very moment. Try again in a minute."
            ) from None
        cursor.execute("SET LOCAL lock_timeout = 0")


def store_recipients(mailing: Mailing, audience: Audience, *, starts_at: datetime) -> int:
    """Everybody of the audience, in one statement. With two subjects the rest of the list waits for the winner."""
    chosen = audience.chosen()
    bucket = f"(c.supporter_id * {SPREAD} + {int(mailing.pk)} * 31) %% {PARTS}"
    if mailing.other_subject:
        tested = f"{bucket} < {PARTS // 100 * mailing.test_share}"
        subject = f"CASE WHEN {tested} THEN CASE WHEN {bucket} %% 2 = 0 THEN 'a' ELSE 'b' END ELSE '' END"
        due_at = f"CASE WHEN {tested} THEN CAST(%s AS {moment_type()}) END"
    else:
        subject, due_at = "''", f"CAST(%s AS {moment_type()})"
    sql = f"""
        INSERT INTO mailings_recipient
            (mailing_id, supporter_id, edition_id, subject, due_at, attempts, last_error, dropped)
        SELECT {int(mailing.pk)}, c.supporter_id, e.id, {subject}, {due_at}, 0, '', ''
        FROM ({chosen.sql}) c JOIN mailings_edition e ON e.mailing_id = {int(mailing.pk)}
            AND COALESCE(e.petition_id, 0) = COALESCE(c.petition_id, 0)
        ORDER BY c.supporter_id"""
    with connection.cursor() as cursor:
        cursor.execute(sql, [in_database(starts_at), *chosen.params])
        return cursor.rowcount


def delete_recipients(mailing: Mailing) -> None:
    """In one statement, without loading a row: nothing can point to copies that never left."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM mailings_recipient WHERE mailing_id = %s", [mailing.pk])


def moment_type() -> str:
    return "timestamptz" if connection.vendor == "postgresql" else "text"

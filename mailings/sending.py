"""Sending mailings: claimed in batches, handed over one by one, each copy once, whatever dies in between."""

import fcntl
import logging
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.core.mail.backends.base import BaseEmailBackend
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from mailings import reports
from mailings.messages import Writer
from mailings.models import Edition, Mailing, MailReport, Recipient
from petitions.models import Petition
from signers.models import Signature, Subscription
from staff import audit
from staff.models import User
from toolkit import meters
from toolkit.emails import (
    Deferred,
    InDoubt,
    NoSuchMailbox,
    RawMail,
    Refused,
    ServerUnavailable,
    answers,
    deliver,
    in_short,
    open_connection,
)

logger = logging.getLogger(__name__)

Dropped = Recipient.Dropped
AT_ONCE = 50
# So many rows change in one statement, which then is over in a moment.
CHANGED_AT_ONCE = 10_000
# A claim that outlives its sender is free again after this. A batch ends well before, however slow the server is.
CLAIMED_FOR = timedelta(minutes=10)
BATCH_LASTS = timedelta(minutes=2)
MINUTE = timedelta(minutes=1)
# How long a copy waits after each attempt the server put off; after the last it has failed.
BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 60, 3 * 60, 6 * 60, 12 * 60, 24 * 60))
# A server may take its time to check a mail before it answers; then the copy is in doubt.
ANSWERED_WITHIN = timedelta(minutes=2)
# So many copies in a row that nothing came of, with a server that answers: then it is not the copies.
TROUBLES_IN_A_ROW = 3


class CannotResend(Exception):
    """Why a copy is not sent again; the message is for staff."""


class NotWanted(Exception):
    """The copy was dropped, paused or dealt with by somebody else before it was handed over."""


def in_doubt(*, at: datetime) -> QuerySet[Recipient]:
    """Copies the server may or may not have taken, less those whose answer may still come."""
    return Recipient.objects.unanswered().filter(handed_over_at__lte=at - ANSWERED_WITHIN)


def under_way(*, at: datetime) -> QuerySet[Mailing]:
    return Mailing.objects.filter(
        starts_at__lte=at, listed_at__isnull=False, paused_at=None, canceled_at=None, finished_at=None
    )


def send_some(*, at: datetime, limit: int = AT_ONCE, keep_on: Callable[[], bool] = lambda: True) -> int:
    """Sends the next copies of the mailings under way, oldest mailing first; returns how many were dealt with.

    Raises `ServerUnavailable` when the server cannot be talked to; then what was claimed is free again. A copy is
    handed over as `signers.sending` does it: everything but the final dot, then a commit, then the dot.
    """
    with _sole_sender() as allowed:
        if not allowed:
            return 0
        if dropped := drop_left_over(at=at):
            return dropped
        for mailing in under_way(at=at).order_by("starts_at", "pk"):
            if mailing.winner:
                release(mailing, at=at)
            batch = claimed(mailing, at=at, limit=limit)
            if batch:
                return Batch(batch, at).send(keep_on)
            finish(mailing, at=at)
    return 0


@transaction.atomic
def claimed(mailing: Mailing, *, at: datetime, limit: int) -> list[Recipient]:
    """The next copies of a mailing that are ours for a while, as many as its speed allows.

    The mailing's row is held meanwhile, so that several workers together keep to the limit.
    """
    locked = under_way(at=at).select_for_update(of=("self",), no_key=True).filter(pk=mailing.pk).first()
    if locked is None:
        return []
    unclaimed = Q(claimed_until=None) | Q(claimed_until__lte=at)
    free = Recipient.objects.queued().filter(unclaimed, mailing=locked, due_at__lte=at)
    most = min(limit, allowance(locked, at=at))
    ids = (
        list(
            free.order_by("due_at", "id")
            .select_for_update(skip_locked=True)
            .values_list("pk", flat=True)[:most]
        )
        if most > 0
        else []
    )
    if not ids:
        return []
    claim = uuid.uuid4()
    Recipient.objects.filter(pk__in=ids).update(claim=claim, claimed_until=at + CLAIMED_FOR)
    return list(
        Recipient.objects.filter(claim=claim)
        .select_related("supporter", "edition", "mailing__campaign__organization")
        .defer("mailing__campaign__organization__logo", "mailing__body", "edition__html", "edition__text")
        .order_by("due_at", "id")
    )


def allowance(mailing: Mailing, *, at: datetime) -> int:
    """How many more copies may leave within this minute; those in a sender's hands count as if they had left."""
    mine = Recipient.objects.filter(mailing=mailing)
    # In this order: a copy handed over between the two is counted twice, rather than not at all.
    leaving = mine.queued().filter(claimed_until__gt=at).count()
    left = mine.filter(handed_over_at__gt=at - MINUTE).count()
    return mailing.per_minute - left - leaving


def finish(mailing: Mailing, *, at: datetime) -> bool:
    """Whether nothing is left to send; what is in doubt waits for staff, not for us.

    What is on its way this very moment may still come back, and has to find the mailing open then.
    """
    mine = Recipient.objects.filter(mailing=OuterRef("pk"))
    on_their_way = mine.unanswered().filter(handed_over_at__gt=at - ANSWERED_WITHIN)
    nothing_left = ~Exists(mine.queued()), ~Exists(on_their_way)
    return bool(under_way(at=at).filter(*nothing_left, pk=mailing.pk).update(finished_at=at))


def release(mailing: Mailing, *, at: datetime) -> int:
    """Lets copies that waited for the winning subject go; `CHANGED_AT_ONCE` of them, the rest when these have left."""
    waiting = Recipient.objects.queued().filter(mailing=mailing, due_at=None)
    some = waiting.filter(pk__in=waiting.order_by("id").values("pk")[:CHANGED_AT_ONCE])
    return some.update(subject=mailing.winner, due_at=max(at, mailing.starts_at or at))


def drop_left_over(*, at: datetime) -> int:
    """Drops what canceled mailings still have queued; none of it can leave any more."""
    queued = Recipient.objects.queued().filter(mailing=OuterRef("pk"))
    mailing = Mailing.objects.filter(
        Exists(queued), started_at__isnull=False, canceled_at__isnull=False
    ).first()
    return drop_canceled(mailing, at=at) if mailing else 0


def drop_canceled(mailing: Mailing, *, at: datetime) -> int:
    """At most `CHANGED_AT_ONCE` copies of one mailing."""
    queued = Recipient.objects.queued().filter(mailing=mailing)
    some = queued.filter(pk__in=queued.order_by("id").values("pk")[:CHANGED_AT_ONCE])
    return some.update(dropped_at=at, dropped=Dropped.CANCELED)


class Batch:
    """Copies of one mailing that are ours, on their way over one connection."""

    def __init__(self, recipients: list[Recipient], at: datetime) -> None:
        self.mailing = recipients[0].mailing
        self.claim = recipients[0].claim
        self.left = deque(recipients)
        self.all = tuple(recipients)
        self.at = at
        self.began = time.monotonic()
        self.editions = Edition.objects.in_bulk({recipient.edition_id for recipient in recipients})
        self.writers: dict[int, Writer] = {}
        # The server broke off over these, and nothing was heard about another copy since.
        self.suspects: list[tuple[Recipient, ServerUnavailable]] = []

    def now(self) -> datetime:
        """A batch may take minutes, and when a copy left is told by this."""
        return self.at + timedelta(seconds=time.monotonic() - self.began)

    def send(self, keep_on: Callable[[], bool]) -> int:
        """How many copies were dealt with. Raises `ServerUnavailable`."""
        unwanted = reasons_to_drop(self.all, self.mailing, at=self.at)
        server = open_connection()
        done = 0
        try:
            while self.left and self.now() - self.at < BATCH_LASTS and keep_on():
                # What follows a suspect comes from the other end: two copies that are to blame may be neighbors.
                recipient = self.left.pop() if self.suspects else self.left.popleft()
                if reason := unwanted.get(recipient.pk):
                    drop(recipient, reason=reason, at=self.now())
                else:
                    self.deliver(recipient, server)
                done += 1
            self.blame_suspects()
        finally:
            server.close()
            self.give_back()
        return done

    def deliver(self, recipient: Recipient, server: BaseEmailBackend) -> None:
        try:
            deliver(
                self.written(recipient),
                server,
                before_handover=lambda: hand_over(recipient, at=self.now()),
            )
        except NotWanted:
            return
        except InDoubt as error:
            self.doubt(recipient, error.reason)
        except ServerUnavailable as error:
            self.suspect(recipient, server, error)
            return
        except Refused as error:
            fail(recipient, reason=error.reason, at=self.now())
            if isinstance(error, NoSuchMailbox):
                self.report(recipient, error.reason)
        except Deferred as error:
            put_off(recipient, reason=error.reason, at=self.now())
        except (DatabaseError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the other copies must go on
            self.give_up(recipient, error)
            return
        else:
            note_sent(recipient, at=self.now())
        self.blame_suspects()

    def written(self, recipient: Recipient) -> RawMail:
        supporter = recipient.supporter
        if supporter is None:
            raise NotWanted
        writer = self.writers.get(recipient.edition_id)
        if writer is None:
            writer = Writer(self.editions[recipient.edition_id], self.mailing)
            self.writers[recipient.edition_id] = writer
        return writer.message(recipient, to=supporter.email, first_name=supporter.first_name, at=self.now())

    def doubt(self, recipient: Recipient, reason: str) -> None:
        """Waiting before the next copy keeps a sick server from putting the whole list in doubt."""
        logger.error("Copy %d of a mailing is in doubt. %s", recipient.pk, in_short(reason))
        _ours(recipient).update(last_error=reason[:300])
        count(meters.IN_DOUBT)
        raise ServerUnavailable(reason) from None

    def suspect(self, recipient: Recipient, server: BaseEmailBackend, error: ServerUnavailable) -> None:
        """Nothing left. Either the server is away, or it is this one copy that it breaks off over."""
        _ours(recipient).update(handed_over_at=None)
        if not answers(server):
            raise error
        self.suspects.append((recipient, error))
        if len(self.suspects) < TROUBLES_IN_A_ROW:
            return
        # Nothing is held against them, but other copies, and other mailings, get their turn.
        for copy, trouble in self.suspects:
            _ours(copy).update(due_at=self.now() + BACKOFF[0], last_error=trouble.reason[:300])
        self.suspects.clear()
        raise error

    def blame_suspects(self) -> None:
        """The server took, or refused, another copy since; or there is none left that could tell."""
        for copy, trouble in self.suspects:
            put_off(copy, reason=trouble.reason, at=self.now())
        self.suspects.clear()

    def give_up(self, recipient: Recipient, error: Exception) -> None:
        """For now: a mistake of ours may be mended by then. An error's own text may quote a person: nobody sees it."""
        reason = f"Could not be sent: {type(error).__name__}."
        logger.error("Copy %d of a mailing: %s", recipient.pk, reason)
        if recipient.handed_over_at is None:
            put_off(recipient, reason=reason, at=self.now())
        else:
            self.doubt(recipient, reason)

    def report(self, recipient: Recipient, reason: str) -> None:
        """There is no such mailbox: the same as if the mail had come back."""
        if recipient.supporter_id is not None:
            reports.report(
                supporter_id=recipient.supporter_id,
                recipient_id=recipient.pk,
                kind=MailReport.Kind.HARD,
                reason=reason,
                event=f"refused:{recipient.pk}:{recipient.claim}",
                at=self.now(),
            )

    def give_back(self) -> None:
        """What was not dealt with is free for the next batch."""
        ids = [recipient.pk for recipient in self.all]
        mine = Recipient.objects.queued().filter(pk__in=ids, claim=self.claim)
        mine.update(claim=None, claimed_until=None)


def hand_over(recipient: Recipient, *, at: datetime) -> None:
    """Commits that the copy leaves now, unless anything has changed since it was claimed."""
    mailing = recipient.mailing
    wanted = (mailing.campaign.organization_id, mailing.pk)
    if not changed(HAND_OVER, moment(at), recipient.pk, claim_of(recipient), *wanted):
        raise NotWanted
    recipient.handed_over_at = at


def note_sent(recipient: Recipient, *, at: datetime) -> None:
    changed(SENT, moment(at), recipient.pk, claim_of(recipient))
    count(meters.SENT)


def count(outcome: str) -> None:
    meters.MAILS.labels(meters.MAILING, outcome).inc()


# The two statements that every single copy needs, written out: the ORM takes longer to put them together than the
# database to run them. Every condition on the copy itself is one of the statement's own, since PostgreSQL looks only at
# those again when it had to wait for somebody who changed the row.
HAND_OVER = """
    UPDATE mailings_recipient SET handed_over_at = %s WHERE id = %s AND claim = %s
    AND handed_over_at IS NULL AND sent_at IS NULL AND failed_at IS NULL AND dropped_at IS NULL
    AND EXISTS (
        SELECT 1 FROM signers_subscription u JOIN signers_supporter s ON s.id = u.supporter_id
        WHERE u.supporter_id = mailings_recipient.supporter_id AND u.organization_id = %s
        AND s.blocked_at IS NULL AND s.stopped_at IS NULL)
    AND EXISTS (
        SELECT 1 FROM mailings_mailing m WHERE m.id = %s AND m.paused_at IS NULL AND m.canceled_at IS NULL)"""
SENT = """
    UPDATE mailings_recipient SET sent_at = %s, last_error = '' WHERE id = %s AND claim = %s
    AND sent_at IS NULL AND failed_at IS NULL AND dropped_at IS NULL"""


def changed(statement: str, *params: Any) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return bool(cursor.rowcount)


def moment(at: datetime) -> object:
    return connection.ops.adapt_datetimefield_value(at)


def claim_of(recipient: Recipient) -> object:
    return Recipient._meta.get_field("claim").get_db_prep_value(recipient.claim, connection)


def reasons_to_drop(recipients: Iterable[Recipient], mailing: Mailing, *, at: datetime) -> dict[int, str]:
    """Why copies are no longer wanted, by recipient. Three queries for the batch."""
    people = [recipient.supporter_id for recipient in recipients if recipient.supporter_id]
    organization = mailing.campaign.organization_id
    subscribed = set(
        Subscription.objects.filter(organization=organization, supporter__in=people).values_list(
            "supporter_id", flat=True
        )
    )
    petitions = {recipient.edition.petition_id for recipient in recipients if recipient.edition.petition_id}
    open_now = set(Petition.objects.open(at=at).filter(pk__in=petitions).values_list("pk", flat=True))
    signed = set(
        Signature.objects.counted()
        .filter(petition__in=petitions, supporter__in=people)
        .values_list("petition_id", "supporter_id")
    )
    reasons: dict[int, str] = {}
    for recipient in recipients:
        reason = reason_to_drop(recipient, mailing, subscribed, open_now, signed)
        if reason:
            reasons[recipient.pk] = reason
    return reasons


def reason_to_drop(
    recipient: Recipient,
    mailing: Mailing,
    subscribed: set[int],
    open_now: set[int],
    signed: set[tuple[int, int]],
) -> str:
    supporter, petition = recipient.supporter, recipient.edition.petition_id
    if supporter is None:
        return Dropped.ERASED
    if not supporter.takes_mail:
        return Dropped.STOPPED
    if supporter.pk not in subscribed:
        return Dropped.UNSUBSCRIBED
    if not mailing.asks_to_sign or petition is None:
        return ""
    if petition not in open_now:
        return Dropped.CLOSED
    return Dropped.SIGNED if (petition, supporter.pk) in signed else ""


def drop(recipient: Recipient, *, reason: str, at: datetime) -> None:
    _ours(recipient).filter(handed_over_at=None).update(dropped_at=at, dropped=reason)


def put_off(recipient: Recipient, *, reason: str, at: datetime) -> None:
    """Nothing left the house; the copy tries again later, or has failed for good."""
    if recipient.attempts >= len(BACKOFF):
        fail(recipient, reason=reason, at=at)
        return
    count(meters.PUT_OFF)
    _ours(recipient).update(
        attempts=recipient.attempts + 1,
        last_error=reason[:300],
        handed_over_at=None,
        due_at=at + BACKOFF[recipient.attempts],
    )


def fail(recipient: Recipient, *, reason: str, at: datetime) -> None:
    count(meters.FAILED)
    _ours(recipient).update(
        attempts=recipient.attempts + 1, last_error=reason[:300], handed_over_at=None, failed_at=at
    )


def _ours(recipient: Recipient) -> QuerySet[Recipient]:
    """The row, unless somebody has dealt with it, or claimed it, since."""
    return Recipient.objects.filter(
        pk=recipient.pk, claim=recipient.claim, sent_at=None, failed_at=None, dropped_at=None
    )


@transaction.atomic
def resend(*, recipient: Recipient, actor: User | None, at: datetime) -> None:
    """Queues a copy in doubt or failed once more. Raises CannotResend, saying why."""
    row = (
        Recipient.objects.select_for_update(of=("self",))
        .select_related("mailing")
        .filter(pk=recipient.pk)
        .first()
    )
    if row is None or row.state not in {"in doubt", "failed"}:
        raise CannotResend("Only a copy in doubt, or one that failed, can be sent again.")
    if row.handed_over_at and at - row.handed_over_at < ANSWERED_WITHIN:
        raise CannotResend("This copy is on its way this very moment. Look again in a few minutes.")
    if row.mailing.canceled_at:
        raise CannotResend("The mailing was canceled.")
    Recipient.objects.filter(pk=row.pk).update(
        handed_over_at=None, failed_at=None, attempts=0, claim=None, claimed_until=None, due_at=at
    )
    Mailing.objects.filter(pk=row.mailing_id).update(finished_at=None)
    audit.record(actor=actor, action="copy sent again", subject=row.mailing, at=at, copy=row.pk)


@transaction.atomic
def leave(*, recipient: Recipient, actor: User | None, at: datetime) -> None:
    """Takes a copy in doubt off the list without sending it again. Raises CannotResend, saying why.

    It keeps the moment it was handed over beside that of giving up: nobody knows whether it arrived.
    """
    row = Recipient.objects.select_for_update(of=("self",)).filter(pk=recipient.pk).first()
    if row is None or row.state != "in doubt":
        raise CannotResend("Only a copy in doubt can be left as it is.")
    if row.handed_over_at and at - row.handed_over_at < ANSWERED_WITHIN:
        raise CannotResend("This copy is on its way this very moment. Look again in a few minutes.")
    Recipient.objects.filter(pk=row.pk).update(failed_at=at, claim=None, claimed_until=None)
    audit.record(actor=actor, action="copy left in doubt", subject=row.mailing, at=at, copy=row.pk)


@contextmanager
def _sole_sender() -> Iterator[bool]:
    """Whether we may send. Without row locks a file beside the database lets one process send at a time."""
    if connection.features.has_select_for_update_skip_locked or connection.is_in_memory_db():  # type: ignore[attr-defined]
        yield True
        return
    with open(f"{connection.settings_dict['NAME']}.mailing", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True  # closing the file ends the lock, and so does any death

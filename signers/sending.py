"""Sending the mails that are waiting: each once, whatever dies in between."""

import fcntl
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from enum import Enum

from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import QuerySet

from petitions.models import Version
from signers import emails
from signers.confirming import locked_person
from signers.mail_limits import MailLimits, put_back_until
from signers.models import OutgoingMail, Signature, Supporter
from staff import audit
from staff.models import User
from toolkit import meters
from toolkit.emails import (
    DeliveryError,
    InDoubt,
    Refused,
    ServerUnavailable,
    deliver,
    in_short,
    open_connection,
)
from toolkit.signed_tokens import CLOCK_SKEW

logger = logging.getLogger(__name__)

Message = OutgoingMail.Message
WRITERS: dict[str, Callable[[OutgoingMail], EmailMultiAlternatives]] = {
    Message.CONFIRM: emails.confirm_mail,
    Message.ALREADY_SIGNED: emails.already_signed_mail,
    Message.OWN_PAGE: emails.own_page_mail,
    Message.NEW_ADDRESS: emails.new_address_mail,
}
# How long a mail waits after each attempt the server put off; after the last it has failed.
BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 3 * 60, 6 * 60, 12 * 60, 24 * 60))
# A server may take its time to check a mail before it answers; then the mail is in doubt.
ANSWERED_WITHIN = timedelta(minutes=2)

# Within the first of these a mail has left; what is due for longer than the second is not waited for by others.
SOON, GIVEN_UP = timedelta(seconds=2), timedelta(minutes=5)


class CannotResend(Exception):
    """Why a mail is not sent again; the message is for staff."""


class Withdrawn(Exception):
    """Somebody else dealt with the mail, or decided against it, before it was handed over."""


class Result(Enum):
    """What came of one mail."""

    SENT = "sent"
    TOLD_NO = "put off or refused by the server"
    NOT_TRIED = "dropped, or not even written"
    SERVER_AWAY = "no word from the server"


def waiting() -> QuerySet[OutgoingMail]:
    return OutgoingMail.objects.filter(handed_over_at=None, sent_at=None, failed_at=None, dropped_at=None)


def bring_forward(*, at: datetime) -> int:
    """Makes due what a clock that was ahead, and has been set right, put far off; returns how many. One query."""
    made_ahead = waiting().filter(created_at__gt=at + CLOCK_SKEW, due_at__gt=at)
    # The condition of the index that begins with `created_at`; a mail that waits always has an address.
    return made_ahead.exclude(to="").update(due_at=at)


def in_doubt(*, at: datetime) -> QuerySet[OutgoingMail]:
    """Mails the server may or may not have taken, less those whose answer may still come."""
    return OutgoingMail.objects.filter(
        handed_over_at__lte=at - ANSWERED_WITHIN, sent_at=None, failed_at=None, dropped_at=None
    )


def late(*, at: datetime) -> bool:
    """Whether a mail that somebody waits for has been due for a while: the server, or we, can hardly keep up.

    What has been due for much longer says nothing any more: the server does not take it. One query.
    """
    return waiting().filter(due_at__lte=at - SOON, due_at__gt=at - GIVEN_UP).exists()


def piled_up(*, at: datetime) -> bool:
    """Whether mails have been due for a while, so that one conversation with the server is not enough. One query."""
    return waiting().filter(due_at__lte=at - SOON).exists()


def send_due(*, at: datetime, limit: int = 20, keep_on: Callable[[], bool] = lambda: True) -> int:
    """Deals with the mails due, oldest first, over one connection; returns how many, sent or not.

    Raises `ServerUnavailable` when the server cannot be talked to: nothing is held against any mail then, and the
    caller waits before trying again. `keep_on` is asked before each mail.

    A mail is handed over in two steps. Everything but the final dot is transmitted while nothing says so; a process
    killed here has sent nothing, and the mail is simply still waiting. Then `handed_over_at` is committed, and the dot
    follows. A process killed between the two leaves a mail in doubt, which only staff may send again.
    """
    with _sole_sender() as allowed:
        if not allowed or not waiting().filter(due_at__lte=at).exists():
            return 0
        server = open_connection()
        try:
            return _send_batch(server, at=at, limit=limit, keep_on=keep_on)
        finally:
            server.close()


def _send_batch(server: BaseEmailBackend, *, at: datetime, limit: int, keep_on: Callable[[], bool]) -> int:
    """When the server goes away over one mail, the newest is tried: it tells which of the two is to blame."""
    done = 0
    suspect: Attempt | None = None
    while done < limit and keep_on():
        attempt = Attempt(server, at)
        result = attempt.run(instead_of=suspect)
        if result is None:
            break
        if result is Result.SERVER_AWAY:
            if suspect is not None or attempt.is_in_doubt:
                raise attempt.trouble
            suspect = attempt
            continue
        done += 1
        if suspect is not None and result is not Result.NOT_TRIED:
            put_off(suspect.mail, at=at, reason=suspect.trouble.reason)
            suspect = None
    if suspect is not None:
        raise suspect.trouble
    return done


class Attempt:
    """One mail's way to the server."""

    mail: OutgoingMail
    trouble: ServerUnavailable

    def __init__(self, server: BaseEmailBackend, at: datetime) -> None:
        self.server = server
        self.at = at
        self.is_handed_over = False
        self.is_in_doubt = False

    def run(self, *, instead_of: "Attempt | None" = None) -> Result | None:
        """None where no mail is due that nobody else is sending."""
        due = waiting().filter(due_at__lte=self.at).order_by("due_at", "id")
        if instead_of is not None:
            due = due.exclude(pk=instead_of.mail.pk).reverse()
        with ExitStack() as row_lock:
            if connection.features.has_select_for_update_skip_locked:
                row_lock.enter_context(transaction.atomic())
            mail = due.select_for_update(skip_locked=True).first()
            if mail is None:
                return None
            self.mail = mail
            _load_everything_about(mail)
            if not still_wanted(mail):
                waiting().filter(pk=mail.pk).update(dropped_at=self.at)
                return Result.NOT_TRIED
            if moment := put_back_until(mail.supporter_id, at=self.at):
                waiting().filter(pk=mail.pk).update(due_at=moment)
                return Result.NOT_TRIED
            return self._send(row_lock)

    def _send(self, row_lock: ExitStack) -> Result:
        try:
            message = WRITERS[self.mail.message](self.mail)
            deliver(message, self.server, before_handover=lambda: self._hand_over(row_lock))
        except DeliveryError as error:
            return self._not_taken(error)
        except (DatabaseError, InterfaceError):
            raise
        except Withdrawn:
            return Result.NOT_TRIED
        except Exception as error:
            if self.is_handed_over:
                raise
            # Not the error's text, which may quote a person.
            logger.error("Mail %d could not be written: %s", self.mail.pk, type(error).__name__)
            fail(self.mail, at=self.at, reason=f"Could not be written: {type(error).__name__}.")
            return Result.NOT_TRIED
        OutgoingMail.objects.filter(pk=self.mail.pk).update(sent_at=self.at, last_error="")
        count(meters.SENT)
        return Result.SENT

    def _hand_over(self, row_lock: ExitStack) -> None:
        # Whoever withdraws a mail does not wait for one that is under way, and relies on this second look.
        _look_again_at(self.mail)
        if not still_wanted(self.mail):
            raise Withdrawn
        if not waiting().filter(pk=self.mail.pk).update(handed_over_at=self.at):
            raise Withdrawn
        row_lock.close()  # commits
        self.is_handed_over = True

    def _not_taken(self, error: DeliveryError) -> Result:
        """Writes down what is now known about the mail. Only `InDoubt` leaves it handed over."""
        if isinstance(error, InDoubt):
            # Waiting before the next mail keeps a sick server from putting the whole queue in doubt.
            logger.error("Mail %d is in doubt. %s", self.mail.pk, in_short(error.reason))
            OutgoingMail.objects.filter(pk=self.mail.pk).update(last_error=error.reason[:300])
            count(meters.IN_DOUBT)
            self.is_in_doubt = True
            self.trouble = ServerUnavailable(error.reason)
            return Result.SERVER_AWAY
        if isinstance(error, ServerUnavailable):
            OutgoingMail.objects.filter(pk=self.mail.pk).update(handed_over_at=None)
            self.trouble = error
            return Result.SERVER_AWAY
        if isinstance(error, Refused):
            fail(self.mail, at=self.at, reason=error.reason)
        else:
            put_off(self.mail, at=self.at, reason=error.reason)
        return Result.TOLD_NO


def put_off(mail: OutgoingMail, *, at: datetime, reason: str) -> None:
    """Nothing left the house; the mail tries again later, or has failed for good."""
    if mail.attempts >= len(BACKOFF):
        fail(mail, at=at, reason=reason)
        return
    count(meters.PUT_OFF)
    _unsent(mail).update(
        attempts=mail.attempts + 1,
        last_error=reason[:300],
        handed_over_at=None,
        due_at=at + BACKOFF[mail.attempts],
    )


def count(outcome: str) -> None:
    meters.MAILS.labels(meters.CONFIRMATION, outcome).inc()


def fail(mail: OutgoingMail, *, at: datetime, reason: str) -> None:
    count(meters.FAILED)
    _unsent(mail).update(
        attempts=mail.attempts + 1, last_error=reason[:300], handed_over_at=None, failed_at=at
    )


def _unsent(mail: OutgoingMail) -> QuerySet[OutgoingMail]:
    """The row, unless somebody has dealt with it since."""
    return OutgoingMail.objects.filter(pk=mail.pk, sent_at=None, failed_at=None, dropped_at=None)


def _load_everything_about(mail: OutgoingMail) -> None:
    """Reads anew what deciding and writing need, in one query, without the long texts."""
    if mail.signature_id is None:
        mail.supporter = Supporter.objects.get(pk=mail.supporter_id)
        return
    signature = (
        Signature.objects.select_related("supporter", "version", "petition__letter__campaign__organization")
        .defer(
            *(f"version__{name}" for name in Version.LONG if name != "statement"),
            "petition__local",
            "petition__letter__body",
            "petition__letter__campaign__organization__logo",
        )
        .get(pk=mail.signature_id)
    )
    mail.signature, mail.supporter = signature, signature.supporter


def _look_again_at(mail: OutgoingMail) -> None:
    """Reads anew what `still_wanted` decides by, in one query; the mail is written already."""
    if mail.signature_id is None:
        mail.supporter = Supporter.objects.get(pk=mail.supporter_id)
        return
    mail.signature = Signature.objects.select_related("supporter").get(pk=mail.signature_id)
    mail.supporter = mail.signature.supporter


def still_wanted(mail: OutgoingMail) -> bool:
    """Whether what was true when the mail was decided on still is. Signature and supporter are loaded."""
    if not mail.supporter.takes_mail or not mail.to:
        return False
    if mail.message == Message.OWN_PAGE:
        return mail.to == mail.supporter.email  # the link opens everything: not to a mailbox they have left
    if mail.signature is None:
        return emails.change_behind(mail) is not None
    if mail.message == Message.CONFIRM:
        return mail.signature.state in {"pending", "accepted"}
    return mail.signature.state == "confirmed"


@contextmanager
def _sole_sender() -> Iterator[bool]:
    """Whether we may send. Without row locks a file beside the database lets one process send at a time."""
    if connection.features.has_select_for_update_skip_locked or connection.is_in_memory_db():  # type: ignore[attr-defined]
        yield True
        return
    with open(f"{connection.settings_dict['NAME']}.sending", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True  # closing the file ends the lock, and so does any death


@transaction.atomic
def resend(*, mail: OutgoingMail, actor: User | None, at: datetime) -> OutgoingMail:
    """Sends a mail in doubt or failed once more, as a new event; the old one is closed.

    Raises CannotResend, saying why: sent, waiting or already sent again, no longer wanted, or over the limits.
    """
    supporter = locked_person(mail.supporter_id)
    old = OutgoingMail.objects.filter(pk=mail.pk).first()
    if supporter is None or old is None:
        raise CannotResend("This mail and its signature are no longer there.")
    _load_everything_about(old)
    if old.state not in {"in doubt", "failed"} or old.dropped_at:
        raise CannotResend("Only a mail in doubt, or one that failed, can be sent again, and only once.")
    if old.handed_over_at and at - old.handed_over_at < ANSWERED_WITHIN:
        raise CannotResend("This mail is on its way this very moment. Look again in a few minutes.")
    if not still_wanted(old):
        raise CannotResend("This mail is no longer wanted: its signature was confirmed, removed or blocked.")
    again = _once_more(old, at)
    if again is None:
        raise CannotResend("This person has had as many mails as we allow. Try again tomorrow.")
    again.save(force_insert=True)
    OutgoingMail.objects.filter(pk=old.pk).update(dropped_at=at)
    audit.record(actor=actor, action="mail sent again", subject=old, at=at, new_mail=again.pk)
    return again


def _once_more(old: OutgoingMail, at: datetime) -> OutgoingMail | None:
    """An unsaved mail like the old one, or None where the limits allow no more."""
    signatures = [] if old.signature is None else [old.signature.pk]
    limits = MailLimits.load(supporters=[old.supporter_id], signatures=signatures, at=at)
    if old.signature is not None:
        allowed = limits.allow(old.signature, old.message)
        return limits.new_mail(old.signature, old.message) if allowed else None
    if not limits.allow_about(old.supporter, old.message):
        return None
    return limits.new_mail_about(old.supporter, old.message, wish=f"again:{old.pk}", to=old.to)

"""What staff decide about a signature: remove it, restore it, release one that was held; block a mailbox."""

from datetime import datetime

from django.db import transaction

from signers.confirming import change_count, drop_waiting_mails, locked
from signers.mail_limits import MailLimits
from signers.models import OutgoingMail, Signature, Supporter
from staff import audit
from staff.models import User


class CannotBeDone(Exception):
    """Why not; the message is for staff."""


@transaction.atomic
def remove(
    *, signature: Signature, actor: User | None, at: datetime, reason: str, block: bool = False
) -> bool:
    """Takes the signature off the count and refuses it from now on; False where it was removed before.

    `block` also refuses every later signature of this mailbox, and sends it no more mail.
    """
    _require(reason)
    row = locked(signature.pk)
    if row is None:
        raise CannotBeDone("This signature is no longer there.")
    blocked = block and _block(row.supporter, at)
    counted = row.is_counted
    removed = bool(
        Signature.objects.filter(pk=row.pk, removed_at=None).update(
            removed_at=at, removal=Signature.Removal.STAFF
        )
    )
    if removed and counted:
        change_count(row, -1)
    if removed or blocked:
        drop_waiting_mails(row, at)
        action = "removed" if removed else "mailbox blocked"
        audit.record(
            actor=actor,
            action=action,
            subject=row,
            at=at,
            reason=reason.strip(),
            counted=counted,
            blocked=blocked,
        )
    return removed


@transaction.atomic
def restore(*, signature: Signature, actor: User | None, at: datetime, reason: str) -> bool:
    """Undoes a removal by staff; False where there is none to undo. A blocked mailbox stays blocked."""
    _require(reason)
    row = locked(signature.pk)
    if row is None:
        raise CannotBeDone("This signature is no longer there.")
    if row.removal == Signature.Removal.WITHDRAWN:
        raise CannotBeDone("The signer withdrew this signature. Only they can sign again.")
    if row.removed_at and (row.removal == Signature.Removal.NOT_ME or not row.first_name):
        raise CannotBeDone(
            "The owner of the address said that this was not their signature. Only they can sign again."
        )
    if not Signature.objects.filter(pk=row.pk, removed_at__isnull=False).update(removed_at=None, removal=""):
        return False
    counts_again = row.accepted_at is not None and row.held_at is None
    if counts_again:
        change_count(row, 1)
    audit.record(
        actor=actor, action="restored", subject=row, at=at, reason=reason.strip(), counted=counts_again
    )
    return True


@transaction.atomic
def release(*, signature: Signature, actor: User | None, at: datetime, reason: str) -> bool:
    """Treats a held signature as if it had come in now: it waits to be confirmed, or counts again if it did before.

    False where it isn't held.
    """
    _require(reason)
    row = locked(signature.pk)
    if row is None:
        raise CannotBeDone("This signature is no longer there.")
    if row.removed_at:
        raise CannotBeDone("This signature was removed. Restore it first.")
    if not Signature.objects.filter(pk=row.pk, held_at__isnull=False).update(held_at=None):
        return False
    if row.accepted_at:
        change_count(row, 1)
    if not row.supporter.blocked_at and not row.confirmed_at:
        limits = MailLimits.load(supporters=[row.supporter_id], signatures=[row.pk], at=at)
        if limits.allow(row, OutgoingMail.Message.CONFIRM):
            limits.new_mail(row, OutgoingMail.Message.CONFIRM).save(force_insert=True)
    audit.record(actor=actor, action="released", subject=row, at=at, reason=reason.strip())
    return True


@transaction.atomic
def unblock(*, supporter: Supporter, actor: User | None, at: datetime, reason: str) -> bool:
    """Lets the mailbox sign and get mail again; False where it wasn't blocked."""
    _require(reason)
    if not Supporter.objects.filter(pk=supporter.pk, blocked_at__isnull=False).update(blocked_at=None):
        return False
    audit.record(actor=actor, action="mailbox unblocked", subject=supporter, at=at, reason=reason.strip())
    return True


def _block(supporter: Supporter, at: datetime) -> bool:
    return bool(Supporter.objects.filter(pk=supporter.pk, blocked_at=None).update(blocked_at=at))


def _require(reason: str) -> None:
    if not reason.strip():
        raise CannotBeDone("Say why: the reason is kept in the audit log.")

"""Erasing a person: everything that says who they are, at once and for good."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, models, transaction
from django.dispatch import Signal

from signers.blocking import keep_blocked
from signers.confirming import locked_person
from signers.models import CountChange, OwnPageRequest, Signature, Submission, Supporter
from staff import audit
from staff.models import AuditEntry, User
from toolkit.email_addresses import mailbox_key

ERASED, MERGED = "erased", "merged"  # in the audit log

# Sent inside the transaction, before the rows go, with `supporter` (locked) and `at`: upper apps let go of theirs.
supporter_erased = Signal()


@dataclass(frozen=True)
class Erased:
    """How much went: all signatures, and those of them that counted."""

    signatures: int
    counted: int


def erase(*, supporter_id: int, at: datetime, actor: User | None = None, reason: str = "") -> Erased | None:
    """Deletes the person with signatures, choices and mails; counts go down accordingly. None where nobody is there.

    A blocked mailbox stays blocked, known by a keyed digest only. The audit log keeps numbers.
    """
    try:
        return _erase(supporter_id, at, actor, reason)
    except IntegrityError:
        # A mailing that was just being started has a copy for them by now, which can be let go of.
        return _erase(supporter_id, at, actor, reason)


@transaction.atomic
def _erase(supporter_id: int, at: datetime, actor: User | None, reason: str) -> Erased | None:
    supporter = locked_person(supporter_id)
    if supporter is None:
        return None
    supporter_erased.send(sender=Supporter, supporter=supporter, at=at)
    signatures = list(Signature.objects.filter(supporter=supporter))
    counted = [signature for signature in signatures if signature.is_counted]
    CountChange.objects.bulk_create(CountChange.of(signature, -1) for signature in counted)
    if supporter.blocked_at:
        keep_blocked(supporter.mailbox, at=at)
    audit.record(
        actor=actor,
        action=ERASED,
        subject=supporter,
        at=at,
        reason=reason or "Asked for on their own page.",
        known_as=known_as(supporter),
        signatures=len(signatures),
        counted=len(counted),
    )
    Signature.objects.filter(supporter=supporter).delete()  # and their mails
    supporter.consents.all().delete()
    _forget_typed(Submission, supporter.mailbox)
    _forget_typed(OwnPageRequest, supporter.mailbox)
    supporter.delete()  # and the rest
    return Erased(len(signatures), len(counted))


def known_as(supporter: Supporter) -> list[tuple[int, str]]:
    """Number and moment of creation of their row, and of those that became one with it: so an older backup knows them.

    Nothing else has both, also where another row got the same number after a backup was restored.
    """
    names = [(supporter.pk, supporter.created_at.isoformat())]
    for number, _since in names:
        merged = AuditEntry.objects.filter(action=MERGED, subject_type="supporter", subject_id=number)
        for details in merged.values_list("details", flat=True):
            names += [(row, since) for row, since in details["known_as"] if (row, since) not in names]
    return names


def _forget_typed(model: type[models.Model], mailbox: str) -> None:
    """What was typed into a form and waits. What the worker has in hand at this very moment is left to it."""
    waiting = model._default_manager.values_list("pk", "email").iterator(chunk_size=2000)
    ids = [pk for pk, email in waiting if mailbox_key(email) == mailbox]
    rows = model._default_manager.filter(pk__in=ids).select_for_update(skip_locked=True)
    model._default_manager.filter(pk__in=[row.pk for row in rows]).delete()

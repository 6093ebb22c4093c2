"""Ending a stop: a mailbox whose mail came back, or whose owner complained, gets mail again because staff say so."""

from datetime import datetime

from django.db import transaction

from signers.confirming import locked_person
from signers.models import Supporter
from signers.removing import CannotBeDone
from staff import audit
from staff.models import User


@transaction.atomic
def let_through(*, supporter: Supporter, actor: User | None, at: datetime, reason: str) -> bool:
    """Forgets what stopped the mail, and counts soft bounces anew; False where nothing did.

    Updates that a complaint ended stay ended: only the person can ask for them again.
    """
    if not reason.strip():
        raise CannotBeDone("Say why: the reason is kept in the audit log.")
    row = locked_person(supporter.pk)
    if row is None or row.stopped_at is None:
        return False
    Supporter.objects.filter(pk=row.pk).update(stopped_at=None, stopped="", soft_bounces=0)
    audit.record(
        actor=actor,
        action="mail let through",
        subject=row,
        at=at,
        reason=reason.strip(),
        stopped=row.stopped,
        since=row.stopped_at.isoformat(),
    )
    return True

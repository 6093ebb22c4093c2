"""Writing the audit log: every change of state, with who, when and why."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Model

from staff.models import AuditEntry, User

SYSTEM = "system"


def record(
    *, actor: User | None, action: str, subject: Model, at: datetime, reason: str = "", **details: Any
) -> AuditEntry:
    """Appends one entry in the caller's transaction.

    `details` must be JSON and hold no e-mail address, name of a signer or token.
    """
    entry = make(actor=actor, action=action, subject=subject, at=at, reason=reason, details=details)
    entry.save(force_insert=True)
    return entry


def record_all(
    *,
    actor: User | None,
    action: str,
    subjects: Iterable[Model],
    at: datetime,
    reason: str = "",
    **details: Any,
) -> None:
    """One entry for each subject, in few statements."""
    entries = [
        make(actor=actor, action=action, subject=subject, at=at, reason=reason, details=details)
        for subject in subjects
    ]
    AuditEntry.objects.bulk_create(entries, batch_size=500)


def make(
    *, actor: User | None, action: str, subject: Model, at: datetime, reason: str, details: dict[str, Any]
) -> AuditEntry:
    return AuditEntry(
        at=at,
        actor=actor,
        actor_name=actor.get_username() if actor else SYSTEM,
        action=action[:60],
        subject_type=str(subject._meta.model_name),
        subject_id=subject.pk,
        subject_label=str(subject)[:300],
        reason=reason,
        details=details,
    )

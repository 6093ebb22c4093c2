"""Writing the audit log: every change of state, with who, when and why."""

from datetime import datetime
from typing import Any

from django.db.models import Model

from staff.models import AuditEntry, User

SYSTEM = "system"


def record(*, actor: User | None, action: str, subject: Model, at: datetime, reason: str = "", **details: Any) -> AuditEntry:
    """Appends one entry in the caller's transaction. `details` must be JSON and hold no e-mail address, name of a signer or token."""
    return AuditEntry.objects.create(
        at=at,
        actor=actor,
        actor_name=actor.get_username() if actor else SYSTEM,
        action=action,
        subject_type=subject._meta.model_name,
        subject_id=subject.pk,
        subject_label=str(subject)[:300],
        reason=reason,
        details=details,
    )

"""The people who run campaigns, and the record of what they did."""

from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A member of staff. What they may do follows from their role, see `staff.roles`."""

    PERSONAL_FIELDS: ClassVar[dict[str, str]] = {
        "username": "when the account is deleted",
        "first_name": "when the account is deleted",
        "last_name": "when the account is deleted",
        "email": "when the account is deleted",
        "password": "when the account is deleted",
    }


class AuditEntry(models.Model):
    """One change of state: who, when, what, why. Written once and never changed, which a trigger holds."""

    PERSONAL_FIELDS: ClassVar[dict[str, str]] = {"actor_name": "kept as evidence of who acted"}

    at = models.DateTimeField(db_index=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    actor_name = models.CharField("who", max_length=150, help_text="The user name, or “system”.")
    action = models.CharField(max_length=60)
    subject_type = models.CharField("kind of thing", max_length=60)
    subject_id = models.BigIntegerField()
    subject_label = models.CharField("what", max_length=300)
    reason = models.TextField("why", blank=True)
    details = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering: ClassVar = ["-at", "-id"]
        verbose_name = "audit log entry"
        verbose_name_plural = "audit log"
        indexes: ClassVar = [
            models.Index(fields=["subject_type", "subject_id", "-at"], name="audit_by_subject")
        ]

    def __str__(self) -> str:
        return f"{self.action}: {self.subject_label}"


class Heartbeat(models.Model):
    """When the worker last said that it is alive; a single row."""

    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(pk=1), name="heartbeat_is_one_row")
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S}"


class SignInAttempt(models.Model):
    """An attempt to log in, counted for a quarter of an hour; see `staff.signing_in`."""

    PERSONAL_FIELDS: ClassVar[dict[str, str]] = {
        "key": "after 15 minutes; a keyed hash, never a name or an address"
    }

    key = models.CharField(max_length=64)
    at = models.DateTimeField(db_index=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["key", "at"], name="sign_in_attempts_of_key")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S}"

"""The people who run campaigns, the record of what they did, and what state the site is in."""

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


class State(models.TextChoices):
    """What the site does at the moment, for everybody."""

    FULL = "full", "Everything is on"
    SIGNING_PAUSED = "signing-paused", "Signing is paused"
    READ_ONLY = "read-only", "Read-only"
    MAINTENANCE = "maintenance", "Maintenance"

    @property
    def takes_signatures(self) -> bool:
        return self is State.FULL

    @property
    def takes_changes(self) -> bool:
        """Whether anything may be written, but for switching back. The worker rests where not."""
        return self in {State.FULL, State.SIGNING_PAUSED}


class SiteState(models.Model):
    """The present state; a single row, or none where it was never switched. See `staff.site_state`."""

    state = models.CharField(max_length=20, choices=State, default=State.FULL)
    message = models.CharField("message for visitors", max_length=500, blank=True, default="", db_default="")
    since = models.DateTimeField()

    class Meta:
        verbose_name = "state of the site"
        verbose_name_plural = "state of the site"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(pk=1),
                name="site_state_is_one_row",
                violation_error_message="The site is in one state at a time.",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=State.values),
                name="site_state_is_known",
                violation_error_message="There is no such state.",
            ),
        ]

    def __str__(self) -> str:
        return self.get_state_display()


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

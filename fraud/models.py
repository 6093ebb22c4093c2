"""Bursts of signatures that do not look like people, what belongs to them, and what staff did about it."""

from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from signers.models import Signature

IN_30_DAYS = "within 30 days"
WITH_SIGNATURE = "with the signature"


class Kind(models.TextChoices):
    """By what signatures are found to belong together."""

    NETWORK = "network", "One network"
    NEIGHBORHOOD = "neighborhood", "Neighboring networks"
    DOMAIN = "domain", "One mail domain"
    NAME = "name", "One pattern of names"
    MAILBOX = "mailbox", "One pattern of addresses"
    SPEED = "speed", "Faster than people"


class Rule(models.Model):
    """How many of a kind, within how many minutes, are a burst."""

    kind = models.CharField(max_length=20, choices=Kind, unique=True)
    is_on = models.BooleanField("switched on", default=True)
    threshold = models.PositiveIntegerField(
        "signatures", help_text="So many within the minutes below are a burst; from 5 to 100,000."
    )
    minutes = models.PositiveSmallIntegerField(help_text="From 1 to 60.")

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(threshold__gte=5, threshold__lte=100_000),
                name="rule_threshold_is_sane",
                violation_error_message="Enter a number of signatures from 5 to 100,000.",
            ),
            models.CheckConstraint(
                condition=Q(minutes__gte=1, minutes__lte=60),
                name="rule_minutes_are_sane",
                violation_error_message="Enter from 1 to 60 minutes.",
            ),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()

    @property
    def window(self) -> timedelta:
        return timedelta(minutes=self.minutes)


class AllowedDomain(models.Model):
    """A mail domain of many people, such as a university's: the rule about domains leaves it alone."""

    domain = models.CharField(
        max_length=253,
        unique=True,
        help_text="Such as university.example; with it go all below it.",
        error_messages={"unique": "This domain is on the list already."},
    )
    note = models.CharField(max_length=200, help_text="Whose it is, and how you know.")

    class Meta:
        ordering: ClassVar = ["domain"]

    def __str__(self) -> str:
        return self.domain


class Mark(models.Model):
    """By what a signature might be found to belong to a burst. Goes within 30 days."""

    PERSONAL_FIELDS: ClassVar[dict[str, str]] = dict.fromkeys(
        ("network", "neighborhood", "domain", "name", "mailbox"), f"{IN_30_DAYS}; {WITH_SIGNATURE}"
    )

    signature = models.OneToOneField(
        Signature, primary_key=True, on_delete=models.CASCADE, related_name="mark"
    )
    petition_id = models.BigIntegerField()
    received_at = models.DateTimeField()
    folded_at = models.DateTimeField()
    network = models.CharField(max_length=32, blank=True)
    neighborhood = models.CharField(max_length=32, blank=True)
    domain = models.CharField(max_length=253, blank=True, help_text="None where many have their mailbox.")
    name = models.CharField(max_length=32, blank=True, help_text="A keyed hash of the pattern.")
    mailbox = models.CharField(max_length=32, blank=True, help_text="The same of the address.")
    is_fast = models.BooleanField(default=False, help_text="The form was filled in faster than people do.")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["folded_at"], name="mark_by_moment"),
            # Whether a domain has been seen before.
            models.Index(fields=["domain", "folded_at"], name="mark_by_domain", condition=~Q(domain="")),
        ]

    def __str__(self) -> str:
        return f"Mark of {self.pk}"


class Burst(models.Model):
    """Signatures that belong together by one kind, more at once than people make."""

    PERSONAL_FIELDS: ClassVar[dict[str, str]] = {
        "key": f"emptied {IN_30_DAYS}",
        "label": f"emptied {IN_30_DAYS}",
    }

    kind = models.CharField(max_length=20, choices=Kind)
    key = models.CharField(max_length=253, blank=True, help_text="What its signatures have in common.")
    label = models.CharField(
        max_length=253, blank=True, help_text="The same for people; of a network, letters only."
    )
    found_at = models.DateTimeField()
    first_at = models.DateTimeField(help_text="When the first of them came.")
    last_at = models.DateTimeField(help_text="When the last of them came.")
    ended_at = models.DateTimeField(null=True, blank=True, help_text="Nothing is held for it since.")
    dismissed_at = models.DateTimeField(null=True, blank=True, help_text="Staff found that these are people.")
    alerted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name = "cluster"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "key"],
                condition=Q(ended_at=None),
                name="burst_once_at_a_time",
                violation_error_message="This burst is known already.",
            )
        ]
        indexes: ClassVar = [models.Index(fields=["last_at"], name="burst_by_moment")]

    def __str__(self) -> str:
        return f"Cluster {self.pk}"


class Member(models.Model):
    """That a signature belongs to a burst."""

    burst = models.ForeignKey(Burst, on_delete=models.CASCADE, related_name="members")
    signature = models.ForeignKey(Signature, on_delete=models.CASCADE, related_name="bursts")
    released_at = models.DateTimeField(
        null=True, blank=True, help_text="Staff let it go on; no burst holds it again."
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["burst", "signature"], name="member_once_a_burst")
        ]

    def __str__(self) -> str:
        return f"Member {self.pk}"


class Batch(models.Model):
    """What staff asked to be done with a burst; the worker does it, and undoes it, in steps."""

    class Act(models.TextChoices):
        REMOVE = "remove", "Remove"
        HOLD = "hold", "Hold"
        RELEASE = "release", "Release"

    burst = models.ForeignKey(Burst, on_delete=models.CASCADE, related_name="batches")
    act = models.CharField(max_length=10, choices=Act)
    with_confirmed = models.BooleanField(default=False, help_text="Also those whose mailbox was proven.")
    reason = models.TextField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    asked_at = models.DateTimeField()
    through = models.BigIntegerField(
        help_text="The last member it is about; later ones were not seen by who asked."
    )
    position = models.BigIntegerField(default=0, help_text="The last member that was dealt with.")
    expected = models.PositiveIntegerField(help_text="How many staff saw that it would change.")
    finished_at = models.DateTimeField(null=True, blank=True)
    undo_asked_at = models.DateTimeField(null=True, blank=True)
    undo_reason = models.TextField(blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name_plural = "batches"
        indexes: ClassVar = [
            models.Index(fields=["id"], name="batch_to_do", condition=Q(finished_at=None)),
            models.Index(
                fields=["id"], name="batch_to_undo", condition=Q(undo_asked_at__isnull=False, undone_at=None)
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(undone_at=None) | Q(undo_asked_at__isnull=False),
                name="batch_undone_was_asked_for",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_act_display()} {self.pk}"


class Change(models.Model):
    """What a batch did to one signature: its states before and after, and what became of its mail."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="changes")
    signature = models.ForeignKey(Signature, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    before = models.JSONField()
    after = models.JSONField()
    dropped = models.JSONField(default=list, help_text="Keys of mails that were waiting.")
    made = models.JSONField(default=list, help_text="Keys of mails that were made.")
    undone_at = models.DateTimeField(null=True, blank=True)
    left_at = models.DateTimeField(
        null=True, blank=True, help_text="Not undone: somebody else changed the signature meanwhile."
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["batch", "signature"], name="change_once_a_batch"),
            models.CheckConstraint(
                condition=Q(undone_at=None) | Q(left_at=None), name="change_undone_or_left"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["batch", "id"], name="change_to_undo", condition=Q(undone_at=None, left_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"Change {self.pk}"


class UsedProof(models.Model):
    """A sum that a browser has worked out, so that it serves one signature. Goes a week after it was good."""

    key = models.CharField(max_length=32, unique=True, help_text="Hash of the random number it began with.")
    submission_id = models.BigIntegerField(help_text="Whom it served.")
    until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"Proof {self.pk}"

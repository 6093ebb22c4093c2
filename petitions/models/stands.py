"""Targets that have moved from one side of a campaign to the other."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from campaigns.models import Campaign, Target
from petitions.models.asks import Petition
from petitions.models.letters import Kind

# A wrong move can be undone for so long after it was recorded.
UNDO_WITHIN = timedelta(hours=24)


class StandQuerySet(models.QuerySet["Stand"]):
    def told(self) -> "StandQuerySet":
        """What happened, whether or not the target moved again since."""
        return self.filter(undone_at=None)

    def standing(self) -> "StandQuerySet":
        """Where each target stands now."""
        return self.told().filter(superseded_at=None)


class Stand(models.Model):
    """A target's move to the other side of a campaign, with its date and public reason.

    `left` is the petition that ended with it, `joined` the one that opened. `before` is what undoing puts back.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="stands")
    target = models.ForeignKey(Target, on_delete=models.PROTECT, related_name="stands")
    kind = models.CharField(
        max_length=10, choices=Kind, default=Kind.THANK_YOU, help_text="The side it moved to."
    )
    taken_on = models.DateField(help_text="When the target acted.")
    reason = models.TextField(max_length=1000, help_text="What the target did; public.")
    left = models.ForeignKey(Petition, on_delete=models.PROTECT, related_name="+")
    joined = models.ForeignKey(Petition, on_delete=models.PROTECT, related_name="+")
    before = models.JSONField(default=dict, editable=False)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    undone_at = models.DateTimeField(null=True, blank=True)
    superseded_at = models.DateTimeField(
        null=True, blank=True, help_text="When the same target moved once more."
    )

    objects = StandQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-taken_on", "-id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(reason=""), name="stand_has_a_reason"),
            models.CheckConstraint(condition=~Q(left=F("joined")), name="stand_moves_to_another_petition"),
            models.CheckConstraint(condition=Q(kind__in=["demand", "thank-you"]), name="stand_kind_is_known"),
            models.UniqueConstraint(
                fields=["target"],
                condition=Q(undone_at=None, superseded_at=None),
                name="stand_one_standing_per_target",
                violation_error_message="This target has taken a stand already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.target} on {self.taken_on}"

    @property
    def undo_until(self) -> datetime:
        return self.recorded_at + UNDO_WITHIN

    def can_be_undone(self, at: datetime) -> bool:
        return self.undone_at is None and self.superseded_at is None and at < self.undo_until

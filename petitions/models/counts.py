"""The numbers: of a petition, of its days, of a campaign. Changed only by `signers.counting`."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from campaigns.models import Campaign
from petitions.models.asks import Petition


class Tally(models.Model):
    """A petition's number, apart from the petition so that saving one never overwrites the other.

    Changed only by `signers.counting`, which adds up what signers do.
    """

    petition = models.OneToOneField(
        Petition, primary_key=True, on_delete=models.CASCADE, related_name="tally"
    )
    count = models.IntegerField(default=0)
    local = models.IntegerField(default=0)
    # What it gained in the last days, kept up to date by `petitions.momentum` a little later than the count.
    gained_lately = models.IntegerField(default=0, db_default=0)
    # The place's standing in the city league, where the campaign shows one: 3rd of 112.
    rank = models.PositiveIntegerField(null=True, blank=True)
    ranked = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(count__gte=0), name="tally_never_negative"),
            models.CheckConstraint(
                condition=Q(local__gte=0) & Q(local__lte=F("count")), name="tally_local_within_count"
            ),
            models.CheckConstraint(
                condition=Q(rank=None, ranked=None) | Q(rank__gte=1, rank__lte=F("ranked")),
                name="tally_rank_within_ranked",
            ),
        ]

    def __str__(self) -> str:
        return str(self.count)


class DayTally(models.Model):
    """What a petition gained on one day (of the site's time zone), less what it lost: the momentum of a city."""

    petition = models.ForeignKey(Petition, on_delete=models.CASCADE, related_name="days")
    day = models.DateField()
    gained = models.IntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["petition", "day"], name="day_tally_once_per_day")
        ]
        # For what all petitions gained in the last days.
        indexes: ClassVar = [models.Index(fields=["day"], name="day_tally_day")]

    def __str__(self) -> str:
        return f"{self.day}: {self.gained:+d}"


class CampaignTally(models.Model):
    """How many people stand behind a campaign, each counted once however many of its petitions they signed."""

    campaign = models.OneToOneField(
        Campaign, primary_key=True, on_delete=models.CASCADE, related_name="tally"
    )
    people = models.IntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(people__gte=0), name="campaign_tally_never_negative")
        ]

    def __str__(self) -> str:
        return str(self.people)

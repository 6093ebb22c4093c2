"""Where people live: places, the postal codes that lead to them, and the cities people wish for."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from campaigns.fields import NameKeyField
from campaigns.models.causes import Campaign


class Place(models.Model):
    """A city that people can find by name or postal code."""

    name = models.CharField(max_length=120)
    name_key = NameKeyField()
    region = models.CharField(max_length=120, blank=True)
    country = models.CharField(max_length=120, blank=True)
    postal_prefixes = models.TextField(
        blank=True,
        help_text="Postal codes of this place, or their beginnings, separated by spaces (941 942 94301). "
        "Signers with such a code are counted as local.",
    )

    # Where it lies, as far as the postal codes tell; degrees.
    latitude = models.FloatField(null=True, blank=True, editable=False)
    longitude = models.FloatField(null=True, blank=True, editable=False)

    class Meta:
        ordering: ClassVar = ["name", "region"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["name", "region", "country"],
                name="place_is_unique",
                violation_error_message="This place is already listed.",
            )
        ]

    def __str__(self) -> str:
        return ", ".join(part for part in (self.name, self.region) if part)


class PostalCode(models.Model):
    """A postal code and the city it belongs to. Loaded by `load_postal_codes`, never typed by hand."""

    country = models.CharField(max_length=2)
    code = models.CharField(max_length=12)
    name = models.CharField(max_length=120, help_text="The city, as the post names it.")
    name_key = NameKeyField()
    other_names = models.JSONField(default=list, blank=True, help_text="What else the post accepts.")
    region = models.CharField(
        max_length=120, blank=True, help_text="In the United States two letters, such as CA."
    )
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["country", "code"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["country", "code"], name="postal_code_once_per_country")
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Nomination(models.Model):
    """A city without a petition, and how often visitors have asked for one."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="nominations")
    key = models.CharField(
        max_length=400, help_text="Name, region and country in the form they are compared in."
    )
    name = models.CharField(max_length=120)
    region = models.CharField(max_length=120, blank=True)
    country = models.CharField(max_length=120, blank=True)
    count = models.PositiveIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-count", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["campaign", "key"], name="nomination_once_per_campaign_and_city")
        ]

    def __str__(self) -> str:
        return ", ".join(part for part in (self.name, self.region) if part)


class NominationMark(models.Model):
    """That a network has nominated today: a keyed hash nobody can turn back, kept for a day."""

    digest = models.CharField(max_length=64, unique=True)
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(digest=""), name="nomination_mark_is_not_empty")
        ]

    def __str__(self) -> str:
        return f"Mark {self.pk}"

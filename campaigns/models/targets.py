"""Toward whom: the officials petitions are addressed to."""

from typing import Any, ClassVar

from django.db import models

from campaigns.last_names import LONGEST, guess_last_name
from campaigns.models.causes import Campaign
from campaigns.models.places import Place


class Target(models.Model):
    """An official a petition is addressed to. Without an e-mail address the petition is symbolic."""

    PERSONAL_FIELDS: ClassVar[dict[str, str]] = {
        "name": "published: the holder of a public office",
        "last_name": "published: the holder of a public office",
        "email": "when the target is deleted; never published",
        "salutation": "published: the holder of a public office",
    }

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="targets")
    name = models.CharField(max_length=160)
    last_name = models.CharField(
        max_length=LONGEST,
        blank=True,
        help_text="Empty: taken from the name. {{ target.last_name }} in letters.",
    )
    office = models.CharField(max_length=120, default="Mayor")
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="targets")
    salutation = models.CharField(
        max_length=160, blank=True, help_text="How a letter to them begins, such as “Dear Mayor Okafor”."
    )
    email = models.EmailField(
        "e-mail address", blank=True, help_text="For handing the signatures over. Never shown in public."
    )

    class Meta:
        ordering: ClassVar = ["place__name", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["campaign", "name", "place"],
                name="target_once_per_campaign",
                violation_error_message="This campaign already has this target in this place.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.title}, {self.place.name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.last_name = self.last_name.strip() or guess_last_name(self.name)
        super().save(*args, **kwargs)

    @property
    def title(self) -> str:
        """Office and name as they stand on a page: “Mayor Ada Okafor”."""
        return f"{self.office} {self.name}".strip()

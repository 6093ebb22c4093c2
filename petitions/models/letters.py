"""The text of one side of a campaign."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from campaigns.models import Campaign


class Kind(models.TextChoices):
    """Which side of a campaign a letter speaks for."""

    DEMAND = "demand", "Demand"
    THANK_YOU = "thank-you", "Thank-you"


class Letter(models.Model):
    """The text of one side of a campaign. Markdown with merge fields and citations; rendered only at publishing."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="letters")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.DEMAND)
    headline = models.CharField(
        max_length=200,
        help_text="The title of the page. Merge fields allowed: Keep {{ place.name }}’s library open.",
    )
    lead_in = models.CharField(
        "lead-in",
        max_length=300,
        help_text="The line before the statement: The petition to {{ target.office }} {{ target.last_name }} reads:",
    )
    statement = models.TextField(max_length=2000, help_text="The short text that is signed.")
    call_to_action = models.CharField(
        "call to action",
        max_length=300,
        help_text="One line, shown as a link after the letter and wherever a paragraph is only {{ call_to_action }}.",
    )
    button = models.CharField("button label", max_length=40, default="Sign the petition")
    greeting = models.CharField(max_length=200, default="Dear {{ supporter.first_name|friend }},")
    body = models.TextField(
        help_text="Markdown. Cite a source with [^key]; a paragraph of only {{ local }} holds the local paragraph."
    )
    closing = models.CharField(
        "sign-off", max_length=200, blank=True, help_text="Such as: Thank you for speaking out,"
    )
    signed_by = models.CharField(
        "signed by", max_length=120, blank=True, help_text="The campaigner who signs the letter."
    )
    signed_role = models.CharField("role", max_length=120, blank=True, help_text="Such as: Campaign Manager")
    thanks = models.TextField(
        "thank-you page",
        blank=True,
        help_text="What people read after signing. Markdown; the page already says “Thank you” and offers sharing.",
    )
    share_title = models.CharField(
        max_length=200, blank=True, help_text="How shared links are titled. Empty: the headline."
    )
    share_text = models.TextField(
        max_length=500, blank=True, help_text="What shared posts say. Empty: the statement."
    )

    class Meta:
        ordering: ClassVar = ["kind"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["campaign", "kind"],
                name="letter_one_of_each_kind",
                violation_error_message="A campaign has at most one letter of each kind.",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["demand", "thank-you"]), name="letter_kind_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} letter of {self.campaign}"

"""The cause: who campaigns, for what, and on which sources."""

from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse

from campaigns.fields import AuthorsField, WebAddressField


class Organization(models.Model):
    """Who campaigns, and what every page and mail says about them."""

    name = models.CharField(
        max_length=120,
        unique=True,
        error_messages={"unique": "There is already an organization of this name."},
    )
    parent = models.CharField(
        "parent line",
        max_length=160,
        blank=True,
        help_text="Shown after the name, such as “from Readers’ Trust”. Leave empty if there is none.",
    )
    postal_address = models.TextField(
        blank=True, help_text="Shown at the foot of pages and mails; the law asks for it in many countries."
    )
    from_email = models.EmailField(
        "from address",
        blank=True,
        help_text="Mails are sent from this address. Empty: the site’s own address is used.",
    )
    reply_to = models.EmailField(
        "reply-to address", blank=True, help_text="Answers to mails go here. Empty: to the from address."
    )
    privacy_url = WebAddressField(
        "privacy policy",
        blank=True,
        help_text="Web address of your privacy policy; linked beside every sign form.",
    )
    accent = models.CharField(
        "accent color",
        max_length=7,
        blank=True,
        validators=[
            RegexValidator(r"^#[0-9a-fA-F]{6}$", "Write the color as # and six digits, such as #7a1f3d.")
        ],
        help_text="Used for buttons and marks, such as #7a1f3d. It is adjusted where text would be hard to read.",
    )
    approval_above = models.PositiveIntegerField(
        "second approval above",
        default=1000,
        db_default=1000,
        help_text="A mailing to more people than this has to be approved by somebody else before it leaves.",
    )
    logo = models.BinaryField(null=True, blank=True, editable=False)
    logo_digest = models.CharField(max_length=16, blank=True, editable=False)
    logo_width = models.PositiveSmallIntegerField(default=0, editable=False)
    logo_height = models.PositiveSmallIntegerField(default=0, editable=False)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(accent="") | Q(accent__regex=r"^#[0-9a-fA-F]{6}$"),
                name="organization_accent_is_hex",
                violation_error_message="Write the accent color as # and six digits, such as #7a1f3d.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def line(self) -> str:
        """The name with its parent line, as it stands under a letter."""
        return f"{self.name} {self.parent}".strip()


class Campaign(models.Model):
    """One cause of one organization."""

    class Confirmation(models.TextChoices):
        REQUIRED = "required", "Required: a signature counts once it is confirmed by e-mail"
        AFTERWARDS = (
            "afterwards",
            "Afterwards: a signature counts at once and is marked until it is confirmed",
        )

    class Total(models.TextChoices):
        PEOPLE = "people", "People: who signed in two cities counts once"
        SIGNATURES = "signatures", "Signatures: the sum of all petitions"

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="campaigns")
    slug = models.SlugField(
        "address",
        max_length=80,
        unique=True,
        help_text="The last part of the campaign page’s web address, such as open-sundays.",
        error_messages={"unique": "Another campaign has this address. Choose a different one."},
    )
    title = models.CharField(max_length=160)
    summary = models.TextField(
        blank=True,
        max_length=1000,
        help_text="Two or three sentences for the campaign page and the home page.",
    )
    language = models.CharField(
        max_length=12,
        default="en",
        validators=[
            RegexValidator(
                r"^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*$", "Use a language code such as en, es or pt-BR."
            )
        ],
        help_text="The language the letters are written in, such as en or es.",
    )
    confirmation = models.CharField(
        "confirming by e-mail", max_length=12, choices=Confirmation, default=Confirmation.REQUIRED
    )
    asks_postal_code = models.BooleanField("ask for the postal code", default=False)
    asks_country = models.BooleanField("ask for the country", default=False)
    asks_comment = models.BooleanField(
        "ask for a comment", default=False, help_text="“Why are you signing?” Always optional."
    )
    asks_proof = models.BooleanField(
        "ask browsers for a proof of work",
        default=False,
        db_default=False,
        help_text=(
            "While somebody floods a petition: each browser works out a short sum before it signs, which makes "
            "thousands of signatures costly and one free. Signatures without it, as from browsers without "
            "JavaScript or from pages opened before, are held until one of you releases them. No other company "
            "is involved."
        ),
    )
    count_floor = models.PositiveIntegerField(
        "show counts from", default=0, help_text="No count is shown on a page before it reaches this number."
    )
    total_of = models.CharField(
        "campaign total", max_length=10, choices=Total, default=Total.PEOPLE, db_default=Total.PEOPLE
    )
    shows_league = models.BooleanField(
        "show the city league",
        default=False,
        db_default=False,
        help_text="Each petition page says where its city stands by signatures: “Rivermouth, 3rd of 112”.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(total_of__in=["people", "signatures"]), name="campaign_total_is_known"
            ),
            models.CheckConstraint(
                condition=Q(confirmation__in=["required", "afterwards"]),
                name="campaign_confirmation_is_known",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("campaign", args=[self.slug])


class Source(models.Model):
    """One citable publication. Letters cite it as `[^key]`."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="sources")
    key = models.CharField(
        max_length=60,
        validators=[
            RegexValidator(
                r"^[a-z0-9][a-z0-9-]*\Z", "Use small letters, digits and hyphens, such as smith-2026."
            )
        ],
        help_text="How letters cite it: [^smith-2026].",
    )
    authors = AuthorsField(
        blank=True, default=list, help_text="One author a line, in the order of the publication."
    )
    title = models.CharField(max_length=400)
    publication = models.CharField(max_length=200, blank=True)
    date = models.DateField(null=True, blank=True)
    url = WebAddressField("web address", blank=True)
    archived_url = WebAddressField("archived copy", blank=True)

    class Meta:
        ordering: ClassVar = ["key"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["campaign", "key"],
                name="source_key_once_per_campaign",
                violation_error_message="This campaign already has a source with this key.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.title}"

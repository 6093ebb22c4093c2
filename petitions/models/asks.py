"""The petitions made of a letter, and what was published, frozen."""

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, FilteredRelation, Q
from django.urls import reverse

from campaigns.models import Campaign, Target
from petitions.models.letters import Kind, Letter


class PetitionQuerySet(models.QuerySet["Petition"]):
    def public(self, *, at: datetime) -> "PetitionQuerySet":
        """What visitors can read: live, whether or not it still takes signatures."""
        return self.filter(live_at__lte=at)

    def open(self, *, at: datetime) -> "PetitionQuerySet":
        """What visitors can sign."""
        return self.public(at=at).filter(Q(closes_at=None) | Q(closes_at__gt=at), closed_at=None)

    def for_page(self) -> "PetitionQuerySet":
        """With everything a public page shows, in one query, without the logo's bytes and the letter's source."""
        return (
            self.with_stand()
            .select_related(
                "letter__campaign__organization", "current_version", "tally", "target__place", "share_image"
            )
            .defer("letter__campaign__organization__logo", "letter__body", "local", "share_image__png")
        )

    def with_stand(self) -> "PetitionQuerySet":
        """With where the target stands since it moved, as `stand_*`; all None where it never did. At most one row."""
        standing = FilteredRelation(
            "target__stands", condition=Q(target__stands__undone_at=None, target__stands__superseded_at=None)
        )
        return self.annotate(
            standing=standing,
            stand_kind=F("standing__kind"),
            stand_taken_on=F("standing__taken_on"),
            stand_reason=F("standing__reason"),
            stand_left_slug=F("standing__left__slug"),
            stand_left_live_at=F("standing__left__live_at"),
            stand_joined_slug=F("standing__joined__slug"),
            stand_joined_live_at=F("standing__joined__live_at"),
            stand_joined_headline=F("standing__joined__current_version__headline"),
        )

    def for_cards(self) -> "PetitionQuerySet":
        """With what a list of petitions shows, in one query, without the published letters."""
        return self.select_related("letter__campaign", "current_version", "tally", "target__place").defer(
            "letter__body",
            "local",
            *(f"current_version__{name}" for name in Version.LONG),
        )

    def for_count(self) -> "PetitionQuerySet":
        """With what the number needs, in one query."""
        return self.select_related("letter__campaign", "tally", "target__place").defer(
            "letter__body", "local"
        )


class Petition(models.Model):
    """A letter addressed to one target, or to a named group of them.

    Its state is its dates: never live (draft), live in the future (scheduled), live, closed, won.
    """

    letter = models.ForeignKey(Letter, on_delete=models.PROTECT, related_name="petitions")
    target = models.ForeignKey(
        Target, null=True, blank=True, on_delete=models.PROTECT, related_name="petitions"
    )
    addressee = models.CharField(
        max_length=200,
        blank=True,
        help_text="For a petition to a group: “mayors who keep libraries open on Sundays”.",
    )
    members = models.ManyToManyField(
        Target,
        blank=True,
        related_name="group_petitions",
        help_text="The targets of a group; may stay empty.",
    )
    slug = models.SlugField(
        "address",
        max_length=100,
        unique=True,
        help_text="The last part of the page’s web address.",
        error_messages={"unique": "Another petition has this address. Choose a different one."},
    )
    headline = models.CharField(
        max_length=200, blank=True, help_text="Replaces the letter’s headline. Merge fields allowed."
    )
    local = models.TextField(
        "local paragraph", blank=True, help_text="Markdown, shown where the letter says {{ local }}."
    )
    goal = models.PositiveIntegerField(
        "first goal", null=True, blank=True, help_text="Empty: the goal climbs by itself from 100."
    )
    position = models.PositiveIntegerField(
        default=0, help_text="Order among the next petitions offered after signing; small numbers first."
    )
    current_version = models.ForeignKey(
        "Version", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    live_at = models.DateTimeField(null=True, blank=True, editable=False)
    closes_at = models.DateTimeField("closes by itself at", null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    won_at = models.DateTimeField(null=True, blank=True, editable=False)
    closing_note = models.TextField(blank=True, editable=False, max_length=1000)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PetitionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["position", "id"]
        permissions: ClassVar = [("publish_petition", "Can publish, close, reopen and unpublish petitions")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=(Q(target__isnull=False) & Q(addressee=""))
                | (Q(target__isnull=True) & ~Q(addressee="")),
                name="petition_to_target_or_group",
                violation_error_message="A petition goes to one target, or to a group with an addressee line.",
            ),
            models.UniqueConstraint(
                fields=["letter", "target"],
                condition=Q(target__isnull=False),
                name="petition_once_per_letter_and_target",
                violation_error_message="This target already has a petition of this kind.",
            ),
            models.CheckConstraint(
                condition=Q(live_at=None) | Q(current_version__isnull=False),
                name="petition_live_has_version",
                violation_error_message="Only a published petition can be live.",
            ),
            models.CheckConstraint(
                condition=Q(won_at=None) | Q(closed_at__isnull=False),
                name="petition_won_is_closed",
                violation_error_message="A won petition is closed.",
            ),
            models.CheckConstraint(
                condition=Q(goal=None) | Q(goal__gt=0),
                name="petition_goal_is_positive",
                violation_error_message="A goal is at least 1.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.letter.get_kind_display()}: {self.addressed_to}"

    def get_absolute_url(self) -> str:
        return reverse("petition", args=[self.slug])

    @property
    def campaign(self) -> Campaign:
        return self.letter.campaign

    @property
    def addressed_to(self) -> str:
        """Whom the petition is to, as it stands on a page: “Mayor Ada Okafor” or the group’s addressee line."""
        return self.target.title if self.target else self.addressee

    def is_live(self, at: datetime) -> bool:
        return self.live_at is not None and self.live_at <= at

    def is_open(self, at: datetime) -> bool:
        """Whether it takes signatures at `at`; the same rule as `PetitionQuerySet.open`."""
        return self.is_live(at) and self.closed_at is None and (self.closes_at is None or at < self.closes_at)

    def state(self, at: datetime) -> str:
        """One of draft, scheduled, open, closed, won."""
        if self.live_at is None:
            return "draft"
        if self.won_at is not None:
            return "won"
        if self.live_at > at:
            return "scheduled"
        return "open" if self.is_open(at) else "closed"


class Version(models.Model):
    """What was published, frozen. A trigger refuses changes; every signature points to the version it signed.

    `*_html` is sanitized HTML, everything else plain text. `notes` is `Notes.plain()` of `toolkit.footnotes`.
    """

    LONG: ClassVar = (
        "letter_html",
        "letter_text",
        "notes_html",
        "notes",
        "thanks_html",
        "statement_html",
        "statement",
    )

    petition = models.ForeignKey(Petition, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64, help_text="SHA-256 over everything below.")
    kind = models.CharField(max_length=10, choices=Kind)
    addressee = models.CharField(max_length=300)
    place_name = models.CharField(max_length=120, blank=True)
    headline = models.CharField(max_length=300)
    lead_in_html = models.TextField(blank=True)
    statement_html = models.TextField()
    statement = models.TextField()
    letter_html = models.TextField()
    letter_text = models.TextField()
    notes_html = models.TextField(blank=True)
    notes = models.JSONField(default=list, blank=True)
    call_to_action = models.CharField(max_length=400)
    button = models.CharField(max_length=40)
    thanks_html = models.TextField(blank=True)
    share_title = models.CharField(max_length=300)
    share_text = models.TextField()
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.TextField(
        blank=True, help_text="Why a statement that people had signed was changed; public."
    )

    class Meta:
        ordering: ClassVar = ["petition", "-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["petition", "number"], name="version_number_once_per_petition"),
            models.CheckConstraint(condition=Q(number__gte=1), name="version_numbers_start_at_one"),
            models.CheckConstraint(
                condition=Q(kind__in=["demand", "thank-you"]), name="version_kind_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"Version {self.number} of {self.petition_id}"

"""Writing to supporters: mailings, what each petition's readers are sent, and every single copy."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from campaigns.models import Campaign, Place
from petitions.models import Kind, Letter, Petition
from signers.models import Signature, Supporter

# How long a mailing that was started can be taken back before its first copy leaves.
TAKE_BACK = timedelta(minutes=10)


class Mailing(models.Model):
    """An e-mail to many supporters of one campaign's organization. Only who said yes to updates can get it.

    States are dates: draft, asked for (waits for a second pair of eyes), started (its first copy leaves at
    `starts_at`), paused, canceled, finished. From `started_at` on, text and audience are frozen.
    """

    class Audience(models.TextChoices):
        CAMPAIGN = "campaign", "Who signed any petition of this campaign"
        SIGNED = "signed", "Who signed one petition"
        NOT_SIGNED = "not-signed", "Who has not signed their city’s petition yet"
        EVERYBODY = "everybody", "Every supporter of the organization"

    class Others(models.TextChoices):
        NOTHING = "nothing", "Nothing: they are left out"
        CAMPAIGN_PAGE = "campaign-page", "The same mail, leading to the campaign page"

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="mailings")
    letter = models.ForeignKey(
        Letter,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="What it was started from.",
    )
    title = models.CharField("name", max_length=120, help_text="For staff only.")
    subject = models.CharField(
        max_length=200, help_text="Merge fields allowed, with a fallback for the reader’s name."
    )
    other_subject = models.CharField(
        "second subject",
        max_length=200,
        blank=True,
        help_text="To try two subject lines on a part of the list.",
    )
    test_share = models.PositiveSmallIntegerField(
        "share of the list",
        default=20,
        validators=[MinValueValidator(2), MaxValueValidator(100)],
        help_text="Percent of the list that gets the two subjects, half each; the rest waits for the winner.",
    )
    winner = models.CharField(
        max_length=1, blank=True, editable=False, choices=[("a", "first"), ("b", "second")]
    )
    preview_text = models.CharField(
        max_length=200, blank=True, help_text="The line that mail programs show beside the subject."
    )
    body = models.TextField(
        max_length=60_000,
        help_text="Markdown. Cite a source with [^key]; a paragraph of only {{ call_to_action }} becomes the button.",
    )
    call_to_action = models.CharField("button label", max_length=300, default="Sign the petition")
    asks_to_sign = models.BooleanField(
        "asks to sign",
        default=True,
        help_text="The button lets the reader sign with one click; who has signed already is left out.",
    )
    audience = models.CharField(max_length=12, choices=Audience, default=Audience.NOT_SIGNED)
    of_petition = models.ForeignKey(
        Petition,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name="which petition",
    )
    leads_to = models.ForeignKey(
        Petition,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Everybody gets this petition. Empty: everybody gets that of their own city.",
    )
    kind = models.CharField(
        max_length=10,
        choices=Kind,
        blank=True,
        help_text="Only people whose city has a petition of this kind.",
    )
    places = models.ManyToManyField(
        Place, blank=True, related_name="+", verbose_name="cities", help_text="Empty: all of them."
    )
    joined_since = models.DateField(
        null=True, blank=True, help_text="Only who first signed on this day or later."
    )
    others = models.CharField(
        "people without a petition", max_length=14, choices=Others, default=Others.NOTHING
    )
    quiet_hours = models.PositiveSmallIntegerField(
        default=24,
        validators=[MaxValueValidator(24 * 60)],
        help_text="Who got another mailing within so many hours is left out.",
    )
    per_minute = models.PositiveIntegerField(
        "mails a minute", default=600, validators=[MinValueValidator(1), MaxValueValidator(100_000)]
    )
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", editable=False
    )
    asked_at = models.DateTimeField(null=True, blank=True, editable=False)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", editable=False
    )
    approved_at = models.DateTimeField(null=True, blank=True, editable=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", editable=False
    )
    digest = models.CharField(
        max_length=64,
        blank=True,
        editable=False,
        help_text="Stands for the text and audience that were asked for.",
    )
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    starts_at = models.DateTimeField(null=True, blank=True, editable=False)
    listed_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When its list was written; no copy leaves before."
    )
    list_tries = models.PositiveSmallIntegerField(
        default=0, db_default=0, editable=False, help_text="How often its list could not be written."
    )
    paused_at = models.DateTimeField(null=True, blank=True, editable=False)
    canceled_at = models.DateTimeField(null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)
    people = models.PositiveIntegerField(
        null=True, blank=True, editable=False, help_text="How many copies it was started with."
    )

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        permissions: ClassVar = [
            ("send_mailing", "Can start, pause, resume and cancel mailings"),
            ("approve_mailing", "Can approve large mailings of others"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(audience="signed") | Q(of_petition__isnull=False),
                name="mailing_signed_names_petition",
                violation_error_message="Choose the petition whose signers get this mailing.",
            ),
            models.CheckConstraint(
                condition=Q(started_at=None, starts_at=None)
                | Q(started_at__isnull=False, starts_at__gte=models.F("started_at")),
                name="mailing_started_has_its_moment",
            ),
            models.CheckConstraint(
                condition=Q(listed_at=None) | Q(started_at__isnull=False), name="mailing_listed_was_started"
            ),
            models.CheckConstraint(
                condition=Q(approved_at=None) | Q(asked_at__isnull=False), name="mailing_approved_was_asked"
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None) | ~Q(approved_by=models.F("asked_by")),
                name="mailing_approved_by_another",
                violation_error_message="Somebody else has to approve this mailing.",
            ),
            models.CheckConstraint(
                condition=(Q(paused_at=None) & Q(finished_at=None)) | Q(started_at__isnull=False),
                name="mailing_paused_or_finished_was_started",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def state(self, at: datetime) -> str:
        """One of draft, asked, approved, canceled, sent, paused, leaving (can be taken back), sending."""
        if self.canceled_at:
            return "canceled"
        if self.started_at is None or self.starts_at is None:
            return "approved" if self.approved_at else "asked" if self.asked_at else "draft"
        if self.finished_at:
            return "sent"
        if self.paused_at:
            return "paused"
        return "leaving" if at < self.starts_at else "sending"

    @property
    def is_frozen(self) -> bool:
        return self.started_at is not None


class Edition(models.Model):
    """A mailing as the readers of one petition get it, rendered when it was started; None: who has no petition.

    Subjects, preview line, text and HTML hold marks where each reader's own values go: see `mailings.rendering`.
    """

    mailing = models.ForeignKey(Mailing, on_delete=models.CASCADE, related_name="editions")
    petition = models.ForeignKey(Petition, null=True, on_delete=models.PROTECT, related_name="+")
    subject = models.CharField(max_length=400)
    other_subject = models.CharField(max_length=400, blank=True)
    preview_text = models.CharField(max_length=400, blank=True)
    html = models.TextField()
    text = models.TextField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["mailing", "petition"], name="edition_once_per_petition"),
            models.UniqueConstraint(
                fields=["mailing"], condition=Q(petition=None), name="edition_once_without_petition"
            ),
        ]

    def __str__(self) -> str:
        return f"Edition {self.pk} of mailing {self.mailing_id}"


class RecipientQuerySet(models.QuerySet["Recipient"]):
    def queued(self) -> "RecipientQuerySet":
        """Copies nobody has dealt with, also those that wait for the winning subject."""
        return self.filter(handed_over_at=None, sent_at=None, failed_at=None, dropped_at=None)

    def unanswered(self) -> "RecipientQuerySet":
        """Copies handed over whose outcome is not known: on their way, or in doubt."""
        return self.filter(handed_over_at__isnull=False, sent_at=None, failed_at=None, dropped_at=None)


class Recipient(models.Model):
    """One supporter's copy of a mailing.

    States are dates: queued (none), claimed for a moment by a sender, handed over (the server has it, its answer is not
    known: in doubt), sent, failed, dropped (no longer wanted when its turn came).
    """

    class Dropped(models.TextChoices):
        UNSUBSCRIBED = "unsubscribed", "Wants no more updates"
        STOPPED = "stopped", "The mailbox takes no mail"
        SIGNED = "signed", "Signed meanwhile"
        CANCELED = "canceled", "The mailing was canceled"
        ERASED = "erased", "Asked to be erased"
        CLOSED = "closed", "The petition closed meanwhile"

    PERSONAL_FIELDS: ClassVar[dict[str, str]] = {
        "supporter": "when the supporter asks to be erased; the copy stays as a number"
    }

    # Its index would be the beginning of three others.
    mailing = models.ForeignKey(Mailing, on_delete=models.CASCADE, related_name="recipients", db_index=False)
    supporter = models.ForeignKey(
        Supporter, null=True, on_delete=models.SET_NULL, related_name="mailing_copies"
    )
    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="recipients")
    # No foreign key, whose index a million copies would pay for.
    instead = models.BigIntegerField(
        null=True,
        blank=True,
        help_text="Number of the copy that the same person got at another address, which is theirs now.",
    )
    subject = models.CharField(max_length=1, blank=True, choices=[("a", "first"), ("b", "second")])
    due_at = models.DateTimeField(
        null=True, blank=True, help_text="Empty: waits for the winning subject line."
    )
    claimed_until = models.DateTimeField(null=True, blank=True)
    claim = models.UUIDField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True)
    handed_over_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    dropped_at = models.DateTimeField(null=True, blank=True)
    dropped = models.CharField("why dropped", max_length=12, choices=Dropped, blank=True)
    bounced_at = models.DateTimeField(null=True, blank=True)
    complained_at = models.DateTimeField(null=True, blank=True)
    unsubscribed_at = models.DateTimeField(null=True, blank=True)
    link_used_at = models.DateTimeField(null=True, blank=True, help_text="The sign link dies with its use.")
    signature = models.ForeignKey(
        Signature,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="What was signed through the link of this copy.",
    )

    objects = RecipientQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["mailing", "supporter"], name="recipient_once_per_mailing"),
            models.CheckConstraint(
                condition=Q(sent_at=None) | Q(handed_over_at__isnull=False),
                name="recipient_sent_was_handed_over",
            ),
            models.CheckConstraint(
                condition=Q(sent_at=None) | Q(failed_at=None), name="recipient_sent_or_failed"
            ),
            models.CheckConstraint(
                condition=Q(dropped_at=None, dropped="") | (Q(dropped_at__isnull=False) & ~Q(dropped="")),
                name="recipient_dropped_says_why",
            ),
            models.CheckConstraint(
                condition=Q(signature=None) | Q(link_used_at__isnull=False), name="recipient_signed_by_link"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["mailing", "due_at", "id"],
                name="recipient_queued",
                condition=Q(handed_over_at=None, sent_at=None, failed_at=None, dropped_at=None),
            ),
            # The few that are in a sender's hands.
            models.Index(
                fields=["mailing", "claimed_until"],
                name="recipient_claimed",
                condition=Q(
                    claimed_until__isnull=False,
                    handed_over_at=None,
                    sent_at=None,
                    failed_at=None,
                    dropped_at=None,
                ),
            ),
            # The speed limit looks at the last minute, figures and progress at all.
            models.Index(fields=["mailing", "handed_over_at"], name="recipient_by_handover"),
            models.Index(
                fields=["handed_over_at"],
                name="recipient_in_doubt",
                condition=Q(handed_over_at__isnull=False, sent_at=None, failed_at=None, dropped_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"Copy {self.pk} of mailing {self.mailing_id}"

    @property
    def state(self) -> str:
        """One of queued, in doubt, sent, failed, dropped."""
        for name in ("sent", "failed", "dropped"):
            if getattr(self, f"{name}_at"):
                return name
        return "in doubt" if self.handed_over_at else "queued"


class MailReport(models.Model):
    """What came back about a mail: it bounced, or somebody called it unwanted. Kept without any text of the mail."""

    class Kind(models.TextChoices):
        HARD = "hard", "Bounced for good"
        SOFT = "soft", "Bounced for now"
        COMPLAINT = "complaint", "Reported as unwanted"

    PERSONAL_FIELDS: ClassVar[dict[str, str]] = {
        "supporter": "when the supporter asks to be erased; after 90 days",
        "reason": "after 90 days",
    }

    supporter = models.ForeignKey(Supporter, on_delete=models.CASCADE, related_name="mail_reports")
    recipient = models.ForeignKey(
        Recipient, null=True, blank=True, on_delete=models.SET_NULL, related_name="reports"
    )
    kind = models.CharField(max_length=10, choices=Kind)
    reason = models.CharField(max_length=200, blank=True, help_text="The server's words, without addresses.")
    at = models.DateTimeField()
    event = models.CharField(
        max_length=120, unique=True, help_text="What tells this report from others, so that each counts once."
    )

    class Meta:
        ordering: ClassVar = ["-at", "-id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind__in=["hard", "soft", "complaint"]), name="mail_report_kind_is_known"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} report {self.pk}"

"""The people: supporters, what they signed, what they agreed to, and the mail they are owed."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from campaigns.models import Organization, Place
from petitions.models import Petition, Version
from signers.evidence import in_words

UNCONFIRMED = "30 days after it was typed, unless confirmed"
ERASED = "when the supporter asks to be erased"


class Supporter(models.Model):
    """A person: one per e-mail mailbox."""

    class Stopped(models.TextChoices):
        BOUNCED = "bounced", "Mail comes back"
        COMPLAINED = "complained", "Reported our mail as unwanted"

    PERSONAL_FIELDS: ClassVar[dict[str, str]] = {
        "email": ERASED,
        "mailbox": ERASED,
        "first_name": ERASED,
        "last_name": ERASED,
        "place": ERASED,
    }

    mailbox = models.CharField(
        max_length=320, unique=True, help_text="Canonical key of the address, never used to send."
    )
    email = models.CharField("e-mail address", max_length=320, help_text="As typed; mail goes here.")
    first_name = models.CharField(max_length=80, blank=True)
    last_name = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True, help_text="When the mailbox was first proven.")
    blocked_at = models.DateTimeField(null=True, blank=True, help_text="No mail and no new signature since.")
    place = models.ForeignKey(
        Place,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Of the petition confirmed last, a local one before others: whose petition mailings lead to.",
    )
    stopped_at = models.DateTimeField(null=True, blank=True, help_text="No mail since, for what came back.")
    stopped = models.CharField(
        "why stopped", max_length=10, choices=Stopped, blank=True, default="", db_default=""
    )
    soft_bounces = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="In a row, since the last mail that arrived."
    )

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(stopped_at=None, stopped="") | (Q(stopped_at__isnull=False) & ~Q(stopped="")),
                name="supporter_stopped_says_why",
            )
        ]

    def __str__(self) -> str:
        return f"Supporter {self.pk}"

    @property
    def takes_mail(self) -> bool:
        return self.blocked_at is None and self.stopped_at is None


LONGEST_PROOF = 1_000  # characters; ours have about 600


class Submission(models.Model):
    """What was typed into a sign form, exactly once, until the worker folds it into a signature.

    No foreign keys: the request only appends. The fold proves that the petition exists and was open.
    """

    PERSONAL_FIELDS: ClassVar[dict[str, str]] = dict.fromkeys(
        ("first_name", "last_name", "email", "postal_code", "country", "comment", "evidence", "network"),
        "when folded, within seconds; a parked row when staff deal with it, or after 30 days",
    )

    petition_id = models.BigIntegerField()
    version_id = models.BigIntegerField()
    received_at = models.DateTimeField()
    first_name = models.CharField(max_length=80)
    last_name = models.CharField(max_length=80)
    email = models.CharField(max_length=320)
    postal_code = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=2, blank=True)
    comment = models.TextField(blank=True, max_length=1000)
    updates = models.BooleanField(help_text="Whether updates by e-mail were wanted.")
    wording = models.TextField(help_text="The exact question about updates that was shown.")
    referral = models.CharField(max_length=16, blank=True, help_text="Code of the shared link that led here.")
    referral_code = models.CharField(max_length=16, help_text="Code for this signer's own shared link.")
    evidence = models.JSONField(
        default=list,
        blank=True,
        help_text="What looked odd: honeypot, too-fast, stale-form, forged-form, typo.",
    )
    network = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="Keyed hashes, see `signers.networks`.",
    )
    proof = models.CharField(
        max_length=LONGEST_PROOF,
        blank=True,
        default="",
        db_default="",
        help_text="Of work, as the browser sent it.",
    )
    parked_at = models.DateTimeField(null=True, blank=True)
    parked_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes: ClassVar = [
            # The fold takes the oldest that are not parked.
            models.Index(fields=["id"], name="submission_to_fold", condition=Q(parked_at=None)),
        ]

    def __str__(self) -> str:
        return f"Submission {self.pk}"


class SignatureQuerySet(models.QuerySet["Signature"]):
    def counted(self) -> "SignatureQuerySet":
        """What the number on the page is made of."""
        return self.filter(accepted_at__isnull=False, removed_at=None, held_at=None)

    def pending(self) -> "SignatureQuerySet":
        return self.filter(accepted_at=None, removed_at=None, held_at=None)


class Signature(models.Model):
    """One supporter under one petition, with the name and the version they signed."""

    class Removal(models.TextChoices):
        NOT_ME = "not-me", "Owner of the mailbox: it wasn’t me"
        STAFF = "staff", "Staff"
        WITHDRAWN = "withdrawn", "Withdrawn by the signer"

    PERSONAL_FIELDS: ClassVar[dict[str, str]] = dict.fromkeys(
        ("supporter", "first_name", "last_name", "email", "postal_code", "country", "comment", "evidence"),
        f"{UNCONFIRMED}; {ERASED}",
    )

    # Without an index of its own, here and below: another one begins with it.
    petition = models.ForeignKey(
        Petition, on_delete=models.PROTECT, related_name="signatures", db_index=False
    )
    supporter = models.ForeignKey(Supporter, on_delete=models.PROTECT, related_name="signatures")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="signatures")
    signed_at = models.DateTimeField()
    first_name = models.CharField(max_length=80)
    last_name = models.CharField(max_length=80)
    email = models.CharField("e-mail address", max_length=320, help_text="As typed here.")
    postal_code = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=2, blank=True)
    comment = models.TextField(blank=True)
    is_local = models.BooleanField(
        "local", default=False, help_text="The postal code belongs to the target’s own place."
    )
    updates = models.BooleanField(
        default=False, help_text="Whether updates were wanted; becomes a consent when confirmed."
    )
    wording = models.TextField(blank=True)
    referral = models.CharField(max_length=16, blank=True)
    referral_code = models.CharField(max_length=16)
    evidence = models.JSONField(default=list, blank=True)
    confirmed_at = models.DateTimeField(
        null=True, blank=True, help_text="The owner of the mailbox pressed the button."
    )
    accepted_at = models.DateTimeField(null=True, blank=True, help_text="Counts since.")
    held_at = models.DateTimeField(
        null=True, blank=True, help_text="Set aside for staff; neither counted nor mailed."
    )
    removed_at = models.DateTimeField(null=True, blank=True)
    removal = models.CharField(max_length=10, choices=Removal, blank=True)
    hidden_at = models.DateTimeField(
        null=True, blank=True, help_text="Counts, but the name is given to nobody outside the organization."
    )

    objects = SignatureQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-signed_at", "-id"]
        permissions: ClassVar = [
            ("remove_signature", "Can remove and restore signatures"),
            ("export_signature", "Can export signatures"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["petition", "supporter"],
                name="signature_once_per_petition",
                violation_error_message="This supporter has already signed this petition.",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_at=None) | Q(accepted_at__isnull=False),
                name="signature_confirmed_is_accepted",
            ),
            models.CheckConstraint(
                condition=(Q(removed_at=None) & Q(removal=""))
                | (Q(removed_at__isnull=False) & Q(removal__in=["not-me", "staff", "withdrawn"])),
                name="signature_removed_says_by_whom",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["petition", "signed_at"], name="signature_by_petition"),
            models.Index(fields=["signed_at"], name="signature_unaccepted", condition=Q(accepted_at=None)),
            # The admin's list of those that count without a click; where all have clicked, nobody reads millions.
            models.Index(
                fields=["id"],
                name="signature_unconfirmed",
                condition=Q(confirmed_at=None, accepted_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"Signature {self.pk}"

    @property
    def oddness(self) -> str:
        """What looked odd about it, in words."""
        return in_words(self.evidence)

    @property
    def state(self) -> str:
        """One of removed, held, confirmed, accepted (counts, not yet confirmed), pending."""
        if self.removed_at:
            return "removed"
        if self.held_at:
            return "held"
        if self.confirmed_at:
            return "confirmed"
        return "accepted" if self.accepted_at else "pending"

    @property
    def is_counted(self) -> bool:
        return self.accepted_at is not None and self.removed_at is None and self.held_at is None


class Consent(models.Model):
    """A choice a person made, with the words they saw. Only ever appended, which a trigger holds."""

    PERSONAL_FIELDS: ClassVar[dict[str, str]] = {"supporter": ERASED}

    class Purpose(models.TextChoices):
        UPDATES = "updates", "Updates by e-mail"

    class Source(models.TextChoices):
        SIGN_FORM = "sign-form", "Sign form, confirmed by e-mail"
        NOT_ME = "not-me", "“It wasn’t me” link"
        UNSUBSCRIBE = "unsubscribe", "Unsubscribe link in a mailing"
        SELF_SERVICE = "self-service", "Own page"
        WITHDRAWN = "withdrawn", "Withdrew the signature"
        SIGN_LINK = "sign-link", "Signed through the link of a mailing"
        COMPLAINT = "complaint", "Reported a mail as unwanted"

    supporter = models.ForeignKey(
        Supporter, on_delete=models.PROTECT, related_name="consents", db_index=False
    )
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=20, choices=Purpose)
    granted = models.BooleanField()
    wording = models.TextField()
    at = models.DateTimeField()
    source = models.CharField("how", max_length=20, choices=Source)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["supporter", "organization", "purpose", "-id"], name="consent_latest")
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(purpose__in=["updates"]), name="consent_purpose_is_known"),
            models.CheckConstraint(
                condition=Q(
                    source__in=[
                        "sign-form",
                        "not-me",
                        "unsubscribe",
                        "self-service",
                        "withdrawn",
                        "sign-link",
                        "complaint",
                    ]
                ),
                name="consent_source_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"Consent {self.pk}"


class Subscription(models.Model):
    """That a supporter wants updates of an organization now: what the latest consent says, for quick asking.

    Written only by `signers.consents`, together with the consent.
    """

    PERSONAL_FIELDS: ClassVar[dict[str, str]] = {"supporter": ERASED}

    supporter = models.ForeignKey(Supporter, on_delete=models.CASCADE, related_name="subscriptions")
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="subscriptions", db_index=False
    )
    since = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "supporter"], name="subscription_once")
        ]

    def __str__(self) -> str:
        return f"Subscription {self.pk}"


class CountChange(models.Model):
    """A change not yet in a petition's tally.

    No foreign key, no hot row: changes are appended, and added up every second.
    """

    petition_id = models.BigIntegerField()
    # 0 only from a process that began before changes knew their supporter.
    supporter_id = models.BigIntegerField(db_default=0)
    change = models.SmallIntegerField()
    local_change = models.SmallIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(change__in=[-1, 1]), name="count_change_is_one"),
            models.CheckConstraint(
                condition=Q(local_change=0) | Q(local_change=F("change")), name="count_change_local_agrees"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.change:+d}"

    @classmethod
    def of(cls, signature: Signature, change: int) -> "CountChange":
        """An unsaved change of one signature: 1 or -1. The only way to make one, so that none forgets whose it is."""
        return cls(
            petition_id=signature.petition_id,
            supporter_id=signature.supporter_id,
            change=change,
            local_change=change if signature.is_local else 0,
        )


class OutgoingMail(models.Model):
    """One mail to one person for one event. Rendered when it is sent; the event key makes it happen once.

    States are dates: waiting (none), handed over (the server has it, its answer is not known), sent, failed, dropped.
    """

    PERSONAL_FIELDS: ClassVar[dict[str, str]] = {"to": "30 days after it was dealt with; with its signature"}

    class Message(models.TextChoices):
        CONFIRM = "confirm", "Confirm your signature"
        ALREADY_SIGNED = "already-signed", "You have already signed"
        OWN_PAGE = "own-page", "The link to your own page"
        NEW_ADDRESS = "new-address", "Confirm your new address"

    event = models.CharField(max_length=60, unique=True)
    message = models.CharField(max_length=20, choices=Message)
    signature = models.ForeignKey(
        Signature,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="mails",
        help_text="None for mail about the person.",
    )
    supporter = models.ForeignKey(Supporter, on_delete=models.CASCADE, related_name="mails", db_index=False)
    to = models.CharField(max_length=320)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True)
    handed_over_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    dropped_at = models.DateTimeField(null=True, blank=True, help_text="No longer wanted when its turn came.")

    class Meta:
        verbose_name = "outgoing mail"
        verbose_name_plural = "outgoing mail"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(message__in=["confirm", "already-signed"], signature__isnull=False)
                | Q(message__in=["own-page", "new-address"]),
                name="mail_message_is_known",
            ),
            models.CheckConstraint(condition=Q(sent_at=None) | Q(failed_at=None), name="mail_sent_or_failed"),
            models.CheckConstraint(
                condition=Q(sent_at=None) | Q(handed_over_at__isnull=False), name="mail_sent_was_handed_over"
            ),
        ]
        permissions: ClassVar = [("resend_outgoingmail", "Can send mail in doubt again")]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"],
                name="mail_waiting",
                condition=Q(handed_over_at=None, sent_at=None, failed_at=None, dropped_at=None),
            ),
            models.Index(fields=["supporter", "created_at"], name="mail_by_supporter"),
            # The admin's first page counts what failed or is in doubt.
            models.Index(
                fields=["created_at"], name="mail_unsent", condition=Q(sent_at=None, dropped_at=None)
            ),
            # Every hour old addresses are blanked.
            models.Index(fields=["created_at"], name="mail_with_address", condition=~Q(to="")),
        ]

    def __str__(self) -> str:
        return f"{self.message} {self.pk}"

    @property
    def state(self) -> str:
        """One of waiting, in doubt, sent, failed, dropped."""
        for name in ("sent", "failed", "dropped"):
            if getattr(self, f"{name}_at"):
                return name
        return "in doubt" if self.handed_over_at else "waiting"


class OwnPageRequest(models.Model):
    """An address typed by somebody who wants the link to their own page, until the worker has looked whose it is.

    The request only appends, so that a known, an unknown and a blocked address cost and show the same.
    """

    PERSONAL_FIELDS: ClassVar[dict[str, str]] = {"email": "when the worker has answered it, within seconds"}

    email = models.CharField(max_length=320)
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Request {self.pk}"


class AddressChange(models.Model):
    """A new address somebody wants their mail to go to, until its owner confirms it by the link mailed there."""

    PERSONAL_FIELDS: ClassVar[dict[str, str]] = dict.fromkeys(
        ("supporter", "email", "mailbox"), "two days after it was asked for"
    )

    supporter = models.ForeignKey(Supporter, on_delete=models.CASCADE, related_name="address_changes")
    email = models.CharField(max_length=320)
    mailbox = models.CharField(max_length=320)
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(
        null=True, blank=True, help_text="The worker decided whether to mail the link."
    )
    done_at = models.DateTimeField(null=True, blank=True, help_text="The owner of the new mailbox confirmed.")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["id"], name="address_change_to_answer", condition=Q(answered_at=None)),
            models.Index(fields=["mailbox", "asked_at"], name="address_change_by_mailbox"),
        ]

    def __str__(self) -> str:
        return f"Change of address {self.pk}"


class BlockedMailbox(models.Model):
    """A mailbox that was blocked when its owner was erased: refused for ever, known only by a keyed digest."""

    PERSONAL_FIELDS: ClassVar[dict[str, str]] = {"digest": "when the mailbox is unblocked"}

    digest = models.CharField(max_length=64, unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Blocked mailbox {self.pk}"


class NetworkKey(models.Model):
    """A week's key, with which visitors' networks are hashed. Without it nobody can tell what was hashed."""

    week = models.DateField(unique=True, help_text="Its Monday, UTC.")
    key = models.BinaryField(max_length=64)

    def __str__(self) -> str:
        return f"Key of {self.week}"


class SharedNetwork(models.Model):
    """A network many people sign from, such as a university's: rules about networks leave it alone."""

    addresses = models.CharField(
        max_length=50,
        unique=True,
        help_text="A range such as 192.0.2.0/24 or 2001:db8::/32, or one address.",
        error_messages={"unique": "This network is on the list already."},
    )
    note = models.CharField(max_length=200, help_text="Whose it is, and how you know.")

    class Meta:
        ordering: ClassVar = ["addresses"]

    def __str__(self) -> str:
        return self.addresses

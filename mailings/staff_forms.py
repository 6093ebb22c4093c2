"""The forms staff fill in: writing a mailing, choosing who gets it, and sending a test copy."""

import hashlib
from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms.utils import ErrorDict
from django.http import QueryDict
from django.utils import timezone

from campaigns.models import Campaign, Place
from mailings.audience import Audience, audience_of
from mailings.models import Mailing
from petitions.checking import FieldProblem
from petitions.forms.campaigns import SeenField
from petitions.models import Kind, Letter, Petition
from signers.forms import AddressField
from staff.models import AuditEntry
from toolkit.plain_text import one_line

# What the form edits; the dates of a mailing are changed by `mailings.starting` alone.
TEXT = ("subject", "preview_text", "body", "call_to_action", "title")
AUDIENCE = (
    "audience", "of_petition", "places", "kind", "joined_since", "asks_to_sign", "leads_to", "others", "quiet_hours",
)  # fmt: skip
SENDING = ("other_subject", "test_share", "per_minute")
COUNT = "_count"
EARLIEST = date(2000, 1, 1)
KEPT = (
    "What you typed is kept below, and not saved yet. To see what they saved, open this mailing in a new tab. "
    "Saving here again puts your texts in the place of theirs."
)


class PetitionField(forms.ModelChoiceField):
    """One of the campaign's petitions, by addressee and place."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj}, {obj.target.place}" if obj.target else str(obj)


class MailingForm(forms.ModelForm):
    """A mailing as staff write it.

    A text with mistakes can be saved: what keeps it from leaving is told beside its field, see `show`. Two who edit at
    the same time do not undo each other's work without knowing.
    """

    seen = SeenField(required=False, max_length=64)
    of_petition = PetitionField(
        Petition.objects.none(),
        required=False,
        label="Which petition",
        help_text="For “who signed one petition”.",
    )
    leads_to = PetitionField(
        Petition.objects.none(),
        required=False,
        label="Leads to",
        empty_label="The petition of everybody’s own city",
        help_text="What the button opens. By default everybody gets the petition of their own city.",
    )
    places = forms.ModelMultipleChoiceField(
        Place.objects.none(),
        required=False,
        label="Cities",
        widget=forms.CheckboxSelectMultiple,
        help_text="Only people from these cities. None chosen: all of them.",
    )

    class Meta:
        model = Mailing
        fields = ("campaign", "letter", *TEXT, *AUDIENCE, *SENDING)
        widgets = {
            "campaign": forms.HiddenInput,
            "letter": forms.HiddenInput,
            "title": forms.TextInput(attrs={"size": 60}),
            "subject": forms.TextInput(attrs={"size": 80}),
            "other_subject": forms.TextInput(attrs={"size": 80}),
            "preview_text": forms.TextInput(attrs={"size": 80}),
            "call_to_action": forms.TextInput(attrs={"size": 60}),
            "body": forms.Textarea(attrs={"rows": 26, "cols": 90}),
            "audience": forms.RadioSelect,
            "others": forms.RadioSelect,
            "joined_since": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "kind" in self.fields:
            self.fields["kind"].label = "Kind of petition"
            self.fields["kind"].choices = [("", "Any kind"), *Kind.choices]  # type: ignore[attr-defined]
        for name in ("title", "subject", "body", "call_to_action"):
            if name in self.fields:
                self.fields[name].required = False
        if "title" in self.fields:
            self.fields["title"].help_text = "For staff only. Empty: taken from the subject."
        if self.instance.pk:
            # A mailing stays with its campaign.
            for name in ("campaign", "letter"):
                self.fields.pop(name, None)
            if "seen" in self.fields:
                self.initial["seen"] = stored(self.instance)
        self.offer(self.campaign_id())

    def campaign_id(self) -> int | None:
        if self.instance.campaign_id:
            return self.instance.campaign_id
        typed = self.data.get(self.add_prefix("campaign")) if self.is_bound else self.initial.get("campaign")
        return key(typed)

    def offer(self, campaign: int | None) -> None:
        """The campaign's own petitions and cities."""
        petitions = (
            Petition.objects.filter(letter__campaign=campaign)
            .select_related("letter", "target__place")
            .defer("letter__body", "local")
            .order_by("letter__kind", "target__place__name", "pk")
        )
        for name in ("of_petition", "leads_to"):
            if name in self.fields:
                self.fields[name].queryset = petitions  # type: ignore[attr-defined]
        if "places" in self.fields:
            self.fields["places"].queryset = cities(campaign)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "title" in self.fields and not cleaned.get("title") and "title" not in self.errors:
            subject = one_line(cleaned.get("subject") or "")
            cleaned["title"] = (subject or f"Mailing of {timezone.localdate()}")[:120]
        if cleaned.get("audience") == Mailing.Audience.SIGNED and not cleaned.get("of_petition"):
            self.add_error("of_petition", "Choose the petition whose signers get this mailing.")
        letter, campaign = cleaned.get("letter"), cleaned.get("campaign")
        if letter is not None and campaign is not None and letter.campaign_id != campaign.pk:
            cleaned["letter"] = None
        if not self.only_counts:
            self.refuse_unseen(cleaned)
        return cleaned

    def clean_joined_since(self) -> date | None:
        day: date | None = self.cleaned_data["joined_since"]
        if day is not None and not EARLIEST <= day <= timezone.localdate():
            raise ValidationError("Choose a day in the past, when people could sign already.")
        return day

    def refuse_unseen(self, cleaned: dict[str, Any]) -> None:
        seen, now = cleaned.get("seen"), self.initial.get("seen")
        if seen and now and seen != now:
            # Who saves again has been told.
            data = QueryDict(mutable=True)
            data.update(self.data)
            data[self.add_prefix("seen")] = now
            self.data = data
            self.add_error(None, f"{last_saved(self.instance)} {KEPT}")

    # --- Counting without saving ---------------------------------------------------------------------------

    @property
    def only_counts(self) -> bool:
        return self.is_bound and COUNT in self.data

    def is_valid(self) -> bool:
        """Never where only the button “Count” was pressed: then the form comes back as it is."""
        return super().is_valid() and not self.only_counts

    def audience_as_typed(self) -> Audience | None:
        """Of the form as it was sent, saved or not; None where what it says of the audience is wrong."""
        if any(name in self.errors for name in (*AUDIENCE, "campaign")) or not self.instance.campaign_id:
            return None
        places = self.cleaned_data.get("places") or []
        return audience_of(self.instance, at=timezone.now(), places=[place.pk for place in places])

    # --- Mistakes that keep a draft from leaving -----------------------------------------------------------

    def show(self, problems: Iterable[FieldProblem]) -> None:
        """Puts what is wrong with the stored draft beside the fields of a form that was not sent."""
        self._errors = ErrorDict()
        self.cleaned_data: dict[str, Any] = {}
        for problem in problems:
            self.add_error(problem.field if problem.field in self.fields else None, problem.message)


def cities(campaign: int | None) -> QuerySet[Place]:
    return Place.objects.filter(targets__campaign=campaign).distinct().order_by("name", "region")


def key(typed: object) -> int | None:
    """The key in an address or a field; None for what is none."""
    if isinstance(typed, Campaign | Letter):
        return typed.pk
    text = str(typed or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def stored(mailing: Mailing) -> str:
    """A digest of what the form edits, as the database has it now. Two queries."""
    columns = [name for name in (*TEXT, *AUDIENCE, *SENDING) if name != "places"]
    row = Mailing.objects.filter(pk=mailing.pk).values_list(*columns).first()
    places = sorted(mailing.places.values_list("pk", flat=True))
    return hashlib.sha256(repr((row, places)).encode("utf-8", "surrogatepass")).hexdigest()


def last_saved(mailing: Mailing) -> str:
    """Who saved the mailing after somebody opened its form, as far as the audit log knows."""
    entry = AuditEntry.objects.filter(subject_type="mailing", subject_id=mailing.pk, action="changed").first()
    if entry is None:
        return "Somebody saved this mailing after you opened it."
    return (
        f"{entry.actor_name} saved this mailing at {timezone.localtime(entry.at):%H:%M}, after you opened it."
    )


class TestCopyForm(forms.Form):
    """One copy, to staff themselves or a colleague."""

    __test__ = False  # no test, whatever its name

    to = AddressField(
        label="Send it to",
        max_length=320,
        widget=forms.EmailInput(attrs={"size": 40, "autocomplete": "email"}),
        error_messages={"required": "Type the address the test copy goes to."},
    )
    first_name = forms.CharField(
        label="First name of the reader",
        max_length=80,
        required=False,
        initial="Connie",
        help_text="Empty: the mail as somebody gets it whose first name we do not know.",
    )
    subject = forms.ChoiceField(
        label="Subject", choices=[("a", "The first"), ("b", "The second")], widget=forms.RadioSelect
    )
    petition = forms.CharField(widget=forms.HiddenInput, required=False, max_length=20)

    def __init__(self, *args: Any, two_subjects: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not two_subjects:
            del self.fields["subject"]

"""The forms of the ask: letters and targets on the campaign's form, petitions, and what staff do to them."""

import itertools
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.utils import timezone
from django.utils.text import slugify

from campaigns.forms import CampaignForm, TargetForm, check_slug
from campaigns.last_names import guess_last_name
from campaigns.models import Campaign, Place, Source, Target
from petitions.checking import FieldProblem, letter_problems, petition_problems
from petitions.models import Kind, Letter, Petition

SLUG_LENGTH = 100
PUBLISHED = "This petition has been published"


class PublishedCampaignForm(CampaignForm):
    """The campaign's form; the address of a campaign stays once people may have the link."""

    def clean_slug(self) -> str:
        slug = super().clean_slug()
        before = self.initial.get("slug")
        if self.instance.pk and slug != before and published_petitions(self.instance).exists():
            raise ValidationError(f"This campaign has been published, so its address “{before}” stays.")
        return slug


def published_petitions(campaign: Campaign) -> QuerySet[Petition]:
    return Petition.objects.filter(letter__campaign=campaign).exclude(current_version=None)


class LetterForm(forms.ModelForm):
    """One letter, in the order in which people read it."""

    class Meta:
        model = Letter
        fields = (
            "kind", "headline", "lead_in", "statement", "button", "greeting", "body", "call_to_action",
            "closing", "signed_by", "signed_role", "thanks", "share_title", "share_text",
        )  # fmt: skip
        widgets = {
            "headline": forms.TextInput(attrs={"size": 80}),
            "lead_in": forms.TextInput(attrs={"size": 80}),
            "statement": forms.Textarea(attrs={"rows": 4, "cols": 90}),
            "body": forms.Textarea(attrs={"rows": 26, "cols": 90}),
            "call_to_action": forms.TextInput(attrs={"size": 80}),
            "greeting": forms.TextInput(attrs={"size": 60}),
            "thanks": forms.Textarea(attrs={"rows": 4, "cols": 90}),
            "share_title": forms.TextInput(attrs={"size": 80}),
            "share_text": forms.Textarea(attrs={"rows": 3, "cols": 90}),
        }

    def clean_kind(self) -> str:
        kind: str = self.cleaned_data["kind"]
        if self.instance.pk and kind != self.initial.get("kind") and self.instance.petitions.exists():
            raise ValidationError(
                "Petitions use this letter, so its kind stays. Add the other kind as a second letter."
            )
        return kind


class SiblingFormSet(BaseInlineFormSet):
    """A part of the campaign's form that is checked together with the others as they were sent.

    `siblings` maps each prefix to its form set; the admin sets it once all of them are there.
    """

    siblings: dict[str, "BaseInlineFormSet"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.siblings = {}

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if "DELETE" in form.fields:
            # In a table the box has no label of its own.
            form.fields["DELETE"].widget.attrs["aria-label"] = "Delete"

    def clean(self) -> None:
        super().clean()
        refused = []
        for form in self.forms:
            try:
                # What the admin asks of a form whose row is to be deleted.
                if hasattr(form, "cleaned_data") and hasattr(form, "hand_clean_DELETE"):
                    form.hand_clean_DELETE()
            except ValidationError as error:
                refused.append(error)
        if refused:
            raise ValidationError(refused)

    def validate_unique(self) -> None:
        """Left to each part's `clean`, which says it beside the field."""

    def kept_of(self, prefix: str) -> list[Any]:
        """The forms of another part that were filled in and are not being deleted."""
        formset = self.siblings.get(prefix)
        if formset is None:
            return []
        formset.is_valid()
        return kept(formset)

    def source_keys(self) -> list[str]:
        """The keys of the sources, as sent. One of a source with another mistake counts: each mistake is told once."""
        if "sources" not in self.siblings:
            return list(Source.objects.filter(campaign_id=self.instance.pk).values_list("key", flat=True))
        keys = [
            form.cleaned_data.get("key") or form.data.get(form.add_prefix("key"))
            for form in self.kept_of("sources")
        ]
        return [key for key in keys if key]


def kept(formset: BaseInlineFormSet) -> list[Any]:
    return [
        form
        for form in formset.forms
        if hasattr(form, "cleaned_data")
        and not form.cleaned_data.get("DELETE")
        and (form.has_changed() or form.instance.pk)
    ]


def add_problems(form: forms.ModelForm, problems: Iterable[FieldProblem]) -> None:
    """Shows each problem beside its field; a field that is wrong already keeps the first message."""
    wrong_before = set(form.errors)
    for problem in problems:
        if problem.field not in wrong_before:
            form.add_error(problem.field if problem.field in form.fields else None, problem.message)


class LetterFormSet(SiblingFormSet):
    """The letters, checked against the sources and targets of the same save."""

    def clean(self) -> None:
        super().clean()
        keys = self.source_keys()
        seen: set[str] = set()
        for form in kept(self):
            kind = form.cleaned_data.get("kind")
            if kind in seen:
                form.add_error(
                    "kind",
                    f"There is a {Kind(kind).label.lower()} letter already. A campaign has at most one of each kind.",
                )
            elif kind:
                seen.add(kind)
            letter = form.instance
            letter.campaign = self.instance
            add_problems(form, letter_problems(letter, keys=keys, petitions=self.petitions_of(letter, kind)))

    def petitions_of(self, letter: Letter, kind: str | None) -> list[Petition]:
        """The petitions this letter is going to have, as far as they are known."""
        if not self.instance.organization_id or not kind:
            return []
        groups: list[Petition] = []
        if letter.pk:
            rows = Petition.objects.filter(letter=letter, closed_at=None).select_related("target__place")
            groups = list(rows.filter(target=None) if "targets" in self.siblings else rows)
        for petition in groups:
            petition.letter = letter
        return groups + [
            form.as_petition(letter)
            for form in self.kept_of("targets")
            if form.is_valid() and form.cleaned_data.get("kind") == kind
        ]


class SourceFormSet(SiblingFormSet):
    """The source library; each key once."""

    def clean(self) -> None:
        super().clean()
        seen: set[str] = set()
        for form in kept(self):
            key = form.cleaned_data.get("key")
            if key and key in seen:
                form.add_error("key", f"Another source on this form has the key “{key}”.")
            seen.add(key or "")


class PetitionFields(forms.Form):
    """What a petition to one target adds to the target."""

    kind = forms.ChoiceField(
        label="Kind", choices=Kind.choices, initial=Kind.DEMAND, help_text="Which letter they get."
    )
    slug = forms.CharField(
        label="Address",
        required=False,
        max_length=SLUG_LENGTH,
        help_text="The last part of the page’s web address. Empty: made from the campaign and the place.",
        widget=forms.TextInput(attrs={"size": 40, "spellcheck": "false", "autocapitalize": "none"}),
    )
    headline = forms.CharField(
        label="Headline",
        required=False,
        max_length=200,
        help_text="Replaces the letter’s headline on this page. Merge fields allowed.",
        widget=forms.TextInput(attrs={"size": 60}),
    )
    local = forms.CharField(
        label="Local paragraph",
        required=False,
        max_length=20_000,
        help_text="Shown where the letter says {{ local }}. Sources can be cited.",
        widget=forms.Textarea(attrs={"rows": 4, "cols": 80}),
    )
    goal = forms.IntegerField(
        label="First goal", required=False, min_value=1, max_value=2_000_000_000,
        help_text="Empty: the goal climbs by itself from 100.",
    )  # fmt: skip


class TargetPetitionForm(PetitionFields, TargetForm):
    """A target and its petition, as one row: adding the target makes the petition."""

    field_order = ("kind", "office", "name", "place_name", "place_region", "place_country")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        target = kwargs.get("instance")
        self.petition = current_petition(target) if target is not None and target.pk else None
        if self.petition is not None:
            kwargs["initial"] = {**petition_values(self.petition), **(kwargs.get("initial") or {})}
        super().__init__(*args, **kwargs)

    def clean_slug(self) -> str:
        return clean_petition_slug(self.cleaned_data["slug"], self.petition)

    def clean_kind(self) -> str:
        kind: str = self.cleaned_data["kind"]
        if self.petition is None or kind == self.petition.letter.kind:
            return kind
        if self.petition.current_version_id:
            raise ValidationError(f"{PUBLISHED}, so its kind stays.")
        if any(petition.letter.kind == kind for petition in self.instance.petitions.all()):
            raise ValidationError(f"This target already has a {Kind(kind).label.lower()} petition.")
        return kind

    def as_petition(self, letter: Letter) -> Petition:
        """The petition this row stands for, unsaved: what checking needs."""
        data = self.cleaned_data
        place = Place(name=data.get("place_name", ""), region=data.get("place_region", ""))
        target = Target(name=data.get("name", ""), office=data.get("office", ""), place=place)
        target.last_name = data.get("last_name") or guess_last_name(target.name)
        return Petition(
            letter=letter, target=target, headline=data.get("headline", ""), local=data.get("local", "")
        )

    def save(self, commit: bool = True) -> Target:
        target = super().save(commit)
        if commit:
            self.save_petition(target)
        return target

    def save_petition(self, target: Target) -> None:
        """Creates or updates the row's petition. The letters of the campaign are saved before its targets."""
        data = self.cleaned_data
        letter = Letter.objects.get(campaign_id=target.campaign_id, kind=data["kind"])
        petition = self.petition or Petition(target=target)
        petition.letter = letter
        petition.headline, petition.local, petition.goal = data["headline"], data["local"], data["goal"]
        petition.slug = data["slug"]
        if petition.pk:
            petition.save(update_fields=["letter", "headline", "local", "goal", "slug"])
        else:
            petition.save()
        self.petition = petition


class TargetFormSet(SiblingFormSet):
    """The targets with their petitions, checked against the letters and sources of the same save."""

    def clean(self) -> None:
        super().clean()
        keys = self.source_keys()
        letters = self.letters()
        rows = kept(self)
        for form in rows:
            kind = form.cleaned_data.get("kind")
            letter = letters.get(kind or "")
            if letter is None and kind:
                form.add_error(
                    "kind", f"This campaign has no {Kind(kind).label.lower()} letter yet. Write it above."
                )
            elif letter is not None and self.instance.organization_id:
                add_problems(form, petition_problems(form.as_petition(letter), keys=keys))
        each_target_once(rows)
        self.give_addresses(rows)

    def give_addresses(self, rows: list[Any]) -> None:
        """Every address once on the form; rows without one get one."""
        used: set[str] = set()
        for form in rows:
            slug = form.cleaned_data.get("slug")
            if slug and slug in used:
                form.add_error(
                    "slug", "Another petition on this form has this address. Choose a different one."
                )
            elif slug:
                used.add(slug)
        for form in rows:
            data = form.cleaned_data
            if form.is_valid() and not data["slug"] and self.instance.slug:
                last_name = data["last_name"] or guess_last_name(data["name"])
                data["slug"] = free_slug(self.instance, data["place_name"], last_name, taken=used)
                used.add(data["slug"])

    def letters(self) -> dict[str, Letter]:
        """The campaign's letters by kind, those being written included."""
        if "letters" not in self.siblings:
            return {letter.kind: letter for letter in Letter.objects.filter(campaign_id=self.instance.pk)}
        found = {}
        for form in self.kept_of("letters"):
            form.instance.campaign = self.instance
            kind = form.cleaned_data.get("kind") or form.data.get(form.add_prefix("kind"))
            if kind:
                found[kind] = form.instance
        return found

    def delete_existing(self, obj: Target, commit: bool = True) -> None:
        """Deletes a target with the petitions that were never published; the form has refused any other."""
        if commit:
            Petition.objects.filter(target=obj, current_version=None).delete()
        super().delete_existing(obj, commit)


def each_target_once(rows: Iterable[Any]) -> None:
    """Adds an error to each row that repeats the person and place of an earlier one."""
    seen: set[tuple[str, str]] = set()
    for form in rows:
        data = form.cleaned_data
        if not data.get("name") or not data.get("place_name"):
            continue
        typed = ", ".join(data.get(f"place_{part}", "").casefold() for part in ("name", "region", "country"))
        where = str(form.place.pk) if form.place is not None else typed
        person = (data["name"].casefold(), where)
        if person in seen:
            form.add_error("name", f"{data['name']} in {data['place_name']} is listed twice.")
        seen.add(person)


def current_petition(target: Target) -> Petition | None:
    """The petition a target's row stands for: the one that goes on, or else the newest. Uses what is prefetched."""
    petitions = sorted(target.petitions.all(), key=lambda petition: (petition.closed_at is None, petition.pk))
    return petitions[-1] if petitions else None


def petition_values(petition: Petition) -> dict[str, Any]:
    return {
        "kind": petition.letter.kind,
        "slug": petition.slug,
        "headline": petition.headline,
        "local": petition.local,
        "goal": petition.goal,
    }


def clean_petition_slug(typed: str, petition: Petition | None) -> str:
    """The address as typed, or "" where one is to be made. Raises ValidationError where it cannot be had."""
    slug = typed.strip().lower()
    if petition is not None and petition.pk and petition.current_version_id:
        if slug not in ("", petition.slug):
            raise ValidationError(f"{PUBLISHED}, so its address stays: people have the link.")
        return petition.slug
    if slug:
        check_slug(slug)
        taken = Petition.objects.filter(slug=slug).values_list("pk", flat=True).first()
        if taken is not None and (petition is None or taken != petition.pk):
            raise ValidationError("Another petition has this address. Choose a different one.")
    return slug


def free_slug(campaign: Campaign, *words: str, taken: Collection[str] = ()) -> str:
    """An address no petition has: the campaign and the first word, then with the other words, then with a number.

    `words` are the place and the last name, or a group's addressee line; `taken` are addresses not saved yet.
    """
    base = campaign.slug[: SLUG_LENGTH - 40].strip("-")
    first = f"{base}-{slugify(words[0])[:30]}".strip("-")
    second = f"{base}-{slugify(' '.join(words))[:36]}".strip("-")
    used = {*taken, *Petition.objects.filter(slug__startswith=base).values_list("slug", flat=True)}
    numbered = (f"{first}-{number}" for number in itertools.count(2))
    return next(slug for slug in itertools.chain((first, second), numbered) if slug not in used)


class TargetPageForm(TargetPetitionForm):
    """A target with its petition on a page of their own, for campaigns too large for one form."""

    class Meta(TargetPetitionForm.Meta):
        fields = ("campaign", *TargetPetitionForm.Meta.fields)  # type: ignore[assignment]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        campaign = cleaned.get("campaign") or (self.instance.campaign if self.instance.campaign_id else None)
        kind = cleaned.get("kind")
        if campaign is None or not kind:
            return cleaned
        letter = (
            Letter.objects.filter(campaign=campaign, kind=kind)
            .select_related("campaign__organization")
            .first()
        )
        if letter is None:
            self.add_error("kind", f"This campaign has no {Kind(kind).label.lower()} letter yet.")
            return cleaned
        keys = list(campaign.sources.values_list("key", flat=True))
        add_problems(self, petition_problems(self.as_petition(letter), keys=keys))
        if self.is_valid_so_far() and not cleaned["slug"]:
            last_name = cleaned["last_name"] or guess_last_name(cleaned["name"])
            cleaned["slug"] = free_slug(campaign, cleaned["place_name"], last_name)
        return cleaned

    def is_valid_so_far(self) -> bool:
        return not self.errors


class PetitionForm(forms.ModelForm):
    """A petition by itself: to a group, or what one to a target says of its own."""

    slug = forms.CharField(
        label="Address",
        required=False,
        max_length=SLUG_LENGTH,
        help_text="The last part of the page’s web address. Empty: one is made.",
        widget=forms.TextInput(attrs={"size": 50, "spellcheck": "false", "autocapitalize": "none"}),
    )

    class Meta:
        model = Petition
        fields = ("letter", "addressee", "members", "slug", "headline", "local", "goal", "position")
        widgets = {
            "headline": forms.TextInput(attrs={"size": 60}),
            "addressee": forms.TextInput(attrs={"size": 60}),
            "local": forms.Textarea(attrs={"rows": 5, "cols": 80}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "addressee" in self.fields:
            self.fields["addressee"].required = True

    def clean_slug(self) -> str:
        return clean_petition_slug(self.cleaned_data["slug"], self.instance)

    def clean_letter(self) -> Letter:
        letter: Letter = self.cleaned_data["letter"]
        if self.instance.pk and self.instance.current_version_id and letter.pk != self.instance.letter_id:
            raise ValidationError(f"{PUBLISHED}, so its letter stays.")
        return letter

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        letter = cleaned.get("letter") or (self.instance.letter if self.instance.letter_id else None)
        if letter is None:
            return cleaned
        strangers = [
            target for target in cleaned.get("members") or () if target.campaign_id != letter.campaign_id
        ]
        if strangers:
            names = ", ".join(target.name for target in strangers[:5])
            self.add_error("members", f"Not in the campaign “{letter.campaign}”: {names}.")
        said = Petition(
            letter=letter,
            target=self.instance.target,
            addressee=cleaned.get("addressee", ""),
            headline=cleaned.get("headline", ""),
            local=cleaned.get("local", ""),
        )
        add_problems(
            self, petition_problems(said, keys=list(letter.campaign.sources.values_list("key", flat=True)))
        )
        if not self.errors and not cleaned["slug"]:
            target = self.instance.target
            words = (target.place.name, target.last_name) if target else (cleaned["addressee"],)
            cleaned["slug"] = free_slug(letter.campaign, *words)
        return cleaned


# --- What staff do to petitions ----------------------------------------------------------------------------

FARTHEST = timedelta(days=5 * 366)
REASON = forms.Textarea(attrs={"rows": 3, "cols": 60})


class MomentField(forms.DateTimeField):
    """A date and time within the next five years, in the site's time zone."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def clean(self, value: Any) -> datetime | None:
        moment: datetime | None = super().clean(value)
        if moment is not None and moment <= timezone.now():
            raise ValidationError("Choose a moment in the future.")
        if moment is not None and moment > timezone.now() + FARTHEST:
            raise ValidationError("Choose a moment within the next five years.")
        return moment


class PublishForm(forms.Form):
    """Publishing what was reviewed: now or later, with a reason where a signed statement changes."""

    when = forms.ChoiceField(
        choices=[("now", "Now"), ("later", "At a time")],
        initial="now",
        widget=forms.RadioSelect,
        label="When",
    )
    live_at = MomentField(label="Time, if not now", required=False)
    reason = forms.CharField(
        label="Why the statement changes",
        required=False,
        max_length=1000,
        widget=REASON,
        help_text="People have signed the old statement. Visitors can read this reason in the change history.",
    )
    reviewed = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, *args: Any, needs_reason: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = needs_reason
        self.fields["reason"].error_messages["required"] = "Say why the statement that people signed changes."
        if not needs_reason:
            self.fields["reason"].widget = forms.HiddenInput()
        zone = timezone.get_current_timezone_name()
        self.fields["live_at"].help_text = f"Time zone: {zone}. Pages that are live already change at once."

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("when") == "later" and not cleaned.get("live_at") and "live_at" not in self.errors:
            self.add_error("live_at", "Choose the time at which the pages go live.")
        if cleaned.get("when") == "now":
            cleaned["live_at"] = None
        return cleaned


class CloseForm(forms.Form):
    """Ending a petition, with a note for the public."""

    won = forms.ChoiceField(
        label="How it ends",
        choices=[
            ("closed", "Closed: it takes no more signatures"),
            ("won", "Won: the target did what was asked"),
        ],
        initial="closed",
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label="Note",
        required=False,
        max_length=1000,
        widget=REASON,
        help_text="Shown on the page. What happened, and thanks.",
    )

    def arguments(self) -> dict[str, Any]:
        return {"won": self.cleaned_data["won"] == "won", "note": self.cleaned_data["note"]}


class ReasonForm(forms.Form):
    """Doing something that needs a reason, kept in the audit log."""

    reason = forms.CharField(
        label="Reason", max_length=1000, widget=REASON, help_text="Kept in the audit log; not public."
    )

    def arguments(self) -> dict[str, Any]:
        return {"reason": self.cleaned_data["reason"]}


class ScheduleClosingForm(forms.Form):
    """Setting or lifting the moment at which petitions close by themselves."""

    closes_at = MomentField(label="Closes at", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = timezone.get_current_timezone_name()
        self.fields[
            "closes_at"
        ].help_text = f"Time zone: {zone}. Empty: it stays open until somebody closes it."

    def arguments(self) -> dict[str, Any]:
        return {"closes_at": self.cleaned_data["closes_at"]}

"""Targets with their petitions: as rows of the campaign’s form, and on a page of their own."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from campaigns.forms import TargetForm
from campaigns.last_names import guess_last_name
from campaigns.models import Place, Target
from petitions.checking import petition_problems
from petitions.closing import going_on
from petitions.forms.addresses import PUBLISHED, SLUG_LENGTH, clean_petition_slug, free_slug
from petitions.forms.parts import SiblingFormSet, add_problems, kept
from petitions.models import Kind, Letter, Petition
from petitions.readdressing import move_to
from staff.models import User


class PetitionFields(forms.Form):
    """What a petition to one target adds to the target."""

    kind = forms.ChoiceField(
        label="Kind", choices=Kind.choices, initial=Kind.DEMAND, help_text="Which letter they get."
    )
    slug = forms.CharField(
        label="Address",
        required=False,
        max_length=SLUG_LENGTH,
        help_text="The last part of the page’s web address. Empty: made from the campaign and the place. "
        "Once the page was published, an address it had before keeps leading to it.",
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
    # Who saves, for the record; the admin sets it.
    editor: User | None = None

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
            raise ValidationError(
                f"{PUBLISHED}, so its kind stays. When the target has acted, let it take a stand."
            )
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
        if petition.pk:
            if data["slug"] != petition.slug:
                move_to(petition=petition, slug=data["slug"], actor=self.editor, at=timezone.now())
            petition.save(update_fields=["letter", "headline", "local", "goal"])
        else:
            petition.slug = data["slug"]
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
    """The petition a target's row stands for. Uses what is prefetched."""
    return going_on(target.petitions.all())


def petition_values(petition: Petition) -> dict[str, Any]:
    return {
        "kind": petition.letter.kind,
        "slug": petition.slug,
        "headline": petition.headline,
        "local": petition.local,
        "goal": petition.goal,
    }


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

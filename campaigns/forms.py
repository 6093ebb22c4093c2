"""The forms of the cause: organization with its logo, source, and target with its place."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.text import slugify

from campaigns import logos, places
from campaigns.fields import AuthorsFormField
from campaigns.models import Campaign, Organization, Place, Source, Target
from toolkit.colors import clean_hex


class OrganizationForm(forms.ModelForm):
    """An organization; its logo comes as a file and is stored as a small PNG."""

    accent = forms.CharField(
        label="Accent color",
        required=False,
        max_length=40,
        help_text="Used for buttons and marks, such as #7a1f3d. It is adjusted where text would be hard to read.",
        widget=forms.TextInput(attrs={"size": 10, "spellcheck": "false"}),
    )
    logo_file = forms.FileField(
        label="Logo",
        required=False,
        help_text="A PNG, JPEG or WebP picture of at most 1 MB. It is shown at most 400 pixels high.",
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
    )
    remove_logo = forms.BooleanField(label="Remove the logo", required=False)

    class Meta:
        model = Organization
        fields = (
            "name", "parent", "postal_address", "from_email", "reply_to", "approval_above", "privacy_url", "accent",
        )  # fmt: skip
        widgets = {"postal_address": forms.Textarea(attrs={"rows": 3, "cols": 40})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.logo_digest and "remove_logo" in self.fields:
            self.fields["remove_logo"].widget = forms.HiddenInput()
        if "approval_above" in self.fields:
            self.fields["approval_above"].required = False  # left empty, it stays as it is

    def clean_approval_above(self) -> int:
        number: int | None = self.cleaned_data["approval_above"]
        return self.instance.approval_above if number is None else number

    def clean_accent(self) -> str:
        return clean_hex(self.cleaned_data["accent"])

    def clean_logo_file(self) -> logos.Logo | None:
        upload: UploadedFile | None = self.cleaned_data["logo_file"]
        if upload is None:
            return None
        if upload.size and upload.size > logos.MAX_BYTES:
            raise ValidationError("This picture is larger than 1 MB. Make it smaller and choose it again.")
        return logos.read(upload.read())

    def save(self, commit: bool = True) -> Organization:
        logo: logos.Logo | None = self.cleaned_data.get("logo_file")
        organization = self.instance
        if logo is not None:
            organization.logo, organization.logo_digest = logo.data, logo.digest
            organization.logo_width, organization.logo_height = logo.width, logo.height
        elif self.cleaned_data.get("remove_logo"):
            organization.logo, organization.logo_digest = None, ""
            organization.logo_width = organization.logo_height = 0
        return super().save(commit)


class CampaignForm(forms.ModelForm):
    """A campaign; an empty address is made from the title."""

    slug = forms.CharField(
        label="Address",
        required=False,
        max_length=80,
        help_text="The last part of the campaign page’s web address, such as open-sundays. Empty: made from the title.",
        widget=forms.TextInput(attrs={"size": 40, "spellcheck": "false", "autocapitalize": "none"}),
    )

    class Meta:
        model = Campaign
        fields = (
            "organization", "title", "slug", "summary", "language", "confirmation", "count_floor",
            "asks_postal_code", "asks_country", "asks_comment", "total_of", "shows_league",
            "asks_proof",
        )  # fmt: skip
        widgets = {
            "title": forms.TextInput(attrs={"size": 60}),
            "summary": forms.Textarea(attrs={"rows": 3, "cols": 80}),
            "language": forms.TextInput(attrs={"size": 6}),
        }

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"].strip().lower()
        if not slug:
            return free_slug(self.cleaned_data.get("title", ""), but=self.instance)
        check_slug(slug)
        if Campaign.objects.filter(slug=slug).exclude(pk=self.instance.pk).exists():
            raise ValidationError("Another campaign has this address. Choose a different one.")
        return slug


def check_slug(slug: str) -> None:
    """Raises ValidationError, with the nearest address that is right, where this one is malformed."""
    if re.fullmatch(r"[a-z0-9_-]+", slug):
        return
    near = slugify(slug)
    hint = f" Did you mean “{near}”?" if near else ""
    raise ValidationError(f"Use only letters, digits and hyphens in an address.{hint}")


def free_slug(title: str, *, but: Campaign) -> str:
    """An address for a campaign of this title that no other campaign has."""
    base = slugify(title)[:70].strip("-") or "campaign"
    taken = set(
        Campaign.objects.filter(slug__startswith=base).exclude(pk=but.pk).values_list("slug", flat=True)
    )
    slug, number = base, 1
    while slug in taken:
        number += 1
        slug = f"{base}-{number}"
    return slug


class SourceForm(forms.ModelForm):
    """One row of the source library."""

    authors = AuthorsFormField(
        required=False,
        label="Authors",
        help_text="One author a line.",
        widget=forms.Textarea(attrs={"rows": 1, "cols": 20}),
    )

    class Meta:
        model = Source
        fields = ("key", "authors", "title", "publication", "date", "url", "archived_url")
        widgets = {
            "key": forms.TextInput(attrs={"size": 14, "spellcheck": "false", "autocapitalize": "none"}),
            "title": forms.Textarea(attrs={"rows": 1, "cols": 28}),
            "publication": forms.TextInput(attrs={"size": 18}),
            "date": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "url": forms.URLInput(attrs={"size": 22, "placeholder": "https://"}),
            "archived_url": forms.URLInput(attrs={"size": 22}),
        }

    def clean_title(self) -> str:
        # The field is a text area only so that long titles can be read; a title has one line.
        return " ".join(self.cleaned_data["title"].split())


class TargetForm(forms.ModelForm):
    """A target whose place is typed rather than chosen: what is not listed yet is listed now."""

    place_name = forms.CharField(label="Place", max_length=120, help_text="The city, such as Riverton.")
    place_region = forms.CharField(
        label="Region", max_length=120, required=False, help_text="State or province."
    )
    place_country = forms.CharField(label="Country", max_length=120, required=False)
    postal_prefixes = forms.CharField(
        label="Postal codes of the place",
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 40}),
        help_text="Codes or their beginnings, separated by spaces (941 94301). "
        "Signers with such a code are counted as local.",
    )

    class Meta:
        model = Target
        fields = ("name", "office", "last_name", "salutation", "email")
        widgets = {"name": forms.TextInput(attrs={"size": 28}), "office": forms.TextInput(attrs={"size": 16})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        target = kwargs.get("instance")
        if target is not None and target.place_id:
            kwargs["initial"] = {**self.of_place(target.place), **(kwargs.get("initial") or {})}
        super().__init__(*args, **kwargs)

    @staticmethod
    def of_place(place: Place) -> dict[str, str]:
        return {
            "place_name": place.name,
            "place_region": place.region,
            "place_country": place.country,
            "postal_prefixes": place.postal_prefixes,
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        self.place = places.find(**self.typed_place()) if cleaned.get("place_name") else None
        twice = Target.objects.filter(
            campaign_id=self.instance.campaign_id, name=cleaned.get("name"), place=self.place
        )
        if (
            self.place is not None
            and self.instance.campaign_id
            and twice.exclude(pk=self.instance.pk).exists()
        ):
            self.add_error("name", f"This campaign already has {cleaned['name']} in {self.place}.")
        return cleaned

    def typed_place(self) -> dict[str, str]:
        return {part: self.cleaned_data.get(f"place_{part}", "") for part in ("name", "region", "country")}

    def save(self, commit: bool = True) -> Target:
        place = places.find_or_create(**self.typed_place())
        if "postal_prefixes" in self.changed_data:
            place.postal_prefixes = " ".join(self.cleaned_data["postal_prefixes"].split())
            place.save(update_fields=["postal_prefixes"])
        self.instance.place = place
        return super().save(commit)

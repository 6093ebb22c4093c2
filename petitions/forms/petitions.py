"""A petition by itself: to a group, or what one to a target says of its own."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from petitions.checking import petition_problems
from petitions.forms.addresses import PUBLISHED, SLUG_LENGTH, clean_petition_slug, free_slug
from petitions.forms.parts import add_problems
from petitions.models import Letter, Petition


class PetitionForm(forms.ModelForm):
    """A petition by itself: to a group, or what one to a target says of its own."""

    slug = forms.CharField(
        label="Address",
        required=False,
        max_length=SLUG_LENGTH,
        help_text="The last part of the page’s web address. Empty: one is made. "
        "Once the page was published, an address it had before keeps leading to it.",
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

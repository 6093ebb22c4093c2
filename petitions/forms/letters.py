"""The letters on the campaign’s form."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator

from petitions.checking import letter_problems
from petitions.forms.parts import SiblingFormSet, add_problems, kept
from petitions.models import Kind, Letter, Petition

# Far more than anybody reads; a text of megabytes, pasted by mistake, would make every page slow.
MOST_CHARACTERS = {"body": 100_000, "thanks": 20_000}


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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, most in MOST_CHARACTERS.items():
            if name in self.fields:
                self.fields[name].validators.append(MaxLengthValidator(most))

    def clean_kind(self) -> str:
        kind: str = self.cleaned_data["kind"]
        if self.instance.pk and kind != self.initial.get("kind") and self.instance.petitions.exists():
            raise ValidationError(
                "Petitions use this letter, so its kind stays. Add the other kind as a second letter."
            )
        return kind


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

    @property
    def empty_form(self) -> Any:
        """What “Add another Letter” adds: the kind that is not there yet."""
        form = super().empty_form
        taken = {row["kind"].value() for row in self.forms}
        form.initial["kind"] = next((kind for kind in Kind.values if kind not in taken), Kind.DEMAND)
        return form

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

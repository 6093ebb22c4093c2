"""What the parts of the campaign’s form have in common: each is checked against the others as sent."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet

from campaigns.models import Source
from petitions.checking import FieldProblem


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

"""What staff say when a target acts: the day, and what happened."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from petitions.forms.publishing import REASON
from petitions.taking_a_stand import EARLIEST, LONGEST_REASON


class StandForm(forms.Form):
    """The public date and reason of a move, the same for all targets chosen."""

    taken_on = forms.DateField(
        label="Day it happened",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        initial=timezone.localdate,
    )
    reason = forms.CharField(
        label="What happened",
        max_length=LONGEST_REASON,
        widget=REASON,
        help_text="Public: on both pages and in the news of the campaign. One or two sentences.",
        error_messages={"required": "Say what happened: the reason is shown to the public."},
    )

    def clean_taken_on(self) -> date:
        day: date = self.cleaned_data["taken_on"]
        if day > timezone.localdate():
            raise ValidationError("The day on which it happened cannot be in the future.")
        if day < EARLIEST:
            raise ValidationError("Choose a day in the year 2000 or later.")
        return day

    def arguments(self) -> dict[str, Any]:
        return {"taken_on": self.cleaned_data["taken_on"], "reason": self.cleaned_data["reason"]}


class UndoForm(forms.Form):
    """Taking a move back."""

    reason = forms.CharField(
        label="Reason",
        max_length=1000,
        required=False,
        widget=REASON,
        help_text="Optional. Kept in the audit log; not public.",
    )

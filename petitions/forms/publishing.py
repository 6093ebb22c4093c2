"""What staff do to petitions: publishing, closing, reopening, taking off the site, and when."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

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

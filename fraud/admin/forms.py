"""What staff fill in about clusters and rules."""

from django import forms

from signers.admin.decisions import DecisionForm


class TryForm(forms.Form):
    """Other numbers for a rule, and how far to look back."""

    threshold = forms.IntegerField(label="Signatures", min_value=5, max_value=100_000)
    minutes = forms.IntegerField(label="within minutes", min_value=1, max_value=60)
    hours = forms.IntegerField(label="in the last hours", min_value=1, max_value=24 * 7)


class BatchForm(DecisionForm):
    """Why something is done with a whole cluster; `seen` is how many signatures staff were shown."""

    with_confirmed = forms.BooleanField(required=False, widget=forms.HiddenInput)
    seen = forms.IntegerField(min_value=0, max_value=2**31, widget=forms.HiddenInput)


class ReleaseForm(BatchForm):
    dismiss = forms.BooleanField(
        label="These are people: stop holding what comes next",
        required=False,
        initial=True,
        help_text="For a day. A network or domain that many people share belongs on its list for good.",
    )

"""What staff decide about a signature, and the reason they give."""

from collections.abc import Callable

from django import forms
from django.core.exceptions import ValidationError

from signers import removing
from signers.models import Signature


class DecisionForm(forms.Form):
    """Why staff decide something about a signature."""

    reason = forms.CharField(
        label="Reason",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
        help_text="Kept in the audit log, which publishers read too: leave names and addresses out.",
    )

    def clean_reason(self) -> str:
        reason: str = self.cleaned_data["reason"]
        if "@" in reason:
            raise ValidationError(
                "Leave e-mail addresses out: publishers, who may not see them, read the audit log too."
            )
        return reason


class RemovalForm(DecisionForm):
    block = forms.BooleanField(
        label="Also block this address",
        required=False,
        help_text="It cannot sign any petition again and gets no more mail.",
    )


DECISIONS: dict[str, tuple[str, str, type[DecisionForm], Callable[..., bool]]] = {
    "remove": (
        "Remove",
        "The signature no longer counts. It stays on record and can be restored.",
        RemovalForm,
        removing.remove,
    ),
    "restore": (
        "Restore",
        "The signature counts again, if it counted before.",
        DecisionForm,
        removing.restore,
    ),
    "release": (
        "Release",
        "The signature goes on as if it had just come in: its signer is asked to confirm it by e-mail.",
        DecisionForm,
        removing.release,
    ),
}


def decisions_for(signature: Signature) -> list[str]:
    if signature.removed_at:
        return ["restore"] if signature.removal == Signature.Removal.STAFF else []
    return ["release", "remove"] if signature.held_at else ["remove"]

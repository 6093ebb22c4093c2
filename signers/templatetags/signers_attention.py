"""What needs attention, for the admin's first page: mail and submissions that wait for staff."""

from typing import Any

from django import template
from django.db.models import Q
from django.urls import reverse

from signers.models import OutgoingMail, Signature, Submission

register = template.Library()

MANY = 1000


@register.inclusion_tag("admin/attention.html", takes_context=True)
def signers_attention(context: dict[str, Any]) -> dict[str, Any]:
    """Only for those who may look at it. At most three queries, each of which stops counting at a thousand."""
    user = context["request"].user
    notices = []
    if user.has_perm("signers.view_outgoingmail"):
        mails = reverse("admin:signers_outgoingmail_changelist")
        for state, text in (
            ("in doubt", "in doubt: nobody knows whether it arrived"),
            ("failed", "could not be sent"),
        ):
            found = STUCK[state]
            if number := OutgoingMail.objects.filter(found)[:MANY].count():
                notices.append(
                    (f"{shown(number, 'mail')} {text}", f"{mails}?state={state.replace(' ', '+')}")
                )
    if user.has_perm("signers.view_submission"):
        number = Submission.objects.filter(parked_at__isnull=False)[:MANY].count()
        if number:
            url = reverse("admin:signers_submission_changelist") + "?parked=yes"
            notices.append(
                (f"{shown(number, 'submission')} could not become a signature and was set aside", url)
            )
    if user.has_perm("signers.view_signature"):
        number = Signature.objects.filter(held_at__isnull=False, removed_at=None)[:MANY].count()
        if number:
            url = reverse("admin:signers_signature_changelist") + "?state=held"
            notices.append((f"{shown(number, 'signature')} held back because something looked odd", url))
    return {"notices": notices, "about": "signatures and their mail"}


STUCK = {
    "in doubt": Q(handed_over_at__isnull=False, sent_at=None, failed_at=None, dropped_at=None),
    "failed": Q(failed_at__isnull=False, sent_at=None, dropped_at=None),
}


def shown(number: int, thing: str) -> str:
    if number >= MANY:
        return f"{MANY:,} {thing}s or more"
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"

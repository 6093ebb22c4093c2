"""What needs attention, for the admin's first page: mailings that wait for somebody."""

from typing import Any

from django import template
from django.db.models import Count
from django.urls import reverse
from django.utils import timezone

from mailings.admin.mailings import in_state
from mailings.admin.pages import APPROVE, SEND, may
from mailings.models import Mailing, Recipient
from mailings.sending import in_doubt

register = template.Library()

MANY = 1000
FEW = 5


@register.inclusion_tag("admin/attention.html", takes_context=True)
def mailings_attention(context: dict[str, Any]) -> dict[str, Any]:
    """Only for those who can do something about it. At most four queries, each bounded."""
    request = context["request"]
    notices: list[tuple[str, str]] = []
    if may(request, APPROVE):
        waiting = Mailing.objects.filter(in_state("asked")).exclude(asked_by=request.user)
        notices += [told(mailing, "waits for your approval") for mailing in waiting[:FEW]]
    if may(request, SEND):
        notices += [
            told(mailing, "is paused") for mailing in Mailing.objects.filter(in_state("paused"))[:FEW]
        ]
        notices += [
            told(mailing, "waits for you to choose its subject line")
            for mailing in waiting_for_winner()[:FEW]
        ]
        notices += copies_in_doubt()
    return {"notices": notices, "about": "mailings"}


def told(mailing: Mailing, what: str) -> tuple[str, str]:
    return f"The mailing “{mailing.title}” {what}.", reverse("admin:mailings_mailing_send", args=[mailing.pk])


def waiting_for_winner() -> Any:
    """All copies of the test have been dealt with, and the rest waits."""
    queued = Recipient.objects.queued()
    return (
        Mailing.objects.filter(in_state("sending"), winner="")
        .exclude(other_subject="")
        .exclude(pk__in=queued.filter(due_at__isnull=False).values("mailing"))
    )


def copies_in_doubt() -> list[tuple[str, str]]:
    found = (
        in_doubt(at=timezone.now())
        .order_by()
        .values("mailing", "mailing__title")
        .annotate(copies=Count("pk"))
    )
    return [
        (
            f"{row['copies']:,} {'copy' if row['copies'] == 1 else 'copies'} of “{row['mailing__title']}” in doubt: "
            "nobody knows whether it arrived",
            reverse("admin:mailings_mailing_doubt", args=[row["mailing"]]),
        )
        for row in found[:FEW]
    ]

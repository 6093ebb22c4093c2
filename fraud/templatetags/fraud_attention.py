"""What needs attention, for the admin's first page: bursts that go on."""

from typing import Any

from django import template
from django.urls import reverse

from fraud.models import Burst

register = template.Library()


@register.inclusion_tag("admin/attention.html", takes_context=True)
def fraud_attention(context: dict[str, Any]) -> dict[str, Any]:
    """Only for those who can do something about it. One query."""
    if not context["request"].user.has_perm("signers.remove_signature"):
        return {"notices": []}
    number = Burst.objects.filter(ended_at=None).count()
    if not number:
        return {"notices": []}
    what = "One cluster of signatures goes" if number == 1 else f"{number} clusters of signatures go"
    text = f"{what} on that may not be people. Those who did not confirm are held. Look, then release or remove them."
    return {"notices": [(text, reverse("admin:fraud_burst_changelist"))], "about": "clusters"}

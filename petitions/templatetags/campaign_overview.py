"""The campaigns on the admin's first page, with what they have gathered."""

from typing import Any

from django import template
from django.db.models import Count, Max, Q, Sum
from django.utils import timezone

from campaigns.models import Campaign
from petitions.admin.campaign_file_views import may_upload
from petitions.admin.steps import counted, total_text
from petitions.models import Petition

register = template.Library()

SHOWN = 12


@register.inclusion_tag("admin/campaign_overview.html", takes_context=True)
def campaign_overview(context: dict[str, Any]) -> dict[str, Any]:
    """The newest campaigns. Three queries."""
    user = context["request"].user
    if not user.has_perm("campaigns.view_campaign"):
        return {"may_view": False}
    now = timezone.now()
    campaigns = list(Campaign.objects.select_related("organization").defer("organization__logo")[:SHOWN])
    rows: Any = (
        Petition.objects.filter(letter__campaign__in=campaigns).values_list("letter__campaign").order_by()
    )
    rows = rows.annotate(
        petitions=Count("pk"),
        live=Count("pk", filter=Q(live_at__lte=now)),
        signatures=Sum("tally__count"),
        people=Max("letter__campaign__tally__people"),
    )
    lines = {
        key: (total_text(signatures, people), f"{live:,} of {counted(petitions, 'petition')} live")
        for key, petitions, live, signatures, people in rows
    }
    nothing = (counted(0, "signature"), "no petition yet")
    return {
        "may_view": True,
        "may_add": user.has_perm("campaigns.add_campaign"),
        "may_upload": may_upload(context["request"]),
        "campaigns": [(campaign, *lines.get(campaign.pk, nothing)) for campaign in campaigns],
        "more": Campaign.objects.count() > SHOWN,
    }

"""The public page of a campaign."""

import re

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_safe

from campaigns.models import Campaign
from petitions.campaign_page import campaign_page
from petitions.pages import absolute, organization_context
from petitions.public_pages import public_page

PAGE_NUMBER = re.compile(r"[1-9][0-9]{0,5}")


@require_safe
def campaign(request: HttpRequest, slug: str) -> HttpResponse:
    """A campaign: its total, who stands with us, who we still wait for, and what is new. Three queries."""
    number = request.GET.get("page", "1")
    if not PAGE_NUMBER.fullmatch(number):
        raise Http404
    campaigns = Campaign.objects.select_related("organization", "tally").defer("organization__logo")
    found = get_object_or_404(campaigns, slug=slug)
    overview = campaign_page(found, at=timezone.now(), number=int(number))
    if overview is None:
        raise Http404
    title, address = found.title, absolute(found.get_absolute_url())
    context = {
        "overview": overview,
        "campaign": found,
        "page_title": title if overview.number == 1 else f"{title}, page {overview.number}",
        "description": found.summary,
        "canonical_url": address if overview.number == 1 else f"{address}?page={overview.number}",
        **organization_context(found.organization),
    }
    return public_page(request, "petitions/campaign.html", context)

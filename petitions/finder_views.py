"""Find your city: the search, its suggestions, and nominating a city that has no petition."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from campaigns import nominating
from campaigns.models import Campaign
from campaigns.place_names import LONGEST_TYPED
from petitions import finding
from petitions.finding import Found, Match
from petitions.models import Petition
from petitions.pages import organization_context
from petitions.public_pages import public_page
from toolkit.referral_codes import REFERRAL_KEY, referral_from
from toolkit.same_origin import Verdict, carries_token, verdict

MOST_SUGGESTIONS = 8
NOTHING_TYPED = "Type the name of your city, or its ZIP or postal code."


# Exempt: it changes nothing and knows nobody. It is a post because an address would stand in logs and histories.
@csrf_exempt
@never_cache
def find(request: HttpRequest, slug: str) -> HttpResponse:
    """Leads to the petition of what was typed, or says what there is instead; for scripts, suggestions as JSON."""
    if request.method != "POST":
        return HttpResponseRedirect(reverse("campaign", args=[slug]))
    campaign = public_campaign(slug)
    typed = request.POST.get("city", "")[:LONGEST_TYPED].replace("\0", "").strip()
    found = finding.find(campaign, typed, at=timezone.now()) if typed else Found()
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse(suggestions(found))
    if not typed:
        return found_page(campaign, found, typed="", error=NOTHING_TYPED, status=422)
    if found.only:
        return HttpResponseRedirect(with_referral(found.only.card.url, request), status=303)
    return found_page(campaign, found, typed=typed)


def found_page(
    campaign: Campaign, found: Found, *, typed: str, error: str = "", status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {
        "campaign": campaign,
        "found": found,
        "typed": typed,
        "error": error,
        "instead": None if found.matches else finding.instead(campaign, found, at=timezone.now()),
        "nominated": nominee(found, typed),
        "page_title": f"Find your city: {campaign.title}",
        **organization_context(campaign.organization),
    }
    return HttpResponse(render_to_string("petitions/found.html", context), status=status)


def nominee(found: Found, typed: str) -> str:
    """What the button nominates: the known city, or what was typed, should it look like a name; else ""."""
    if found.matches or len(found.cities) > 1:
        return ""
    if found.city:
        return found.city.label
    return typed if nominating.city_wished_for(typed) else ""


def suggestions(found: Found) -> dict[str, Any]:
    shown = (found.matches or found.guesses)[:MOST_SUGGESTIONS]
    return {"suggestions": [suggestion(match) for match in shown], "message": message(found, len(shown))}


def suggestion(match: Match) -> dict[str, str]:
    return {"label": match.label, "kind": match.card.kind, "url": match.card.url}


def message(found: Found, number: int) -> str:
    """Read aloud while somebody types."""
    if number:
        return "1 city" if number == 1 else f"{number} cities"
    if found.city:
        return f"{found.city.label} has no petition yet. Press Enter to see what you can do."
    return "No city found so far."


def with_referral(url: str, request: HttpRequest) -> str:
    """The address with the code of the shared link that led to the campaign page."""
    code = referral_from(request.headers.get("Referer", ""))
    return f"{url}?{urlencode({REFERRAL_KEY: code})}" if code else url


# Exempt: the page carries no token, being the same for everybody; where the post comes from is checked here.
@csrf_exempt
@never_cache
def nominate(request: HttpRequest, slug: str) -> HttpResponse:
    """Counts a wish for a petition. The answer is the same whether or not it counted."""
    if request.method != "POST":
        return HttpResponseRedirect(reverse("campaign", args=[slug]))
    origin = verdict(request)
    if origin is Verdict.CROSS:
        return render(request, "403.html", status=403)
    campaign = public_campaign(slug)
    city = request.POST.get("city", "")[:LONGEST_TYPED].replace("\0", "")
    if origin is Verdict.UNKNOWN and not carries_token(request):
        return render(request, "petitions/nominate.html", {"campaign": campaign, "city": city}, status=403)
    if not request.POST.get("website"):
        wish(campaign, city, request)
    return HttpResponseRedirect(reverse("nominated", args=[slug]), status=303)


def wish(campaign: Campaign, city: str, request: HttpRequest) -> None:
    """Counts it, unless there is a petition already."""
    now = timezone.now()
    if finding.exactly(campaign, nominating.read(city).readings, now):
        return
    nominating.nominate(campaign=campaign, typed=city, address=request.META.get("REMOTE_ADDR", ""), at=now)


@require_safe
def nominated(request: HttpRequest, slug: str) -> HttpResponse:
    """Thanks for a nomination, the same for everybody: no city stands in the address."""
    campaign = public_campaign(slug)
    context = {
        "campaign": campaign,
        "most_signed": finding.most_signed(campaign, timezone.now()),
        "page_title": f"Thank you: {campaign.title}",
        **organization_context(campaign.organization),
    }
    return public_page(request, "petitions/nominated.html", context)


def public_campaign(slug: str) -> Campaign:
    """A campaign with something to read, or Http404. Two queries."""
    found = get_object_or_404(
        Campaign.objects.select_related("organization").defer("organization__logo"), slug=slug
    )
    if not Petition.objects.public(at=timezone.now()).filter(letter__campaign=found).exists():
        raise Http404
    return found

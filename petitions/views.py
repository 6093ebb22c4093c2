"""The public pages: home, petition, change history, and the small files they load."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from itertools import zip_longest
from typing import Any

from django.db.models import Case, Count, F, Q, Sum, When, Window
from django.db.models.functions import RowNumber
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponsePermanentRedirect,
    HttpResponseRedirect,
    JsonResponse,
)
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from campaigns.models import Campaign, Organization
from petitions.appearance import accent_digest, accent_rules
from petitions.campaign_page import shared_total
from petitions.closing import instead_of
from petitions.differences import word_diff
from petitions.models import Petition, PetitionQuerySet, Version
from petitions.pages import Card, PetitionPage, absolute, card_of, organization_context, page_of
from petitions.progress import progress_of
from petitions.public_pages import CACHE_CONTROL, IMMUTABLE, public_page, publicly_cached

# The count is what an open page asks for every few seconds.
COUNT_CACHE_CONTROL = "public, max-age=0, s-maxage=2, stale-while-revalidate=10, stale-if-error=600"
PETITIONS_ON_HOME = 5  # of each campaign
LONGEST_QUERY = 1000


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Open campaigns with some of their open petitions; campaigns that are over after them. Two queries."""
    now = timezone.now()
    live = Q(letters__petitions__live_at__lte=now)
    petitions_open = live & Q(letters__petitions__in=Petition.objects.open(at=now))
    # Totals leave out what is not shown by itself: the difference of two numbers must not tell a third.
    shown = Q(letters__petitions__tally__count__gte=F("count_floor"))
    campaigns = list(
        Campaign.objects.select_related("organization", "tally")
        .defer("organization__logo")
        .annotate(
            petitions_live=Count("letters__petitions", filter=live),
            petitions_open=Count("letters__petitions", filter=petitions_open),
            total=Sum("letters__petitions__tally__count", filter=live & shown),
        )
        .filter(petitions_live__gt=0)
        .order_by("-created_at")
    )
    by_campaign: dict[int, list[Card]] = defaultdict(list)
    for petition in most_signed(campaigns, now):
        by_campaign[petition.campaign.pk].append(card_of(petition, at=now))
    listed = [
        {
            "campaign": campaign,
            "organization": campaign.organization,
            "petitions_open": campaign.petitions_open,
            "more": max(0, campaign.petitions_open - PETITIONS_ON_HOME),
            "petitions": by_campaign[campaign.pk],
            "count": campaign.total and shared_total(campaign, campaign.total),
            "url": campaign.get_absolute_url(),
        }
        for campaign in campaigns
    ]
    context = {
        "campaigns": [item for item in listed if item["petitions_open"]],
        "over": [item for item in listed if not item["petitions_open"]],
        "canonical_url": absolute("/"),
    }
    return public_page(request, "petitions/home.html", context)


def most_signed(campaigns: Iterable[Campaign], now: datetime) -> PetitionQuerySet:
    """The open petitions of each campaign that most people signed, in the order staff set. One query.

    Those whose count is not shown come after the others, whatever it is.
    """
    shown = Case(
        When(tally__count__gte=F("letter__campaign__count_floor"), then=F("tally__count")), default=-1
    )
    rank = Window(RowNumber(), partition_by=F("letter__campaign"), order_by=[shown.desc(), "position", "pk"])
    ranked = Petition.objects.open(at=now).filter(letter__campaign__in=campaigns).annotate(rank=rank)
    # By number first: sorting a thousand rows with all that a card shows takes many times as long.
    chosen = ranked.filter(rank__lte=PETITIONS_ON_HOME).values("pk")
    return Petition.objects.filter(pk__in=chosen).for_cards().order_by("position", "pk")


@require_safe
def petition(request: HttpRequest, slug: str) -> HttpResponse:
    """A petition with its sign form. One query."""
    try:
        page = live_page(slug)
    except Http404:
        return led_on(request, slug)
    if page.petition.slug != slug:
        return moved(request, page.url)
    return public_page(request, "petitions/petition.html", petition_context(page))


@require_safe
def count(request: HttpRequest, slug: str) -> HttpResponse:
    """`{"count", "goal", "local"}`; count and local are null below the floor staff set. One query."""
    found = at_address(Petition.objects.public(at=timezone.now()).for_count(), slug)
    if found.slug != slug:
        return moved(request, reverse("count", args=[found.slug]))
    response = JsonResponse(progress_of(found).as_json())
    return publicly_cached(request, response, cache_control=COUNT_CACHE_CONTROL)


@require_safe
def versions(request: HttpRequest, slug: str) -> HttpResponse:
    """The public change history, newest first: what was said when, and why it changed. Two queries."""
    try:
        page = live_page(slug)
    except Http404:
        return led_on(request, slug)
    if page.petition.slug != slug:
        return moved(request, page.versions_url)
    newest_first = list(
        page.petition.versions.order_by("-number").defer("letter_html", "notes_html", "notes")
    )
    entries = [history_entry(newer, older) for newer, older in zip_longest(newest_first, newest_first[1:])]
    context = petition_context(page) | {
        "entries": entries,
        "page_title": f"Change history: {page.version.headline}",
        "canonical_url": absolute(page.versions_url),
    }
    return public_page(request, "petitions/versions.html", context)


def history_entry(version: Version, older: Version | None) -> dict[str, Any]:
    """A version as the change history shows it; `changes` are (label, `word_diff`) pairs."""
    parts = (("headline", "Headline"), ("statement", "Statement"), ("letter_text", "Letter and notes"))
    changes = [
        (label, word_diff(getattr(older, name), getattr(version, name)))
        for name, label in parts
        if older is not None and getattr(older, name) != getattr(version, name)
    ]
    return {
        "number": version.number,
        "published_at": version.published_at,
        "reason": version.reason,
        "headline": version.headline,
        "statement_html": version.statement_html,
        "changes": changes,
    }


@require_safe
def accent(request: HttpRequest, pk: int, digest: str) -> HttpResponse:
    """An organization's color as custom properties. One query."""
    color = Organization.objects.filter(pk=pk).exclude(accent="").values_list("accent", flat=True).first()
    if color is None:
        raise Http404
    response = HttpResponse(accent_rules(color), content_type="text/css; charset=utf-8")
    # A page from before the color changed gets the new one; at that address it must not stay for a year.
    lasting = digest == accent_digest(color)
    return publicly_cached(request, response, cache_control=IMMUTABLE if lasting else CACHE_CONTROL)


@require_safe
def logo(request: HttpRequest, pk: int, digest: str) -> HttpResponse:
    """An organization's logo. One query."""
    found = (
        Organization.objects.filter(pk=pk, logo_digest=digest)
        .exclude(logo=None)
        .values_list("logo", flat=True)
        .first()
    )
    if found is None:
        raise Http404
    response = HttpResponse(bytes(found), content_type="image/png")
    return publicly_cached(request, response, cache_control=IMMUTABLE)


def live_page(slug: str) -> PetitionPage:
    """The page of a petition visitors may read, whose address this is or once was; or Http404."""
    now = timezone.now()
    return page_of(at_address(Petition.objects.public(at=now).for_page(), slug), at=now)


def at_address(petitions: PetitionQuerySet, slug: str) -> Petition:
    """The one with this address, or else the one that once had it, or Http404. One query, or two."""
    found = petitions.filter(slug=slug).first() or petitions.filter(former_addresses__slug=slug).first()
    if found is None:
        raise Http404
    return found


def moved(request: HttpRequest, url: str) -> HttpResponse:
    """Leads to where a petition is now, with what the link said beyond the address.

    For good, but browsers ask again: a petition can move back, and then both would lead to each other for ever.
    """
    response = HttpResponsePermanentRedirect(with_query(request, url))
    response["Cache-Control"] = CACHE_CONTROL
    return response


def led_on(request: HttpRequest, slug: str) -> HttpResponse:
    """Leads from a petition that has left the site, and may come back, to what is there instead; or Http404."""
    url = instead_of(slug, at=timezone.now())
    if not url:
        raise Http404
    response = HttpResponseRedirect(with_query(request, url))
    response["Cache-Control"] = CACHE_CONTROL
    return response


def with_query(request: HttpRequest, url: str) -> str:
    """With what the link said beyond the address."""
    query = request.META.get("QUERY_STRING", "")
    # A link is not this long; what is would be refused as a redirect.
    return f"{url}?{query}" if 0 < len(query) <= LONGEST_QUERY else url


def petition_context(page: PetitionPage) -> dict[str, object]:
    return {
        "page": page,
        "page_title": page.version.headline,
        "description": page.version.share_text,
        "canonical_url": absolute(page.url),
        **organization_context(page.organization),
    }

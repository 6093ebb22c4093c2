"""What the list of petitions can be filtered by, and what a row of it says."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from campaigns.models import Campaign, Place
from petitions.admin.steps import counted
from petitions.models import Kind, Petition
from toolkit.plain_text import storable

STATES = {"draft": "Draft", "scheduled": "Scheduled", "open": "Open", "closed": "Closed", "won": "Won"}


def state_label(petition: Petition) -> str:
    return STATES[petition.state(timezone.now())]


def row_of(petition: Petition) -> tuple[str, str]:
    """State and count as a row shows them."""
    return state_label(petition), counted(
        petition.tally.count if hasattr(petition, "tally") else 0, "signature"
    )


def in_state(petitions: QuerySet[Petition], state: str) -> QuerySet[Petition]:
    """The same rules as `Petition.state`, as a query."""
    now = timezone.now()
    ended = Q(closed_at__isnull=False) | Q(closes_at__lte=now)
    conditions = {
        "draft": Q(live_at=None),
        "scheduled": Q(live_at__gt=now, won_at=None),
        "open": Q(live_at__lte=now) & ~ended & Q(won_at=None),
        "closed": Q(live_at__lte=now, won_at=None) & ended,
        "won": Q(live_at__isnull=False, won_at__isnull=False),
    }
    return petitions.filter(conditions[state])


class OfCampaign(admin.SimpleListFilter):
    title = "campaign"
    parameter_name = "campaign"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        return list(Campaign.objects.values_list("pk", "title")[:100])

    def queryset(self, request: HttpRequest, petitions: QuerySet[Petition]) -> QuerySet[Petition]:
        value = self.value()
        if value is None:
            return petitions
        return petitions.filter(letter__campaign=number(value))


class InState(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(STATES.items())

    def queryset(self, request: HttpRequest, petitions: QuerySet[Petition]) -> QuerySet[Petition]:
        state = self.value()
        return in_state(petitions, state) if state in STATES else petitions


class OfKind(admin.SimpleListFilter):
    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return Kind.choices

    def queryset(self, request: HttpRequest, petitions: QuerySet[Petition]) -> QuerySet[Petition]:
        kind = self.value()
        return petitions.filter(letter__kind=kind) if kind in Kind.values else petitions


class InRegion(admin.SimpleListFilter):
    """The regions of one campaign's places; without a campaign there would be too many to choose from."""

    title = "region"
    parameter_name = "region"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        campaign = number(request.GET.get("campaign"))
        if not campaign:
            return []
        places = Place.objects.filter(targets__campaign=campaign).exclude(region="")
        regions = places.order_by("region").values_list("region", flat=True).distinct()
        return [(region, region) for region in regions]

    def queryset(self, request: HttpRequest, petitions: QuerySet[Petition]) -> QuerySet[Petition]:
        region = self.value()
        return petitions.filter(target__place__region=storable(region)) if region else petitions


class WithEmail(admin.SimpleListFilter):
    title = "e-mail"
    parameter_name = "email"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("without", "Without an address"), ("with", "With an address")]

    def queryset(self, request: HttpRequest, petitions: QuerySet[Petition]) -> QuerySet[Petition]:
        value = self.value()
        if value == "without":
            return petitions.filter(target__email="")
        return petitions.filter(target__email__gt="") if value == "with" else petitions


class WithLocal(admin.SimpleListFilter):
    title = "local paragraph"
    parameter_name = "local"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("with", "With one"), ("without", "Without")]

    def queryset(self, request: HttpRequest, petitions: QuerySet[Petition]) -> QuerySet[Petition]:
        value = self.value()
        if value == "without":
            return petitions.filter(local="")
        return petitions.exclude(local="") if value == "with" else petitions


def number(typed: str | None) -> int:
    """The key in an address; what is none finds nothing."""
    return int(typed) if typed and typed.isascii() and typed.isdigit() and len(typed) < 19 else 0

"""How the list of signatures is narrowed: by campaign, petition and state."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from campaigns.models import Campaign
from petitions.admin.petition_filters import number
from petitions.models import Petition
from signers.models import Signature

STATES = {
    "confirmed": "Confirmed",
    "accepted": "Counted, not yet confirmed",
    "pending": "Waiting for confirmation",
    "held": "Held",
    "removed": "Removed",
}
MOST_PETITIONS_LISTED = 60


def in_state(signatures: QuerySet[Signature], state: str) -> QuerySet[Signature]:
    """The same rules as `Signature.state`, as a query."""
    standing = Q(removed_at=None, held_at=None)
    conditions = {
        "removed": Q(removed_at__isnull=False),
        "held": Q(removed_at=None, held_at__isnull=False),
        "confirmed": standing & Q(confirmed_at__isnull=False),
        "accepted": standing & Q(confirmed_at=None, accepted_at__isnull=False),
        "pending": standing & Q(accepted_at=None),
    }
    return signatures.filter(conditions[state])


class OfCampaign(admin.SimpleListFilter):
    title = "campaign"
    parameter_name = "campaign"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        return list(Campaign.objects.values_list("pk", "title")[:100])

    def queryset(self, request: HttpRequest, signatures: QuerySet[Signature]) -> QuerySet[Signature]:
        if self.value() is None:
            return signatures
        petitions = Petition.objects.filter(letter__campaign=number(self.value()))
        return signatures.filter(petition__in=list(petitions.values_list("pk", flat=True)))


class OfPetition(admin.SimpleListFilter):
    """The petitions of the chosen campaign. Of a very large one they are found by searching for the place."""

    title = "petition"
    parameter_name = "petition"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        campaign, chosen = number(request.GET.get("campaign")), number(request.GET.get("petition"))
        petitions = Petition.objects.filter(Q(letter__campaign=campaign) | Q(pk=chosen))
        listed = petitions.select_related("letter", "target").order_by("pk")[:MOST_PETITIONS_LISTED]
        return [(petition.pk, str(petition)) for petition in listed]

    def queryset(self, request: HttpRequest, signatures: QuerySet[Signature]) -> QuerySet[Signature]:
        return signatures if self.value() is None else signatures.filter(petition=number(self.value()))


class InState(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(STATES.items())

    def queryset(self, request: HttpRequest, signatures: QuerySet[Signature]) -> QuerySet[Signature]:
        state = self.value()
        return in_state(signatures, state) if state in STATES else signatures

"""Putting right whose updates hold: during an upgrade the former release writes choices down, but nothing beside."""

import logging
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from signers import consents
from signers.confirming import locked_person, remember_place
from signers.counting_people import without_time_limit
from signers.models import Consent, Signature, Subscription, Supporter

logger = logging.getLogger(__name__)


def mend(*, at: datetime) -> int:
    """Compares everybody's latest choice with what holds, and repairs what differs; returns how many choices.

    Looks without a lock; the lock is for mending, one person at a time.
    """
    with transaction.atomic():
        without_time_limit()
        suspects = sorted(set(differing().values_list("supporter_id", flat=True)))
    mended = sum(_mend(supporter_id, at) for supporter_id in suspects)
    if mended:
        logger.warning("%d choices about updates did not hold; mended.", mended)
    return mended


def differing() -> QuerySet[Consent]:
    """The latest choices that something else holds than they say."""
    same = {"supporter": OuterRef("supporter"), "organization": OuterRef("organization")}
    later = Consent.objects.filter(**same, purpose=OuterRef("purpose"), pk__gt=OuterRef("pk"))
    latest = Consent.objects.filter(~Exists(later), purpose=Consent.Purpose.UPDATES)
    held = latest.annotate(holds=Exists(Subscription.objects.filter(**same)))
    return held.exclude(granted=F("holds"))


@transaction.atomic
def _mend(supporter_id: int, at: datetime) -> int:
    supporter = locked_person(supporter_id)
    wrong = list(differing().filter(supporter=supporter_id))
    if supporter is None or not wrong:
        return 0
    consents.hold({(supporter_id, choice.organization_id): choice.granted for choice in wrong}, at=at)
    if supporter.place_id is None:
        _find_place(supporter)
    return len(wrong)


def _find_place(supporter: Supporter) -> None:
    proven = Signature.objects.filter(supporter=supporter, confirmed_at__isnull=False, removed_at=None)
    proven = proven.filter(petition__target__isnull=False).select_related("petition__target")
    if latest := proven.order_by("-is_local", "-confirmed_at", "-pk").first():
        remember_place(latest)

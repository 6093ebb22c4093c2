"""Short addresses for posters, stalls and the like: one for each petition and channel, counted by its code."""

import secrets
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db.models import Count, OuterRef, Q
from django.urls import reverse

from petitions.models import Petition, ShortAddress
from petitions.pages import absolute
from toolkit.plain_text import one_line
from toolkit.referral_codes import REFERRAL_KEY

# Without vowels, so that no word comes of it, and without letters and digits that are mistaken for each other.
ALPHABET = "bcdfghjkmnpqrstvwxz23456789"
# Signers' own codes have ten, so that the two are never taken for each other.
LENGTH = 7
LONGEST_CHANNEL = 40
SUGGESTIONS = ("Poster", "Flyer", "Stall", "Newspaper", "Newsletter", "Instagram", "Door to door")


def clean_channel(text: str) -> str:
    """The channel on one line, blanks joined. Raises ValidationError with a plain message."""
    line = "".join(character for character in one_line(text) if unicodedata.category(character) != "Cf")
    channel = " ".join(line.split())
    if not channel:
        raise ValidationError("Say where the address will stand, such as Poster.")
    if len(channel) > LONGEST_CHANNEL:
        raise ValidationError(f"This is too long; use at most {LONGEST_CHANNEL} characters.")
    return channel


def new_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def short_url(address: ShortAddress) -> str:
    """As it is printed: https://petitions.example.org/s/k7m2xqd."""
    return absolute(reverse("short-address", args=[address.code]))


def destination(code: str, *, at: datetime) -> str | None:
    """Where a code leads, in capitals or not: to its petition, also after that has ended. One query.

    A petition taken off the site says itself where to go instead; one that is yet to come is not given away.
    """
    published = Q(petition__live_at__lte=at) | Q(
        petition__live_at=None, petition__current_version__isnull=False
    )
    found = (
        ShortAddress.objects.filter(published, code=code.lower())
        .values_list("petition__slug", "code")
        .first()
    )
    if found is None:
        return None
    slug, known = found
    return f"{reverse('petition', args=[slug])}?{urlencode({REFERRAL_KEY: known})}"


def address_for(petition: Petition, channel: str, *, at: datetime) -> ShortAddress:
    """The petition's short address for a channel, made where there is none. Raises ValidationError."""
    return addresses_for([petition], channel, at=at)[0]


def addresses_for(petitions: Iterable[Petition], channel: str, *, at: datetime) -> list[ShortAddress]:
    """One for each petition, in their order; few statements whatever their number. Raises ValidationError.

    A channel that differs from one there is only by capitals is that one.
    """
    channel = clean_channel(channel)
    wanted = list(petitions)
    keys = [petition.pk for petition in wanted]
    found = existing(keys, channel)
    missing = [petition for petition in wanted if petition.pk not in found]
    while missing:
        # Somebody may make the same ones in this very moment, and a code may be taken: then it is tried again.
        ShortAddress.objects.bulk_create(
            [
                ShortAddress(petition=petition, channel=channel, code=new_code(), created_at=at)
                for petition in missing
            ],
            ignore_conflicts=True,
            batch_size=500,
        )
        found = existing(keys, channel)
        missing = [petition for petition in missing if petition.pk not in found]
    return [found[key] for key in keys]


def existing(petitions: list[int], channel: str) -> dict[int, ShortAddress]:
    addresses = ShortAddress.objects.filter(petition__in=petitions, channel__iexact=channel)
    return {address.petition_id: address for address in addresses.order_by("-pk")}


def signatures() -> Any:
    """All signatures; their model belongs to an app above this one."""
    return Petition._meta.get_field("signatures").related_model._default_manager.order_by()


def signed_by_code(petitions: Iterable[Petition]) -> dict[str, int]:
    """How many counted signatures each short address brought to its own petition. One query."""
    codes = ShortAddress.objects.filter(petition=OuterRef("petition")).order_by().values("code")
    found = signatures().counted().filter(petition__in=petitions, referral__in=codes)
    return dict(found.values_list("referral").annotate(number=Count("pk")))


def remove_unused(address: ShortAddress) -> bool:
    """Removes an address nobody signed through; False where somebody did, and it stays."""
    if signatures().filter(petition=address.petition_id, referral=address.code).exists():
        return False
    address.delete()
    return True

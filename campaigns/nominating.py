"""Nominating a city: counting how many people wish for a petition there, without knowing who they are."""

import hashlib
import hmac
import unicodedata
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F

from campaigns import known_cities
from campaigns.known_cities import City
from campaigns.models import Campaign, Nomination, NominationMark
from campaigns.place_names import read
from staff.signing_in import network

A_DAY = timedelta(days=1)
PER_NETWORK = 5  # a day, over all campaigns
LONGEST_NAME = 80
# What stands in names of cities beside letters; so no web address, number or sentence can be left on a staff page.
PUNCTUATION = frozenset(" '’‘ʻʼ.-–(),/·")


def nominate(*, campaign: Campaign, typed: str, address: str, at: datetime) -> Nomination | None:
    """Counts a wish, once for each network, city and day; None where it does not count.

    `address` is the visitor's network address; only keyed hashes of its neighborhood are kept, for a day.
    """
    city = city_wished_for(typed)
    if city is None:
        return None
    with transaction.atomic():
        if not mark(f"city {campaign.pk} {city.key}", address, at) or not take_turn(address, at):
            transaction.set_rollback(True)
            return None
        nomination, _made = Nomination.objects.get_or_create(
            campaign=campaign,
            key=city.key,
            defaults={
                "name": city.name,
                "region": city.region,
                "country": city.country,
                "first_at": at,
                "last_at": at,
            },
        )
        Nomination.objects.filter(pk=nomination.pk).update(count=F("count") + 1, last_at=at)
    return nomination


def city_wished_for(typed: str) -> City | None:
    """The known city of this name, where there is exactly one; or what was typed, should it look like a name."""
    taken_apart = read(typed)
    known = known_cities.by_name(taken_apart.readings)
    if len(known) == 1:
        return known[0]
    name, _comma, region = taken_apart.text.partition(",")
    name, region = name.strip(), region.strip()
    if not taken_apart.readings or not is_name(name) or not (not region or is_name(region)):
        return None
    return City(name, region)


def is_name(text: str) -> bool:
    """Whether a city could be called so: letters and the punctuation of names, beginning with a letter."""
    if not text or len(text) > LONGEST_NAME or not text[0].isalpha():
        return False
    # A full stop inside a word is a web address.
    if any(dot and before and after and not after.startswith(" ") for before, dot, after in dots(text)):
        return False
    return all(letter in PUNCTUATION or unicodedata.category(letter)[0] in "LM" for letter in text)


def dots(text: str) -> Iterator[tuple[str, str, str]]:
    for index, letter in enumerate(text):
        if letter == ".":
            yield text[:index], letter, text[index + 1 :]


def take_turn(address: str, at: datetime) -> bool:
    """One of the day's nominations of this network; False where all are used."""
    return any(mark(f"turn {number}", address, at) for number in range(PER_NETWORK))


def mark(what: str, address: str, at: datetime) -> bool:
    """Marks that this network has done `what` today; False where it had been marked before."""
    words = "\0".join(("nomination", f"{at:%Y-%m-%d}", network(address), what))
    digest = hmac.new(
        settings.SECRET_KEY.encode(), words.encode("utf-8", "replace"), hashlib.sha256
    ).hexdigest()
    _mark, made = NominationMark.objects.get_or_create(digest=digest, defaults={"at": at})
    return made


def forget_marks(*, at: datetime) -> int:
    """Deletes the marks of days that are over."""
    deleted, _by_model = NominationMark.objects.filter(at__lte=at - A_DAY).delete()
    return deleted

"""Postal codes: which city one belongs to, loading those of the United States, and where places lie by them."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Avg

from campaigns.known_cities import City
from campaigns.models import Place, PostalCode
from campaigns.place_names import name_key, plain_code
from campaigns.us_states import CODES, KEYS, UNITED_STATES, is_united_states, region_key, state_name

US = "US"
BATCH = 2000
Point = tuple[float, float]
FIELDS = ("name", "other_names", "region", "latitude", "longitude")
SEPARATORS = re.compile(r"[\s,;]+")


@dataclass(frozen=True)
class Loaded:
    """What loading changed."""

    added: int
    changed: int
    removed: int
    located: int

    def __bool__(self) -> bool:
        return any((self.added, self.changed, self.removed, self.located))


def city_of(zip_code: str) -> tuple[City, list[str]] | None:
    """The city of a US ZIP code, and the keys of its names, the post's own first. One query."""
    row = PostalCode.objects.filter(country=US, code=zip_code).first()
    return city_and_names(row) if row else None


def city_and_names(row: PostalCode) -> tuple[City, list[str]]:
    city = City(row.name, state_name(row.region), UNITED_STATES, row.latitude, row.longitude)
    return city, [row.name_key, *(key for name in row.other_names if (key := name_key(str(name))))]


def matching_length(postal_code: str, prefixes: str) -> int:
    """How many letters of the plain code the longest fitting prefix of a place covers; 0 where none fits."""
    fitting = (
        plain
        for prefix in SEPARATORS.split(prefixes)
        if (plain := plain_code(prefix)) and postal_code.startswith(plain)
    )
    return max(map(len, fitting), default=0)


def load(rows: Iterable[dict[str, Any]]) -> Loaded:
    """Makes the table hold exactly these ZIP codes, in batches, and locates places. Changes only what differs.

    `rows` are those of `zipcodes.list_all()`; Loaded is false where nothing had to be changed.
    """
    with transaction.atomic():
        codes = PostalCode.objects.filter(country=US)
        known = {code: (pk, tuple(values)) for pk, code, *values in codes.values_list("pk", "code", *FIELDS)}
        added, changed = [], []
        for row in rows:
            values = values_of(row)
            pk, present = known.pop(row["zip_code"], (None, None))
            if pk is None:
                added.append(
                    PostalCode(country=US, code=row["zip_code"], **dict(zip(FIELDS, values, strict=True)))
                )
            elif present != values:
                changed.append(
                    PostalCode(
                        pk=pk, name_key=name_key(row["city"]), **dict(zip(FIELDS, values, strict=True))
                    )
                )
        PostalCode.objects.bulk_create(added, batch_size=BATCH)
        PostalCode.objects.bulk_update(changed, [*FIELDS, "name_key"], batch_size=BATCH)
        for batch in in_batches([pk for pk, _values in known.values()]):
            PostalCode.objects.filter(pk__in=batch).delete()
        return Loaded(len(added), len(changed), len(known), locate_places())


def values_of(row: dict[str, Any]) -> tuple[Any, ...]:
    """In the order of FIELDS."""
    latitude, longitude = degrees(row["lat"]), degrees(row["long"])
    nowhere = not latitude and not longitude
    return (
        row["city"],
        list(row["acceptable_cities"]),
        row["state"],
        None if nowhere else latitude,
        None if nowhere else longitude,
    )


def degrees(text: str) -> float | None:
    return float(text) if text else None


def locate_places() -> int:
    """Gives places of the United States the coordinates of their ZIP codes; returns how many have changed.

    A place without a region is located where only one city has its name. A query for each 500 names, and the updates.
    """
    places = [place for place in Place.objects.all() if lies_in_the_states(place)]
    middles: dict[str, dict[str, Point]] = defaultdict(dict)
    for batch in in_batches(sorted({place.name_key for place in places})):
        codes = PostalCode.objects.filter(country=US, name_key__in=batch).exclude(latitude=None).order_by()
        means = codes.values_list("name_key", "region").annotate(Avg("latitude"), Avg("longitude"))
        for name, region, latitude, longitude in means:
            # About ten meters; databases add up in whatever order they like.
            middles[name][KEYS.get(region, "")] = (round(latitude, 4), round(longitude, 4))
    moved = []
    for place in places:
        middle = middle_of(place, middles[place.name_key])
        if middle is not None and middle != (place.latitude, place.longitude):
            place.latitude, place.longitude = middle
            moved.append(place)
    Place.objects.bulk_update(moved, ["latitude", "longitude"], batch_size=BATCH // 4)
    return len(moved)


def lies_in_the_states(place: Place) -> bool:
    """Whether ZIP codes can tell where it lies."""
    if not is_united_states(place.country):
        return False
    return not place.region or region_key(place.region) in CODES


def middle_of(place: Place, middles: dict[str, Point]) -> Point | None:
    if place.region:
        return middles.get(region_key(place.region))
    return next(iter(middles.values())) if len(middles) == 1 and place.country else None


def in_batches(items: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(items), BATCH // 4):
        yield items[start : start + BATCH // 4]

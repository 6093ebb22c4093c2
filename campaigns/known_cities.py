"""Cities we know of, whether or not a campaign has a petition there: those of the post and those staff have listed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Avg, Min

from campaigns.models import Place, PostalCode
from campaigns.place_names import Reading, name_key
from campaigns.us_states import (
    COUNTRY_KEYS,
    UNITED_STATES,
    is_united_states,
    region_key,
    spellings,
    state_name,
)

LONGEST_KEY = 400
MOST = 60  # namesakes; there are 35 Springfields


@dataclass(frozen=True)
class City:
    """A city by name. Region and country are written out; latitude and longitude are None where nobody knows them."""

    name: str
    region: str = ""
    country: str = ""
    latitude: float | None = None
    longitude: float | None = None

    @property
    def label(self) -> str:
        return ", ".join(part for part in (self.name, self.region) if part)

    @property
    def key(self) -> str:
        """The same for every spelling of the same city. At most 400 characters."""
        country = "us" if is_united_states(self.country) else name_key(self.country)
        return "|".join((name_key(self.name), region_key(self.region), country))[:LONGEST_KEY]


def fits(reading: Reading, region: str, country: str, *, unfinished: bool = False) -> bool:
    """Whether what stands after the name can mean this region, this country, or both; `unfinished`: begins so."""
    typed = reading.qualifier.replace(" ", "")
    if not typed:
        return True
    accepted = qualifiers(region, country)
    return any(key.startswith(typed) for key in accepted) if unfinished else typed in accepted


def qualifiers(region: str, country: str) -> set[str]:
    """What may stand after the name, without spaces."""
    regions = spellings(region)
    countries = COUNTRY_KEYS - {""} if is_united_states(country) else {name_key(country)}
    both = (region_spelling + other for region_spelling in regions for other in countries)
    return {key.replace(" ", "") for key in (*regions, *countries, *both)}


def by_name(readings: Iterable[Reading]) -> list[City]:
    """Known cities of exactly these names, each once, those of the likeliest reading only. Two queries."""
    wanted = [reading for reading in readings if reading.name]
    if not wanted:
        return []
    names = {reading.name for reading in wanted}
    posts = (
        PostalCode.objects.filter(name_key__in=names)
        .values("name_key", "region", "country")
        .annotate(name=Min("name"), latitude=Avg("latitude"), longitude=Avg("longitude"))
        .order_by("region")
    )
    places = Place.objects.filter(name_key__in=names).order_by("name", "region", "pk")
    rows = [
        *((row["name_key"], city_of_post(row)) for row in posts[: MOST * len(names)]),
        *((place.name_key, city_of_place(place)) for place in places[: MOST * len(names)]),
    ]
    for reading in wanted:
        found: dict[str, City] = {}
        for key, city in rows:
            if key == reading.name and fits(reading, city.region, city.country):
                found.setdefault(city.key, city)
        if found:
            return list(found.values())[:MOST]
    return []


def city_of_post(row: Mapping[str, Any]) -> City:
    return City(row["name"], state_name(row["region"]), UNITED_STATES, row["latitude"], row["longitude"])


def city_of_place(place: Place) -> City:
    return City(place.name, place.region, place.country, place.latitude, place.longitude)

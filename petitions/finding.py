"""Finding the petition for the city or postal code somebody typed."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from math import asin, cos, radians, sin, sqrt

from django.db import connection
from django.db.models import Case, F, Q, When

from campaigns import known_cities
from campaigns.known_cities import City, fits
from campaigns.models import Campaign, Place
from campaigns.place_names import Reading, Typed, read
from campaigns.postal_codes import city_of, matching_length
from campaigns.us_states import is_united_states, region_key, state_name
from petitions.models import Petition, PetitionQuerySet
from petitions.pages import Card, card_of
from toolkit.nearest_name import nearest

MOST_MATCHES = 20  # shown
MOST_ROWS = 200  # read for one question
SHORTEST_BEGINNING = 3  # letters that may lead straight to a petition
MOST_NEAR, MOST_SIGNED, MOST_GROUPS = 3, 3, 3
FARTHEST = 500  # kilometers; beyond, “near” would be a joke
EARTH = 6371.0  # kilometers, the radius
KILOMETERS_PER_MILE = 1.609344
# Where distances are told in miles; an empty country counts as the United States.
MILES = frozenset(
    {"united kingdom", "uk", "great britain", "england", "scotland", "wales", "liberia", "myanmar"}
)
LIKELIEST = 3  # readings among which a slip of the fingers is looked for
LAST = "\U0010ffff"


@dataclass(frozen=True)
class Match:
    """A petition under the name of its place. `distance` is a phrase such as “about 12 miles away”, or empty."""

    label: str
    card: Card
    distance: str = ""


@dataclass(frozen=True)
class Found:
    """What came of the search.

    One match: that petition. Several: a short list. None, but `cities`: known cities of that name without a
    petition, more than one where nobody said which. Neither: nothing known. `guesses` are what may have been meant.
    """

    matches: list[Match] = field(default_factory=list)
    cities: list[City] = field(default_factory=list)
    guesses: list[Match] = field(default_factory=list)

    @property
    def only(self) -> Match | None:
        return self.matches[0] if len(self.matches) == 1 else None

    @property
    def city(self) -> City | None:
        return self.cities[0] if len(self.cities) == 1 else None


@dataclass(frozen=True)
class Instead:
    """What is offered to somebody whose city has no petition."""

    near: list[Match]
    most_signed: list[Match]
    groups: list[Match]


def find(campaign: Campaign, text: str, *, at: datetime) -> Found:
    """Whatever is typed, no error. At most ten queries, however many petitions the campaign has."""
    typed = read(text)
    cities: list[City] = []
    if typed.postal_code:
        matches, cities = by_postal_code(campaign, typed, at)
        if matches:
            return Found(matches=matches)
    if typed.readings:
        found = by_name(campaign, typed, at)
        if found.matches or not cities:
            return found
        return Found(cities=cities, guesses=found.guesses)
    return Found(cities=cities)


def by_postal_code(campaign: Campaign, typed: Typed, at: datetime) -> tuple[list[Match], list[City]]:
    """Places that list the code, or else those of the city it belongs to; without any, that city."""
    listed = at_places(campaign, places_listing(campaign, typed, at), at)
    if listed or not typed.zip_code:
        return listed, []
    known = city_of(typed.zip_code)
    if known is None:
        return [], []
    city, names = known
    there = of_places(campaign, at).filter(target__place__name_key__in=names)[:MOST_ROWS]
    matches = matches_of(in_city(there, city, names), at)
    return matches, [] if matches else [city]


def in_city(petitions: Iterable[Petition], city: City, names: list[str]) -> list[Petition]:
    """Those in the American city, by the first of its names under which there is any."""
    region = region_key(city.region)
    by_name = defaultdict(list)
    for petition in petitions:
        place = place_of(petition)
        if is_united_states(place.country) and region_key(place.region) in {"", region}:
            by_name[place.name_key].append(petition)
    for name in names:
        # A place that names its region is surer than one that names none.
        regional = [petition for petition in by_name[name] if place_of(petition).region]
        if by_name[name]:
            return regional or by_name[name]
    return []


def places_listing(campaign: Campaign, typed: Typed, at: datetime) -> list[int]:
    """The places whose postal codes fit best, by the longest prefix. One query."""
    codes = [code for code in dict.fromkeys((typed.zip_code, typed.postal_code)) if code]
    listed = (
        Place.objects.filter(targets__petitions__in=of_campaign(campaign, at))
        .exclude(postal_prefixes="")
        .distinct()
        .values_list("pk", "postal_prefixes")
    )
    lengths = {pk: max(matching_length(code, prefixes) for code in codes) for pk, prefixes in listed}
    longest = max(lengths.values(), default=0)
    return [pk for pk, length in lengths.items() if length and length == longest]


def at_places(campaign: Campaign, places: list[int], at: datetime) -> list[Match]:
    if not places:
        return []
    return matches_of(of_places(campaign, at).filter(target__place__in=places[:MOST_ROWS]), at)


def by_name(campaign: Campaign, typed: Typed, at: datetime) -> Found:
    """By the whole name; by its beginning, unless that is a city of its own; or a slip of the fingers."""
    exact = exactly(campaign, typed.readings, at)
    if exact:
        return Found(matches=exact)
    begun = beginning(campaign, typed.beginnings, at)
    cities = known_cities.by_name(typed.readings)
    if cities:
        return Found(cities=cities, guesses=begun)
    if len(begun) == 1 and len(typed.beginnings[0].name) < SHORTEST_BEGINNING:
        return Found(guesses=begun)
    return Found(matches=begun) if begun else Found(guesses=slips(campaign, typed.readings, at))


def exactly(campaign: Campaign, readings: Iterable[Reading], at: datetime) -> list[Match]:
    """Petitions in places of the likeliest name that fits; a region may still be unfinished. One query."""
    readings = list(readings)
    rows = list(
        of_places(campaign, at).filter(target__place__name_key__in={reading.name for reading in readings})[
            :MOST_ROWS
        ]
    )
    for unfinished in (False, True):
        for reading in readings:
            fitting = [petition for petition in rows if suits(petition, reading, unfinished=unfinished)]
            if fitting:
                return matches_of(fitting, at)
    return []


def suits(petition: Petition, reading: Reading, *, unfinished: bool) -> bool:
    place = place_of(petition)
    return place.name_key == reading.name and fits(
        reading, place.region, place.country, unfinished=unfinished
    )


def beginning(campaign: Campaign, readings: Iterable[Reading], at: datetime) -> list[Match]:
    """Petitions in places whose name begins so. One query."""
    readings = list(readings)
    if not readings:
        return []
    begins = Q()
    for reading in readings:
        begins |= begins_with("target__place__name_key", reading.name)
    rows = of_places(campaign, at).filter(begins).order_by("target__place__name_key", "pk")[:MOST_ROWS]
    fitting = [
        petition
        for petition in rows
        if any(
            fits(reading, place_of(petition).region, place_of(petition).country, unfinished=True)
            for reading in readings
        )
    ]
    return matches_of(fitting, at)


def begins_with(column: str, key: str) -> Q:
    """In the form in which each database uses its index: SQLite knows no LIKE on one that minds case."""
    if connection.vendor == "sqlite":
        return Q(**{f"{column}__gte": key, f"{column}__lt": key + LAST})
    return Q(**{f"{column}__startswith": key})


def slips(campaign: Campaign, readings: Iterable[Reading], at: datetime) -> list[Match]:
    """The place that was probably meant. Two queries."""
    wanted = [reading.name for reading in readings][:LIKELIEST]
    names = list(
        Place.objects.filter(targets__petitions__in=of_campaign(campaign, at))
        .order_by()
        .values_list("name_key", flat=True)
        .distinct()
    )
    for name in wanted:
        near = nearest(name, [other for other in names if is_comparable(name, other)])
        if near is not None:
            return matches_of(of_places(campaign, at).filter(target__place__name_key=near)[:MOST_ROWS], at)
    return []


def is_comparable(name: str, other: str) -> bool:
    """Whether a closer look is worth its time: about as long, and alike at the beginning or the end."""
    if abs(len(name) - len(other)) > 2:
        return False
    return other[:1] == name[:1] or other[-2:] == name[-2:]


# --- Instead -------------------------------------------------------------------------------------------------


def instead(campaign: Campaign, found: Found, *, at: datetime) -> Instead:
    """Open petitions near the city, or else those most people signed, and petitions to groups. Four queries."""
    near = nearest_to(campaign, found.city, at) if found.city else []
    still_open = Petition.objects.open(at=at).for_cards().filter(letter__campaign=campaign)
    groups = still_open.filter(target=None).order_by("position", "pk")[:MOST_GROUPS]
    guessed = {match.card.url for match in found.guesses}
    signed = [] if near else [match for match in most_signed(campaign, at) if match.card.url not in guessed]
    return Instead(near, signed, [match_of(petition, at) for petition in groups])


def most_signed(campaign: Campaign, at: datetime) -> list[Match]:
    """Those whose count is not shown come after the others, whatever it is. One query."""
    still_open = Petition.objects.open(at=at).for_cards().filter(letter__campaign=campaign)
    told = Case(When(tally__count__gte=campaign.count_floor, then=F("tally__count")), default=-1)
    most = still_open.exclude(target=None).order_by(told.desc(), "pk")
    return [match_of(petition, at) for petition in most[:MOST_SIGNED]]


def nearest_to(campaign: Campaign, city: City, at: datetime) -> list[Match]:
    """The open petitions within reach, nearest first. Two queries."""
    if city.latitude is None or city.longitude is None:
        return []
    here = (city.latitude, city.longitude)
    located = (
        Petition.objects.open(at=at)
        .filter(letter__campaign=campaign, target__place__latitude__isnull=False)
        .order_by()
        .values_list("target__place__latitude", "target__place__longitude", "pk")
    )
    distances = sorted(
        (kilometers(here, (latitude, longitude)), pk)
        for latitude, longitude, pk in located
        if latitude is not None and longitude is not None
    )
    within = {pk: distance for distance, pk in distances[:MOST_NEAR] if distance <= FARTHEST}
    found = Petition.objects.for_cards().in_bulk(list(within))
    in_miles = tells_miles(city.country)
    return [
        match_of(found[pk], at, distance=distance_in_words(distance, in_miles=in_miles))
        for pk, distance in within.items()
        if pk in found
    ]


def kilometers(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Along the surface, by the haversine formula; degrees in."""
    (latitude, longitude), (other_latitude, other_longitude) = (
        tuple(map(radians, point)) for point in (one, other)
    )
    height = sin((other_latitude - latitude) / 2) ** 2
    width = sin((other_longitude - longitude) / 2) ** 2
    return 2 * EARTH * asin(min(1, sqrt(height + cos(latitude) * cos(other_latitude) * width)))


def tells_miles(country: str) -> bool:
    return is_united_states(country) or country.strip().casefold() in MILES


def distance_in_words(distance: float, *, in_miles: bool) -> str:
    """“about 12 miles away”; ZIP codes are no surveyor’s work, so nothing finer."""
    number = distance / KILOMETERS_PER_MILE if in_miles else distance
    whole = round(number) if number < 50 else round(number, -1)
    if whole < 2:
        return "close by"
    return f"about {whole:.0f} {'miles' if in_miles else 'km'} away"


# --- Petitions and their places ------------------------------------------------------------------------------


def of_campaign(campaign: Campaign, at: datetime) -> PetitionQuerySet:
    return Petition.objects.public(at=at).filter(letter__campaign=campaign)


def of_places(campaign: Campaign, at: datetime) -> PetitionQuerySet:
    return of_campaign(campaign, at).for_cards().exclude(target=None).order_by("pk")


def place_of(petition: Petition) -> Place:
    if petition.target is None:
        raise ValueError("A petition to a group has no place.")
    return petition.target.place


def matches_of(petitions: Iterable[Petition], at: datetime) -> list[Match]:
    """One match for each place: its open petition, or else the newest; more only where several are open."""
    by_place: dict[int, list[Petition]] = defaultdict(list)
    for petition in petitions:
        by_place[place_of(petition).pk].append(petition)
    chosen: list[Petition] = []
    for together in by_place.values():
        still_open = [petition for petition in together if petition.is_open(at)]
        chosen += still_open or [max(together, key=lambda petition: (petition.live_at, petition.pk))]
    tell = label_of(chosen)
    return [match_of(petition, at, label=tell(petition)) for petition in chosen[:MOST_MATCHES]]


def label_of(petitions: list[Petition]) -> Callable[[Petition], str]:
    """How each is told from the others: by region, by country where regions are alike too."""
    seen: dict[str, set[int]] = defaultdict(set)
    for petition in petitions:
        seen[label_of_place(place_of(petition))].add(place_of(petition).pk)

    def label(petition: Petition) -> str:
        place = place_of(petition)
        name = label_of_place(place)
        return f"{name}, {place.country}" if len(seen[name]) > 1 and place.country else name

    return label


def label_of_place(place: Place) -> str:
    """Name and region; American states are written out."""
    region = state_name(place.region) if is_united_states(place.country) else place.region
    return ", ".join(part for part in (place.name, region) if part)


def match_of(petition: Petition, at: datetime, *, label: str = "", distance: str = "") -> Match:
    """A petition to a group, which has no place, is listed by its headline."""
    card = card_of(petition, at=at)
    place = label_of_place(petition.target.place) if petition.target else card.headline
    return Match(label or place, card, distance)

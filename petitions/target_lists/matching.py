"""Whom a row means: the places that are listed and the targets a campaign has, found whatever way they are written."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import TypeVar

from campaigns.models import Campaign, Place, Target
from campaigns.place_names import name_key, words_of
from campaigns.us_states import COUNTRY_KEYS, UNITED_STATES, region_key
from petitions.models import FormerAddress, Letter, Petition
from petitions.readdressing import owners_of
from petitions.target_lists.cells import Values

AT_ONCE = 2_000
T = TypeVar("T")
PlaceKey = tuple[str, str, str]


class Unclear(Exception):
    """A row that could mean several things. `column` is what would tell."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


def in_parts(things: Collection[T]) -> Iterator[list[T]]:
    """Few enough for one statement."""
    rest = iter(things)
    while part := list(islice(rest, AT_ONCE)):
        yield part


# --- How names are compared ----------------------------------------------------------------------------------


def person_key(name: str) -> str:
    """Small letters without accents and punctuation; a name of nothing but signs is itself."""
    return " ".join(words_of(name)) or name.casefold()


def country_key(country: str) -> str:
    key = name_key(country)
    return name_key(UNITED_STATES) if key and key in COUNTRY_KEYS else key


@lru_cache(maxsize=50_000)
def key_of(name: str, region: str, country: str) -> PlaceKey:
    return name_key(name), region_key(region), country_key(country)


def key_of_place(place: Place) -> PlaceKey:
    return key_of(place.name, place.region, place.country)


def key_of_row(values: Values) -> PlaceKey:
    return key_of(values["place"], values.get("region", ""), values.get("country", ""))


def fits(stored: PlaceKey, given: PlaceKey) -> bool:
    """Whether the place is one the row can mean: what the row leaves out tells nothing apart."""
    return all(not said or said == known for known, said in zip(stored, given, strict=True))


def nearly_fits(stored: PlaceKey, given: PlaceKey) -> bool:
    """As `fits`, where the place itself was listed without a region or country as well."""
    return all(
        not said or not known or said == known for known, said in zip(stored[1:], given[1:], strict=True)
    )


# --- What is there -------------------------------------------------------------------------------------------


class Stored:
    """What a campaign has and what rows may refer to, loaded at once. About ten queries for ten thousand rows."""

    def __init__(self, campaign: Campaign, rows: Sequence[Values], *, lock: bool = False) -> None:
        self.campaign = campaign
        self.letters = {letter.kind: letter for letter in Letter.objects.filter(campaign=campaign)}
        for letter in self.letters.values():
            letter.campaign = campaign
        self.sources = tuple(campaign.sources.values_list("key", flat=True))
        self.load_targets(lock=lock)
        self.load_petitions(lock=lock)
        self.load_places({key_of_row(values)[0] for values in rows if "place" in values})
        self.owners: dict[str, int] = {}
        for part in in_parts({values["slug"] for values in rows if "slug" in values}):
            self.owners |= owners_of(part)
        self.new_places: dict[PlaceKey, Place] = {}

    def load_targets(self, *, lock: bool) -> None:
        targets = Target.objects.filter(campaign=self.campaign).select_related("place").order_by("pk")
        held = targets.select_for_update(of=("self",), no_key=True)
        self.targets = {target.pk: target for target in (held if lock else targets)}
        self.by_person: dict[tuple[str, str], list[Target]] = defaultdict(list)
        self.by_place: dict[PlaceKey, list[Target]] = defaultdict(list)
        self.keys: dict[int, PlaceKey] = {}
        for target in self.targets.values():
            target.campaign = self.campaign
            key = self.keys[target.pk] = key_of_place(target.place)
            self.by_person[key[0], person_key(target.name)].append(target)
            self.by_place[key].append(target)

    def load_petitions(self, *, lock: bool) -> None:
        petitions = Petition.objects.filter(letter__campaign=self.campaign).order_by("pk")
        letters = {letter.pk: letter for letter in self.letters.values()}
        by_pk: dict[int, Petition] = {}
        self.petitions: dict[int, list[Petition]] = defaultdict(list)
        for petition in petitions.select_for_update(of=("self",), no_key=True) if lock else petitions:
            target = self.targets.get(petition.target_id or 0)
            if petition.letter_id not in letters or (petition.target_id and target is None):
                # Somebody added it between these queries; it is seen when the list is compared again.
                continue
            petition.letter = letters[petition.letter_id]
            by_pk[petition.pk] = petition
            if target is not None:
                petition.target = target
                self.petitions[target.pk].append(petition)
        self.by_slug = {petition.slug: petition for petition in by_pk.values()}
        former = FormerAddress.objects.filter(petition__letter__campaign=self.campaign)
        for slug, pk in former.values_list("slug", "petition_id"):
            if pk in by_pk:
                self.by_slug.setdefault(slug, by_pk[pk])

    def load_places(self, names: Collection[str]) -> None:
        self.places: dict[str, list[tuple[PlaceKey, Place]]] = defaultdict(list)
        for part in in_parts(names):
            for place in Place.objects.filter(name_key__in=part).order_by("pk"):
                self.places[place.name_key].append((key_of_place(place), place))

    def target_for(self, values: Values) -> Target | None:
        """The campaign's target of this name in this place. Raises Unclear."""
        given = key_of_row(values)
        namesakes = self.by_person.get((given[0], person_key(values["name"])), [])
        found = [target for target in namesakes if fits(self.keys[target.pk], given)]
        if not found:
            found = [target for target in namesakes if nearly_fits(self.keys[target.pk], given)]
        if len(found) > 1:
            found = (
                [target for target in found if self.keys[target.pk] == given]
                or [target for target in found if target.name == values["name"]]
                or found
            )
        if len({target.place_id for target in found}) > 1:
            where = "; ".join(str(target.place) for target in found[:4])
            raise Unclear(
                "region",
                f"This campaign has {len(found)} targets of this name in places of this name: {where}. "
                "Say which region.",
            )
        exact = [target for target in found if target.name == values["name"]]
        return next(iter(exact or found), None)

    def place_for(self, values: Values) -> Place:
        """The listed place, or a new one; the same object for all rows that mean the same place. Raises Unclear."""
        given = key_of_row(values)
        listed = self.places.get(given[0], [])
        same = [place for key, place in listed if key == given]
        if same:
            return next((place for place in same if place.name == values["place"]), same[0])
        if given in self.new_places:
            return self.new_places[given]
        fitting = [place for key, place in listed if fits(key, given)]
        if len(fitting) > 1:
            where = "; ".join(
                ", ".join(part for part in (str(place), place.country) if part) for place in fitting[:4]
            )
            raise Unclear(
                "region", f"There are {len(fitting)} places of this name: {where}. Say which region."
            )
        if fitting:
            return fitting[0]
        place = Place(
            name=values["place"], region=values.get("region", ""), country=values.get("country", "")
        )
        self.new_places[given] = place
        return place

"""The city league: where a city stands in its campaign by signatures, “Rivermouth, 3rd of 112”."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from petitions import tallies
from petitions.models import Petition, Tally

FEWEST_CITIES = 3  # with fewer there is no race

Rank = tuple[int | None, int | None]
NO_RANK: Rank = (None, None)


@dataclass(frozen=True)
class Standing:
    """What a petition page says of its city."""

    place_name: str
    rank: int
    ranked: int

    @property
    def ordinal(self) -> str:
        return ordinal(self.rank)


class Entry(NamedTuple):
    """A public petition to one target, with its place and its number. `told` is whether that may be shown."""

    petition: int
    campaign: int
    place: int
    signed: int
    told: bool


def standing_of(petition: Petition) -> Standing | None:
    """From a petition loaded as for its page, or None where nothing may or need be said. Makes no query."""
    campaign, tally = petition.campaign, getattr(petition, "tally", None)
    if not campaign.shows_league or petition.target is None or tally is None:
        return None
    return standing(
        tally.count,
        tally.rank,
        tally.ranked,
        floor=campaign.count_floor,
        place_name=petition.target.place.name,
    )


def standing(
    count: int, rank: int | None, ranked: int | None, *, floor: int, place_name: str
) -> Standing | None:
    """What may be shown of these numbers, in a campaign that shows its league."""
    # Below the floor: it fell there a moment ago, or staff have just set one.
    return Standing(place_name, rank, ranked) if rank and ranked and count >= floor else None


def rank_all(at: datetime) -> int:
    """Ranks the cities of all campaigns that show a league, and takes ranks away elsewhere; returns how many changed.

    Two queries where nothing changed.
    """
    ranks = ranks_of(entries(at))
    stored: Mapping[int, Rank] = {
        pk: (rank, ranked)
        for pk, rank, ranked in Tally.objects.exclude(rank=None).values_list("pk", "rank", "ranked")
    }
    return tallies.write(
        {
            petition: {"rank": rank, "ranked": ranked}
            for petition in ranks.keys() | stored.keys()
            for rank, ranked in (ranks.get(petition, NO_RANK),)
            if (rank, ranked) != stored.get(petition, NO_RANK)
        }
    )


def entries(at: datetime) -> list[Entry]:
    """The public petitions of all campaigns with a league. One query."""
    rows = (
        Petition.objects.public(at=at)
        .filter(letter__campaign__shows_league=True)
        .exclude(target=None)
        .order_by()
        .values_list(
            "pk", "letter__campaign", "target__place", "tally__count", "letter__campaign__count_floor"
        )
    )
    return [
        # Nobody is told that theirs is the last city of all, without a single signature.
        Entry(pk, campaign, place, count or 0, (count or 0) >= max(floor, 1))
        for pk, campaign, place, count, floor in rows
    ]


def ranks_of(petitions: list[Entry]) -> dict[int, Rank]:
    """Petition to (rank, cities). A city's points are the counts that may be told; equal points share a rank."""
    points: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for entry in petitions:
        points[entry.campaign][entry.place] += entry.signed if entry.told else 0
    ranks = {}
    for campaign, places in points.items():
        descending = sorted(places.values(), reverse=True)
        first = {number: rank for rank, number in reversed(list(enumerate(descending, start=1)))}
        ranks[campaign] = {place: first[number] for place, number in places.items()}
    return {
        entry.petition: (ranks[entry.campaign][entry.place], len(points[entry.campaign]))
        for entry in petitions
        if entry.told and len(points[entry.campaign]) >= FEWEST_CITIES
    }


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 1,022nd."""
    teens = 10 < number % 100 < 20
    return f"{number:,}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"

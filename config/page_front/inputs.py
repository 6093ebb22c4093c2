"""What petition pages are made of, read for all that are held in one query, however many."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import DateTimeField, Field

from campaigns.models import Campaign, Organization
from petitions.league import Standing, standing
from petitions.models import Petition
from petitions.progress import Progress, progress

NUMBERS = ("slug", "goal", "tally__count", "tally__local", "tally__rank", "tally__ranked")
# Never shown on a petition's page. What is not named here counts, also a field that does not exist yet.
NOT_SHOWN = {
    Petition: {"slug", "goal", "local", "headline", "position", "created_at"},
    Campaign: {"summary", "confirmation", "total_of", "created_at"},
    Organization: {"logo", "from_email", "reply_to", "approval_above"},
}
BESIDE = (
    "target__place__name",
    "share_image__digest",
    "stand_kind",
    "stand_taken_on",
    "stand_reason",
    "stand_left_slug",
    "stand_left_live_at",
    "stand_joined_slug",
    "stand_joined_live_at",
    "stand_joined_headline",
)


def shown_fields(model: type[Any], prefix: str) -> list[tuple[str, Field]]:
    fields = [field for field in model._meta.concrete_fields if field.name not in NOT_SHOWN[model]]
    return [(prefix + field.attname, field) for field in fields]


_FIELDS = [
    *shown_fields(Petition, ""),
    *shown_fields(Campaign, "letter__campaign__"),
    *shown_fields(Organization, "letter__campaign__organization__"),
]
KEY = (*(name for name, _field in _FIELDS), *BESIDE)
# A page changes when one of these passes, though nothing was written.
MOMENTS = (
    *(name for name, field in _FIELDS if isinstance(field, DateTimeField)),
    "stand_left_live_at",
    "stand_joined_live_at",
)


@dataclass(frozen=True)
class Inputs:
    """What a page shows. While `key` stays the same, the page differs in nothing but its numbers."""

    key: tuple[object, ...]
    progress: Progress
    standing: Standing | None
    is_public: bool


def inputs_of(slugs: Collection[str], *, at: datetime) -> dict[str, Inputs]:
    """By slug, for those petitions that exist. One query.

    Everything is compared, rather than asking for what has changed since: there is no moment to get wrong.
    """
    rows = Petition.objects.with_stand().filter(slug__in=slugs).order_by().values(*NUMBERS, *KEY)
    return {row["slug"]: read(row, at) for row in rows}


def read(row: dict[str, Any], at: datetime) -> Inputs:
    count = row["tally__count"] or 0
    floor, place_name = row["letter__campaign__count_floor"], row["target__place__name"] or ""
    shown = progress(
        count, row["tally__local"] or 0, first_goal=row["goal"], floor=floor, place_name=place_name
    )
    told = None
    if row["letter__campaign__shows_league"] and row["target_id"] is not None:
        told = standing(count, row["tally__rank"], row["tally__ranked"], floor=floor, place_name=place_name)
    passed = tuple(row[name] is not None and row[name] <= at for name in MOMENTS)
    # Words around the numbers: “Be the first”, “first goal”, a line that is there or not.
    words = (shown.count is None, shown.count == 0, shown.local is None, told is None)
    key = (*(row[name] for name in KEY), *passed, *words)
    return Inputs(key, shown, told, row["live_at"] is not None and row["live_at"] <= at)

"""What petition pages are made of, read for all that are held in one query, however many."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import connection
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


NAMES = (*NUMBERS, *KEY)
SLUG = NAMES.index("slug")
_MOMENTS = [NAMES.index(name) for name in MOMENTS]
_ONE = "IN (%s)"


@dataclass(frozen=True)
class Inputs:
    """What a page shows. While `key` stays the same, the page differs in nothing but its numbers.

    `row` and `passed` are all that it was read from.
    """

    row: tuple[Any, ...]
    passed: tuple[bool, ...]
    key: tuple[object, ...]
    progress: Progress
    standing: Standing | None
    is_public: bool


def inputs_of(
    slugs: Collection[str], *, at: datetime, known: Mapping[str, Inputs] | None = None
) -> dict[str, Inputs]:
    """By slug, for those petitions that exist; what is the same as `known` comes back as it is. One query.

    Everything is compared, rather than asking for what has changed since: there is no moment to get wrong.
    """
    known = known or {}
    found = {}
    for row in rows_of(slugs):
        passed = tuple([row[index] is not None and aware(row[index]) <= at for index in _MOMENTS])
        slug = row[SLUG]
        before = known.get(slug)
        unchanged = before is not None and before.row == row and before.passed == passed
        found[slug] = before if before is not None and unchanged else read(row, passed)
    return found


def rows_of(slugs: Collection[str]) -> list[tuple[Any, ...]]:
    if not slugs:
        return []
    with connection.cursor() as cursor:
        cursor.execute(statement().replace(_ONE, f"IN ({', '.join(['%s'] * len(slugs))})"), list(slugs))
        return cursor.fetchall()


@cache
def statement() -> str:
    """Written by Django, and only once: that takes it several times as long as the database needs to answer."""
    query = Petition.objects.with_stand().filter(slug__in=[""]).order_by().values_list(*NAMES).query
    sql, parameters = query.sql_with_params()
    if sql.count(_ONE) != 1 or tuple(parameters) != ("",):
        raise ImproperlyConfigured("The page front can no longer ask for several petitions at once.")
    return str(sql)


def aware(moment: datetime) -> datetime:
    """SQLite's own are in UTC, and do not say so."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read(values: tuple[Any, ...], passed: tuple[bool, ...]) -> Inputs:
    row = dict(zip(NAMES, values, strict=True))
    count = row["tally__count"] or 0
    floor, place_name = row["letter__campaign__count_floor"], row["target__place__name"] or ""
    shown = progress(
        count, row["tally__local"] or 0, first_goal=row["goal"], floor=floor, place_name=place_name
    )
    told = None
    if row["letter__campaign__shows_league"] and row["target_id"] is not None:
        told = standing(count, row["tally__rank"], row["tally__ranked"], floor=floor, place_name=place_name)
    # Words around the numbers: “Be the first”, “first goal”, a line that is there or not.
    words = (shown.count is None, shown.count == 0, shown.local is None, told is None)
    key = (*values[len(NUMBERS) :], *passed, *words)
    return Inputs(values, passed, key, shown, told, is_public=passed[MOMENTS.index("live_at")])

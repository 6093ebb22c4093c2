"""Petition pages as Django's templates render them, with marks where the numbers stand."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache

from django.http import JsonResponse
from django.template.defaultfilters import floatformat
from django.template.loader import render_to_string
from django.utils.formats import localize

from config.page_front.inputs import Inputs
from config.page_front.pieces import NOTHING, cut
from petitions.league import Standing, ordinal
from petitions.pages import PetitionPage
from petitions.progress import Progress
from petitions.public_pages import etag_of
from petitions.views import live_page, petition_context
from signers.forms import stamp_scope
from toolkit.signed_tokens import stamp

STAMP = re.compile(rb'name="stamp" value="([^"]+)"')
STAMPED = "stamp"
FORMATTED = 4096  # numbers remembered; Django takes its time over each

# Ten digits that no page holds: nobody can know them. Each process has its own.
_DRAWN = secrets.SystemRandom().sample(range(10**9, 10**10), 7)
COUNT, GOAL, NEXT_GOAL, LOCAL, PERCENT, RANK, RANKED = _DRAWN


class MarkedProgress(Progress):
    @property
    def percent(self) -> int:
        return PERCENT


class MarkedPage(PetitionPage):
    """The same page; what it says of its numbers are the marks."""

    @property
    def standing(self) -> Standing | None:
        told = super().standing
        return told and Standing(told.place_name, RANK, RANKED)


@lru_cache(FORMATTED)
def grouped(number: int) -> str:
    return str(floatformat(number, "0g"))


@lru_cache(FORMATTED)
def plain(number: int) -> str:
    return str(localize(number))


# Every way in which the templates write a number.
WAYS: dict[str, Callable[[int], str]] = {"grouped": grouped, "plain": plain, "ordinal": ordinal}
NAMES = ("count", "goal", "next_goal", "local", "percent", "rank", "ranked")
MARKS = {
    write(number).encode(): f"{name} {way}"
    for name, number in zip(NAMES, _DRAWN, strict=True)
    for way, write in WAYS.items()
}


@dataclass(frozen=True)
class Contents:
    """A page in parts, which several renderings share, and compressed; `length` is that of all parts."""

    parts: tuple[bytes, ...]
    gzipped: bytes
    etag: str
    length: int


class Marked:
    """A rendering of a petition's page, cut at its numbers and its form's stamp."""

    def __init__(self, slug: str) -> None:
        """Raises Http404 as the view does. One query."""
        page = live_page(slug)
        self._scope = stamp_scope(page.petition.pk)
        html = render_to_string("petitions/petition.html", petition_context(marked(page))).encode()
        stamps = {found[1] for found in STAMP.finditer(html)}
        self._pieces = cut(html, MARKS | dict.fromkeys(stamps, STAMPED))

    @property
    def size(self) -> int:
        return self._pieces.size

    def contents(self, inputs: Inputs, *, at: datetime) -> Contents:
        """The page with these numbers."""
        values = values_of(inputs, self._pieces.values)
        if STAMPED in self._pieces.values:
            values[STAMPED] = stamp(scope=self._scope, at=at).encode()
        parts = self._pieces.parts(values)
        whole = b"".join(parts)
        return Contents(parts, self._pieces.gzipped(values, whole), etag_of(whole), len(whole))


class Number:
    """What an open page asks for again and again."""

    size = 0

    def contents(self, inputs: Inputs, *, at: datetime) -> Contents:
        """Too short to be worth compressing."""
        whole = JsonResponse(inputs.progress.as_json()).content
        return Contents((whole,), whole, etag_of(whole), len(whole))


def marked(page: PetitionPage) -> PetitionPage:
    shown = page.progress
    progress = MarkedProgress(
        # Without a number there are words, and they are part of the page.
        count=shown.count and COUNT,
        goal=GOAL,
        next_goal=NEXT_GOAL,
        local=None if shown.local is None else LOCAL,
        place_name=shown.place_name,
    )
    given = {field.name: getattr(page, field.name) for field in fields(page)}
    return MarkedPage(**given | {"progress": progress})


def values_of(inputs: Inputs, names: frozenset[str]) -> dict[str, bytes]:
    """What stands where the marks stood, for those that the page has."""
    progress, told = inputs.progress, inputs.standing
    numbers = {
        "count": progress.count or 0,
        "goal": progress.goal,
        "next_goal": progress.next_goal,
        "local": progress.local or 0,
        "percent": progress.percent,
        "rank": told.rank if told else 0,
        "ranked": told.ranked if told else 0,
    }
    values = {NOTHING: b""}
    for written in names - {NOTHING, STAMPED}:
        name, way = written.split()
        values[written] = WAYS[way](numbers[name]).encode()
    return values

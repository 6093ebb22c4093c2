"""What the campaign page shows: the shared total, who stands with us, who we still wait for, and what is new."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from html import escape
from typing import Any, NamedTuple

from django.db.models import Case, CharField, Q, Value, When
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from campaigns.models import Campaign
from petitions.models import CampaignTally, Kind, Petition
from petitions.taking_a_stand import NewsItem, news_of

ROWS_ON_A_PAGE = 1_000
# A row's HTML is some 150 bytes: the rows of ten large campaigns, or of their last thousand changes, in some megabytes.
ROWS_REMEMBERED = 10_000
LISTS_REMEMBERED = (
    8  # of a thousand rows each: most often a page is asked for again before anybody has signed
)
NEWS_AT_ONCE = 3  # the rest is folded
STATE_WORDS = {"won": "Won", "closed": "Closed"}


class Row(NamedTuple):
    """A public petition in the list: to a group where it has no place. `signed` is None where it may not be told."""

    slug: str
    place_name: str
    addressee: str
    kind: str
    state: str
    signed: int | None
    gained: int | None
    target: int | None
    region: str | None


@dataclass(frozen=True)
class Side:
    """Those who stand with us, or those we wait for: how many there are, and the rows of one page as HTML."""

    number: int
    rows: SafeString


@dataclass(frozen=True)
class Sides:
    """The cities of a campaign on both sides. `shown` is the sum of the counts that may be told, None without any."""

    standing: Side
    waiting: Side
    shown: int | None
    has_demands: bool
    has_open: bool
    pages: int


@dataclass(frozen=True)
class CampaignPage:
    """Everything the campaign page shows. `total` is None where no count may be told."""

    campaign: Campaign
    total: int | None
    sides: Sides
    news: Sequence[NewsItem]
    number: int

    @property
    def standing(self) -> Side:
        return self.sides.standing

    @property
    def waiting(self) -> Side:
        return self.sides.waiting

    @property
    def petitions(self) -> int:
        return self.standing.number + self.waiting.number

    @property
    def total_is_people(self) -> bool:
        return self.campaign.total_of == Campaign.Total.PEOPLE

    @property
    def shows_sides(self) -> bool:
        """Whether there is progress to tell: some stand with us, and some were asked to."""
        return self.sides.has_demands and self.standing.number > 0

    @property
    def previous(self) -> int:
        return self.number - 1

    @property
    def next(self) -> int:
        return self.number + 1

    @property
    def all_stand(self) -> bool:
        """Whether everybody who was asked has acted."""
        return self.sides.has_demands and not self.waiting.number

    @property
    def waiting_title(self) -> str:
        if not self.sides.has_open:
            return "Who we waited for"
        return "Who we still wait for" if self.standing.number else "Who we wait for"

    @property
    def waiting_hint(self) -> str:
        """Instead of an empty list of those who stand with us."""
        if self.standing.number or not self.sides.has_open or self.waiting.number == 1:
            return ""
        return "Nobody has taken a stand yet. Who will be the first?"

    @property
    def balance(self) -> str:
        """How the two sides share the width of the page, so that they end at about the same height."""
        share = self.standing.number / max(1, self.petitions)
        return "few" if share < 0.4 else "many" if share > 0.6 else "half"

    @property
    def latest_news(self) -> Sequence[NewsItem]:
        return self.news[:NEWS_AT_ONCE]

    @property
    def earlier_news(self) -> Sequence[NewsItem]:
        return self.news[NEWS_AT_ONCE:]


def campaign_page(campaign: Campaign, *, at: datetime, number: int = 1) -> CampaignPage | None:
    """Page `number` of a campaign loaded with its tally; None where there is no such page. Two queries."""
    sides = sides_of(tuple(values_of(campaign, at=at)), campaign.count_floor, number)
    if number > sides.pages:
        return None
    total = None if sides.shown is None else shared_total(campaign, sides.shown)
    news = news_of(campaign, at=at) if number == 1 else []
    return CampaignPage(campaign, total, sides, news, number)


def values_of(campaign: Campaign, *, at: datetime) -> Iterable[tuple[Any, ...]]:
    """A `Row` for every public petition of the campaign, as plain values. One query."""
    over = Q(closed_at__isnull=False) | Q(closes_at__lte=at)
    state = Case(
        When(won_at__isnull=False, then=Value("won")),
        When(over, then=Value("closed")),
        default=Value("open"),
        output_field=CharField(),
    )
    petitions = Petition.objects.public(at=at).filter(letter__campaign=campaign).order_by()
    return petitions.values_list(
        "slug",
        "current_version__place_name",
        "current_version__addressee",
        "current_version__kind",
        state,
        "tally__count",
        "tally__gained_lately",
        "target_id",
        "target__place__region",
    )


@lru_cache(maxsize=LISTS_REMEMBERED)
def sides_of(values: tuple[tuple[Any, ...], ...], floor: int, number: int) -> Sides:
    """Both sides of a campaign, sorted, from what `values_of` brought. Nothing that stays below the floor leaves it."""
    rows = [
        Row(*row) if (row[5] or 0) >= floor else Row(*row)._replace(signed=None, gained=0) for row in values
    ]
    listed = told_apart(once_per_city(rows))
    in_order = sorted(listed, key=order)
    first_waiting = sum(map(stands_with_us, listed))
    standing, waiting = in_order[:first_waiting], in_order[first_waiting:]
    pages = Pages(len(standing), len(waiting))
    counts = [row.signed for row in rows if row.signed is not None]
    return Sides(
        standing=Side(len(standing), rows_html(standing[pages.standing(number)])),
        waiting=Side(len(waiting), rows_html(waiting[pages.waiting(number)])),
        shown=sum(counts) if counts else None,
        has_demands=any(row.kind == Kind.DEMAND for row in rows),
        has_open=any(row.state == "open" for row in listed),
        pages=pages.number if listed else 0,
    )


def once_per_city(rows: Sequence[Row]) -> Sequence[Row]:
    """Leaves out what is over where the same target has a petition that goes on, or a thank-you after the demand."""
    targets = [row.target for row in rows if row.target is not None]
    if len(set(targets)) == len(targets):
        return rows
    best: dict[int | None, tuple[bool, bool]] = {}
    for row in rows:
        best[row.target] = max(weight(row), best.get(row.target, (False, False)))
    return [
        row for row in rows if row.target is None or row.state == "open" or weight(row) == best[row.target]
    ]


def told_apart(rows: Sequence[Row]) -> Sequence[Row]:
    """With the region beside the name of a city that another one shares: “Springfield, Oregon”."""
    regions: dict[str, str | None] = {}
    shared = {row.place_name for row in rows if regions.setdefault(row.place_name, row.region) != row.region}
    if not shared:
        return rows
    return [
        row._replace(place_name=f"{row.place_name}, {row.region}")
        if row.region and row.place_name in shared
        else row
        for row in rows
    ]


def weight(row: Row) -> tuple[bool, bool]:
    return row.state == "open", row.kind == Kind.THANK_YOU


def stands_with_us(row: Row) -> bool:
    return row.kind == Kind.THANK_YOU or row.state == "won"


def order(row: Row) -> tuple[int, int, int, str]:
    """Who stands with us, then who we wait for; where most is happening first, what is closed last.

    What no number may be told of stands after the others, by name.
    """
    group = 4 * (not stands_with_us(row)) + 2 * (row.state == "closed") + (row.signed is None)
    return group, -(row.gained or 0), -(row.signed or 0), row.place_name or row.addressee


@dataclass(frozen=True)
class Pages:
    """How the two sides are spread over pages: each page has its share of both."""

    all_standing: int
    all_waiting: int

    @property
    def share(self) -> int:
        """Rows of those who stand with us on one page."""
        together = self.all_standing + self.all_waiting
        if together <= ROWS_ON_A_PAGE:
            return self.all_standing
        share = -(-ROWS_ON_A_PAGE * self.all_standing // together)
        return share if not self.all_waiting else min(share, ROWS_ON_A_PAGE - 1)

    @property
    def number(self) -> int:
        together = self.all_standing + self.all_waiting
        if together <= ROWS_ON_A_PAGE:
            return 1
        rest = ROWS_ON_A_PAGE - self.share
        needed = (
            -(-self.all_standing // self.share) if self.share else 0,
            -(-self.all_waiting // rest) if rest else 0,
        )
        return max(needed)

    def standing(self, number: int) -> slice:
        return slice(self.share * (number - 1), self.share * number)

    def waiting(self, number: int) -> slice:
        rest = ROWS_ON_A_PAGE - self.share
        return slice(rest * (number - 1), rest * number)


def rows_html(rows: Iterable[Row]) -> SafeString:
    return mark_safe("\n".join([row_html(*row[:6]) for row in rows]))  # noqa: S308 - row_html escapes


@lru_cache(maxsize=ROWS_REMEMBERED)
def row_html(slug: str, place_name: str, addressee: str, kind: str, state: str, count: int | None) -> str:
    """A row of components/city_list.html. Not a template of its own: a page has a thousand of them."""
    before, after = around_slug()
    whom = f" <bdi>{escape(addressee)}</bdi>" if place_name else ""
    word = f"<em>{STATE_WORDS[state]}</em>" if state in STATE_WORDS else ""
    signed = f"<b>{count:,}<i> signed</i></b>" if count else ""
    return f'<li><a href="{before}{slug}{after}"><bdi>{escape(place_name or addressee)}</bdi>{whom}</a>{word}{signed}'


@lru_cache
def around_slug() -> tuple[str, str]:
    """A petition's address without its slug: asking `reverse` a thousand times would take longer than the page."""
    before, _, after = reverse("petition", args=["slug"]).rpartition("slug")
    return before, after


def shared_total(campaign: Campaign, shown: int) -> int:
    """The campaign's total, where `shown` is the sum of the counts that may be told.

    People are never more than that sum: the difference would tell of counts that are not shown.
    """
    tally: CampaignTally | None = getattr(campaign, "tally", None)
    if campaign.total_of == Campaign.Total.SIGNATURES or tally is None:
        return shown
    return min(shown, tally.people)

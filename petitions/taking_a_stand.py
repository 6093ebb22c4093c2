"""Taking a stand: a target that acted moves to the other side of its campaign, and back where that was a mistake."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q

from campaigns.models import Campaign
from petitions.models import Petition, Stand

NEWS_AT_MOST = 20


# --- What is told of it --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NewsItem:
    """A move as the campaign page tells it. An address is "" where that petition is not on the site."""

    taken_on: date
    target_title: str
    place_name: str
    kind: str
    reason: str
    left_url: str
    joined_url: str
    joined_headline: str


def news_of(campaign: Campaign, *, at: datetime, most: int = NEWS_AT_MOST) -> list[NewsItem]:
    """Who moved and why, newest first, without what was undone. One query."""
    stands = (
        Stand.objects.told()
        .filter(campaign=campaign)
        .filter(Q(left__live_at__lte=at) | Q(joined__live_at__lte=at))
        .select_related("target__place", "left", "joined__current_version")
        .only(
            "taken_on", "kind", "reason", "target__office", "target__name", "target__place__name",
            "left__slug", "left__live_at", "joined__slug", "joined__live_at", "joined__current_version__headline",
        )
    )  # fmt: skip
    return [news_item(stand, at) for stand in stands[:most]]


def news_item(stand: Stand, at: datetime) -> NewsItem:
    headline = stand.joined.current_version.headline if stand.joined.current_version else ""
    return NewsItem(
        taken_on=stand.taken_on,
        target_title=stand.target.title,
        place_name=stand.target.place.name,
        kind=stand.kind,
        reason=stand.reason,
        left_url=address_of(stand.left, at),
        joined_url=address_of(stand.joined, at),
        joined_headline=headline,
    )


def address_of(petition: Petition, at: datetime) -> str:
    return petition.get_absolute_url() if petition.is_live(at) else ""

"""What the public templates are given: a petition, its organization, a card in a list."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

from campaigns.models import Campaign, Organization
from petitions.appearance import accent_url, logo_of
from petitions.league import Standing, standing_of
from petitions.models import Kind, Petition, Version
from petitions.progress import Progress, progress_of


@dataclass(frozen=True)
class Share:
    """What a shared link says, and where it leads."""

    title: str
    text: str
    url: str


@dataclass(frozen=True)
class ImageShown:
    """The picture of a shared link: its absolute address, and what it says for those who do not see it."""

    url: str
    alt: str
    width: int = 1200
    height: int = 630


@dataclass(frozen=True)
class StandShown:
    """The target's move as the pages of both petitions tell it. `other_url` is "" where that one is not on the site."""

    kind: str
    taken_on: date
    reason: str
    ended_this: bool
    other_url: str
    other_headline: str


@dataclass(frozen=True)
class PetitionPage:
    """Everything the petition page shows, from one row of `PetitionQuerySet.for_page`; makes no query."""

    petition: Petition
    version: Version
    state: str
    progress: Progress
    preview: bool = False
    stand: StandShown | None = None

    @property
    def campaign(self) -> Campaign:
        return self.petition.campaign

    @property
    def organization(self) -> Organization:
        return self.campaign.organization

    @property
    def ended_at(self) -> datetime | None:
        """When signing ended, by hand or by itself; None while it goes on."""
        if self.state not in {"closed", "won"}:
            return None
        return self.petition.closed_at or self.petition.closes_at

    @property
    def won_at(self) -> datetime | None:
        return self.petition.won_at

    @property
    def closing_note(self) -> str:
        return self.petition.closing_note

    @property
    def is_thank_you(self) -> bool:
        return self.version.kind == Kind.THANK_YOU

    @property
    def standing(self) -> Standing | None:
        """The city's place in the league, where the campaign shows one."""
        return standing_of(self.petition)

    @property
    def has_history(self) -> bool:
        return self.version.number > 1

    @property
    def url(self) -> str:
        return self.petition.get_absolute_url()

    @property
    def versions_url(self) -> str:
        return reverse("versions", args=[self.petition.slug])

    @property
    def count_url(self) -> str:
        return reverse("count", args=[self.petition.slug])

    @property
    def sign_url(self) -> str:
        return reverse("sign", args=[self.petition.slug])

    @property
    def share(self) -> Share:
        return Share(self.version.share_title, self.version.share_text, absolute(self.url))

    @property
    def image(self) -> ImageShown | None:
        """None until the worker has drawn it."""
        drawn = getattr(self.petition, "share_image", None)
        if drawn is None:
            return None
        url = reverse("share-image", args=[self.petition.slug, drawn.digest])
        return ImageShown(absolute(url), f"{self.version.headline} – a petition to {self.version.addressee}")

    @property
    def recipient_line(self) -> str:
        """What is handed over and to whom, said at the button."""
        asked = ["name"]
        if self.campaign.asks_postal_code:
            asked.append("postal code")
        if self.campaign.asks_country:
            asked.append("country")
        if self.campaign.asks_comment:
            asked.append("comment")
        listed = ", ".join(asked[:-1]) + f" and {asked[-1]}" if len(asked) > 1 else asked[0]
        return f"Your {listed} will be given to {self.version.addressee}."


def page_of(petition: Petition, *, at: datetime) -> PetitionPage:
    """The page of a live petition."""
    if petition.current_version is None:
        raise ValueError("A petition without a version has no page.")
    return PetitionPage(
        petition,
        petition.current_version,
        petition.state(at),
        progress_of(petition),
        stand=stand_shown(petition, at=at),
    )


def stand_shown(petition: Petition, *, at: datetime) -> StandShown | None:
    """The move that ended the petition or opened it, from what `PetitionQuerySet.with_stand` added to its row."""
    row = vars(petition)
    if row.get("stand_taken_on") is None:
        return None
    ended_this = row["stand_left_slug"] == petition.slug
    other = "joined" if ended_this else "left"
    live_at = row[f"stand_{other}_live_at"]
    is_there = live_at is not None and live_at <= at
    return StandShown(
        kind=row["stand_kind"],
        taken_on=row["stand_taken_on"],
        reason=row["stand_reason"],
        ended_this=ended_this,
        other_url=reverse("petition", args=[row[f"stand_{other}_slug"]]) if is_there else "",
        other_headline=(row["stand_joined_headline"] or "") if ended_this else "",
    )


@dataclass(frozen=True)
class Card:
    """A petition in a list."""

    url: str
    headline: str
    addressee: str
    place_name: str
    kind: str
    state: str
    count: int | None
    goal: int
    percent: int


def card_of(petition: Petition, *, at: datetime) -> Card:
    version = petition.current_version
    if version is None:
        raise ValueError("A petition without a version has no card.")
    progress = progress_of(petition)
    return Card(
        url=petition.get_absolute_url(),
        headline=version.headline,
        addressee=version.addressee,
        place_name=version.place_name,
        kind=version.kind,
        state=petition.state(at),
        count=progress.count,
        goal=progress.goal,
        percent=progress.percent,
    )


def next_petitions(page: PetitionPage, *, at: datetime, most: int = 3) -> list[Card]:
    """Other open petitions of the same campaign, in the order staff set. One query."""
    others = (
        Petition.objects.open(at=at)
        .for_cards()
        .filter(letter__campaign_id=page.campaign.pk)
        .exclude(pk=page.petition.pk)
        .order_by("position", "pk")
    )
    return [card_of(petition, at=at) for petition in others[:most]]


def organization_context(organization: Organization) -> dict[str, Any]:
    """What base.html needs to show an organization."""
    return {
        "organization": organization,
        "accent_css": accent_url(organization),
        "logo": logo_of(organization),
    }


def absolute(path: str) -> str:
    return settings.SITE_URL + path

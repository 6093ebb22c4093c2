"""What stands on a petition's image, and the digest that tells whether it was drawn."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from datetime import datetime

from petitions.models import Kind, Petition, Version
from petitions.progress import progress_of

# Part of every digest: raised when the drawing changes, so that all images are drawn anew.
DRAWING = 1
FIRST_SHOWN = 10


@dataclass(frozen=True)
class Content:
    """All that is drawn. `count` is rounded down; None where none is shown. `state` is open, closed or won."""

    headline: str
    addressee: str
    place_name: str
    kind: str
    state: str
    count: int | None
    organization: str
    accent: str

    @property
    def digest(self) -> str:
        drawn = json.dumps([DRAWING, *astuple(self)])
        return hashlib.sha256(drawn.encode()).hexdigest()[:32]

    @property
    def is_thank_you(self) -> bool:
        return self.kind == Kind.THANK_YOU

    @property
    def to_line(self) -> str:
        return f"to {self.addressee}" + (f", {self.place_name}" if self.place_name else "")


def content_of(petition: Petition, version: Version, *, state: str) -> Content:
    """From a petition loaded with its campaign, organization and tally. What is not yet open is drawn as open."""
    organization = petition.campaign.organization
    return Content(
        headline=version.headline,
        addressee=version.addressee,
        place_name=version.place_name,
        kind=version.kind,
        state=state if state in {"won", "closed"} else "open",
        count=rounded_down(progress_of(petition).count),
        organization=organization.name,
        accent=organization.accent,
    )


def live_contents(*, at: datetime) -> Iterator[tuple[int, str, Content]]:
    """Key, digest of the image there is ("" without one) and content of every live petition.

    One query for values only: the worker asks for all of them again and again.
    """
    rows = Petition.objects.public(at=at).values_list(
        "pk",
        "share_image__digest",
        "current_version__headline",
        "current_version__addressee",
        "current_version__place_name",
        "current_version__kind",
        "won_at",
        "closed_at",
        "closes_at",
        "tally__count",
        "letter__campaign__count_floor",
        "letter__campaign__organization__name",
        "letter__campaign__organization__accent",
    )
    for (
        pk,
        digest,
        headline,
        addressee,
        place_name,
        kind,
        won,
        closed,
        closes,
        count,
        floor,
        name,
        accent,
    ) in rows:
        ended = closed is not None or (closes is not None and closes <= at)
        state = "won" if won else "closed" if ended else "open"
        shown = count if count is not None and count >= floor else None
        content = Content(headline, addressee, place_name, kind, state, rounded_down(shown), name, accent)
        yield pk, digest or "", content


def rounded_down(count: int | None) -> int | None:
    """In steps that grow with the number, so that an image seldom changes: 10, 20, … 100, 150, … 1,000, 1,250, …"""
    if count is None or count < FIRST_SHOWN:
        return None
    scale = 10 ** (len(str(count)) - 1)
    if scale == FIRST_SHOWN:
        step = 10
    elif count < 5 * scale:
        step = scale // 2 if scale == 100 else scale // 4
    else:
        step = scale if scale == 100 else scale // 2
    return count - count % step

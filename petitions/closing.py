"""Ending and resuming: close, win, reopen, schedule the end, take off the site; one petition, or many at once."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from petitions.models import Petition, Stand
from staff import audit
from staff.models import User

# A statement names at most so many rows; the database limits how many it can.
AT_ONCE = 500
NAMED_AT_MOST = 5


class WrongState(Exception):
    """A petition is not in a state in which this can be done; the message says so in plain words."""


def close(*, petition: Petition, actor: User | None, at: datetime, note: str = "", won: bool = False) -> None:
    """Ends signing. `note` is public. `won` says that the target did what was asked."""
    close_all(petitions=[petition], actor=actor, at=at, note=note, won=won)
    petition.refresh_from_db()


@transaction.atomic
def close_all(
    *,
    petitions: Collection[Petition],
    actor: User | None,
    at: datetime,
    note: str = "",
    won: bool = False,
) -> None:
    """`close` for all of them or for none."""
    rows = locked_all(petitions)
    refuse(rows, lambda row: not row.is_live(at), "not live, so there is nothing to close")
    refuse(rows, lambda row: row.closed_at is not None, "closed already")
    for chunk in chunks_of(rows):
        chunk.update(closed_at=at, won_at=at if won else None, closing_note=note.strip())
    audit.record_all(
        actor=actor, action="won" if won else "closed", subjects=rows, at=at, reason=note.strip()
    )


def reopen(*, petition: Petition, actor: User | None, at: datetime, reason: str) -> None:
    """Takes signatures again; also lifts a closing date that has passed.

    One that was taken off the site after it was closed becomes publishable again.
    """
    reopen_all(petitions=[petition], actor=actor, at=at, reason=reason)
    petition.refresh_from_db()


@transaction.atomic
def reopen_all(*, petitions: Collection[Petition], actor: User | None, at: datetime, reason: str) -> None:
    """`reopen` for all of them or for none."""
    if not reason.strip():
        raise WrongState("Say why the petition is reopened.")
    rows = locked_all(petitions)
    refuse(rows, lambda row: not row.is_live(at) and row.closed_at is None, "not live. Publish it instead")
    refuse(rows, lambda row: row.is_open(at), "open already")
    refuse_stands(rows)
    for chunk in chunks_of(rows):
        chunk.filter(closes_at__lte=at).update(closes_at=None)
        chunk.update(closed_at=None, won_at=None, closing_note="")
    audit.record_all(actor=actor, action="reopened", subjects=rows, at=at, reason=reason.strip())


def schedule_closing(
    *, petition: Petition, actor: User | None, at: datetime, closes_at: datetime | None
) -> None:
    """Sets the moment from which no more signatures are taken; None lifts it."""
    schedule_closing_of_all(petitions=[petition], actor=actor, at=at, closes_at=closes_at)
    petition.refresh_from_db()


@transaction.atomic
def schedule_closing_of_all(
    *, petitions: Collection[Petition], actor: User | None, at: datetime, closes_at: datetime | None
) -> None:
    """`schedule_closing` for all of them or for none."""
    rows = locked_all(petitions)
    refuse(rows, lambda row: row.closed_at is not None, "closed already")
    if closes_at is not None and closes_at <= at:
        raise WrongState("Choose a closing time in the future, or close the petition now.")
    for chunk in chunks_of(rows):
        chunk.update(closes_at=closes_at)
    action = f"closing scheduled for {closes_at:%Y-%m-%d %H:%M %Z}" if closes_at else "closing date lifted"
    audit.record_all(actor=actor, action=action, subjects=rows, at=at)


def unpublish(*, petition: Petition, actor: User | None, at: datetime, reason: str) -> None:
    """Takes the page off the site. Versions, signatures and count stay.

    Publishing brings it back; one that was closed is reopened first, since a closed petition is not published.
    """
    unpublish_all(petitions=[petition], actor=actor, at=at, reason=reason)
    petition.refresh_from_db()


@transaction.atomic
def unpublish_all(*, petitions: Collection[Petition], actor: User | None, at: datetime, reason: str) -> None:
    """`unpublish` for all of them or for none."""
    if not reason.strip():
        raise WrongState("Say why the petition is taken off the site.")
    rows = locked_all(petitions)
    refuse(rows, lambda row: row.live_at is None, "not published")
    for chunk in chunks_of(rows):
        chunk.update(live_at=None)
    audit.record_all(actor=actor, action="unpublished", subjects=rows, at=at, reason=reason.strip())


def refuse(rows: list[Petition], is_wrong: Callable[[Petition], bool], what: str) -> None:
    """Raises WrongState where any of `rows` is `what`, naming the petitions unless there is only one."""
    wrong = [row for row in rows if is_wrong(row)]
    if wrong and len(rows) == 1:
        raise WrongState(f"This petition is {what}.")
    if wrong:
        names = "; ".join(str(row) for row in wrong[:NAMED_AT_MOST])
        more = len(wrong) - NAMED_AT_MOST
        raise WrongState(f"{what.capitalize()}: {names}{f' and {more} more' if more > 0 else ''}.")


def refuse_stands(rows: list[Petition]) -> None:
    left = set(Stand.objects.standing().filter(left__in=rows).values_list("left", flat=True))
    told = (
        "This petition ended because its target took a stand. "
        "Undo that within the day, or let the target take a stand from the other petition."
    )
    if left and len(rows) == 1:
        raise WrongState(told)
    refuse(rows, lambda row: row.pk in left, "ended because the target took a stand")


def locked_all(petitions: Collection[Petition]) -> list[Petition]:
    """The rows as they are now, held until the transaction ends; in one order, so that nobody waits in a circle.

    Held with `no_key`, here and elsewhere: whoever signs meanwhile does not wait.
    """
    keys = sorted({petition.pk for petition in petitions})
    rows: list[Petition] = []
    for start in range(0, len(keys), AT_ONCE):
        rows += (
            Petition.objects.select_for_update(of=("self",), no_key=True)
            .select_related("letter", "target__place")
            .defer("letter__body", "local")
            .filter(pk__in=keys[start : start + AT_ONCE])
            .order_by("pk")
        )
    return rows


def chunks_of(rows: list[Petition]) -> list[QuerySet[Petition]]:
    keys = [row.pk for row in rows]
    return [
        Petition.objects.filter(pk__in=keys[start : start + AT_ONCE]).order_by()
        for start in range(0, len(keys), AT_ONCE)
    ]


def going_on(petitions: Iterable[Petition]) -> Petition | None:
    """Of the petitions to one target the one that goes on, or else the newest."""
    return max(petitions, key=lambda petition: (petition.closed_at is None, petition.pk), default=None)


def instead_of(slug: str, *, at: datetime) -> str:
    """Where a link to a petition that has left the site leads: to the other one to its target, or to its campaign.

    "" where there never was such a petition, or nothing of its campaign is on the site. At most four queries.
    """
    left_the_site = Petition.objects.filter(live_at=None, current_version__isnull=False).select_related(
        "letter__campaign"
    )
    gone = (
        left_the_site.filter(slug=slug).first() or left_the_site.filter(former_addresses__slug=slug).first()
    )
    if gone is None:
        return ""
    public = Petition.objects.public(at=at).filter(letter__campaign=gone.campaign)
    other = public.filter(target=gone.target_id).first() if gone.target_id else None
    if other is not None:
        return other.get_absolute_url()
    return gone.campaign.get_absolute_url() if public.exists() else ""

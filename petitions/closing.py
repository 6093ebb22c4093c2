"""Ending and resuming: close, win, reopen, schedule the end, take off the site."""

from datetime import datetime

from django.db import transaction

from petitions.models import Petition
from staff import audit
from staff.models import User


class WrongState(Exception):
    """The petition is not in a state in which this can be done; the message says so in plain words."""


@transaction.atomic
def close(*, petition: Petition, actor: User | None, at: datetime, note: str = "", won: bool = False) -> None:
    """Ends signing. `note` is public. `won` says that the target did what was asked."""
    row = locked(petition)
    if not row.is_live(at):
        raise WrongState("This petition is not live, so there is nothing to close.")
    if row.closed_at is not None:
        raise WrongState("This petition is closed already.")
    row.closed_at = at
    row.won_at = at if won else None
    row.closing_note = note.strip()
    row.save(update_fields=["closed_at", "won_at", "closing_note"])
    audit.record(actor=actor, action="won" if won else "closed", subject=row, at=at, reason=row.closing_note)
    petition.refresh_from_db()


@transaction.atomic
def reopen(*, petition: Petition, actor: User | None, at: datetime, reason: str) -> None:
    """Takes signatures again; also lifts a closing date that has passed.

    One that was taken off the site after it was closed becomes publishable again.
    """
    if not reason.strip():
        raise WrongState("Say why the petition is reopened.")
    row = locked(petition)
    if not row.is_live(at) and row.closed_at is None:
        raise WrongState("This petition is not live. Publish it instead.")
    if row.is_open(at):
        raise WrongState("This petition is open already.")
    row.closed_at = row.won_at = None
    row.closing_note = ""
    if row.closes_at is not None and row.closes_at <= at:
        row.closes_at = None
    row.save(update_fields=["closed_at", "won_at", "closing_note", "closes_at"])
    audit.record(actor=actor, action="reopened", subject=row, at=at, reason=reason.strip())
    petition.refresh_from_db()


@transaction.atomic
def schedule_closing(
    *, petition: Petition, actor: User | None, at: datetime, closes_at: datetime | None
) -> None:
    """Sets the moment from which no more signatures are taken; None lifts it."""
    row = locked(petition)
    if row.closed_at is not None:
        raise WrongState("This petition is closed already.")
    if closes_at is not None and closes_at <= at:
        raise WrongState("Choose a closing time in the future, or close the petition now.")
    row.closes_at = closes_at
    row.save(update_fields=["closes_at"])
    action = f"closing scheduled for {closes_at:%Y-%m-%d %H:%M %Z}" if closes_at else "closing date lifted"
    audit.record(actor=actor, action=action, subject=row, at=at)
    petition.refresh_from_db()


@transaction.atomic
def unpublish(*, petition: Petition, actor: User | None, at: datetime, reason: str) -> None:
    """Takes the page off the site. Versions, signatures and count stay.

    Publishing brings it back; one that was closed is reopened first, since a closed petition is not published.
    """
    if not reason.strip():
        raise WrongState("Say why the petition is taken off the site.")
    row = locked(petition)
    if row.live_at is None:
        raise WrongState("This petition is not published.")
    row.live_at = None
    row.save(update_fields=["live_at"])
    audit.record(actor=actor, action="unpublished", subject=row, at=at, reason=reason.strip())
    petition.refresh_from_db()


def locked(petition: Petition) -> Petition:
    """The row as it is now, held until the transaction ends, so that two people cannot decide at once."""
    return (
        Petition.objects.select_for_update(of=("self",))
        .select_related("letter", "target")
        .get(pk=petition.pk)
    )

"""A mailing's way out: asked for, approved, started (which freezes it), taken back, paused, resumed, canceled."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q

from mailings.audience import Audience, audience_of
from mailings.checking import check
from mailings.digests import digest_of
from mailings.freezing import (
    LIST_TRIES,
    LISTED_AT_ONCE,
    PATIENCE,
    NotNow,
    delete_recipients,
    one_list_at_a_time,
    store_editions,
    store_recipients,
    unwritten,
)
from mailings.models import TAKE_BACK, Edition, Mailing, Recipient
from mailings.sending import drop_canceled, release
from signers.counting_people import without_time_limit
from staff import audit
from staff.models import User


def needs_approval(mailing: Mailing, size: int) -> bool:
    return size > mailing.campaign.organization.approval_above


@transaction.atomic
def ask(*, mailing: Mailing, actor: User, at: datetime, seen: str = "") -> None:
    """Asks somebody else to approve the mailing as it is now. `seen` is the digest of what the actor looked at."""
    row = locked(mailing, "draft", "asked", "approved")
    refuse_unseen(row, seen)
    refuse_mistakes(row, at)
    change(row, asked_at=at, asked_by=actor, approved_at=None, approved_by=None, digest=digest_of(row))
    audit.record(actor=actor, action="asked for approval", subject=row, at=at)
    mailing.refresh_from_db()


@transaction.atomic
def approve(*, mailing: Mailing, actor: User, at: datetime, seen: str = "") -> None:
    """Approves what was asked for; what was changed since has to be asked for again."""
    row = locked(mailing, "asked")
    refuse_unseen(row, seen)
    if row.asked_by_id == actor.pk:
        raise NotNow("Somebody else has to approve this mailing: you asked for it.")
    if row.digest != digest_of(row):
        raise NotNow("The mailing was changed after approval was asked for. Ask again.")
    change(row, approved_at=at, approved_by=actor)
    audit.record(actor=actor, action="approved", subject=row, at=at)
    mailing.refresh_from_db()


@transaction.atomic
def forget_approval(*, mailing: Mailing) -> bool:
    """Makes a draft of what is not any more what was asked for or approved; whether it was."""
    row = Mailing.objects.select_for_update(no_key=True).get(pk=mailing.pk)
    if row.asked_at is None or row.is_frozen or row.canceled_at is not None or row.digest == digest_of(row):
        return False
    change(row, asked_at=None, asked_by=None, approved_at=None, approved_by=None, digest="")
    return True


def start(*, mailing: Mailing, actor: User, at: datetime, seen: str = "") -> int:
    """Freezes text and audience and queues every copy; the first leaves ten minutes later. Returns the number: of very
    many, whose list the worker writes within the minute, as counted just now.

    `seen` is the digest of what the actor looked at: what a colleague changed since does not leave unread.
    """
    try:
        return _start(mailing, actor, at, seen)
    except IntegrityError:
        # Somebody on the list was erased at this very moment.
        return _start(mailing, actor, at, seen)


@transaction.atomic
def _start(mailing: Mailing, actor: User, at: datetime, seen: str) -> int:
    one_list_at_a_time(patience=PATIENCE)
    row = locked(mailing, "draft", "asked", "approved")
    refuse_unseen(row, seen)
    refuse_mistakes(row, at)
    refuse_before_another_list(row)
    audience = audience_of(row, at=at)
    refuse_unapproved(row, audience)
    store_editions(row, audience)
    number = audience.size()
    # Of very many, who it is exactly is written down by the worker, within the minute.
    at_once = number <= LISTED_AT_ONCE
    if at_once:
        number = store_recipients(row, audience, starts_at=at + TAKE_BACK)
    if not number:
        raise NotNow("Nobody would get this mailing. Look at the audience.")
    change(
        row, started_at=at, starts_at=at + TAKE_BACK, listed_at=at if at_once else None,
        digest=digest_of(row), people=number,
    )  # fmt: skip
    audit.record(actor=actor, action="started", subject=row, at=at, recipients=number)
    mailing.refresh_from_db()
    return number


@transaction.atomic
def take_back(*, mailing: Mailing, actor: User, at: datetime) -> None:
    """Makes a draft of it again, as long as no copy can have left."""
    one_list_at_a_time(patience=PATIENCE)
    row = locked(mailing, "leaving", "paused", at=at)
    if row.starts_at is None or at >= row.starts_at or not everything_is_queued(row):
        raise NotNow("The first copies have left. Pause or cancel the mailing instead.")
    delete_recipients(row)
    Edition.objects.filter(mailing=row).delete()
    change(
        row, started_at=None, starts_at=None, listed_at=None, list_tries=0, paused_at=None, asked_at=None,
        asked_by=None, approved_at=None, approved_by=None, digest="", people=None, winner="",
    )  # fmt: skip
    audit.record(actor=actor, action="taken back", subject=row, at=at)
    mailing.refresh_from_db()


@transaction.atomic
def pause(*, mailing: Mailing, actor: User, at: datetime) -> None:
    """No copy leaves from now on; those on their way this very second may still arrive."""
    row = locked(mailing, "leaving", "sending", at=at)
    change(row, paused_at=at)
    audit.record(actor=actor, action="paused", subject=row, at=at)
    mailing.refresh_from_db()


@transaction.atomic
def resume(*, mailing: Mailing, actor: User, at: datetime) -> None:
    row = locked(mailing, "paused", at=at)
    change(row, paused_at=None, list_tries=0)
    audit.record(actor=actor, action="resumed", subject=row, at=at)
    mailing.refresh_from_db()


@transaction.atomic
def cancel(*, mailing: Mailing, actor: User, at: datetime) -> int:
    """Ends the mailing for good; returns how many copies never leave. Of very many the worker drops the last ones."""
    row = locked(mailing, "draft", "asked", "approved", "leaving", "sending", "paused", at=at)
    change(row, canceled_at=at)
    dropped = Recipient.objects.queued().filter(mailing=row).count()
    drop_canceled(row, at=at)
    audit.record(actor=actor, action="canceled", subject=row, at=at, dropped=dropped)
    mailing.refresh_from_db()
    return dropped


@transaction.atomic
def choose_winner(*, mailing: Mailing, subject: str, actor: User, at: datetime) -> int:
    """Sends the rest of the list the better of two subjects, "a" or "b"; returns how many that are.

    Very many are released as they are sent.
    """
    row = locked(mailing, "leaving", "sending", "paused", at=at)
    if subject not in {"a", "b"}:
        raise NotNow("Choose the first or the second subject.")
    if not row.other_subject:
        raise NotNow("This mailing has only one subject.")
    if row.winner:
        raise NotNow("The winner has been chosen already.")
    change(row, winner=subject)
    number = Recipient.objects.queued().filter(mailing=row, due_at=None).count()
    row.winner = subject
    release(row, at=at)
    audit.record(actor=actor, action=f"chose subject {subject}", subject=row, at=at, recipients=number)
    mailing.refresh_from_db()
    return number


# --- What stands in the way ----------------------------------------------------------------------------------


def locked(mailing: Mailing, *states: str, at: datetime | None = None) -> Mailing:
    """The row, held until the transaction ends, so that two people cannot decide at once.

    What follows may touch a million copies, which takes longer than a visitor would wait.
    """
    without_time_limit()
    row = (
        # Not against the list that the worker may be writing: that looks again before it ends.
        Mailing.objects.select_for_update(of=("self",), no_key=True)
        .select_related("campaign__organization", "of_petition", "leads_to", "letter")
        .defer("campaign__organization__logo")
        .get(pk=mailing.pk)
    )
    now = row.state(at or row.created_at)
    if now not in states:
        raise NotNow(f"The mailing is {SAID[now]}.")
    return row


SAID = {
    "draft": "a draft still",
    "asked": "waiting for approval",
    "approved": "approved, but not started",
    "leaving": "started, and can be taken back",
    "sending": "being sent",
    "paused": "paused",
    "canceled": "canceled",
    "sent": "sent",
}


def refuse_unseen(mailing: Mailing, seen: str) -> None:
    if seen and seen != digest_of(mailing):
        raise NotNow("Somebody changed this mailing after you looked at it. This is how it is now.")


def refuse_mistakes(mailing: Mailing, at: datetime) -> None:
    errors = check(mailing, at=at).errors
    if errors:
        raise NotNow(f"Correct this first. {errors[0].message}")


def refuse_before_another_list(mailing: Mailing) -> None:
    """Whom another mailing reaches has to be known before this one can leave them out."""
    organization = mailing.campaign.organization_id
    unlisted = unwritten().filter(campaign__organization=organization).first()
    if unlisted is None:
        return
    if unlisted.list_tries >= LIST_TRIES:
        raise NotNow(f"The list of “{unlisted}” could not be written. Resume or cancel that mailing first.")
    raise NotNow(f"The list of “{unlisted}” is being written. Start this one in a minute.")


def refuse_unapproved(mailing: Mailing, audience: Audience) -> None:
    """Above the size staff set, what leaves is exactly what somebody else approved."""
    if not needs_approval(mailing, audience.size()):
        return
    if mailing.approved_at is None:
        limit = mailing.campaign.organization.approval_above
        raise NotNow(f"More than {limit:,} people would get it: somebody else has to approve it first.")
    if mailing.digest != digest_of(mailing):
        raise NotNow("The mailing was changed after it was approved. Ask for approval again.")


def everything_is_queued(mailing: Mailing) -> bool:
    dealt_with = Q(handed_over_at__isnull=False) | Q(failed_at__isnull=False) | Q(claimed_until__isnull=False)
    return not Recipient.objects.filter(dealt_with, mailing=mailing).exists()


def change(mailing: Mailing, **values: object) -> None:
    Mailing.objects.filter(pk=mailing.pk).update(**values)

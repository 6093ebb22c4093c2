"""What the owner of a mailbox decides about a signature: it is mine, or it isn't."""

from datetime import datetime
from enum import Enum

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from petitions.models import Petition
from signers import consents
from signers.consents import Choice
from signers.models import Consent, CountChange, OutgoingMail, Signature, Supporter


class Outcome(Enum):
    """What a click came to. The same click again gives the same, or ALREADY."""

    CONFIRMED = "confirmed"
    ALREADY = "already"
    REMOVED = "removed"
    CLOSED = "closed"
    UNKNOWN = "unknown"


@transaction.atomic
def confirm(*, signature_id: int, at: datetime) -> Outcome:
    """Proves the mailbox and makes the signature count; of parallel clicks exactly one does."""
    signature = locked(signature_id)
    if signature is None or (signature.held_at and not signature.removed_at):
        return Outcome.UNKNOWN
    if signature.removed_at:
        return Outcome.REMOVED
    if signature.confirmed_at:
        return Outcome.ALREADY
    if signature.accepted_at is None:
        if signature.supporter.blocked_at:
            return Outcome.REMOVED
        if not still_counts(signature, signature.petition, at=at):
            return Outcome.CLOSED
    return Outcome.CONFIRMED if _confirm(signature, at) else Outcome.ALREADY


def still_counts(signature: Signature, petition: Petition, *, at: datetime) -> bool:
    """Whether confirming it can make it count: while the petition is open, and after it was won.

    Whoever signed before the target acted is one of those who moved it.
    """
    if petition.is_open(at):
        return True
    ended_at = petition.closed_at if petition.won_at is not None else None
    return ended_at is not None and petition.is_live(at) and signature.signed_at < ended_at


def _confirm(signature: Signature, at: datetime) -> bool:
    """Whether this call, and no other, confirmed it."""
    unconfirmed = Signature.objects.filter(pk=signature.pk, confirmed_at=None, removed_at=None, held_at=None)
    if not unconfirmed.update(confirmed_at=at, accepted_at=Coalesce("accepted_at", at)):
        return False
    if signature.accepted_at is None:
        change_count(signature, 1)
    Supporter.objects.filter(pk=signature.supporter_id, confirmed_at=None).update(
        confirmed_at=at, email=signature.email, first_name=signature.first_name, last_name=signature.last_name
    )
    remember_place(signature)
    choice = Choice(
        signature.supporter_id,
        signature.petition.campaign.organization_id,
        granted=signature.updates,
        wording=signature.wording,
    )
    consents.record([choice], source=Consent.Source.SIGN_FORM, at=at)
    return True


def remember_place(signature: Signature) -> None:
    """Where the supporter lives, as far as a proven signature tells; one that is local tells more than others."""
    target = signature.petition.target
    if target is None:
        return
    local = Signature.objects.filter(
        supporter_id=signature.supporter_id, is_local=True, confirmed_at__isnull=False, removed_at=None
    )
    if signature.is_local or not local.exists():
        Supporter.objects.filter(pk=signature.supporter_id).update(place=target.place_id)


@transaction.atomic
def disown(*, signature_id: int, at: datetime, block: bool) -> Outcome:
    """Takes the signature away and forgets what a stranger typed. `block` also refuses every later one.

    REMOVED, however often it is asked for; UNKNOWN where there is no such signature (any more).
    """
    signature = locked(signature_id)
    if signature is None:
        return Outcome.UNKNOWN
    counted, granted = signature.is_counted, bool(signature.confirmed_at and signature.updates)
    if signature.removed_at is None:
        Signature.objects.filter(pk=signature.pk).update(removed_at=at, removal=Signature.Removal.NOT_ME)
        if counted:
            change_count(signature, -1)
        if granted:
            _withdraw_consent(signature, at)
    forget_what_was_typed(signature)
    _forget_name_of_nobody(signature.supporter_id)
    drop_waiting_mails(signature, at)
    if block:
        Supporter.objects.filter(pk=signature.supporter_id, blocked_at=None).update(blocked_at=at)
    return Outcome.REMOVED


def _withdraw_consent(signature: Signature, at: datetime) -> None:
    """Unless another choice of theirs was made since."""
    organization_id = signature.petition.campaign.organization_id
    latest = (
        Consent.objects.filter(
            supporter_id=signature.supporter_id,
            organization_id=organization_id,
            purpose=Consent.Purpose.UPDATES,
        )
        .order_by("-id")
        .first()
    )
    if latest is None or not latest.granted or latest.at != signature.confirmed_at:
        return
    choice = Choice(signature.supporter_id, organization_id, granted=False, wording=signature.wording)
    consents.record([choice], source=Consent.Source.NOT_ME, at=at)


def forget_what_was_typed(signature: Signature) -> None:
    """All but the address, which is that of the person who clicked."""
    Signature.objects.filter(pk=signature.pk).update(
        first_name="",
        last_name="",
        postal_code="",
        country="",
        comment="",
        evidence=[],
        is_local=False,
        updates=False,
    )


def _forget_name_of_nobody(supporter_id: int) -> None:
    """The name may be anybody's, unless a signature they confirmed says otherwise."""
    theirs = Signature.objects.filter(supporter_id=supporter_id, confirmed_at__isnull=False, removed_at=None)
    if not theirs.exists():
        Supporter.objects.filter(pk=supporter_id).update(first_name="", last_name="")


def locked_person(supporter_id: int) -> Supporter | None:
    """The supporter, held until the transaction ends: what everybody does first who changes something of theirs."""
    return Supporter.objects.select_for_update(of=("self",), no_key=True).filter(pk=supporter_id).first()


def locked(signature_id: int) -> Signature | None:
    """The signature with petition, campaign and supporter, held until the transaction ends.

    The lock is on the supporter: everybody who changes a signature takes it first, and so no two wait for each other.
    """
    supporters = Supporter.objects.select_for_update(of=("self",), no_key=True)
    if supporters.filter(signatures=signature_id).first() is None:
        return None
    return (
        Signature.objects.select_related("petition__letter__campaign", "petition__target", "supporter")
        .filter(pk=signature_id)
        .first()
    )


def change_count(signature: Signature, change: int) -> None:
    """Appends to what `counting.add_up` adds up."""
    CountChange.of(signature, change).save(force_insert=True)


def drop_waiting_mails(signature: Signature, at: datetime) -> None:
    """Without waiting for one that is on its way to the mail server this very moment; that one looks again itself."""
    _drop_waiting(OutgoingMail.objects.filter(signature=signature), at)


def drop_waiting_mails_of(supporter: Supporter, at: datetime) -> None:
    """The same for all mails to a person."""
    _drop_waiting(OutgoingMail.objects.filter(supporter=supporter), at)


def _drop_waiting(mails: QuerySet[OutgoingMail], at: datetime) -> None:
    waiting = mails.select_for_update(skip_locked=True).filter(
        handed_over_at=None, sent_at=None, failed_at=None, dropped_at=None
    )
    OutgoingMail.objects.filter(pk__in=[mail.pk for mail in waiting]).update(dropped_at=at)

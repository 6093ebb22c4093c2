"""Signing by somebody whose mailbox is proven already: it counts at once."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from django.db import transaction

from petitions.models import Petition
from signers.confirming import change_count, drop_waiting_mails, locked_person, remember_place
from signers.folding import is_local
from signers.models import Signature, Supporter
from signers.signing import new_referral_code


class Outcome(Enum):
    """What came of it."""

    SIGNED = "signed"
    ALREADY = "already"
    CLOSED = "closed"
    REFUSED = "refused"  # blocked, or what staff removed or hold


@dataclass(frozen=True)
class ReaderInput:
    """What a recognised reader signs with."""

    first_name: str
    last_name: str
    postal_code: str = ""
    country: str = ""
    referral: str = ""


@transaction.atomic
def sign_proven(
    *, supporter_id: int, petition_id: int, version_id: int, typed: ReaderInput, at: datetime
) -> tuple[Outcome, Signature | None]:
    """Signs at once. A signature that waited for its confirmation is confirmed with what was typed now.

    `version_id` is the version that was read. Locks the supporter first, like everybody who changes a signature.
    """
    supporter = locked_person(supporter_id)
    petition = (
        Petition.objects.select_related("letter__campaign", "target__place").filter(pk=petition_id).first()
    )
    if supporter is None or petition is None or supporter.blocked_at:
        return Outcome.REFUSED, None
    before = Signature.objects.filter(petition=petition, supporter=supporter).first()
    if before is not None and before.state == "confirmed":
        return Outcome.ALREADY, before
    if before is not None and (before.held_at or before.removal == Signature.Removal.STAFF):
        return Outcome.REFUSED, None
    if not petition.is_open(at):
        return Outcome.CLOSED, None
    signature = written(supporter, petition, version_id, typed, before, at)
    if before is None or not before.is_counted:
        change_count(signature, 1)
    drop_waiting_mails(signature, at)
    prove(supporter, signature, at)
    return Outcome.SIGNED, signature


def written(
    supporter: Supporter,
    petition: Petition,
    version_id: int,
    typed: ReaderInput,
    before: Signature | None,
    at: datetime,
) -> Signature:
    """The signature as it stands from now on; in the place of one that was never confirmed, or taken away by them.

    What counts already goes on counting as it did, also as one from the place or not.
    """
    counted = before if before is not None and before.is_counted else None
    local = petition.target is not None and is_local(typed.postal_code, petition.target.place.postal_prefixes)
    signature = Signature(
        pk=before.pk if before else None,
        petition=petition,
        supporter=supporter,
        version_id=version_id,
        signed_at=counted.signed_at if counted else at,
        first_name=typed.first_name,
        last_name=typed.last_name,
        email=supporter.email,
        postal_code=typed.postal_code,
        country=typed.country,
        is_local=counted.is_local if counted else local,
        referral=typed.referral,
        referral_code=before.referral_code if before else new_referral_code(),
        confirmed_at=at,
        accepted_at=counted.accepted_at if counted else at,
        hidden_at=counted.hidden_at if counted else None,
    )
    signature.save(force_insert=before is None, force_update=before is not None)
    return signature


def prove(supporter: Supporter, signature: Signature, at: datetime) -> None:
    """Whoever presses the button owns the mailbox; a name that was missing is known now."""
    Supporter.objects.filter(pk=supporter.pk, confirmed_at=None).update(confirmed_at=at)
    Supporter.objects.filter(pk=supporter.pk, first_name="").update(first_name=signature.first_name)
    Supporter.objects.filter(pk=supporter.pk, last_name="").update(last_name=signature.last_name)
    remember_place(signature)

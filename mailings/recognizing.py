"""The sign link of a copy: whom it recognises, for which petition, and what using it does."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from mailings import links
from mailings.models import Recipient
from signers.confirming import locked_person
from signers.models import Signature, Supporter
from signers.recognized import Outcome, ReaderInput, sign_proven
from toolkit.signed_tokens import ExpiredToken, InvalidToken


@dataclass(frozen=True)
class Reading:
    """Somebody who came by the link of their copy."""

    recipient: Recipient
    supporter: Supporter
    petition_id: int
    latest: Signature | None

    @property
    def known(self) -> ReaderInput:
        """What they need not type again: from their own signatures, and shown to nobody."""
        latest = self.latest
        return ReaderInput(
            first_name=self.supporter.first_name,
            last_name=self.supporter.last_name,
            postal_code=latest.postal_code if latest else "",
            country=latest.country if latest else "",
        )


def recipient_of(token: str, *, at: datetime) -> Recipient | None:
    """The copy a token belongs to, also where the link has expired or was used; None for a token that isn't ours."""
    try:
        pk = links.read_sign(token, at=at)
    except ExpiredToken as expired:
        pk = expired.subject
    except InvalidToken:
        return None
    return (
        Recipient.objects.select_related("supporter", "edition__petition", "mailing__campaign")
        .defer("edition__html", "edition__text", "mailing__body", "edition__petition__local")
        .filter(pk=pk)
        .first()
    )


def reading(token: str, *, at: datetime) -> Reading | None:
    """Whom the token recognises now; None once it was used or has expired, and for whoever cannot sign by it."""
    try:
        links.read_sign(token, at=at)
    except InvalidToken:
        return None
    recipient = recipient_of(token, at=at)
    if recipient is None or recipient.link_used_at:
        return None
    petition = recipient.edition.petition
    supporter = recipient.supporter
    if supporter is None or supporter.blocked_at or petition is None or not petition.is_open(at):
        return None
    latest = (
        Signature.objects.counted()
        .filter(supporter=supporter, confirmed_at__isnull=False)
        .exclude(postal_code="", country="")
        .order_by("-signed_at")
        .first()
    )
    return Reading(recipient, supporter, petition.pk, latest)


@transaction.atomic
def sign(
    *, recipient_id: int, version_id: int, typed: ReaderInput, at: datetime
) -> tuple[Outcome, Signature | None]:
    """Signs for the reader of a copy, and ends its link. Pressed twice, the same signature comes back as ALREADY."""
    recipient = Recipient.objects.select_related("edition").filter(pk=recipient_id).first()
    if recipient is None or recipient.supporter_id is None or recipient.edition.petition_id is None:
        return Outcome.REFUSED, None
    # The supporter first, then the copy: everybody locks in this order.
    locked_person(recipient.supporter_id)
    held = (
        Recipient.objects.select_for_update(of=("self",))
        .select_related("signature")
        .filter(pk=recipient_id)
        .first()
    )
    if held is None:
        return Outcome.REFUSED, None
    if held.link_used_at:
        return (Outcome.ALREADY, held.signature) if held.signature else (Outcome.REFUSED, None)
    outcome, signature = sign_proven(
        supporter_id=recipient.supporter_id,
        petition_id=recipient.edition.petition_id,
        version_id=version_id,
        typed=typed,
        at=at,
    )
    if signature is not None:
        mine = signature if outcome is Outcome.SIGNED else None
        Recipient.objects.filter(pk=recipient_id).update(link_used_at=at, signature=mine)
    return outcome, signature

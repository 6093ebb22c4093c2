"""Taking what was typed into a sign form: one insert, and nothing that depends on who typed it."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime

from signers.models import Submission

# Without letters and digits that are mistaken for each other when a link is read aloud or copied by hand.
REFERRAL_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
REFERRAL_LENGTH = 10


def new_referral_code() -> str:
    """A code for the shared link of one signer: random, so it says nothing about them."""
    return "".join(secrets.choice(REFERRAL_ALPHABET) for _ in range(REFERRAL_LENGTH))


@dataclass(frozen=True)
class SignInput:
    """What a valid sign form holds. `evidence` names what looked odd; only the fold draws conclusions from it."""

    first_name: str
    last_name: str
    email: str
    updates: bool
    wording: str
    postal_code: str = ""
    country: str = ""
    comment: str = ""
    referral: str = ""
    referral_code: str = field(default_factory=new_referral_code)
    evidence: list[str] = field(default_factory=list)


def submit(*, petition_id: int, version_id: int, cleaned: SignInput, at: datetime) -> Submission:
    """Writes down what was typed. One INSERT, the same for a new, a known, a blocked and a removed address."""
    return Submission.objects.create(
        petition_id=petition_id,
        version_id=version_id,
        received_at=at,
        first_name=cleaned.first_name,
        last_name=cleaned.last_name,
        email=cleaned.email,
        postal_code=cleaned.postal_code,
        country=cleaned.country,
        comment=cleaned.comment,
        updates=cleaned.updates,
        wording=cleaned.wording,
        referral=cleaned.referral,
        referral_code=cleaned.referral_code,
        evidence=cleaned.evidence,
    )

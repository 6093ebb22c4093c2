"""A sum that a campaign may ask browsers for (ALTCHA): what is to be worked out, and whether that was done, and once.

What is asked for knows nobody and is kept nowhere; only solutions are remembered, until nobody could use them again.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import altcha
from django.conf import settings

from fraud.models import UsedProof
from petitions.models import Petition
from signers.models import LONGEST_PROOF, Submission

ALGORITHM = "PBKDF2/SHA-256"
# About a third of a second of a desktop computer, one or two of a phone; a millisecond of ours.
COST, FEWEST_TRIES, MOST_TRIES = 2_000, 150, 350
LIFETIME = timedelta(minutes=20)
# Longer than signatures could ever wait to be folded: until then the same solution might be among them.
REMEMBERED = timedelta(days=7)
AT_ONCE = 5_000

MISSING, FORGED, EXPIRED, REPLAYED = "proof-missing", "proof-forged", "proof-expired", "proof-replayed"


def challenge(*, at: datetime) -> dict[str, Any]:
    """What a browser has to work out, as ALTCHA's worker reads it."""
    made = altcha.create_challenge(
        ALGORITHM,
        COST,
        counter=FEWEST_TRIES + secrets.randbelow(MOST_TRIES - FEWEST_TRIES),
        # Not the library's own expiry: it would be compared with the moment of folding, which may come late.
        data={"until": int((at + LIFETIME).timestamp())},
        hmac_secret=_key(settings.SECRET_KEY, "challenge"),
        hmac_key_secret=_key(settings.SECRET_KEY, "solution"),
    )
    return made.to_dict()


@dataclass(frozen=True)
class Proof:
    """A genuine solution: which challenge it solves, and until when that was good."""

    key: str
    until: datetime


def verdicts(submissions: Sequence[Submission], *, at: datetime) -> dict[int, str]:
    """Why to hold, by the submission's key; nothing for those that go on. One query, three where proofs are asked for.

    Runs in the transaction of the fold, which also takes back what it remembers.
    """
    asking = set(
        Petition.objects.filter(
            pk__in={submission.petition_id for submission in submissions}, letter__campaign__asks_proof=True
        ).values_list("pk", flat=True)
    )
    if not asking:
        return {}
    found: dict[int, str] = {}
    proofs: dict[int, Proof] = {}
    for submission in submissions:
        if submission.petition_id not in asking:
            continue
        proof = read(submission.proof)
        if proof is None:
            found[submission.pk] = FORGED if submission.proof else MISSING
        elif submission.received_at > proof.until:
            found[submission.pk] = EXPIRED
        else:
            proofs[submission.pk] = proof
    return found | dict.fromkeys(used_before(proofs), REPLAYED)


def used_before(proofs: dict[int, Proof]) -> list[int]:
    """Remembers each for the submission that came first, and returns the others. Two queries."""
    # In one order, so that two workers do not wait for each other.
    rows = [
        UsedProof(key=proof.key, submission_id=pk, until=proof.until) for pk, proof in sorted(proofs.items())
    ]
    rows.sort(key=lambda row: row.key)
    UsedProof.objects.bulk_create(rows, ignore_conflicts=True)
    keys = {proof.key for proof in proofs.values()}
    owners = dict(UsedProof.objects.filter(key__in=keys).values_list("key", "submission_id"))
    return [pk for pk, proof in proofs.items() if owners.get(proof.key) != pk]


def read(sent: str) -> Proof | None:
    """What was proven, or None for anything we did not ask for or that is wrong. Never raises."""
    if not sent or len(sent) > LONGEST_PROOF:
        return None
    try:
        parsed = json.loads(base64.b64decode(sent, validate=True))
        payload = altcha.Payload.from_dict(parsed)
        genuine = any(is_solved(payload, secret) for secret in _secrets())
        if not genuine:
            return None
        parameters = payload.challenge.parameters
        until = datetime.fromtimestamp((parameters.data or {})["until"], UTC)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
    return Proof(hashlib.blake2b(parameters.nonce.encode(), digest_size=16).hexdigest(), until)


def is_solved(payload: altcha.Payload, secret: str | bytes) -> bool:
    result = altcha.verify_solution(
        payload, _key(secret, "challenge"), hmac_key_secret=_key(secret, "solution")
    )
    return bool(result.verified)


def forget_proofs(*, at: datetime) -> int:
    """Those that nobody could use again; returns how many."""
    forgotten = 0
    old = UsedProof.objects.filter(until__lt=at - REMEMBERED).order_by()
    while keys := list(old.values_list("pk", flat=True)[:AT_ONCE]):
        forgotten += UsedProof.objects.filter(pk__in=keys).delete()[0]
    return forgotten


def _secrets() -> Iterator[str | bytes]:
    yield settings.SECRET_KEY
    yield from settings.SECRET_KEY_FALLBACKS


def _key(secret: str | bytes, purpose: str) -> bytes:
    """A key for each purpose: what is signed here can pass for nothing else."""
    raw = secret if isinstance(secret, bytes) else secret.encode()
    return hashlib.blake2b(f"proof-of-work:{purpose}:".encode() + raw, digest_size=32).digest()

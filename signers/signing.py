"""Taking what was typed into a sign form: one insert, and nothing that depends on who typed it."""

import secrets
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from django.db import connection, models, transaction

from petitions.models import Petition
from signers.models import Submission

# Without letters and digits that are mistaken for each other when a link is read aloud or copied by hand.
REFERRAL_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
REFERRAL_LENGTH = 10


def new_referral_code() -> str:
    """A code for the shared link of one signer: random, so it says nothing about them."""
    number = secrets.randbelow(len(REFERRAL_ALPHABET) ** REFERRAL_LENGTH)  # asks the system once
    letters = []
    for _ in range(REFERRAL_LENGTH):
        number, letter = divmod(number, len(REFERRAL_ALPHABET))
        letters.append(REFERRAL_ALPHABET[letter])
    return "".join(letters)


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
    proof: str = ""


def submit(
    *, petition_id: int, version_id: int, cleaned: SignInput, at: datetime, network: str = ""
) -> Submission:
    """Writes down what was typed. One INSERT, the same for a new, a known, a blocked and a removed address."""
    row = _row(petition_id, version_id, cleaned, at, network)
    return Submission.objects.create(**row)


def submit_if_open(
    *, petition_id: int, slug: str, version_id: int, cleaned: SignInput, at: datetime, network: str = ""
) -> bool:
    """The same for a caller who remembers the petition from a moment ago: the one INSERT proves that it is open, still
    has this address and still shows this version. False where it does not, and nothing is written."""
    row = _row(petition_id, version_id, cleaned, at, network)
    moment: Any = connection.ops.adapt_datetimefield_value(at)
    statement, columns = _insert_if_open(connection.vendor)
    values = [
        row.get(name, default) if prepare is None else prepare(row.get(name, default), connection)
        for name, default, prepare in columns
    ]
    # SQLite has transactions take turns; on PostgreSQL a statement alone saves two ways to and fro.
    turn = transaction.atomic(savepoint=False) if connection.vendor == "sqlite" else nullcontext()
    with turn, connection.cursor() as cursor:
        cursor.execute(statement, [*values, petition_id, slug, version_id, moment, moment])
        return bool(cursor.rowcount == 1)


# Values that go to the database as they are.
PLAIN = (models.CharField, models.TextField, models.BooleanField, models.BigIntegerField)
Column = tuple[str, Any, Callable[[Any, Any], Any] | None]


@cache
def _insert_if_open(_vendor: str) -> tuple[str, list[Column]]:
    """The statement, and whose values come first: name, default, and what prepares a value, if anything has to.

    It says what `Petition.objects.open` says.
    """
    fields = [field for field in Submission._meta.concrete_fields if not field.primary_key]
    quoted = connection.ops.quote_name
    columns = ", ".join(quoted(str(field.column)) for field in fields)
    values = ", ".join(["%s"] * len(fields))
    statement = (
        f"INSERT INTO {quoted(Submission._meta.db_table)} ({columns}) SELECT {values}"  # noqa: S608
        f" FROM {quoted(Petition._meta.db_table)} WHERE id = %s AND slug = %s AND current_version_id = %s"
        " AND live_at <= %s AND closed_at IS NULL AND (closes_at IS NULL OR closes_at > %s)"
    )
    return statement, [
        (
            field.attname,
            None if field.null else field.get_default(),
            None if isinstance(field, PLAIN) else field.get_db_prep_save,
        )
        for field in fields
    ]


def _row(petition_id: int, version_id: int, cleaned: SignInput, at: datetime, network: str) -> dict[str, Any]:
    return {
        "petition_id": petition_id,
        "version_id": version_id,
        "received_at": at,
        "first_name": cleaned.first_name,
        "last_name": cleaned.last_name,
        "email": cleaned.email,
        "postal_code": cleaned.postal_code,
        "country": cleaned.country,
        "comment": cleaned.comment,
        "updates": cleaned.updates,
        "wording": cleaned.wording,
        "referral": cleaned.referral,
        "referral_code": cleaned.referral_code,
        "evidence": cleaned.evidence,
        "proof": cleaned.proof,
        "network": network,
    }

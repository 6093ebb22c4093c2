"""The judge of the fold: holds what belongs to a burst or lacks a proof of work, and marks all for later looks."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from fraud import patterns, proof_of_work
from fraud.models import Burst, Kind, Mark, Member
from fraud.rules import GROUPINGS
from signers import networks
from signers.models import Signature, Submission
from toolkit.bulk_inserts import insert_all
from toolkit.email_addresses import mailbox_key

# What says that nobody read and typed.
FAST = frozenset({"too-fast", "forged-form", "no-stamp"})
MOST_BURSTS = 2_000
COLUMNS = (
    "signature_id", "petition_id", "received_at", "network", "neighborhood", "domain", "name", "mailbox", "is_fast",
)  # fmt: skip
REPLACED = ("folded_at", *COLUMNS[1:])
# Beside everything else the fold does this has to be quick: no objects, one parameter, no keys that come back.
INSERT = f"""
    INSERT INTO fraud_mark (folded_at, {", ".join(COLUMNS)})
    SELECT %s, {", ".join(COLUMNS)} FROM json_populate_recordset(NULL::fraud_mark, %s)
    ON CONFLICT (signature_id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in REPLACED)}
    """  # noqa: S608 - names of columns

Values = dict[str, Any]  # of a mark, by column


class BurstJudge:
    """Three statements a batch, a few more where something is held or proofs are asked for."""

    def __init__(self) -> None:
        self.marks: dict[int, Values] = {}
        self.found: dict[int, list[int]] = {}

    def reasons(self, submissions: Sequence[Submission], *, at: datetime) -> Mapping[int, Sequence[str]]:
        hashed = hasher(at)
        self.marks = {submission.pk: mark_of(submission, hashed) for submission in submissions}
        self.found = {}
        bursts = {(kind, key): pk for pk, kind, key in going_on()}
        verdicts = proof_of_work.verdicts(submissions, at=at)
        reasons: dict[int, list[str]] = {pk: [verdict] for pk, verdict in verdicts.items()}
        if not bursts:
            return reasons
        for pk, mark in self.marks.items():
            for kind, key in keys_of(mark):
                if (kind, key) in bursts:
                    reasons.setdefault(pk, []).append(reason(kind))
                    self.found.setdefault(pk, []).append(bursts[kind, key])
        return reasons

    def remember(self, folded: Sequence[tuple[Submission, Signature]], *, at: datetime) -> None:
        marks, members = [], []
        for submission, signature in folded:
            mark = self.marks[submission.pk]
            mark["signature_id"] = signature.pk
            marks.append(mark)
            members += [
                Member(burst_id=burst, signature_id=signature.pk)
                for burst in self.found.get(submission.pk, ())
            ]
        _write(marks, at)
        insert_all(members, unique=["burst_id", "signature_id"])


def going_on() -> list[tuple[int, str, str]]:
    """Key of the row, kind and key of each burst."""
    return list(Burst.objects.filter(ended_at=None).order_by().values_list("pk", "kind", "key")[:MOST_BURSTS])


def reason(kind: str) -> str:
    """How it stands among the evidence of a signature."""
    return f"burst-{kind}"


def hasher(at: datetime) -> Callable[[str], str]:
    """Hashes texts with this week's key; nothing but "" comes out where there is none."""
    key = networks.key_at(at)
    return networks.hasher(key) if key else lambda _text: ""


def mark_of(submission: Submission, hashed: Callable[[str], str]) -> Values:
    """Without its signature and when it was folded, which are known later."""
    near, _, wide = submission.network.partition(".")
    mailbox = mailbox_key(submission.email)
    return {
        "petition_id": submission.petition_id,
        "received_at": submission.received_at.isoformat(),
        "network": near if wide else "",
        "neighborhood": wide,
        "domain": patterns.own_domain(mailbox.rpartition("@")[2]),
        "name": hashed(patterns.name_pattern(submission.first_name, submission.last_name)),
        "mailbox": hashed(patterns.mailbox_pattern(mailbox)),
        "is_fast": not FAST.isdisjoint(submission.evidence),
    }


def keys_of(mark: Values) -> list[tuple[str, str]]:
    """Kind and key of every burst it might belong to."""
    keys = [(kind, str(mark[grouping.column])) for kind, grouping in GROUPINGS.items()]
    return [(kind, key) for kind, key in keys if key and (kind != Kind.SPEED or mark["is_fast"])]


def _write(marks: Sequence[Values], at: datetime) -> None:
    if not marks:
        return
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(INSERT, [at, json.dumps(marks, ensure_ascii=False)])
        return
    Mark.objects.bulk_create(
        [
            Mark(folded_at=at, **values | {"received_at": datetime.fromisoformat(values["received_at"])})
            for values in marks
        ],
        update_conflicts=True,
        unique_fields=["signature"],
        update_fields=REPLACED,
    )

"""The judge of the fold: holds what belongs to a burst that is going on, and marks everything for later looks."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from fraud import patterns
from fraud.models import Burst, Kind, Mark, Member
from fraud.rules import GROUPINGS
from signers import networks
from signers.models import Signature, Submission
from toolkit.bulk_inserts import insert_all

# What says that nobody read and typed.
FAST = frozenset({"too-fast", "forged-form", "no-stamp"})
MOST_BURSTS = 2_000
REPLACED = (
    "petition_id", "received_at", "folded_at", "network", "neighborhood", "domain", "name", "mailbox", "is_fast",
)  # fmt: skip


class BurstJudge:
    """Three statements a batch, four where something is held."""

    def __init__(self) -> None:
        self.marks: dict[int, Mark] = {}
        self.found: dict[int, list[int]] = {}

    def reasons(self, submissions: Sequence[Submission], *, at: datetime) -> Mapping[int, Sequence[str]]:
        self.marks = {submission.pk: mark_of(submission, at=at) for submission in submissions}
        self.found = {}
        bursts = {(kind, key): pk for pk, kind, key in going_on()}
        if not bursts:
            return {}
        reasons: dict[int, list[str]] = {}
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
            mark.signature_id = signature.pk
            marks.append(mark)
            members += [
                Member(burst_id=burst, signature_id=signature.pk)
                for burst in self.found.get(submission.pk, ())
            ]
        insert_all(marks, unique=["signature_id"], replaced=REPLACED)
        insert_all(members, unique=["burst_id", "signature_id"])


def going_on() -> list[tuple[int, str, str]]:
    """Key of the row, kind and key of each burst."""
    return list(Burst.objects.filter(ended_at=None).order_by().values_list("pk", "kind", "key")[:MOST_BURSTS])


def reason(kind: str) -> str:
    """How it stands among the evidence of a signature."""
    return f"burst-{kind}"


def mark_of(submission: Submission, *, at: datetime) -> Mark:
    """Unsaved, and without its signature."""
    near, _, wide = submission.network.partition(".")
    return Mark(
        petition_id=submission.petition_id,
        received_at=submission.received_at,
        folded_at=at,
        network=near if wide else "",
        neighborhood=wide,
        domain=patterns.own_domain(submission.email),
        name=networks.keyed(patterns.name_pattern(submission.first_name, submission.last_name), at=at),
        mailbox=networks.keyed(patterns.mailbox_pattern(submission.email), at=at),
        is_fast=not FAST.isdisjoint(submission.evidence),
    )


def keys_of(mark: Mark) -> list[tuple[str, str]]:
    """Kind and key of every burst it might belong to."""
    keys = [(kind, str(getattr(mark, grouping.column))) for kind, grouping in GROUPINGS.items()]
    return [(kind, key) for kind, key in keys if key and (kind != Kind.SPEED or mark.is_fast)]

"""Making signatures of what was typed: the worker's half of signing, where every decision is taken."""

import logging
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from typing import ClassVar, Protocol

from django.db import transaction
from django.db.models import QuerySet

from campaigns.models import Campaign
from petitions.models import Petition, Version
from signers.blocking import blocked_among
from signers.mail_limits import MailLimits
from signers.models import CountChange, OutgoingMail, Signature, Submission, Supporter
from staff import audit
from staff.models import User
from toolkit import meters
from toolkit.bulk_inserts import insert_all, new_row
from toolkit.database_trouble import AWAY
from toolkit.durability import can_be_redone
from toolkit.email_addresses import mailbox_key
from toolkit.signed_tokens import CLOCK_SET_BACK

logger = logging.getLogger(__name__)

Key = tuple[int, int]  # petition, supporter
# A human being may do this once; then the signature waits for the mailbox to be proven, whatever the campaign says.
SUSPICIOUS = frozenset({"too-fast", "forged-form", "honeypot"})
HONEYPOT = "honeypot"
# Everything a repeated sign-up replaces, as long as nothing counts yet.
REPLACED = (
    "version_id", "signed_at", "first_name", "last_name", "email", "postal_code", "country", "comment", "is_local",
    "updates", "wording", "referral", "referral_code", "evidence",
    "confirmed_at", "accepted_at", "held_at", "removed_at", "removal",
)  # fmt: skip


class Judge(Protocol):
    """Who says what is held. Both are called once a batch, inside its transaction."""

    def reasons(self, submissions: Sequence[Submission], *, at: datetime) -> Mapping[int, Sequence[str]]:
        """Why to hold, by the submission's key; nothing for those that go on."""

    def remember(self, folded: Sequence[tuple[Submission, Signature]], *, at: datetime) -> None:
        """What was written, with the keys of the signatures."""


class HoldsNothing:
    """The judge where there is none."""

    def reasons(self, submissions: Sequence[Submission], *, at: datetime) -> Mapping[int, Sequence[str]]:
        return {}

    def remember(self, folded: Sequence[tuple[Submission, Signature]], *, at: datetime) -> None:
        pass


def fold(*, at: datetime, limit: int = 500, judge: Judge = HoldsNothing()) -> int:  # noqa: B008 - it has no state
    """Folds the oldest submissions, at most `limit`; returns how many were dealt with.

    What `judge` has reasons against is held: neither counted nor mailed.
    One transaction and a fixed number of queries for the whole batch. Where that fails, the batch is halved until
    the row that is to blame stands alone and is parked. Raises only when the database itself is in trouble.
    """
    waiting = Submission.objects.filter(parked_at=None).order_by("id")
    if not waiting.exists():
        return 0
    try:
        return _fold_batch(waiting[:limit], at, judge)
    except AWAY:
        raise
    except Exception as error:  # noqa: BLE001 - one odd row must not hold up the others
        logger.warning(
            "A batch could not be folded (%s); looking for the row that is to blame.", type(error).__name__
        )
    return _fold_piecemeal(list(waiting.values_list("pk", flat=True)[:limit]), at, judge)


def more_wait_than(batch: int) -> bool:
    """Whether one batch does not take all that waits. One query."""
    return Submission.objects.filter(parked_at=None).order_by("id")[batch : batch + 1].exists()


@transaction.atomic
def unpark(*, submissions: Collection[Submission], actor: User | None, at: datetime) -> int:
    """Gives parked submissions another try, once what kept them from being folded was put right; returns how many."""
    rows = Submission.objects.filter(pk__in=[row.pk for row in submissions], parked_at__isnull=False)
    parked = list(rows.select_for_update())
    audit.record_all(actor=actor, action="tried again", subjects=parked, at=at)
    return rows.update(parked_at=None, parked_reason="")


def _fold_piecemeal(ids: list[int], at: datetime, judge: Judge) -> int:
    try:
        return _fold_batch(Submission.objects.filter(pk__in=ids, parked_at=None).order_by("id"), at, judge)
    except AWAY:
        raise
    except Exception as error:  # noqa: BLE001
        if len(ids) == 1 and not isinstance(judge, HoldsNothing):
            # Whether it is the judge who is to blame.
            return _fold_piecemeal(ids, at, HoldsNothing())
        if len(ids) == 1:
            # Not the error's text, which may quote what was typed.
            reason = f"Could not be folded: {type(error).__name__}."
            logger.error("Submission %d is parked. %s", ids[0], reason)
            meters.PARKED.inc()
            return Submission.objects.filter(pk=ids[0]).update(parked_at=at, parked_reason=reason)
        middle = len(ids) // 2
    return _fold_piecemeal(ids[:middle], at, judge) + _fold_piecemeal(ids[middle:], at, judge)


@transaction.atomic
def _fold_batch(rows: QuerySet[Submission], at: datetime, judge: Judge) -> int:
    """Whoever folds at the same time takes other rows, and waits for the supporters both have."""
    can_be_redone()  # with the submissions back in their place
    submissions = list(rows.select_for_update(skip_locked=True))
    if not submissions:
        return 0
    fit = _park_unfit(submissions, at)
    batch = Batch.load(fit, at)
    batch.reasons = judge.reasons(fit, at=at)
    for submission in fit:
        batch.take(submission)
    batch.store()
    judge.remember([(batch.latest[key], signature) for key, signature in batch.changed.items()], at=at)
    Submission.objects.filter(pk__in=batch.folded).delete()
    transaction.on_commit(lambda: _count(batch, folded=len(fit), parked=len(submissions) - len(fit)))
    return len(submissions)


def _count(batch: "Batch", *, folded: int, parked: int) -> None:
    """For those who watch."""
    meters.FOLDED.inc(folded)
    meters.PARKED.inc(parked)
    meters.HELD.inc(sum(signature.held_at == batch.at for signature in batch.changed.values()))


# --- What can be folded at all -------------------------------------------------------------------------------


def _park_unfit(submissions: list[Submission], at: datetime) -> list[Submission]:
    """Sets aside what belongs to no petition that was open; returns the others, with their petition. Three queries
    and one for each reason."""
    petitions = (
        Petition.objects.select_related("letter__campaign", "target__place")
        .defer("letter__body", "letter__statement", "local", "target__place__name")
        .in_bulk({submission.petition_id for submission in submissions})
    )
    versions = Version.objects.only("petition_id", "published_at").in_bulk(
        {submission.version_id for submission in submissions}
    )
    fit: list[Submission] = []
    unfit: list[tuple[str, int]] = []
    for submission in submissions:
        petition = petitions.get(submission.petition_id)
        reason = _why_unfit(submission, petition, versions)
        if reason:
            unfit.append((reason, submission.pk))
        else:
            submission.petition = petition  # type: ignore[attr-defined]
            fit.append(submission)
    for reason, group in groupby(sorted(unfit), key=lambda pair: pair[0]):
        ids = [pk for _reason, pk in group]
        Submission.objects.filter(pk__in=ids).update(parked_at=at, parked_reason=reason)
        logger.warning("%d submissions are parked. %s", len(ids), reason)
    return fit


def _why_unfit(submission: Submission, petition: Petition | None, versions: dict[int, Version]) -> str:
    version = versions.get(submission.version_id)
    if petition is None:
        return "There is no such petition."
    if version is None or version.petition_id != petition.pk:
        return "The version shown does not belong to the petition."
    if not was_open(petition, version, submission.received_at):
        return "The petition was not open when this was signed."
    return ""


def was_open(petition: Petition, version: Version, at: datetime) -> bool:
    """Whether it took signatures to this version at a moment gone by. `Petition.is_open` speaks of now.

    Not `live_at`, which is forgotten when the page is taken off the site and another when it comes back: whoever signed
    before did sign. That the page was there is what the request made sure of, by a clock that may not be that of
    whoever published.
    """
    ends = [end for end in (petition.closed_at, petition.closes_at) if end is not None]
    return version.published_at <= at + CLOCK_SET_BACK and all(at < end for end in ends)


def is_local(postal_code: str, prefixes: str) -> bool:
    """Whether the code begins with one of the prefixes, which stand between spaces or commas."""
    code = _plain_code(postal_code)
    return bool(code) and code.startswith(_plain_prefixes(prefixes))


@lru_cache(maxsize=1024)
def _plain_prefixes(prefixes: str) -> tuple[str, ...]:
    return tuple(_plain_code(prefix) for prefix in re.split(r"[\s,;]+", prefixes) if prefix)


def _plain_code(code: str) -> str:
    return "".join(code.split()).upper()


# --- One batch -----------------------------------------------------------------------------------------------


@dataclass
class Batch:
    """The signatures of some submissions as they were and as they become, until `store` writes them."""

    at: datetime
    supporters: dict[str, Supporter]  # by mailbox, locked
    new: set[int]  # keys of supporters of whom nobody can know more than this batch
    signatures: dict[Key, Signature]
    reasons: Mapping[int, Sequence[str]] = field(default_factory=dict)  # to hold, by submission
    changed: dict[Key, Signature] = field(default_factory=dict)
    latest: dict[Key, Submission] = field(default_factory=dict)  # what each of the changed is made of
    counted: list[Signature] = field(default_factory=list)
    mails: dict[Key, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)  # mailboxes of people who were blocked and erased
    folded: list[int] = field(default_factory=list)

    @classmethod
    def load(cls, submissions: Collection[Submission], at: datetime) -> "Batch":
        """Four queries. Creates the supporters that are new."""
        if not submissions:
            return cls(at, {}, set(), {})
        supporters, new = _supporters(submissions, at)
        # Only now that nobody can be erased any more between looking and writing.
        refused = blocked_among(supporters)
        _forget_again(refused, supporters)
        signatures = Signature.objects.filter(
            petition__in={submission.petition_id for submission in submissions},
            supporter__in={supporter.pk for supporter in supporters.values()} - new,
        )
        found = {(row.petition_id, row.supporter_id): row for row in signatures}
        return cls(at, supporters, new, found, refused=refused)

    def take(self, submission: Submission) -> None:
        """Decides what becomes of one submission."""
        mailbox = mailbox_key(submission.email)
        supporter = self.supporters.get(mailbox)
        if supporter is None:
            return  # Forgotten at this very moment; the next round makes it anew.
        self.folded.append(submission.pk)
        if supporter.blocked_at or mailbox in self.refused:
            return
        key = (submission.petition_id, supporter.pk)
        before = self.signatures.get(key)
        decide = self.DECISIONS[before.state if before else "new"]
        decide(self, submission, key, before)

    def _sign(self, submission: Submission, key: Key, _before: Signature | None) -> None:
        signature = self._replace(submission, key)
        if HONEYPOT in submission.evidence or self._is_held(submission, signature):
            signature.held_at = self.at
            return
        campaign = submission.petition.campaign  # type: ignore[attr-defined]
        if campaign.confirmation == Campaign.Confirmation.AFTERWARDS and SUSPICIOUS.isdisjoint(
            submission.evidence
        ):
            signature.accepted_at = self.at
            self.counted.append(signature)
        self.mails[key] = OutgoingMail.Message.CONFIRM

    def _sign_again(self, submission: Submission, key: Key, _before: Signature | None) -> None:
        """Nothing counts yet, so the latest words hold; a machine's do not replace a person's."""
        if HONEYPOT not in submission.evidence:
            self._replace(submission, key)
            self.mails[key] = OutgoingMail.Message.CONFIRM

    def _sign_again_held(self, submission: Submission, key: Key, before: Signature | None) -> None:
        """Whoever comes again by another way is asked to prove it. Proven ones wait for staff."""
        if HONEYPOT in submission.evidence or (before is not None and before.confirmed_at):
            return
        signature = self._replace(submission, key)
        if self._is_held(submission, signature):
            signature.held_at = self.at
        else:
            self.mails[key] = OutgoingMail.Message.CONFIRM

    def _remind(self, submission: Submission, key: Key, before: Signature | None) -> None:
        """It counts, and what counts isn't changed by whoever knows the address."""
        if HONEYPOT not in submission.evidence:
            confirmed = before is not None and before.confirmed_at is not None
            self.mails[key] = (
                OutgoingMail.Message.ALREADY_SIGNED if confirmed else OutgoingMail.Message.CONFIRM
            )

    def _sign_after_removal(self, submission: Submission, key: Key, before: Signature | None) -> None:
        """Whoever said "it wasn't me" or withdrew may sign after all, but has to prove it. What staff removed stays
        removed."""
        if before is not None and before.removal != Signature.Removal.STAFF:
            self._sign_again_held(submission, key, None)

    def _is_held(self, submission: Submission, signature: Signature) -> bool:
        """Whether there are reasons, which then stand with what else looked odd."""
        reasons = self.reasons.get(submission.pk)
        if reasons:
            signature.evidence = [*signature.evidence, *reasons]
        return bool(reasons)

    DECISIONS: ClassVar[dict[str, Callable[["Batch", Submission, Key, Signature | None], None]]] = {
        "new": _sign,
        "pending": _sign_again,
        "held": _sign_again_held,
        "accepted": _remind,
        "confirmed": _remind,
        "removed": _sign_after_removal,
    }

    def _replace(self, submission: Submission, key: Key) -> Signature:
        """A pending signature of what was typed."""
        petition = submission.petition  # type: ignore[attr-defined]
        signature = new_row(
            Signature,
            petition_id=key[0],
            supporter_id=key[1],
            version_id=submission.version_id,
            signed_at=submission.received_at,
            first_name=submission.first_name,
            last_name=submission.last_name,
            email=submission.email,
            postal_code=submission.postal_code,
            country=submission.country,
            comment=submission.comment,
            is_local=petition.target is not None
            and is_local(submission.postal_code, petition.target.place.postal_prefixes),
            updates=submission.updates,
            wording=submission.wording,
            referral=submission.referral,
            referral_code=submission.referral_code,
            evidence=submission.evidence,
        )
        self.signatures[key] = self.changed[key] = signature
        self.latest[key] = submission
        return signature

    def store(self) -> None:
        """One statement for the signatures, one for the changes of counts, two reads and one insert for the mails."""
        # An upsert brings back the keys of new and of replaced rows alike.
        insert_all(
            [self.changed[key] for key in sorted(self.changed)],
            unique=["petition_id", "supporter_id"],
            replaced=REPLACED,
        )
        insert_all([CountChange.of(signature, 1) for signature in self.counted])
        insert_all(self._allowed_mails())

    def _allowed_mails(self) -> list[OutgoingMail]:
        if not self.mails:
            return []
        wanted = [(self.signatures[key], message) for key, message in self.mails.items()]
        known = [signature for signature, _message in wanted if signature.supporter_id not in self.new]
        limits = MailLimits.load(
            supporters={signature.supporter_id for signature in known},
            signatures={signature.pk for signature in known},
            at=self.at,
        )
        return [limits.new_mail(*wish) for wish in wanted if limits.allow(*wish)]


def _supporters(submissions: Iterable[Submission], at: datetime) -> tuple[dict[str, Supporter], set[int]]:
    """By mailbox, made where they are new, and locked, so that states and limits of each are decided by one worker.

    Also the keys of those that are new, where the database tells: nobody else can see them yet.
    """
    typed = {mailbox_key(submission.email): submission for submission in submissions}
    made = [
        new_row(
            Supporter,
            mailbox=mailbox,
            email=typed[mailbox].email,
            first_name=typed[mailbox].first_name,
            last_name=typed[mailbox].last_name,
            created_at=at,
        )
        # In one order, so that two workers with the same newcomers cannot wait for each other.
        for mailbox in sorted(typed)
    ]
    insert_all(made, unique=["mailbox"])
    new = {row.mailbox: row for row in made if row.pk is not None}
    rows = Supporter.objects.filter(mailbox__in=typed.keys() - new.keys())
    known = {row.mailbox: row for row in rows.order_by("id").select_for_update(no_key=True)}
    return known | new, {row.pk for row in new.values()}


def _forget_again(refused: set[str], supporters: dict[str, Supporter]) -> None:
    """Those of the refused who were only made for this batch."""
    if refused:
        new = [supporters[mailbox].pk for mailbox in refused]
        Supporter.objects.filter(pk__in=new, signatures=None, consents=None).delete()

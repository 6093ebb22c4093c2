"""What staff do with a whole cluster: asked for here, done and undone by the worker in steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet

from fraud import changing
from fraud.changing import Mails
from fraud.models import Batch, Burst, Change, Member
from signers.models import OutgoingMail, Signature
from signers.removing import CannotBeDone
from signers.sending import waiting
from staff import audit
from staff.models import User
from toolkit.bulk_inserts import insert_all

AT_ONCE = 500
# What a batch writes, and what else must be as the batch left it for the batch to be undone.
WRITTEN = ("held_at", "removed_at", "removal")
WATCHED = (*WRITTEN, "accepted_at", "confirmed_at", "signed_at")

DO = {Batch.Act.REMOVE: changing.remove, Batch.Act.HOLD: changing.hold, Batch.Act.RELEASE: changing.release}


@dataclass(frozen=True)
class Preview:
    """What a batch would change: exactly so many, of which so many count; and whom it leaves alone."""

    changed: int
    counted: int
    pending: int
    held: int
    confirmed: int  # among those changed
    confirmed_left: int
    through: int


def preview(*, burst: Burst, act: str, with_confirmed: bool) -> Preview:
    """Two queries."""
    through = burst.members.aggregate(last=Max("pk"))["last"] or 0
    rows = signatures_of(burst, through=through)
    numbers = numbers_of(rows.filter(fits(act, with_confirmed)))
    left = 0
    if not with_confirmed and act != Batch.Act.RELEASE:
        left = rows.filter(fits(act, True), confirmed_at__isnull=False).count()
    return Preview(**numbers, confirmed_left=left, through=through)


def numbers_of(rows: QuerySet[Signature]) -> dict[str, int]:
    """How many, and how many of them are in which state."""
    counts = Q(accepted_at__isnull=False, held_at=None, removed_at=None)
    return rows.order_by().aggregate(
        changed=Count("pk"),
        counted=Count("pk", filter=counts),
        pending=Count("pk", filter=Q(accepted_at=None, held_at=None, removed_at=None)),
        held=Count("pk", filter=Q(held_at__isnull=False, removed_at=None)),
        confirmed=Count("pk", filter=Q(confirmed_at__isnull=False)),
    )


def signatures_of(burst: Burst, *, through: int) -> QuerySet[Signature]:
    return Signature.objects.filter(bursts__burst=burst, bursts__pk__lte=through)


def fits(act: str, with_confirmed: bool) -> Q:
    """Which signatures an act changes."""
    proven = Q() if with_confirmed else Q(confirmed_at=None)
    return {
        Batch.Act.REMOVE: proven & Q(removed_at=None),
        Batch.Act.HOLD: proven & Q(removed_at=None, held_at=None),
        Batch.Act.RELEASE: Q(removed_at=None, held_at__isnull=False),
    }[Batch.Act(act)]


# --- Asking --------------------------------------------------------------------------------------------------


@transaction.atomic
def ask(
    *,
    burst: Burst,
    act: str,
    with_confirmed: bool = False,
    seen: int | None = None,
    dismiss: bool = False,
    actor: User | None,
    at: datetime,
    reason: str,
) -> Batch:
    """Asks for something to be done with all that are in the cluster by now. `seen` is how many staff were shown.

    `dismiss`: these are people, and nothing is held for it any more. Raises `CannotBeDone`.
    """
    if not reason.strip():
        raise CannotBeDone("Say why: the reason is kept in the audit log.")
    burst = Burst.objects.select_for_update(no_key=True).get(pk=burst.pk)
    if burst.batches.filter(Q(finished_at=None) | Q(undo_asked_at__isnull=False, undone_at=None)).exists():
        raise CannotBeDone("Something is being done with this cluster already. Wait until it is finished.")
    shown = preview(burst=burst, act=act, with_confirmed=with_confirmed)
    if seen is not None and seen != shown.changed:
        raise CannotBeDone(
            f"It was {seen:,} when you looked, and is {shown.changed:,} by now. Look again, then decide."
        )
    if dismiss:
        burst.dismissed_at, burst.ended_at = at, burst.ended_at or at
        burst.save(update_fields=["dismissed_at", "ended_at"])
    batch = Batch.objects.create(
        burst=burst,
        act=act,
        with_confirmed=with_confirmed,
        reason=reason.strip(),
        actor=actor,
        asked_at=at,
        through=shown.through,
        expected=shown.changed,
    )
    audit.record(
        actor=actor,
        action=f"cluster: {act}",
        subject=burst,
        at=at,
        reason=reason.strip(),
        batch=batch.pk,
        signatures=shown.changed,
        counted=shown.counted,
        dismissed=dismiss,
    )
    return batch


@transaction.atomic
def ask_undo(*, batch: Batch, actor: User | None, at: datetime, reason: str) -> None:
    """Asks for exactly what the batch changed to be put back. Raises `CannotBeDone`."""
    if not reason.strip():
        raise CannotBeDone("Say why: the reason is kept in the audit log.")
    undone = Batch.objects.filter(pk=batch.pk, finished_at__isnull=False, undo_asked_at=None).update(
        undo_asked_at=at, undo_reason=reason.strip()
    )
    if not undone:
        raise CannotBeDone("This is not finished yet, or was undone already.")
    audit.record(
        actor=actor, action="cluster: undo", subject=batch.burst, at=at, reason=reason.strip(), batch=batch.pk
    )


# --- Doing ---------------------------------------------------------------------------------------------------


def work(*, at: datetime) -> int:
    """One step of what was asked for first; returns how many signatures it looked at."""
    return _do_some(at) or _undo_some(at)


@transaction.atomic
def _do_some(at: datetime) -> int:
    batch = _first(Batch.objects.filter(finished_at=None))
    if batch is None:
        return 0
    todo = Member.objects.filter(burst=batch.burst_id, pk__gt=batch.position, pk__lte=batch.through)
    members = list(todo.order_by("pk")[:AT_ONCE])
    if not members:
        batch.finished_at = at
        batch.save(update_fields=["finished_at"])
        return 1
    locked = changing.locked([member.signature_id for member in members])
    fitting = set(
        Signature.objects.filter(
            fits(batch.act, batch.with_confirmed), pk__in=[row.pk for row in locked]
        ).values_list("pk", flat=True)
    )
    chosen = [row for row in locked if row.pk in fitting]
    _change(batch, chosen, at)
    batch.position = members[-1].pk
    batch.save(update_fields=["position"])
    return len(members)


def _change(batch: Batch, chosen: Sequence[Signature], at: datetime) -> None:
    before = {row.pk: state(row, WRITTEN) for row in chosen}
    mails: Mails = DO[Batch.Act(batch.act)](chosen, at=at)
    if batch.act == Batch.Act.RELEASE:
        Member.objects.filter(signature__in=list(before), released_at=None).update(released_at=at)
    insert_all(
        [
            Change(
                batch=batch,
                signature=row,
                at=at,
                before=before[row.pk],
                after=state(row, WATCHED),
                dropped=mails.dropped.get(row.pk, []),
                made=mails.made.get(row.pk, []),
            )
            for row in chosen
        ]
    )


def _first(batches: QuerySet[Batch]) -> Batch | None:
    """The oldest that no other worker is at."""
    return batches.select_for_update(skip_locked=True, no_key=True).order_by("pk").first()


def state(signature: Signature, columns: Sequence[str]) -> dict[str, str]:
    """Those columns as JSON holds them, to the microsecond."""
    values = {name: getattr(signature, name) for name in columns}
    return {name: _written(value) for name, value in values.items()}


def _written(value: object) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value or "")


def _read(name: str, text: str) -> datetime | str | None:
    if name == "removal":
        return text
    return datetime.fromisoformat(text) if text else None


# --- Undoing -------------------------------------------------------------------------------------------------


@transaction.atomic
def _undo_some(at: datetime) -> int:
    batch = _first(Batch.objects.filter(undo_asked_at__isnull=False, undone_at=None))
    if batch is None:
        return 0
    waiting_changes = batch.changes.filter(undone_at=None, left_at=None).order_by("pk")
    changes = {change.signature_id: change for change in waiting_changes[:AT_ONCE]}
    if not changes:
        batch.undone_at = at
        batch.save(update_fields=["undone_at"])
        return 1
    locked = changing.locked(list(changes))
    same = [row for row in locked if state(row, WATCHED) == changes[row.pk].after]
    _put_back(same, changes, at)
    done = {row.pk for row in same}
    ours = batch.changes.filter(pk__in=[change.pk for change in changes.values()])
    ours.filter(signature__in=done).update(undone_at=at)
    ours.exclude(signature__in=done).update(left_at=at)
    return len(changes)


def _put_back(rows: Sequence[Signature], changes: dict[int, Change], at: datetime) -> None:
    alike: dict[tuple[tuple[str, Any], ...], list[Signature]] = {}
    for row in rows:
        before = changes[row.pk].before
        alike.setdefault(tuple((name, before[name]) for name in WRITTEN), []).append(row)
    for before, group in alike.items():
        changing.put(group, **{name: _read(name, text) for name, text in before})
    moments = {changes[row.pk].at for row in rows}
    # What was dropped at another moment was dropped by somebody else.
    dropped = [key for row in rows for key in changes[row.pk].dropped]
    OutgoingMail.objects.filter(pk__in=dropped, dropped_at__in=moments).update(dropped_at=None)
    made = [key for row in rows for key in changes[row.pk].made]
    waiting().filter(pk__in=made).update(dropped_at=at)
    keys = [row.pk for row in rows]
    Member.objects.filter(signature__in=keys, released_at__in=moments).update(released_at=None)

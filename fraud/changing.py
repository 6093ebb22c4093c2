"""Holding, removing and releasing many signatures at once, so that counts and mails stay right."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from signers.mail_limits import MailLimits
from signers.models import CountChange, OutgoingMail, Signature, Supporter
from signers.sending import waiting
from toolkit.bulk_inserts import insert_all


@dataclass
class Mails:
    """What became of mails, by signature: keys of those dropped before they left, and of those made."""

    dropped: dict[int, list[int]] = field(default_factory=dict)
    made: dict[int, list[int]] = field(default_factory=dict)


def locked(ids: Collection[int]) -> list[Signature]:
    """Those signatures, in order, with their supporters held until the transaction ends. Two queries.

    Supporters first, like everybody who changes signatures.
    """
    supporters = Supporter.objects.filter(signatures__in=ids).order_by("pk")
    held = {row.pk for row in supporters.select_for_update(of=("self",), no_key=True)}
    return list(
        Signature.objects.filter(pk__in=ids, supporter__in=held).select_related("supporter").order_by("pk")
    )


def hold(signatures: Sequence[Signature], *, at: datetime) -> Mails:
    """Sets them aside: neither counted nor mailed."""
    return _take_away(signatures, at, held_at=at)


def remove(signatures: Sequence[Signature], *, at: datetime) -> Mails:
    return _take_away(signatures, at, removed_at=at, removal=Signature.Removal.STAFF)


def release(signatures: Sequence[Signature], *, at: datetime) -> Mails:
    """Lets them go on: what counted counts again, and who has not confirmed is asked to."""
    put(signatures, held_at=None)
    asked = [row for row in signatures if row.confirmed_at is None and not row.supporter.blocked_at]
    limits = MailLimits.load(
        supporters={row.supporter_id for row in asked}, signatures={row.pk for row in asked}, at=at
    )
    confirm = OutgoingMail.Message.CONFIRM
    mails = [limits.new_mail(row, confirm) for row in asked if limits.allow(row, confirm)]
    OutgoingMail.objects.bulk_create(mails)
    return Mails(made=_by_signature(mails))


def put(signatures: Sequence[Signature], **columns: object) -> None:
    """The same values into all of them, with the changes of counts that follow."""
    counted = {row.pk: row.is_counted for row in signatures}
    Signature.objects.filter(pk__in=list(counted)).update(**columns)
    for row in signatures:
        for name, value in columns.items():
            setattr(row, name, value)
    insert_all(
        [
            CountChange.of(row, 1 if row.is_counted else -1)
            for row in signatures
            if row.is_counted != counted[row.pk]
        ]
    )


def drop_waiting(ids: Collection[int], *, at: datetime) -> list[OutgoingMail]:
    """Of their mails those that have not left, but none that is leaving this very moment; that one looks again."""
    mails = list(waiting().filter(signature__in=ids).select_for_update(skip_locked=True))
    OutgoingMail.objects.filter(pk__in=[mail.pk for mail in mails]).update(dropped_at=at)
    return mails


def _take_away(signatures: Sequence[Signature], at: datetime, **columns: object) -> Mails:
    put(signatures, **columns)
    return Mails(dropped=_by_signature(drop_waiting([row.pk for row in signatures], at=at)))


def _by_signature(mails: Sequence[OutgoingMail]) -> dict[int, list[int]]:
    keys: dict[int, list[int]] = {}
    for mail in mails:
        keys.setdefault(mail.signature_id or 0, []).append(mail.pk)
    return keys

"""How many mails one signature and one mailbox may cause, whoever types the address."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q

from signers.models import OutgoingMail, Signature, Supporter
from toolkit.bulk_inserts import new_row

PER_SIGNATURE = 5  # ever
PER_HOUR, PER_DAY = 3, 10  # to one mailbox, over all petitions
# A hundred posts of the same form are one wish.
SAME_KIND_AGAIN_AFTER = timedelta(seconds=60)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def put_back_until(supporter_id: int, *, at: datetime) -> datetime | None:
    """When a mailbox may be written to again, or None for now. One query.

    The limits decide how many mails are made; after an outage they would all leave at once, were it not for this.
    """
    rows = OutgoingMail.objects.filter(supporter=supporter_id, handed_over_at__gt=at - DAY)
    moments = rows.order_by("-handed_over_at").values_list("handed_over_at", flat=True)[:PER_DAY]
    newest_first = [moment for moment in moments if moment is not None]
    for most, period in ((PER_DAY, DAY), (PER_HOUR, HOUR)):
        if len(newest_first) >= most and newest_first[most - 1] > at - period:
            return newest_first[most - 1] + period
    return None


@dataclass
class MailLimits:
    """What was sent or is waiting, for some supporters and signatures, and what more may be.

    Exact only while the supporters are locked: the caller holds them from before loading until the mails are stored.
    """

    at: datetime
    numbers: Counter[int] = field(default_factory=Counter)  # rows by signature, also dropped ones
    per_signature: Counter[int] = field(default_factory=Counter)
    per_hour: Counter[int] = field(default_factory=Counter)
    per_day: Counter[int] = field(default_factory=Counter)
    latest: dict[tuple[int, str], datetime] = field(default_factory=dict)  # by signature and message
    latest_own_page: dict[int, datetime] = field(default_factory=dict)  # by supporter

    @classmethod
    def load(cls, *, supporters: Collection[int], signatures: Collection[int], at: datetime) -> "MailLimits":
        """Two queries, however many there are."""
        limits = cls(at)
        # What was dropped before it was handed over reached nobody.
        reached = Q(dropped_at=None) | Q(handed_over_at__isnull=False)
        of_signatures = OutgoingMail.objects.filter(signature__in=signatures).values_list(
            "signature_id", "message", "created_at", "dropped_at", "handed_over_at"
        )
        for signature_id, message, created_at, dropped_at, handed_over_at in of_signatures:
            limits.numbers[signature_id] += 1
            if dropped_at is None or handed_over_at is not None:
                limits._note_signature(signature_id, message, created_at)
        of_supporters = OutgoingMail.objects.filter(
            reached, supporter__in=supporters, created_at__gt=at - DAY
        )
        limits._note_supporters(of_supporters.values_list("supporter_id", "message", "created_at"))
        return limits

    def _note_signature(self, signature_id: int, message: str, created_at: datetime) -> None:
        self.per_signature[signature_id] += 1
        key = (signature_id, message)
        self.latest[key] = max(created_at, self.latest.get(key, created_at))

    def _note_supporters(self, mails: Iterable[tuple[int, str, datetime]]) -> None:
        for supporter_id, message, created_at in mails:
            self.per_day[supporter_id] += 1
            self.per_hour[supporter_id] += created_at > self.at - HOUR
            if message == OutgoingMail.Message.OWN_PAGE:
                last = self.latest_own_page.get(supporter_id, created_at)
                self.latest_own_page[supporter_id] = max(created_at, last)

    def allow(self, signature: Signature, message: str) -> bool:
        return (
            self.per_signature[signature.pk] < PER_SIGNATURE
            and self._has_room(signature.supporter_id)
            and self._is_another_wish(self.latest.get((signature.pk, message)))
        )

    def allow_about(self, supporter: Supporter, message: str) -> bool:
        """Whether a mail about the person, and no signature, may be made."""
        if message == OutgoingMail.Message.OWN_PAGE:
            return self._has_room(supporter.pk) and self._is_another_wish(
                self.latest_own_page.get(supporter.pk)
            )
        return self._has_room(supporter.pk)

    def _has_room(self, supporter_id: int) -> bool:
        return self.per_hour[supporter_id] < PER_HOUR and self.per_day[supporter_id] < PER_DAY

    def _is_another_wish(self, last: datetime | None) -> bool:
        return last is None or self.at - last >= SAME_KIND_AGAIN_AFTER

    def new_mail(self, signature: Signature, message: str) -> OutgoingMail:
        """An unsaved mail, counted from now on. Its event is the message, the signature and a running number."""
        self.numbers[signature.pk] += 1
        self._note_signature(signature.pk, message, self.at)
        self._note_supporters([(signature.supporter_id, message, self.at)])
        return new_row(
            OutgoingMail,
            event=f"{message}:{signature.pk}:{self.numbers[signature.pk]}",
            message=message,
            signature_id=signature.pk,
            supporter_id=signature.supporter_id,
            to=signature.email,
            created_at=self.at,
            due_at=self.at,
        )

    def new_mail_about(self, supporter: Supporter, message: str, *, wish: int | str, to: str) -> OutgoingMail:
        """An unsaved mail about the person, counted from now on. `wish` tells its event from others of its kind."""
        self._note_supporters([(supporter.pk, message, self.at)])
        return OutgoingMail(
            event=f"{message}:{supporter.pk}:{wish}",
            message=message,
            supporter_id=supporter.pk,
            to=to,
            created_at=self.at,
            due_at=self.at,
        )

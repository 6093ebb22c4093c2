"""What became of a mailing: how far it is, and what came of it by city and by subject line. No pixel, no detour."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Q

from campaigns.models import Place
from mailings.audience import counted, in_database, rows
from mailings.models import Mailing, Recipient
from petitions.models import Petition

# The speed is what left lately.
LATELY = timedelta(minutes=5)
IN_DOUBT = Q(handed_over_at__isnull=False, sent_at=None, dropped_at=None)
FAILED = Q(failed_at__isnull=False, handed_over_at=None)
WAITS = Q(handed_over_at=None, sent_at=None, failed_at=None, dropped_at=None)
UNKNOWN, NO_PETITION = "City not known", "No petition in their city"


@dataclass(frozen=True)
class Progress:
    """Where the copies of a mailing are; every copy is in exactly one of the numbers."""

    sent: int = 0
    failed: int = 0
    in_doubt: int = 0  # also those that staff left so
    queued: int = 0
    waiting: int = 0  # for the winning subject line
    dropped: dict[str, int] = field(default_factory=dict)  # reason to copies
    a_minute: float = 0  # what left lately

    @property
    def people(self) -> int:
        return self.dealt_with + self.queued + self.waiting

    @property
    def dealt_with(self) -> int:
        return self.sent + self.failed + self.in_doubt + sum(self.dropped.values())

    @property
    def percent(self) -> int:
        """Never 100 as long as something is left."""
        return 100 if not self.queued + self.waiting else 100 * self.dealt_with // self.people

    def time_left(self, per_minute: int) -> timedelta | None:
        """For what is due, at the speed of late or, before any has left, at the speed staff set."""
        if not self.queued:
            return None
        return timedelta(minutes=self.queued / min(self.a_minute or per_minute, per_minute))


@dataclass(frozen=True)
class Row:
    """What came of some of the copies."""

    label: str
    sent: int = 0
    bounced: int = 0
    complained: int = 0
    unsubscribed: int = 0
    signed: int = 0
    shared: int = 0

    def __add__(self, other: "Row") -> "Row":
        return Row(self.label, *(getattr(self, name) + getattr(other, name) for name in NUMBERS))

    def share(self, name: str) -> float:
        """Percent of what was sent."""
        return 100 * getattr(self, name) / self.sent if self.sent else 0


NUMBERS = {
    "sent": "Sent",
    "bounced": "Bounced",
    "complained": "Complained",
    "unsubscribed": "Unsubscribed",
    "signed": "Signed",
    "shared": "Shared onward",
}


@dataclass(frozen=True)
class Figures:
    total: Row
    cities: list[Row]
    subjects: list[Row]


def progress(mailing: Mailing, *, at: datetime) -> Progress:
    """Two queries, which read each copy once."""
    found: Any = (
        Recipient.objects.filter(mailing=mailing)
        .order_by()
        .values("dropped")
        .annotate(
            all=Count("pk"),
            sent=Count("pk", filter=Q(sent_at__isnull=False)),
            failed=Count("pk", filter=FAILED),
            in_doubt=Count("pk", filter=IN_DOUBT),
            queued=Count("pk", filter=WAITS & Q(due_at__isnull=False)),
            waiting=Count("pk", filter=WAITS & Q(due_at=None)),
        )
    )
    groups = {row["dropped"]: row for row in found}
    kept: dict[str, Any] = groups.pop("", {})
    names = ("sent", "failed", "in_doubt", "queued", "waiting")
    numbers = {name: kept.get(name, 0) + sum(row[name] for row in groups.values()) for name in names}
    # A copy that was dropped after it had left has been sent.
    dropped = {reason: row["all"] - sum(row[name] for name in names) for reason, row in groups.items()}
    return Progress(
        **numbers,
        dropped={reason: number for reason, number in sorted(dropped.items()) if number},
        a_minute=speed(mailing, at=at),
    )


def speed(mailing: Mailing, *, at: datetime) -> float:
    """Copies a minute since five minutes ago, or since the first one could leave. One query."""
    since = max(at - LATELY, mailing.starts_at or at)
    minutes = (at - since) / timedelta(minutes=1)
    if minutes <= 0:
        return 0
    left = Recipient.objects.filter(mailing=mailing, handed_over_at__gt=since).count()
    # Of a mailing that has just begun, a second is not the measure.
    return left / max(minutes, 0.25)


def figures(mailing: Mailing) -> Figures:
    """By the city of each petition, or of each reader where all were led to one petition. Four queries."""
    grouped = came_of(mailing)
    names = city_names(mailing, {city for city, _subject in grouped})
    cities = [
        total(name, (row for (city, _subject), row in grouped.items() if city == key))
        for key, name in names.items()
    ]
    cities.sort(key=lambda row: (-row.sent, row.label))
    subjects = [
        total(label, (row for (_city, subject), row in grouped.items() if subject == key))
        for key, label in subject_lines(mailing, {subject for _city, subject in grouped}).items()
    ]
    return Figures(total("All", grouped.values()), cities, subjects)


def total(label: str, parts: Iterable[Row]) -> Row:
    return sum(parts, start=Row(label))


def came_of(mailing: Mailing) -> dict[tuple[int | None, str], Row]:
    """By city (see `city_of`) and subject."""
    found: Any = (
        Recipient.objects.filter(mailing=mailing)
        .order_by()
        .annotate(city=F(city_of(mailing)))
        .values("city", "subject")
        .annotate(
            **{
                name: Count("pk", filter=Q(**{f"{column}__isnull": False}))
                for name, column in {
                    "sent": "sent_at",
                    "bounced": "bounced_at",
                    "complained": "complained_at",
                    "unsubscribed": "unsubscribed_at",
                    "signed": "signature",
                }.items()
            }
        )
    )
    shared = shared_onward(mailing)
    grouped = {}
    for row in found:
        key = (row.pop("city"), row.pop("subject"))
        grouped[key] = Row("", shared=shared.get(key, 0), **row)
    return grouped


def city_of(mailing: Mailing) -> str:
    """What stands for a copy's city: its petition, or its reader's place where all have the same petition."""
    return "supporter__place" if mailing.leads_to_id else "edition__petition"


def shared_onward(mailing: Mailing) -> dict[tuple[Any, str], int]:
    """Signatures that count and came by the shared link of somebody who signed through this mailing. One query."""
    if mailing.started_at is None:
        return {}
    city = "sp.place_id" if mailing.leads_to_id else "e.petition_id"
    sql = f"""
        SELECT {city}, r.subject, count(*)
        FROM mailings_recipient r
        JOIN mailings_edition e ON e.id = r.edition_id
        JOIN signers_signature own ON own.id = r.signature_id
        JOIN signers_signature g ON g.referral = own.referral_code AND g.referral <> ''
        LEFT JOIN signers_supporter sp ON sp.id = r.supporter_id
        WHERE r.mailing_id = %s AND g.signed_at >= %s AND {counted("g")}
            AND g.petition_id IN (
                SELECT p.id FROM petitions_petition p JOIN petitions_letter l ON l.id = p.letter_id
                WHERE l.campaign_id = %s)
        GROUP BY {city}, r.subject"""
    params = (mailing.pk, in_database(mailing.started_at), mailing.campaign_id)
    return {(city, subject): number for city, subject, number in rows(sql, params)}


def city_names(mailing: Mailing, keys: set[int | None]) -> dict[int | None, str]:
    """Names of the cities by key. One query."""
    known = [key for key in keys if key is not None]
    names: dict[int | None, str] = {}
    if mailing.leads_to_id:
        names = {place.pk: str(place) for place in Place.objects.filter(pk__in=known)}
    else:
        petitions = Petition.objects.filter(pk__in=known).select_related("letter", "target__place")
        names = {petition.pk: city_name(petition) for petition in petitions.defer("letter__body", "local")}
    if None in keys:
        names[None] = UNKNOWN if mailing.leads_to_id else NO_PETITION
    return names


def city_name(petition: Petition) -> str:
    return str(petition.target.place) if petition.target else petition.addressee


def subject_lines(mailing: Mailing, keys: set[str]) -> dict[str, str]:
    """The lines by the recipients' mark, as staff wrote them; what waits for the winner has none."""
    if not mailing.other_subject:
        return dict.fromkeys(keys, mailing.subject)
    return {"a": mailing.subject, "b": mailing.other_subject}

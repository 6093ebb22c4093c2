"""Who gets a mailing, and why others do not; as SQL, because a list can have a million names."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any

from django.db import connection
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.utils import timezone

from mailings.models import Mailing
from petitions.models import Petition
from signers.models import Supporter

# Why somebody who wants updates does not get this mailing; the first that applies.
STOPPED, NO_PETITION, SIGNED, RECENT = "stopped", "no-petition", "signed", "recent"
NO_CONSENT = "no-consent"
REASONS = {
    NO_CONSENT: "they did not say yes to updates, or have unsubscribed",
    STOPPED: "their mailbox takes no mail, or they have blocked us",
    NO_PETITION: "there is no open petition in their city",
    SIGNED: "they have signed already",
    RECENT: "they got another mailing lately, or one is on its way to them",
}


# Enough that of most lists some get the mailing, and few enough to be quick with a million.
FIRST_LOOKED_AT = 500
# No reason at all. Asked whether it equals '', PostgreSQL expects one row of 200, and takes four times as long.
GETS_IT = "reason < 'a'"


@dataclass(frozen=True)
class Person:
    """Somebody who gets the mailing, as staff see them before it leaves."""

    supporter: Supporter
    petition: Petition | None

    @property
    def name(self) -> str:
        return f"{self.supporter.first_name} {self.supporter.last_name}".strip()


@dataclass(frozen=True)
class Statement:
    """SQL with its parameters."""

    sql: str
    params: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Audience:
    """The audience of a mailing as it is at a moment. Every method is one or two queries, whatever the size."""

    mailing: Mailing
    at: datetime
    # The cities of a form that is not saved; None: those of the mailing.
    places: tuple[int, ...] | None = None

    @cached_property
    def petitions(self) -> dict[int, int]:
        """The petition of each place that the mailing leads to: place to petition. One query."""
        return own_petitions(self.mailing, at=self.at)

    def size(self) -> int:
        return self._numbers.get("", 0)

    def left_out(self) -> dict[str, int]:
        """How many each reason leaves out, those with none left away; see `REASONS` and `NO_CONSENT`."""
        found = {reason: number for reason, number in self._numbers.items() if reason and number}
        without = self._without_consent()
        return {NO_CONSENT: without, **found} if without else found

    def petition_ids(self) -> list[int | None]:
        """The petitions somebody is led to, None for the campaign page."""
        chosen = self.chosen()
        return [row[0] for row in rows(f"SELECT DISTINCT petition_id FROM ({chosen.sql}) p", chosen.params)]

    def sample(self, most: int = 20) -> list[Person]:
        """Some of them, spread over the whole list, the same at every look."""
        return self._people("(s.id * 7919) %% 10007, s.id", most)

    def longest_names(self, most: int = 3) -> list[Person]:
        return self._people("length(s.first_name) DESC, s.id", most)

    def right_to_left(self, most: int = 3) -> list[Person]:
        """Those whose first name is written from right to left."""
        name = f"s.first_name COLLATE {by_code_point()}"
        return self._people("s.id", most, where=f"{name} >= '\u0590' AND {name} < '\u0900'")

    def person(self, supporter_id: int) -> Person | None:
        """One of them, by key; None for anybody else."""
        found = self._people("s.id", 1, where=f"s.id = {int(supporter_id)}")
        return found[0] if found else None

    def numbers(self) -> list[tuple[int | None, int | None, int]]:
        """`(petition, place, people)` for each pair there is, None for those without one."""
        everybody = self._everybody()
        sql = f"""SELECT petition_id, place_id, count(*) FROM ({everybody.sql}) e
            WHERE {GETS_IT} GROUP BY petition_id, place_id"""
        return [(petition, place, people) for petition, place, people in rows(sql, everybody.params)]

    def with_gaps(self, most: int = 3) -> list[Person]:
        """Those whose first name is missing, as far as there are any."""
        return self._people("s.id", most, where="s.first_name = ''")

    def chosen(self, among: Sequence[int] | None = None) -> Statement:
        """`supporter_id, petition_id` of everybody who gets it, or of those `among` some supporters who do."""
        everybody = self._everybody(among)
        return Statement(
            f"SELECT supporter_id, petition_id FROM ({everybody.sql}) e WHERE {GETS_IT}", everybody.params
        )

    # --- The statement -------------------------------------------------------------------------------------

    @cached_property
    def _numbers(self) -> dict[str, int]:
        """In one row: groups, of which PostgreSQL expects as many as people, would keep it to one core."""
        everybody = self._everybody()
        reasons = ("", *REASONS)
        counts = ", ".join(f"count(*) FILTER (WHERE reason = '{reason}')" for reason in reasons)
        [numbers] = rows(f"SELECT {counts} FROM ({everybody.sql}) e", everybody.params)
        return dict(zip(reasons, numbers, strict=True))

    def _everybody(self, among: Sequence[int] | None = None) -> Statement:
        """`supporter_id, place_id, petition_id, reason` of whoever wants updates and is meant; reason '' gets it."""
        some = "" if among is None else f" AND s.id IN ({', '.join(str(int(pk)) for pk in among) or 'NULL'})"
        petition, petition_join = self._petition()
        signed, signed_join = self._signed(petition)
        recent, meant = self._recent(), self._meant()
        no_petition = "1 = 0" if self._others_too else f"{petition} IS NULL"
        sql = f"""
            SELECT s.id AS supporter_id, s.place_id, {petition} AS petition_id, CASE
                WHEN s.blocked_at IS NOT NULL OR s.stopped_at IS NOT NULL THEN '{STOPPED}'
                WHEN {no_petition} THEN '{NO_PETITION}'
                WHEN {signed} THEN '{SIGNED}'
                WHEN recent.supporter_id IS NOT NULL THEN '{RECENT}'
                ELSE '' END AS reason
            FROM signers_subscription u JOIN signers_supporter s ON s.id = u.supporter_id
            {petition_join} {signed_join}
            LEFT JOIN ({recent.sql}) recent ON recent.supporter_id = s.id
            WHERE u.organization_id = %s{some}{meant.sql}"""
        return Statement(sql, (*recent.params, self.mailing.campaign.organization_id, *meant.params))

    @property
    def _others_too(self) -> bool:
        """Whether people without a petition get it, too."""
        mailing = self.mailing
        return (
            mailing.leads_to_id is None
            and not mailing.kind
            and mailing.others == Mailing.Others.CAMPAIGN_PAGE
        )

    def _petition(self) -> tuple[str, str]:
        """The petition of a row, and the join it needs. Keys are numbers of ours, so they stand in the text."""
        if self.mailing.leads_to_id is not None:
            return f"CAST({int(self.mailing.leads_to_id)} AS bigint)", ""
        if not self.petitions:
            return "CAST(NULL AS bigint)", ""
        pairs = ", ".join(f"({int(place)}, {int(petition)})" for place, petition in self.petitions.items())
        own = f"SELECT column1 AS place_id, column2 AS petition_id FROM (VALUES {pairs}) pairs"
        return "own.petition_id", f"LEFT JOIN ({own}) own ON own.place_id = s.place_id"

    def _signed(self, petition: str) -> tuple[str, str]:
        """Whether a row has signed its petition, or is kept from signing it, and the join that tells."""
        mailing = self.mailing
        if not (mailing.asks_to_sign or mailing.audience == Mailing.Audience.NOT_SIGNED):
            return "1 = 0", ""
        return (
            f"sg.id IS NOT NULL AND ({counted('sg')} OR sg.held_at IS NOT NULL OR sg.removal = 'staff')",
            f"LEFT JOIN signers_signature sg ON sg.supporter_id = s.id AND sg.petition_id = {petition}",
        )

    def _recent(self) -> Statement:
        """Who got another mailing of ours within the quiet hours, or is about to."""
        if not self.mailing.quiet_hours:
            return Statement("SELECT 0 AS supporter_id WHERE 1 = 0")
        since = self.at - timedelta(hours=self.mailing.quiet_hours)
        # In two parts, for each of which there is an index. A plain UNION would keep PostgreSQL to one core.
        return Statement(
            """SELECT DISTINCT supporter_id FROM (
            SELECT r.supporter_id FROM mailings_mailing m JOIN mailings_recipient r ON r.mailing_id = m.id
            WHERE m.id <> %s AND r.handed_over_at > %s AND r.supporter_id IS NOT NULL
            UNION ALL
            SELECT r.supporter_id FROM mailings_mailing m JOIN mailings_recipient r ON r.mailing_id = m.id
            WHERE m.id <> %s AND m.started_at IS NOT NULL AND m.finished_at IS NULL AND m.canceled_at IS NULL
                AND r.handed_over_at IS NULL AND r.sent_at IS NULL AND r.failed_at IS NULL
                AND r.dropped_at IS NULL AND r.supporter_id IS NOT NULL) lately""",
            (self.mailing.pk or 0, in_database(since), self.mailing.pk or 0),
        )

    def _meant(self) -> Statement:
        """Whom staff chose, as conditions on `s`."""
        mailing = self.mailing
        sql = ""
        params: list[Any] = []
        signers = self._signers()
        if signers is not None:
            sql += f" AND s.id IN ({signers.sql})"
            params += signers.params
        if places := self._places:
            sql += f" AND s.place_id IN ({', '.join(['%s'] * len(places))})"
            params += places
        if mailing.kind and mailing.leads_to_id is not None:
            own = ", ".join(str(int(place)) for place in self.petitions)
            sql += f" AND s.place_id IN ({own})" if own else " AND 1 = 0"
        if mailing.joined_since:
            sql += " AND s.created_at >= %s"
            params.append(in_database(start_of(mailing.joined_since)))
        return Statement(sql, tuple(params))

    @cached_property
    def _places(self) -> list[int]:
        if self.places is not None:
            return list(self.places)
        return list(self.mailing.places.values_list("pk", flat=True)) if self.mailing.pk else []

    def _signers(self) -> Statement | None:
        """The signers staff chose; None for everybody of the organization."""
        if self.mailing.audience == Mailing.Audience.SIGNED:
            return Statement(
                f"SELECT g.supporter_id FROM signers_signature g WHERE g.petition_id = %s AND {counted('g')}",
                (self.mailing.of_petition_id,),
            )
        if self.mailing.audience == Mailing.Audience.CAMPAIGN:
            return Statement(
                f"""SELECT g.supporter_id FROM signers_signature g
                JOIN petitions_petition p ON p.id = g.petition_id
                JOIN petitions_letter l ON l.id = p.letter_id
                WHERE l.campaign_id = %s AND {counted("g")}""",
                (self.mailing.campaign_id,),
            )
        return None

    def _without_consent(self) -> int:
        """Of the signers staff chose, how many do not want updates."""
        signers = self._signers()
        if signers is None:
            return 0
        sql = f"""SELECT count(DISTINCT supporter_id) FROM ({signers.sql}) g WHERE NOT EXISTS (
            SELECT 1 FROM signers_subscription u
            WHERE u.supporter_id = g.supporter_id AND u.organization_id = %s)"""
        return rows(sql, (*signers.params, self.mailing.campaign.organization_id))[0][0]

    def _people(self, order: str, most: int, *, where: str = "1 = 1") -> list[Person]:
        """The first of them. Looked for among the first subscribers, and only then among all of a long list."""
        first = rows(
            f"""SELECT s.id FROM signers_subscription u JOIN signers_supporter s ON s.id = u.supporter_id
            WHERE u.organization_id = %s AND {where} ORDER BY {order} LIMIT {FIRST_LOOKED_AT}""",
            (self.mailing.campaign.organization_id,),
        )
        found = self._first(self.chosen([pk for (pk,) in first]), order, most, where)
        if len(found) < most and len(first) == FIRST_LOOKED_AT:
            found = self._first(self.chosen(), order, most, where)
        people = Supporter.objects.select_related("place").in_bulk([pk for pk, _petition in found])
        petitions = {
            petition.pk: petition
            for petition in for_editions().filter(pk__in={petition for _pk, petition in found if petition})
        }
        return [
            Person(people[pk], petitions.get(petition) if petition else None)
            for pk, petition in found
            if pk in people
        ]

    def _first(self, chosen: Statement, order: str, most: int, where: str) -> list[tuple[int, int | None]]:
        return rows(
            f"""SELECT p.supporter_id, p.petition_id FROM ({chosen.sql}) p
            JOIN signers_supporter s ON s.id = p.supporter_id WHERE {where} ORDER BY {order} LIMIT %s""",
            (*chosen.params, most),
        )


def audience_of(mailing: Mailing, *, at: datetime, places: Iterable[int] | None = None) -> Audience:
    """`places` stands for the cities of a form that is not saved."""
    return Audience(mailing, at, None if places is None else tuple(places))


def by_code_point() -> str:
    """The collation that compares texts by their characters' numbers, whatever the language."""
    return '"C"' if connection.vendor == "postgresql" else "BINARY"


def counted(signature: str) -> str:
    """The same rule as `SignatureQuerySet.counted`, for a table of this alias."""
    return (
        f"({signature}.accepted_at IS NOT NULL AND {signature}.removed_at IS NULL"
        f" AND {signature}.held_at IS NULL)"
    )


def start_of(day: date) -> datetime:
    """The first moment of a day where the site is."""
    return timezone.make_aware(datetime.combine(day, time.min))


def own_petitions(mailing: Mailing, *, at: datetime) -> dict[int, int]:
    """The petition that each place's people are led to: open ones only, where they are asked to sign; of several the
    open one, and then the order staff set. Place to petition; one query."""
    petitions = Petition.objects.open(at=at) if mailing.asks_to_sign else Petition.objects.public(at=at)
    petitions = petitions.filter(letter__campaign=mailing.campaign_id, target__isnull=False)
    if mailing.kind:
        petitions = petitions.filter(letter__kind=mailing.kind)
    ended = Case(When(closed_at=None, then=Value(0)), default=Value(1), output_field=IntegerField())
    pairs = petitions.order_by(ended, "position", "pk").values_list("target__place_id", "pk")
    own: dict[int, int] = {}
    for place, petition in pairs:
        own.setdefault(place, petition)
    return own


def for_editions() -> QuerySet[Petition]:
    """Petitions with all that an edition needs."""
    return Petition.objects.select_related(
        "letter__campaign__organization", "target__place", "current_version"
    ).defer("letter__campaign__organization__logo", "letter__body")


def rows(sql: str, params: Iterable[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, list(params))
        return cursor.fetchall()


def in_database(moment: datetime) -> Any:
    """As the ORM writes it, so that rows and parameters of both ways compare."""
    return connection.ops.adapt_datetimefield_value(moment)

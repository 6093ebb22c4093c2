"""Invented signatures by the million, for measuring and rehearsing: set-based, with counts that agree."""

# ruff: noqa: S608 - the statements are put together from constants and numbers, never from what somebody typed

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import product
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Count, F, Max, Q
from django.utils.text import slugify

from petitions.models import CampaignTally, Petition, Tally
from signers.counting import count_days
from signers.counting_people import count_anew, count_lock, without_time_limit
from signers.demo_names import PEOPLE
from signers.folding import is_local
from signers.models import Consent, Signature, Subscription, Supporter
from signers.signing import REFERRAL_ALPHABET, REFERRAL_LENGTH
from signers.wordings import updates_wording

MOST = 100_000_000
SPREAD, UNTIL = timedelta(days=120), timedelta(hours=2)  # they signed within so long, the last so long ago
AT_ONCE = {"postgresql": 200_000, "sqlite": 20_000}
# From here on making the indexes anew takes less time than keeping them up.
WITHOUT_INDEXES_FROM = 50_000
TABLES = (Supporter, Signature, Consent, Subscription)
DOMAINS = ("example.org", "mail.example.org", "post.example", "letters.example")
SYLLABLES = (
    "ba", "den", "fo", "gri", "hal", "ist", "jo", "kel", "lum", "mer", "nor", "ost", "pra",
    "quil", "ros", "sen", "tor", "und", "ver", "wick",
)  # fmt: skip
CODES, PIECES = 3_000, 1_000
COMMENT = "My children do their homework there, and I read the papers."

# What a database calls things; {} is a number of seconds since 1970.
MOMENT = {
    "postgresql": "to_timestamp({})",
    "sqlite": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', {}, 'unixepoch')",
}
NUMBERS = {
    "postgresql": "generate_series({}::bigint, {}) AS numbers(n)",
    "sqlite": """
        (WITH RECURSIVE s(n) AS (SELECT {} UNION ALL SELECT n + 1 FROM s WHERE n < {}) SELECT n FROM s) AS numbers""",
}
SET_ASIDE = """
    SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
        format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE contype IN ('f', 'u') AND conrelid = ANY(%(tables)s::regclass[])
    UNION ALL
    SELECT format('DROP INDEX %%s', indexrelid::regclass), pg_get_indexdef(indexrelid)
    FROM pg_index WHERE indrelid = ANY(%(tables)s::regclass[])
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)"""


class CannotBeSeeded(Exception):
    """Says why there can be no invented signatures."""


@transaction.atomic
def seed(
    *, petition: Petition, number: int, at: datetime, report: Callable[[int], None] = lambda done: None
) -> None:
    """Adds so many confirmed signatures of as many invented supporters, spread over the months before `at`.

    `report` is told after each part how many there are. Everything or nothing is added; on PostgreSQL nobody else can
    write to the tables meanwhile. Raises `CannotBeSeeded`.
    """
    if petition.current_version_id is None:
        raise CannotBeSeeded("This petition has never been published, so there is nothing to sign.")
    if not 1 <= number <= MOST:
        raise CannotBeSeeded(f"Choose a number from 1 to {MOST:,}.")
    seeding = _Seeding(petition, number, at)
    with _alone(), _without_indexes() if number >= WITHOUT_INDEXES_FROM else _with_indexes():
        seeding.invent()
        before = _last(Signature)
        step = AT_ONCE[connection.vendor]
        for first in range(1, number + 1, step):
            last = min(first + step - 1, number)
            seeding.add(first, last)
            report(last)
    _count(petition, before)


def tidy() -> None:
    """What autovacuum does sooner or later after so many new rows. Outside a transaction."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET statement_timeout = 0")
            cursor.execute(f"VACUUM (ANALYZE) {', '.join(model._meta.db_table for model in TABLES)}")
            cursor.execute("RESET statement_timeout")
        else:
            cursor.execute("ANALYZE")


class _Seeding:
    """The statements for one petition."""

    def __init__(self, petition: Petition, number: int, at: datetime) -> None:
        self.petition = petition
        self.target = petition.target
        self.organization = petition.campaign.organization
        self.begins = (at - SPREAD).timestamp()
        self.step = (SPREAD - UNTIL).total_seconds() / number
        # Addresses carry a number above that of everybody who is there, so that none meets another.
        self.known = _last(Supporter)

    def invent(self) -> None:
        """Names, postal codes and pieces of codes to draw from, in tables of their own."""
        # The same people every time; nothing here is a secret.
        chance = random.Random(7)  # noqa: S311
        made = [f"{a}{b}{c}".capitalize() for a, b, c in product(SYLLABLES, repeat=3)]
        chance.shuffle(made)
        first_names = [name for first, _last in PEOPLE for name in first]
        last_names = [name for _first, last in PEOPLE for name in last] + made
        prefixes = self.target.place.postal_prefixes if self.target else ""
        codes = [_postal_code(chance, prefixes) for _ in range(CODES)]
        pieces = ["".join(chance.choices(REFERRAL_ALPHABET, k=REFERRAL_LENGTH // 2)) for _ in range(PIECES)]
        self.sizes = {
            "first": _table("first", [(name, slugify(name) or "reader", "") for name in first_names]),
            "last": _table("last", [(name, slugify(name) or "friend", "") for name in last_names]),
            "code": _table(
                "code", [(code, "", "local" if is_local(code, prefixes) else "") for code in codes]
            ),
            "piece": _table("piece", [(piece, "", "") for piece in pieces]),
        }

    def add(self, first: int, last: int) -> None:
        """Numbers `first` to `last`: each a supporter, a signature, a consent and, where wanted, a subscription."""
        supporter, signature = _last(Supporter), _last(Signature)
        self._add_supporters(first, last)
        self._add_signatures(supporter)
        self._add_choices(signature)

    def _add_supporters(self, first: int, last: int) -> None:
        seconds = f"({self.begins} + numbers.n * {self.step})"
        domain = (
            "CASE numbers.n %% 4 "
            + " ".join(f"WHEN {number} THEN '@{name}'" for number, name in enumerate(DOMAINS))
            + " END"
        )
        address = f"first.plain || '.' || last.plain || '.' || (numbers.n + {self.known}) || {domain}"
        _insert(
            Supporter,
            {
                "mailbox": address,
                "email": address,
                "first_name": "first.word",
                "last_name": "last.word",
                "created_at": self._moment(seconds),
                "confirmed_at": self._moment(f"({seconds} + 40 + numbers.n %% 3989)"),
                "place_id": str(self.target.place_id) if self.target else "NULL",
            },
            f"""{NUMBERS[connection.vendor].format(first, last)}
            JOIN seeding_first first ON first.n = {self._drawn("first", "numbers.n", 7919, 10_007)}
            JOIN seeding_last last ON last.n = {self._drawn("last", "numbers.n", 6101, 10_009)}
            ORDER BY numbers.n""",
        )

    def _add_signatures(self, known: int) -> None:
        _insert(
            Signature,
            {
                "petition_id": str(self.petition.pk),
                "supporter_id": "s.id",
                "version_id": str(self.petition.current_version_id),
                "signed_at": "s.created_at",
                "first_name": "s.first_name",
                "last_name": "s.last_name",
                "email": "s.email",
                "postal_code": "code.word",
                "comment": "CASE WHEN s.id %% 20 = 0 THEN %(comment)s ELSE '' END",
                "is_local": "code.mark = 'local'",
                "updates": "s.id %% 10 < 6",
                "wording": "%(wording)s",
                "referral_code": "one.word || other.word",
                "confirmed_at": "s.confirmed_at",
                "accepted_at": "s.confirmed_at",
            },
            f"""signers_supporter s
            JOIN seeding_code code ON code.n = {self._drawn("code", "s.id", 4457, 10_037)}
            JOIN seeding_piece one ON one.n = s.id %% {PIECES}
            JOIN seeding_piece other ON other.n = s.id / {PIECES} %% {PIECES}
            WHERE s.id > {known} ORDER BY s.id""",
            {"comment": COMMENT, "wording": updates_wording(self.organization)},
        )

    def _add_choices(self, known: int) -> None:
        _insert(
            Consent,
            {
                "supporter_id": "s.supporter_id",
                "organization_id": str(self.organization.pk),
                "purpose": f"'{Consent.Purpose.UPDATES}'",
                "granted": "s.updates",
                "wording": "s.wording",
                "at": "s.confirmed_at",
                "source": f"'{Consent.Source.SIGN_FORM}'",
            },
            f"signers_signature s WHERE s.id > {known} ORDER BY s.id",
        )
        _insert(
            Subscription,
            {
                "supporter_id": "s.supporter_id",
                "organization_id": str(self.organization.pk),
                "since": "s.confirmed_at",
            },
            f"signers_signature s WHERE s.id > {known} AND s.updates ORDER BY s.id",
        )

    def _moment(self, seconds: str) -> str:
        return MOMENT[connection.vendor].format(seconds)

    def _drawn(self, table: str, number: str, factor: int, prime: int) -> str:
        """A row of a table for each number: the first rows often, the last ones seldom, as with names of people."""
        rest = f"({number} * {factor} %% {prime})"
        return f"{rest} * {rest} / {prime} * {self.sizes[table]} / {prime}"


def _postal_code(chance: random.Random, prefixes: str) -> str:
    """Five digits; every third of the place's own, where it has any."""
    own = prefixes.replace(",", " ").replace(";", " ").split()
    begins = chance.choice(own)[:12] if own and chance.random() < 0.34 else ""
    return begins + "".join(chance.choices("0123456789", k=max(0, 5 - len(begins))))


def _table(name: str, rows: list[tuple[str, str, str]]) -> int:
    """Makes a table of numbered words for this session; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS seeding_{name}")
        cursor.execute(
            f"CREATE TEMPORARY TABLE seeding_{name} (n integer PRIMARY KEY, word text, plain text, mark text)"
        )
        cursor.executemany(
            f"INSERT INTO seeding_{name} VALUES (%s, %s, %s, %s)",
            [(number, *row) for number, row in enumerate(rows)],
        )
        cursor.execute(f"ANALYZE seeding_{name}")
    return len(rows)


def _insert(
    model: type[models.Model],
    expressions: Mapping[str, str],
    source: str,
    parameters: Mapping[str, Any] | None = None,
) -> None:
    """Rows of `expressions` from `source`; every other column holds what the model says a new row holds."""
    columns, values, given = [], [], dict(parameters or {})
    for field in model._meta.concrete_fields:
        if field.attname in expressions:
            columns.append(field.attname)
            values.append(expressions[field.attname])
        elif not (field.primary_key or field.null or field.has_db_default()):
            columns.append(field.attname)
            values.append(f"%(default_{field.attname})s")
            default = field.get_db_prep_save(field.get_default(), connection)
            given[f"default_{field.attname}"] = default
    names = ", ".join(map(connection.ops.quote_name, columns))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} ({names}) SELECT {', '.join(values)} FROM {source}", given
        )


def _last(model: type[models.Model]) -> int:
    return model._default_manager.aggregate(last=Max("pk"))["last"] or 0


# --- Quickly -------------------------------------------------------------------------------------------------


@contextmanager
def _alone() -> Iterator[None]:
    """Nobody else writes to the tables, so whatever is new in them is ours; and nothing has to be ready in 30 s."""
    if connection.vendor == "postgresql":
        without_time_limit()
        with connection.cursor() as cursor:
            for name, value in (("synchronous_commit", "off"), ("work_mem", "64MB")):
                cursor.execute(f"SET LOCAL {name} = '{value}'")
            tables = ", ".join(model._meta.db_table for model in TABLES)
            cursor.execute(f"LOCK TABLE {tables} IN SHARE ROW EXCLUSIVE MODE")
    yield


@contextmanager
def _with_indexes() -> Iterator[None]:
    yield


@contextmanager
def _without_indexes() -> Iterator[None]:
    """On PostgreSQL: takes indexes, foreign keys and unique constraints away, and makes them anew in the end.

    All of it in the caller's transaction, so that whatever happens they are there again.
    """
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        # A table cannot be changed while rows of it wait to be checked.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
        cursor.execute(SET_ASIDE, {"tables": [model._meta.db_table for model in TABLES]})
        statements = cursor.fetchall()
        for drop, _make in statements:
            cursor.execute(drop)
    yield
    with connection.cursor() as cursor:
        for _drop, make in statements:
            cursor.execute(make)


# --- Counts --------------------------------------------------------------------------------------------------


def _count(petition: Petition, before: int) -> None:
    """Every supporter is new, so each signature is one more, and one more person."""
    count_lock()
    added = Signature.objects.filter(petition=petition, pk__gt=before).aggregate(
        count=Count("pk"), local=Count("pk", filter=Q(is_local=True))
    )
    Tally.objects.get_or_create(petition=petition)
    Tally.objects.filter(petition=petition).update(
        count=F("count") + added["count"], local=F("local") + added["local"]
    )
    campaign_id = petition.campaign.pk
    people = CampaignTally.objects.filter(campaign=campaign_id)
    if not people.update(people=F("people") + added["count"]):
        count_anew([campaign_id])
    count_days([petition.pk])

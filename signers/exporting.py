"""Signatures as a CSV file that streams: the database writes the lines, and no list is ever held in memory."""

import queue
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from itertools import chain
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import Case, F, Model, QuerySet, TextField, Value, When
from django.utils import timezone

from campaigns.models import Campaign
from petitions.models import Petition
from signers.models import Signature
from staff import audit
from staff.models import User
from toolkit.csv_files import BLOCK_SIZE, rows_to_csv, safe_cell

# Heading and where it comes from. Texts that people typed are guarded against spreadsheets that run what they read.
# What is `shown_` is left out where the signer hides the signature: files are passed on.
COLUMNS: dict[str, str] = {
    "number": "id",
    "petition": "petition__slug",
    "place": "petition__target__place__name",
    "first_name": "shown_first_name",
    "last_name": "shown_last_name",
    "email": "shown_email",
    "postal_code": "postal_code",
    "country": "country",
    "comment": "shown_comment",
    "local": "is_local",
    "updates": "updates",
    "signed_at": "signed_at",
    "confirmed_at": "confirmed_at",
    "accepted_at": "accepted_at",
    "held_at": "held_at",
    "removed_at": "removed_at",
    "hidden_at": "hidden_at",
    "version": "version__number",
}
BLOCKS_AHEAD = 8
# The signs that begin a formula, with every sign that NFKC turns into one of them.
FORMULA_STARTS = (
    "+-=@\u207a\u207c\u208a\u208c\u2a75\u2a76\ufb29\ufe62\ufe63\ufe66\ufe6b\uff0b\uff0d\uff1d\uff20"
)
# The planes in which Unicode has blanks and format characters: looking through all seventeen takes seconds.
INVISIBLE_ARE_HERE = (range(1, 0xD800), range(0xE000, 0x20000), range(0xE0000, 0xE1000))


def filename(*, campaign: Campaign | None = None, petition: Petition | None = None, at: datetime) -> str:
    """Letters, digits and hyphens only: what was typed is never part of a header."""
    what = petition.slug if petition else campaign.slug if campaign else "all"
    return f"signatures-{what}-{timezone.localtime(at):%Y-%m-%d-%H%M}.csv"


def begin(
    *, signatures: QuerySet[Signature], actor: User, at: datetime, subject: Model, filters: str = ""
) -> Iterator[bytes]:
    """Records the export with its number of rows, and returns the file's blocks. Nothing leaves unrecorded."""
    rows = signatures.order_by().count()
    audit.record(
        actor=actor, action="exported signatures", subject=subject, at=at, rows=rows, filters=filters
    )
    return blocks(signatures)


def blocks(signatures: QuerySet[Signature]) -> Iterator[bytes]:
    """The file in blocks of about 64 KB, from one snapshot of the database; memory does not grow with the rows."""
    chosen = signatures.order_by("pk").annotate(**unless_hidden()).values_list(*COLUMNS.values())
    if connection.vendor == "postgresql":
        # A filter that cannot match anything has no statement; the other way knows what to do with it.
        with suppress(EmptyResultSet):
            return _copied(_copy_statement(chosen))
    return _iterated(chosen)


def unless_hidden() -> dict[str, Case]:
    """`shown_first_name` and so on: what was typed, and nothing of who hides it."""
    names = [path.removeprefix("shown_") for path in COLUMNS.values() if path.startswith("shown_")]
    return {
        f"shown_{name}": Case(When(hidden_at=None, then=F(name)), default=Value(""), output_field=TextField())
        for name in names
    }


def _iterated(chosen: QuerySet[Any, Any]) -> Iterator[bytes]:
    def rows() -> Iterator[list[object]]:
        yield list(COLUMNS)
        for row in chosen.iterator(chunk_size=2000):
            yield [_plain(value) for value in row]

    return rows_to_csv(rows())


def _plain(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds")
    return value


# --- PostgreSQL --------------------------------------------------------------------------------------------


def _copied(statement: str) -> Iterator[bytes]:
    """`COPY` in a thread with a connection of its own, through a short queue: the reader sets the pace.

    A reader that goes away stops the copying with its next block.
    """
    ahead: queue.Queue[bytes | Exception | None] = queue.Queue(BLOCKS_AHEAD)
    outlet = Outlet(ahead)
    thread = threading.Thread(target=_copy, args=(statement, outlet), daemon=True)
    thread.start()
    try:
        yield "\ufeff".encode()
        while (block := ahead.get()) is not None:
            if isinstance(block, Exception):
                raise block
            yield block
    finally:
        outlet.gone.set()
        thread.join()


class ReaderGone(Exception):
    """Nobody reads any more."""


class Outlet:
    """What `COPY` writes to: gathers lines into blocks and puts them into the queue."""

    def __init__(self, ahead: "queue.Queue[bytes | Exception | None]") -> None:
        self.ahead = ahead
        self.gone = threading.Event()
        self.gathered = bytearray()

    def write(self, data: bytes) -> None:
        self.gathered += data
        if len(self.gathered) >= BLOCK_SIZE:
            self.flush()

    def flush(self) -> None:
        if self.gathered:
            self.put(bytes(self.gathered))
            self.gathered.clear()

    def put(self, block: bytes | Exception | None) -> None:
        while not self.gone.is_set():
            try:
                return self.ahead.put(block, timeout=0.2)
            except queue.Full:
                continue
        raise ReaderGone


def _copy(statement: str, outlet: Outlet) -> None:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            # A slow reader may take as long as it takes.
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.copy_expert(statement, outlet, BLOCK_SIZE)
        outlet.flush()
        outlet.put(None)
    except ReaderGone:
        pass
    except Exception as error:  # noqa: BLE001
        # Told to the reader's side, which raises it there.
        with suppress(ReaderGone):
            outlet.put(error)
    finally:
        connection.close()


def _copy_statement(chosen: QuerySet[Any, Any]) -> str:
    """`COPY` of the rows with every typed text guarded; the query's values are quoted by the driver."""
    query, parameters = chosen.query.sql_with_params()
    names = [f"c{position}" for position in range(len(COLUMNS))]
    shown = ", ".join(
        f'{_expression(path, name)} AS "{heading}"'
        for (heading, path), name in zip(COLUMNS.items(), names, strict=True)
    )
    with connection.cursor() as cursor:
        rows = cursor.mogrify(query, parameters).decode()
    return f"COPY (SELECT {shown} FROM ({rows}) AS chosen({', '.join(names)})) TO STDOUT WITH (FORMAT csv, HEADER)"  # noqa: S608


def _expression(path: str, name: str) -> str:
    if path.endswith("_at"):
        return f"""to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"')"""
    if path in {"is_local", "updates"}:
        return f"CASE WHEN {name} THEN 'yes' ELSE 'no' END"
    if path in {"id", "version__number"}:
        return name
    # An empty text would come out as "", which some programs show.
    return f"CASE WHEN {name} ~ '{formula_pattern()}' THEN '''' || {name} ELSE nullif({name}, '') END"


@cache
def formula_pattern() -> str:
    """The texts that `safe_cell` guards, as a regular expression of PostgreSQL."""
    skipped = [one for one in map(chr, chain(*INVISIBLE_ARE_HERE)) if _is_invisible(one)]
    starts = [one for one in FORMULA_STARTS if safe_cell(one) != one]
    return f"^(?:[\\t\\r\\n]|[{_class(skipped)}]*[{_class(starts)}])"


def _is_invisible(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in {"Cc", "Cf"}


def _class(characters: list[str]) -> str:
    """The inside of a bracket expression, written in escapes, neighbors joined to ranges."""
    ranges: list[list[int]] = []
    for code in map(ord, characters):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)

"""Everything stored about one person, for them to keep: as JSON and as CSV."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import ForeignKey, Model, QuerySet

from campaigns.models import Organization, Place
from signers.models import OwnPageRequest, Submission, Supporter
from toolkit.csv_files import rows_to_csv
from toolkit.email_addresses import mailbox_key

Row = dict[str, Any]
# Numbers our programs use among themselves, which say nothing to anybody else.
OURS_ALONE = {"claim", "claimed_until"}


def collect(supporter: Supporter) -> dict[str, list[Row]]:
    """The rows of every table about them, by the table's name. A query or two for each table.

    Tables of upper apps come along by their foreign keys, so that none is forgotten.
    """
    found = {"supporter": [_row(supporter)]}
    for relation in Supporter._meta.related_objects:
        rows = relation.related_model._default_manager.filter(**{relation.field.name: supporter})
        found[str(relation.related_model._meta.verbose_name)] = _rows(rows)
    for model in (Submission, OwnPageRequest):
        ids = [pk for pk, email in _typed(model) if mailbox_key(email) == supporter.mailbox]
        found[str(model._meta.verbose_name)] = _rows(model._default_manager.filter(pk__in=ids))
    return found


def as_json(data: dict[str, list[Row]]) -> bytes:
    return json.dumps(data, ensure_ascii=False, indent=2).encode("utf-8", "replace")


def as_csv(data: dict[str, list[Row]]) -> Iterator[bytes]:
    """One line for each value, so that all tables fit into one file."""

    def lines() -> Iterator[list[object]]:
        yield ["about", "number", "what", "value"]
        for table, rows in data.items():
            for number, row in enumerate(rows, start=1):
                for name, value in row.items():
                    yield [table, number, name, value]

    return rows_to_csv(lines())


def _typed(model: type[Model]) -> Iterator[tuple[int, str]]:
    return model._default_manager.values_list("pk", "email").iterator(chunk_size=2000)


def _rows(rows: QuerySet[Any]) -> list[Row]:
    people_know = [
        field.name
        for field in rows.model._meta.concrete_fields
        if isinstance(field, ForeignKey) and _says_something(field)
    ]
    return [_row(row) for row in rows.select_related(*people_know).order_by("pk")]


def _row(row: Model) -> Row:
    return {
        field.name: _value(row, field)
        for field in row._meta.concrete_fields
        if field.name not in OURS_ALONE and field.remote_field is None or field.remote_field
    }

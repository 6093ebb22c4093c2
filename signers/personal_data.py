"""Everything stored about one person, for them to keep: as JSON and as CSV."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db.models import Field, Model, QuerySet

from campaigns.models import Organization, Place
from petitions.models import Petition, Version
from signers.models import OwnPageRequest, Signature, Submission, Supporter
from toolkit.csv_files import rows_to_csv
from toolkit.email_addresses import mailbox_key

Row = dict[str, Any]
# What stands for a row of another table; upper apps add theirs. Of all others the number.
DESCRIBED: dict[type[Model], Callable[[Any], str]] = {
    Organization: str,
    Place: str,
    Petition: lambda petition: settings.SITE_URL + petition.get_absolute_url(),
    Version: lambda version: f"{version.headline} (version {version.number})",
}
# Numbers our programs use among themselves, which say nothing to anybody else.
OURS_ALONE = {"claim", "claimed_until"}


def collect(supporter: Supporter) -> dict[str, list[Row]]:
    """The rows of every table about them, by the table's name. A query or two for each table.

    Tables of upper apps come along by their foreign keys, to the person or to a signature, so that none is forgotten.
    """
    found = {"supporter": [_row(supporter)]}
    for relation in Supporter._meta.related_objects:
        model = relation.related_model
        rows = model._default_manager.filter(**{relation.field.name: supporter})
        found[str(model._meta.verbose_name)] = _rows(rows)
    for relation in Signature._meta.related_objects:
        model = relation.related_model
        if getattr(model, "PERSONAL_FIELDS", None):
            rows = model._default_manager.filter(**{f"{relation.field.name}__supporter": supporter})
            found.setdefault(str(model._meta.verbose_name), _rows(rows))
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
    described = [field.name for field in _fields(rows.model) if field.related_model in DESCRIBED]
    return [_row(row) for row in rows.select_related(*described).order_by("pk")]


def _row(row: Model) -> Row:
    return {field.name: _value(row, field) for field in _fields(type(row))}


def _fields(model: type[Model]) -> "list[Field[Any, Any]]":
    """All but who it is about, which the file as a whole says."""
    return [
        field
        for field in model._meta.concrete_fields
        if field.name not in OURS_ALONE and field.related_model is not Supporter
    ]


def _value(row: Model, field: "Field[Any, Any]") -> Any:
    describe = DESCRIBED.get(field.related_model) if field.related_model else None
    if describe is not None:
        related = getattr(row, field.name)
        return None if related is None else describe(related)
    value = getattr(row, field.attname)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds")
    return value if isinstance(value, str | int | bool | list | None) else str(value)

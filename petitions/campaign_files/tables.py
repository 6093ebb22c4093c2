"""What a campaign file holds once it is read: its tables, with the line on which each thing stands."""

import datetime
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.db.models import Field, Model

from campaigns.last_names import guess_last_name
from campaigns.models import Target
from petitions.campaign_files.keys import TARGETS, Form, Key
from petitions.publishing import Problem

Value = str | int | bool | datetime.date | datetime.datetime | list[str]


class BrokenFile(Exception):
    """A file that cannot be loaded, with every problem in it, in the order of its lines."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(dict.fromkeys(problems), key=line_of)
        super().__init__("\n".join(map(str, self.problems)))


def line_of(problem: Problem) -> int:
    match = re.match(r"line (\d+)", problem.place)
    return int(match.group(1)) if match else 0


@dataclass(frozen=True)
class Table:
    """One table of a file: what is given in it, and where it stands. `path` counts from one: targets[3]."""

    path: str
    keys: tuple[Key, ...]
    values: Mapping[str, Value]
    line: int
    lines: Mapping[str, int]

    def place(self, key: str = "") -> str:
        """“line 41, targets[3].email”; for a key that is not given, the line on which its table begins."""
        return f"line {self.lines.get(key, self.line)}, {self.path}{key and '.'}{key}"

    def text(self, key: str) -> str:
        """The text under `key`, "" where there is none."""
        value = self.values.get(key, "")
        return value if isinstance(value, str) else ""

    def texts(self, key: str) -> list[str]:
        value = self.values.get(key, [])
        return value if isinstance(value, list) else []

    @property
    def has_petition(self) -> bool:
        return self.values.get("petition", True) is True

    @property
    def person(self) -> tuple[str, ...]:
        """Whom a target is: name and place."""
        return (self.text("name"), *self.place_names)

    @property
    def place_names(self) -> tuple[str, str, str]:
        return self.text("place"), self.text("region"), self.text("country")

    @property
    def is_target(self) -> bool:
        return self.keys is TARGETS


@dataclass(frozen=True)
class CampaignFile:
    """A file without mistakes. Every table that makes a petition knows its kind.

    `targets` may hold the same person twice, once for each kind; both then say the same about them.
    `slugs` holds the slug of each target and group by the path of its table, whether given or made up.
    """

    organization: Table
    campaign: Table
    sources: tuple[Table, ...]
    letters: Mapping[str, Table]
    targets: tuple[Table, ...]
    groups: tuple[Table, ...]
    slugs: Mapping[str, str]

    @property
    def petitions(self) -> Iterator[Table]:
        """The tables that make a petition, in the order of the file."""
        yield from (table for table in self.targets if table.has_petition)
        yield from self.groups


def fill(instance: Model, table: Table, *, keep_missing: bool = False) -> None:
    """Sets the fields that `table` holds for the instance's model; a missing key sets the default.

    A slug that is not given is made up elsewhere, so it always stays; with `keep_missing` everything not given does.
    """
    for key in table.keys:
        if key.model is None or not isinstance(instance, key.model):
            continue
        if key.name in table.values:
            value = table.values[key.name]
            words = key.form is Form.CODES and isinstance(value, list)
            setattr(instance, key.stored_in, " ".join(table.texts(key.name)) if words else value)
        elif not keep_missing and key.name != "slug":
            setattr(instance, key.stored_in, default_of(key.model, key.stored_in))
    if isinstance(instance, Target):
        instance.last_name = instance.last_name or guess_last_name(instance.name)


def default_of(model: type[Model], name: str) -> object:
    field = model._meta.get_field(name)
    return field.get_default() if isinstance(field, Field) else None

"""From what TOML gives to the values of a table: right keys, right types, nothing missing, each mistake named."""

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from petitions.campaign_files.keys import HIGHEST_NUMBER, LONGEST_TEXT, Form, Key
from petitions.campaign_files.tables import Table, Value
from petitions.publishing import Problem
from toolkit.nearest_name import nearest
from toolkit.text_problems import shortened

KINDS_OF_VALUES: tuple[tuple[type, str], ...] = (
    (str, "a text"),
    (bool, "true or false"),
    (int, "a number"),
    (float, "a number with a point"),
    (datetime.datetime, "a date with a time"),
    (datetime.date, "a date"),
    (datetime.time, "a time"),
    (list, "a list"),
    (dict, "a table"),
)


class Unfit(Exception):
    """A value that its key cannot hold; the message says what to write instead."""


def read_table(table: Table, given: Mapping[str, Any]) -> tuple[Table, list[Problem]]:
    """The table with the values of `given`, and what is wrong with them. A wrong value is left out."""
    by_name = {key.name: key for key in table.keys}
    problems = [
        Problem(table.place(name), unknown("key", name, by_name)) for name in given if name not in by_name
    ]
    values: dict[str, Value] = {}
    for key in table.keys:
        if key.name in given:
            try:
                values[key.name] = fitting(key, given[key.name])
            except Unfit as error:
                problems.append(Problem(table.place(key.name), str(error)))
        elif key.required:
            problems.append(Problem(table.place(key.name), f'This is missing. Add {key.name} = "…".'))
    return Table(table.path, table.keys, values, table.line, table.lines), problems


def fitting(key: Key, value: object) -> Value:
    """The value as it is stored. Raises Unfit."""
    match key.form:
        case Form.LINE:
            return chosen(key, line(key, value))
        case Form.TEXT:
            return filled(key, text(key, value))
        case Form.LINES:
            return list(lines(key, value))
        case Form.CODES:
            return text(key, value) if isinstance(value, str) else list(lines(key, value))
        case Form.NUMBER:
            return number(key, value)
        case Form.FLAG if isinstance(value, bool):
            return value
        case Form.DATE if type(value) is datetime.date:
            return value
        case Form.MOMENT if isinstance(value, datetime.datetime) and value.tzinfo:
            return moment(value)
    raise wrong_type(key, value)


def text(key: Key, value: object) -> str:
    if not isinstance(value, str):
        raise wrong_type(key, value)
    if "\0" in value:
        raise Unfit("There is a character in this text that cannot be stored (NUL). Remove it.")
    if len(value) > LONGEST_TEXT:
        raise Unfit(
            f"This text is too long: {len(value):,} characters. Shorten it to at most {LONGEST_TEXT:,}."
        )
    return normal_line_ends(value)


def line(key: Key, value: object) -> str:
    words = text(key, value).strip()
    if "\n" in words:
        raise Unfit("This has to be on one line. Remove the line breaks.")
    return filled(key, words)


def filled(key: Key, words: str) -> str:
    if key.required and not words.strip():
        raise Unfit(f"“{key.name}” is empty. Write something.")
    return words


def chosen(key: Key, words: str) -> str:
    if not key.choices or words in key.choices:
        return words
    near = nearest(words, key.choices)
    options = " or ".join(f'"{choice}"' for choice in key.choices)
    raise Unfit(
        f"“{shortened(words)}” is not possible here. Write {options}."
        + (f" Did you mean “{near}”?" if near else "")
    )


def lines(key: Key, value: object) -> Iterator[str]:
    if not isinstance(value, list):
        raise wrong_type(key, value)
    for item in value:
        if not isinstance(item, str):
            raise Unfit(f"Every item of this list has to be a text in quotes; one is {described(item)}.")
        if words := line(key, item):
            yield words


def number(key: Key, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise wrong_type(key, value)
    if not key.least <= value <= HIGHEST_NUMBER:
        raise Unfit(f"Write a number from {key.least} to {HIGHEST_NUMBER:,}, without separators.")
    return value


def moment(value: datetime.datetime) -> datetime.datetime:
    try:
        universal = value.astimezone(datetime.UTC)
        # Room for every time zone in which it may be shown.
        if not datetime.MINYEAR < universal.year < datetime.MAXYEAR:
            raise OverflowError
        return universal
    except OverflowError:
        raise Unfit("This date is outside the calendar. Choose another one.") from None


def wrong_type(key: Key, value: object) -> Unfit:
    hint = ""
    if key.form is Form.MOMENT and isinstance(value, datetime.datetime):
        hint = " The offset is missing: end it with Z (universal time) or, say, +02:00."
    return Unfit(f"“{key.name}” has to be {key.form.value}, not {described(value)}.{hint}")


def described(value: object) -> str:
    """What somebody wrote, in words; never the value, which may be of any size."""
    return next((words for kind, words in KINDS_OF_VALUES if isinstance(value, kind)), "something else")


def unknown(what: str, name: str, valid: Mapping[str, object]) -> str:
    near = nearest(name, valid)
    message = f"There is no {what} “{shortened(name)}” here."
    return f"{message} Did you mean “{near}”?" if near else f"{message} Possible are: {', '.join(valid)}."


def normal_line_ends(words: str) -> str:
    r"""The text with \n at the end of each line, however they ended before."""
    return words.replace("\r\n", "\n").replace("\r", "\n")

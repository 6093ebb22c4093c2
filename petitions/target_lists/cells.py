"""What single cells may hold: from the texts of a row to values that can be stored, each mistake named."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from campaigns.forms import check_slug
from petitions.models import Kind
from petitions.target_lists.columns import BEYOND, COLUMNS, Column, kind_of, nearest_kind
from toolkit.email_addresses import suggest
from toolkit.text_problems import shortened

HIGHEST_GOAL = 2_000_000_000
NUMBER = re.compile(r"\d{1,3}(?:[ ,.'’\u00a0\u202f]\d{3})+|\d{1,10}(?:[.,]0{1,2})?", re.ASCII)
FORMULA = re.compile(r"=\s*[\w(+\-\"'@.]")
FUNCTION = re.compile(r"[=+\-@]\s*[A-Za-z][A-Za-z.]*\(")
SPREADSHEET_ERROR = re.compile(r"#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NULL!|NUM!|SPILL!)")
UNREADABLE = "\ufffd"

Values = dict[str, Any]


@dataclass(frozen=True)
class CellProblem:
    """One mistake: its column ("" for the row as a whole), and a sentence that says what to do."""

    column: str
    message: str


class Unfit(Exception):
    """A text that its column cannot hold; the message says what to write instead."""


def read_cells(cells: Mapping[str, str]) -> tuple[Values, list[CellProblem]]:
    """The values of the cells that say something, and what is wrong with the others. Makes no query."""
    values: Values = {}
    problems = []
    for column in COLUMNS.values():
        text = cells.get(column.name, "")
        if not text:
            if column.needed:
                problems.append(CellProblem(column.name, f"The {column.label.lower()} is missing."))
            continue
        try:
            values[column.name] = value_of(column, text)
        except Unfit as error:
            problems.append(CellProblem(column.name, str(error)))
    if beyond := cells.get(BEYOND):
        problems.append(
            CellProblem(
                "",
                f"“{shortened(beyond)}” stands beyond the last column. Perhaps there is a separator too many "
                "in this row; look whether every cell is right.",
            )
        )
    return values, problems


def value_of(column: Column, text: str) -> Any:
    """The text as it is stored. Raises Unfit."""
    if UNREADABLE in text:
        raise Unfit("There is a character that could not be read (�). Write it anew.")
    if text[0] in "=+-@#":
        refuse_formula(column, text)
    if len(text) > column.longest:
        raise Unfit(f"This is too long: {len(text):,} characters. It can have at most {column.longest:,}.")
    if column.needed and not any(letter.isalnum() for letter in text):
        raise Unfit(f"“{shortened(text)}” is no {column.label.lower()}. Write one with at least one letter.")
    special = SPECIAL.get(column.name)
    return special(text) if special else text


def refuse_formula(column: Column, text: str) -> None:
    """Raises Unfit for what only a spreadsheet understands."""
    if SPREADSHEET_ERROR.fullmatch(text):
        raise Unfit(f"“{text}” is an error of the spreadsheet. Write what should stand here.")
    if FUNCTION.match(text) or (FORMULA.match(text) and not column.several_lines):
        raise Unfit(f"“{shortened(text)}” is a formula of a spreadsheet. Write what it should say.")


def email(text: str) -> str:
    address = text.removeprefix("mailto:").strip()
    try:
        validate_email(address)
    except ValidationError:
        near = suggest(address) if address.count("@") == 1 and " " not in address else None
        hint = (
            f" Did you mean “{near}”?" if near else " Write one address, such as name@example.org, or none."
        )
        raise Unfit(f"“{shortened(text)}” is no e-mail address.{hint}") from None
    return address


def kind(text: str) -> Kind:
    found = kind_of(text)
    if found is None:
        near = nearest_kind(text)
        hint = f" Did you mean “{near}”?" if near else " Write demand or thank-you."
        raise Unfit(f"There is no kind “{shortened(text)}”.{hint}")
    return found


def slug(text: str) -> str:
    try:
        check_slug(text.lower())
    except ValidationError as error:
        raise Unfit(error.messages[0]) from None
    return text.lower()


def goal(text: str) -> int:
    if not NUMBER.fullmatch(text):
        raise Unfit(f"“{shortened(text)}” is no number of signatures. Write digits only, such as 500.")
    number = int(re.sub(r"[.,]0{1,2}\Z|\D", "", text))
    if not 1 <= number <= HIGHEST_GOAL:
        raise Unfit(f"A goal is at least 1 and at most {HIGHEST_GOAL:,}.")
    return number


def postal_prefixes(text: str) -> str:
    return " ".join(re.split(r"[\s,;|]+", text)).strip()


SPECIAL: Mapping[str, Callable[[str], Any]] = {
    "email": email,
    "kind": kind,
    "slug": slug,
    "goal": goal,
    "postal_prefixes": postal_prefixes,
}

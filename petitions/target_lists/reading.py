"""From a pasted text or an uploaded file to the rows of a list, or to what is wrong with it as a whole."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from petitions.target_lists.columns import (
    BEYOND,
    COLUMNS,
    FIRST_NAME,
    column_of,
    ignored,
)
from toolkit.plain_text import one_line, storable
from toolkit.text_problems import shortened

LARGEST_FILE = 15_000_000
MOST_ROWS = 20_000
MOST_COLUMNS = 200
# Python's reader refuses longer ones anyway, and what is longer lacks a quotation mark.
LONGEST_CELL = 100_000
SEPARATORS = (",", ";", "\t", "|")
SEPARATOR_LINE = re.compile(r'\ufeff?"?sep=(.)"?[\t ]*\n', re.IGNORECASE)
# Stands alone on the line after the last: a quotation mark that is never closed swallows it.
END = "\x02"
SAVE_AS_CSV = "In your spreadsheet choose “Save as” or “Download”, then CSV, and upload that file."
NOT_TEXT = {
    b"PK\x03\x04": "This is a spreadsheet file (such as .xlsx or .ods), not CSV.",
    b"\xd0\xcf\x11\xe0": "This is an old spreadsheet file (.xls), not CSV.",
    b"%PDF": "This is a PDF, not CSV.",
}
# An apostrophe that keeps a spreadsheet from taking the cell for a formula or a number; 's-Hertogenbosch has none.
GUARD = re.compile(r"'(?=\s*[=+\-@\d])")
# ="00123" keeps a spreadsheet from dropping zeros.
QUOTED_FORMULA = re.compile(r'="([^"]*)"')


class BrokenList(Exception):
    """A file or text that is no list of targets; the message says what to do."""


@dataclass(frozen=True)
class ReadList:
    """`rows` as `TargetList.rows` stores them; `ignored` has a sentence for each column that means nothing here."""

    rows: list[dict[str, Any]]
    ignored: list[str] = field(default_factory=list)


def read(content: bytes | str) -> ReadList:
    """Reads CSV of any separator, encoding and order of columns. Raises BrokenList."""
    if len(content) > LARGEST_FILE:
        raise BrokenList(f"This file is too large. It can have at most {LARGEST_FILE // 1_000_000} MB.")
    text = (decoded(content) if isinstance(content, bytes) else content).removeprefix("\ufeff")
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace(END, "")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise BrokenList(f"There is something on line {line} that is no text (NUL). {SAVE_AS_CSV}")
    if not text.strip():
        raise BrokenList("This is empty. The first line names the columns, each line after it is one target.")
    heading, lines = with_headings(text)
    return Reader(heading).read(lines)


def decoded(content: bytes) -> str:
    for beginning, what in NOT_TEXT.items():
        if content.startswith(beginning):
            raise BrokenList(f"{what} {SAVE_AS_CSV}")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        # Excel’s “Unicode text”. Half a character at the end of a cut file is shown as such.
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BrokenList(
            f"The characters on line {line} cannot be read. Save the file as CSV in UTF-8, and upload that."
        ) from None


@dataclass(frozen=True)
class Line:
    """One record of the file. It begins on line `number` and may go on over several."""

    number: int
    cells: list[str]


def with_headings(text: str) -> tuple[Line, Iterator[Line]]:
    """The line that names the columns, and those after it, read with the separator that makes most sense of it."""
    first = 1
    if said := SEPARATOR_LINE.match(text):
        separators: tuple[str, ...] = (said.group(1),) if said.group(1) in SEPARATORS else SEPARATORS
        text, first = text[said.end() :], 2
    else:
        separators = SEPARATORS
    best = max(separators, key=lambda separator: known_columns(text, separator))
    lines = filled(records(text, best, first))
    heading = next(lines, None)
    if heading is None:
        raise BrokenList("This is empty. The first line names the columns, each line after it is one target.")
    return heading, lines


def known_columns(text: str, separator: str) -> tuple[int, int]:
    """How many columns the separator makes known, and how many it makes at all."""
    try:
        heading = next(filled(records(text, separator, 1)))
    except (StopIteration, BrokenList):
        return 0, 0
    return sum(column_of(cell) is not None for cell in heading.cells), len(heading.cells)


def filled(lines: Iterator[Line]) -> Iterator[Line]:
    return (line for line in lines if any(cell.strip() for cell in line.cells))


def records(text: str, separator: str, first: int) -> Iterator[Line]:
    """Every record, blank ones included. `first` is the number of the first line in the file."""
    reader = csv.reader(io.StringIO(f"{text}\n{END}\n", newline="\n"), delimiter=separator)
    begins = first
    while True:
        try:
            cells = next(reader)
        except (csv.Error, StopIteration):
            raise BrokenList(too_long(begins)) from None
        if cells == [END]:
            return
        if cells and cells[-1].endswith(f"{END}\n"):
            raise BrokenList(
                f"The quotation mark on line {begins} is never closed. Close it, or remove it, and try again."
            )
        if any(len(cell) > LONGEST_CELL for cell in cells):
            raise BrokenList(too_long(begins))
        yield Line(begins, cells)
        begins = reader.line_num + first


def too_long(line: int) -> str:
    return (
        f"A cell of the row that begins on line {line} has more than {LONGEST_CELL:,} characters. "
        "Probably a quotation mark is missing, or one too many."
    )


class Reader:
    """Reads the rows below a heading."""

    def __init__(self, heading: Line) -> None:
        self.headings = [one_line(cell) for cell in heading.cells]
        while self.headings and not self.headings[-1]:
            self.headings.pop()
        if len(self.headings) > MOST_COLUMNS:
            raise BrokenList(f"There are more than {MOST_COLUMNS} columns. Remove those that are not needed.")
        self.columns = [column_of(words) for words in self.headings]
        self.refuse_no_heading()
        self.refuse_twice()
        self.refuse_missing()

    def read(self, lines: Iterator[Line]) -> ReadList:
        rows: list[dict[str, Any]] = []
        for line in lines:
            if len(rows) >= MOST_ROWS:
                raise BrokenList(
                    f"There are more than {MOST_ROWS:,} rows. Split the list and bring the parts one by one."
                )
            rows.append({"line": line.number, "cells": self.cells(line.cells)})
        if not rows:
            raise BrokenList("There are headings, but no row below them. Each target needs a row.")
        unknown = [
            ignored(words)
            for words, column in zip(self.headings, self.columns, strict=True)
            if column is None and words
        ]
        if self.name_is_whole and FIRST_NAME in self.columns:
            unknown.append(f"The column “{self.heading_of(FIRST_NAME)}” is ignored beside the whole name.")
        return ReadList(rows, unknown)

    @property
    def name_is_whole(self) -> bool:
        return "name" in self.columns

    def heading_of(self, column: str) -> str:
        return self.headings[self.columns.index(column)]

    def cells(self, given: list[str]) -> dict[str, str]:
        """What the row says, column to text; columns it says nothing in are left out."""
        cells = {
            column: text
            for column, cell in zip(self.columns, given, strict=False)
            if column is not None and (text := cleaned(column, cell))
        }
        first = cells.pop(FIRST_NAME, "")
        if not self.name_is_whole and (whole := f"{first} {cells.get('last_name', '')}".strip()):
            cells["name"] = whole
        beyond = " ".join(text for cell in given[len(self.columns) :] if (text := one_line(cell)))
        return cells | ({BEYOND: beyond} if beyond else {})

    def refuse_no_heading(self) -> None:
        if not any(self.columns):
            said = shortened(", ".join(words for words in self.headings if words))
            raise BrokenList(
                f"The first line does not name the columns; it says “{said}”. "
                "Put a line above it, such as: Name, Place, Region, E-mail."
            )

    def refuse_twice(self) -> None:
        for column in dict.fromkeys(self.columns):
            same = [
                words for words, other in zip(self.headings, self.columns, strict=True) if other == column
            ]
            if column and len(same) > 1:
                names = " and ".join(f"“{words}”" for words in same)
                raise BrokenList(
                    f"Two columns are the {COLUMNS[column].label.lower()}: {names}. Remove or rename one of them."
                )

    def refuse_missing(self) -> None:
        has_name = self.name_is_whole or {FIRST_NAME, "last_name"} <= set(self.columns)
        missing = [
            column.label
            for column in COLUMNS.values()
            if column.needed and not (has_name if column.name == "name" else column.name in self.columns)
        ]
        if missing:
            there = ", ".join(f"“{words}”" for words in self.headings if words)
            names = " and ".join(f"“{label}”" for label in missing)
            raise BrokenList(
                f"A column is missing: {names}. The headings are {shortened_list(there)}. "
                "Rename the one that holds it, or add it."
            )


def shortened_list(words: str) -> str:
    return words if len(words) <= 400 else f"{words[:400]}…"


def cleaned(column: str, cell: str) -> str:
    """The text of a cell as people see it in their spreadsheet, fit to be stored."""
    text = storable(cell).strip() if COLUMNS[column].several_lines else one_line(cell)
    text = GUARD.sub("", text, count=1) if text.startswith("'") else text
    quoted = QUOTED_FORMULA.fullmatch(text)
    text = quoted.group(1) if quoted else text
    return text.strip() if COLUMNS[column].several_lines else " ".join(text.split())

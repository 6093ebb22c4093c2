"""CSV that a spreadsheet shows and never runs."""

import csv
import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.csv_files import BLOCK_SIZE, rows_to_csv, safe_cell


@pytest.mark.parametrize(
    "text",
    [
        "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\rx", "\n=1", "＝1", "＋1", "－1", "＠x", "﹢1", " =1", "\u200b=1",
        "\ufeff=1", "\xa0=1", "\x00=1", "\u202e=1",
    ],
)  # fmt: skip
def test_formulas_get_an_apostrophe(text):
    assert safe_cell(text).startswith("'")
    assert safe_cell(safe_cell(text)) == safe_cell(text)


@pytest.mark.parametrize("text", ["", " ", "Ana", "O'Neill", "Jean-Luc", "a=b", "5 + 5", "بن علي", "'tis"])
def test_other_text_stays(text):
    assert safe_cell(text) == text


@pytest.mark.parametrize(
    ("value", "cell"),
    [(None, ""), (-5, "-5"), (1.5, "1.5"), (True, "True"), (date(2026, 3, 1), "2026-03-01")],
)
def test_values_of_other_kinds(value, cell):
    assert safe_cell(value) == cell


def test_file_has_a_mark_and_crlf():
    content = b"".join(rows_to_csv([["Name", "City"], ["Zoë", 'He said "hi", twice']]))

    assert content == '\ufeffName,City\r\nZoë,"He said ""hi"", twice"\r\n'.encode()


def test_cells_are_guarded_in_files():
    assert b"".join(rows_to_csv([["=1", "two\r\n=3"]])) == '\ufeff\'=1,"two\r\n=3"\r\n'.encode()


def test_file_without_rows_is_a_file():
    assert b"".join(rows_to_csv([])) == "\ufeff".encode()


def test_file_comes_in_blocks_while_rows_are_read():
    read = []

    def rows():
        for number in range(10_000):
            read.append(number)
            yield [number, "x" * 100]

    blocks = rows_to_csv(rows())

    first = next(blocks)
    assert BLOCK_SIZE <= len(first) < BLOCK_SIZE + 200
    assert len(read) < 1000
    assert len(list(blocks)) == len(first + b"".join(rows_to_csv(rows()))) // BLOCK_SIZE - 1


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=[])), min_size=2, max_size=4), max_size=5))
def test_any_text_comes_back_as_its_safe_cells(rows):
    text = b"".join(rows_to_csv(rows)).decode("utf-8-sig")

    found = list(csv.reader(io.StringIO(text, newline="")))
    assert found == [[safe_cell(value).encode("utf-8", "replace").decode() for value in row] for row in rows]

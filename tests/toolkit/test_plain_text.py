"""Any string made fit to be stored."""

import sys

import pytest

from toolkit.plain_text import one_line, storable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ada Okafor, José, 图书馆", "Ada Okafor, José, 图书馆"),
        ("a\0b\x7fc\uffffd", "abcd"),
        ("a\r\nb\rc\u2028d\x85e", "a\nb\nc\nd\ne"),
        ("\ud800", "\ufffd"),
        ("a\tb\u00a0c\u200fd", "a\tb\u00a0c\u200fd"),
    ],
)
def test_only_what_cannot_be_stored_goes(text, expected):
    assert storable(text) == expected


def test_whatever_can_be_printed_stays():
    """The short way out takes such texts as they are."""
    printable = "".join(
        character for number in range(sys.maxunicode + 1) if (character := chr(number)).isprintable()
    )

    # A line break sends it the long way.
    assert storable(f"{printable}\n") == f"{printable}\n"


def test_one_line_has_no_blanks_around_it():
    assert one_line(" \u2003Ada\r\nOkafor\n") == "Ada Okafor"

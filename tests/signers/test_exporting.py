"""The pattern that guards cells in the database guards what the toolkit guards."""

import sys
from itertools import chain

from signers import exporting
from toolkit.csv_files import safe_cell


def every_character():
    return (chr(code) for code in range(1, sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF)


def test_every_sign_that_begins_a_formula_is_known():
    guarded = {one for one in every_character() if one not in "\t\r\n" and safe_cell(one) != one}

    assert guarded == set(exporting.FORMULA_STARTS)


def test_every_invisible_character_is_looked_at():
    looked_at = set(map(chr, chain(*exporting.INVISIBLE_ARE_HERE)))

    assert not {one for one in every_character() if exporting._is_invisible(one)} - looked_at

"""Colors that can be read."""

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from toolkit.colors import clean_hex, contrast, on_color, readable

COLORS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("#1F3D5C", "#1f3d5c"), (" 1f3d5c ", "#1f3d5c"), ("#ABC", "#aabbcc"), ("", ""), ("  ", "")],
)
def test_color_is_stored_in_one_form(typed, stored):
    assert clean_hex(typed) == stored


@pytest.mark.parametrize(
    "typed",
    ["red", "#12", "#12345", "#gggggg", "#1234567", "#１２３", "\0", "\ud800", "#fff;x:y", "f" * 1_000_000],
)
def test_anything_else_is_explained(typed):
    with pytest.raises(ValidationError, match="six digits"):
        clean_hex(typed)


def test_contrast_as_in_the_guidelines():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#777777") == 1
    assert contrast("#ffffff", "#767676") == pytest.approx(4.54, abs=0.01)


@given(
    COLORS, st.sampled_from(["#ffffff", "#fbfaf7", "#16191d", "#000000"]), st.sampled_from([3.0, 4.5, 7.0])
)
def test_every_accent_becomes_readable(accent, background, minimum):
    assert contrast(readable(accent, background=background, minimum=minimum), background) >= minimum


@given(COLORS)
def test_readable_accent_stays_as_it_is(accent):
    shade = readable(accent, background="#ffffff")

    assert readable(shade, background="#ffffff") == shade
    assert (shade == accent) == (contrast(accent, "#ffffff") >= 4.5)


def test_hue_is_kept():
    assert readable("#ff0000", background="#ffffff") == "#ed0000"
    assert readable("#ffcc00", background="#ffffff") == "#8f7200"


def test_background_of_middle_gray_gets_the_better_end():
    assert readable("#808080", background="#808080", minimum=20) == "#000000"


@pytest.mark.parametrize(
    ("accent", "ink"), [("#1f3d5c", "#ffffff"), ("#ffcc00", "#111111"), ("#fff", "#111111")]
)
def test_ink_on_an_accent(accent, ink):
    assert on_color(accent) == ink

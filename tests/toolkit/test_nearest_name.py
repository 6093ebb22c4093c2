"""Suggesting the name somebody meant."""

import pytest

from toolkit.nearest_name import nearest

FIELDS = ["target.name", "target.last_name", "place.name", "supporter.first_name"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("target.nmae", "target.name"),
        ("Target.Name", "target.name"),
        ("target name", "target.name"),
        ("targetlastname", "target.last_name"),
        ("supporter.firstname", "supporter.first_name"),
        ("plase.name", "place.name"),
    ],
)
def test_slip_of_the_finger_is_understood(typed: str, meant: str) -> None:
    assert nearest(typed, FIELDS) == meant


@pytest.mark.parametrize("typed", ["", "...", "weather", "\ud800", "x" * 1_000_000])
def test_nothing_like_it_suggests_nothing(typed: str) -> None:
    assert nearest(typed, FIELDS) is None


def test_nothing_valid_suggests_nothing() -> None:
    assert nearest("target.name", []) is None


def test_a_key_without_its_year_finds_its_source() -> None:
    assert nearest("rivera", ["rivera-2026", "okafor-2025"]) == "rivera-2026"

"""Names of people, and what is not one."""

import unicodedata

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from toolkit.person_names import MAX_LENGTH, clean_name


@pytest.mark.parametrize(
    "name",
    [
        "O’Neill", "O'Neill", "Jean-Luc", "María José", "St. John", "St.John", "Dr. J.R.",
        "J.R.R. Tolkien", "Jr.", "A", "بن علي", "李", "李小龙", "Nguyễn", "Þór", "Ἀλέξανδρος",
        "Владимир", "חַיִּים", "สมชาย", "ஸ்ரீதர்", "வி. கே.", "田中・ルイ", "M.de Vries", "Dr.Lee",
        "Anna-Maria d'Arc, Ph.D.", "Md. Al Amin", "Søren 3rd", "Li (Lily)", "Ana/Bo",
        "Cometa Netherby", "Mr.Inman", "Comet Orgill", "ʻOkina", "𐌰𐌱", "क्‍ष", "می‌خواهم", "A.M.",
        "Ng", "Wwwerner", "Httpson", "Ann & Bob", "N/A", "葛\U000e0100城",
    ],
)  # fmt: skip
def test_names_of_all_kinds_pass_unchanged(name):
    assert clean_name(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("  Ana \t María\n", "Ana María"),
        ("Ana\u3000Lee\xa0", "Ana Lee"),
        ("Zoe\u0308", "Zoë"),
        ("\u202eAna\u202c", "Ana"),
        ("A\u200bn\u00ada\ufeff", "Ana"),
        ("A\u200dn\u200ca", "Ana"),
        ("Ana\u2066\u2069 \u200f Lee", "Ana Lee"),
        ("Ana\u3164\u2800\u115f", "Ana"),
        ("Ana\ufe0f", "Ana"),
        ("می\u200c", "می"),
    ],
)
def test_what_cannot_be_seen_is_taken_away(typed, name):
    assert clean_name(typed) == name


@pytest.mark.parametrize(
    "text",
    [
        "http://x", "https://spam.example/now", "www.spam.example", "buy-now.com", "Buy-Now.COM",
        "t.me/x", "T.ME/x", "t.me", "ana@example.org", "@ana", "<b>Ana</b>", "Ana <", "a.co/b",
        "visit spam.net today", "x.xyz", "spam.ru", "сайт.рф", "buy-now．com", "buy-now。com",
        "ｗｗｗ.spam.example", "buy\u200b-now.c\u200bom", "mailto:x", "javascript:alert(1)",
        "FTP://x", "call 10.0.0.1 Ana", "casino.online", "bit.ly", "Ana\u2024com spam.com",
    ],
)  # fmt: skip
def test_addresses_and_markup_are_refused(text):
    with pytest.raises(ValidationError, match="without a web or e-mail address"):
        clean_name(text)


@pytest.mark.parametrize("text", ["", "  ", "\u200b", "\u3164", "\u2800 \u2800", "\n\n"])
def test_empty_name_is_asked_for(text):
    with pytest.raises(ValidationError, match="Enter a name"):
        clean_name(text)


@pytest.mark.parametrize("text", ["123", "...", "-", "1-2", "🌻", "١٢٣", "()"])
def test_name_needs_a_letter(text):
    with pytest.raises(ValidationError, match="at least one letter"):
        clean_name(text)


@pytest.mark.parametrize("text", ["A\0na", "A\x07na", "\ud800Ana", "Ana\ue000", "Ana\uffff", "Ana\x9f"])
def test_characters_that_cannot_be_shown_are_refused(text):
    with pytest.raises(ValidationError, match="cannot be shown"):
        clean_name(text)


def test_piled_up_accents_are_refused():
    with pytest.raises(ValidationError, match="accents"):
        clean_name("A\u0316\u0317\u0318\u0319\u031c\u031d\u031e\u031fna")


def test_length_is_counted_after_cleaning():
    assert clean_name(" " * 500 + "x" * MAX_LENGTH) == "x" * MAX_LENGTH
    with pytest.raises(ValidationError, match="at most 80"):
        clean_name("x" * (MAX_LENGTH + 1))


@pytest.mark.parametrize("text", ["x" * 10_000_000, "9" * 5000, "\u0316" * 5000, "www" * 1000, "a." * 900])
def test_huge_text_is_refused(text):
    with pytest.raises(ValidationError):
        clean_name(text)


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_is_a_name_or_explained(text):
    try:
        name = clean_name(text)
    except ValidationError:
        return

    assert clean_name(name) == name
    assert name.isprintable()
    assert name.encode()
    assert len(name) <= MAX_LENGTH

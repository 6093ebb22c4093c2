"""Marks that tell which mail a report is about, and that nobody else can make."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.bounce_addresses import COPY, MAIL, bounce_address, mark, marks_in

CONNIE = "connie@example.org"


def only(text):
    (found,) = marks_in(text)
    return found


@given(st.integers(0, 2**63 - 1), st.sampled_from([COPY, MAIL]))
def test_what_was_marked_is_found_and_genuine(subject, kind):
    found = only(f"To: <bounces+{mark(kind, subject, to=CONNIE)}@mail.example.org>")

    assert (found.kind, found.subject) == (kind, subject)
    assert found.is_of(CONNIE)


def test_mark_survives_a_server_that_folds_case():
    assert only(mark(COPY, 7, to=CONNIE).upper()).is_of(CONNIE)


def test_mark_is_good_for_one_mailbox_however_its_address_is_written():
    found = only(mark(COPY, 7, to="Connie@EXAMPLE.org"))

    assert found.is_of(CONNIE)
    assert not found.is_of("robin@example.org")


def test_mark_of_a_copy_is_none_of_a_mail():
    copy = mark(COPY, 7, to=CONNIE)

    assert not only(MAIL + copy[1:]).is_of(CONNIE)


def test_every_changed_character_is_noticed():
    genuine = mark(COPY, 7, to=CONNIE)

    for place in range(1, len(genuine)):
        changed = genuine[:place] + ("b" if genuine[place] == "a" else "a") + genuine[place + 1 :]
        assert not only(changed).is_of(CONNIE)


def test_former_secret_still_proves_a_mark(settings):
    genuine = mark(COPY, 7, to=CONNIE)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another-secret-" * 4

    assert only(genuine).is_of(CONNIE)
    settings.SECRET_KEY_FALLBACKS = []
    assert not only(genuine).is_of(CONNIE)


def test_number_that_no_row_can_have_is_none():
    assert only("c" + "7" * 32).subject is None


@pytest.mark.parametrize("text", ["", "c" * 5000, "cabc", "c" + "1" * 32, "\ud800\0", "ｃ" + "a" * 32])
def test_other_text_holds_no_mark(text):
    assert list(marks_in(text)) == []


def test_address_for_bounces_is_short_enough_and_in_small_letters(settings):
    settings.BOUNCE_ADDRESS = f"{'b' * 30}@mail.example.org"

    address = bounce_address(mark(COPY, 2**63 - 1, to=CONNIE))

    assert len(address.partition("@")[0]) <= 64
    assert address == address.lower()


def test_without_an_address_for_bounces_there_is_none(settings):
    settings.BOUNCE_ADDRESS = ""

    assert bounce_address(mark(COPY, 7, to=CONNIE)) == ""

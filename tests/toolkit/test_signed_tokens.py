"""Tokens that only we can make, and stamps that tell a form's age."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.signed_tokens import ExpiredToken, InvalidToken, make, read, stamp, stamp_age

NOW = datetime(2026, 3, 1, 12, 0, 7, tzinfo=UTC)
DAY = timedelta(days=1)
ODD_TEXTS = [
    "",
    " ",
    "\0",
    "ü" * 40,
    "\ud800" * 40,
    "a" * 40,
    "a" * 1_000_000,
    "9" * 5000,
    "-" * 40,
    "А" * 40,
    "１" * 40,
]


@given(
    st.integers(0, 2**63 - 1),
    st.text(max_size=20),
    st.datetimes(datetime(1970, 1, 2), timezones=st.just(UTC)),  # noqa: DTZ001 (Hypothesis takes the zone apart)
)
def test_what_was_made_can_be_read(subject, purpose, at):
    token = make(purpose, subject, at=at)

    assert read(purpose, token, at=at, max_age=None) == subject
    assert len(token) < 45
    assert token.isascii()
    assert token.replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize("subject", [-1, 2**63])
def test_subject_must_be_a_row_number(subject):
    with pytest.raises(ValueError, match="row"):
        make("confirm", subject, at=NOW)


def test_moment_needs_a_time_zone():
    with pytest.raises(ValueError, match="time zone"):
        make("confirm", 1, at=NOW.replace(tzinfo=None))


def test_other_purpose_is_invalid():
    token = make("confirm", 7, at=NOW)

    with pytest.raises(InvalidToken):
        read("not-me", token, at=NOW, max_age=None)


def test_every_changed_character_is_noticed():
    token = make("confirm", 7, at=NOW)

    for position, character in enumerate(token):
        for other in (
            character.swapcase(),
            "A" if character != "A" else "B",
            "-" if character != "-" else "_",
        ):
            if other != character:
                with pytest.raises(InvalidToken):
                    read("confirm", token[:position] + other + token[position + 1 :], at=NOW, max_age=None)


@pytest.mark.parametrize("change", [" {}", "{}\n", "{}=", "{}A", "{}\0", "%20{}"])
def test_decorated_token_is_invalid(change):
    token = make("confirm", 7, at=NOW)

    with pytest.raises(InvalidToken):
        read("confirm", change.format(token), at=NOW, max_age=None)


@pytest.mark.parametrize("text", ODD_TEXTS, ids=range(len(ODD_TEXTS)))
def test_odd_text_is_invalid(text):
    with pytest.raises(InvalidToken):
        read("confirm", text, at=NOW, max_age=None)


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_is_invalid(text):
    with pytest.raises(InvalidToken):
        read("confirm", text, at=NOW, max_age=None)


def test_token_expires_after_its_age():
    token = make("confirm", 7, at=NOW)

    assert read("confirm", token, at=NOW + DAY, max_age=DAY) == 7
    with pytest.raises(ExpiredToken) as expired:
        read("confirm", token, at=NOW + DAY + timedelta(seconds=1), max_age=DAY)
    assert expired.value.subject == 7
    assert expired.value.made_at == NOW


def test_forged_token_is_never_merely_expired():
    token = make("confirm", 7, at=NOW)

    with pytest.raises(InvalidToken) as found:
        read("not-me", token, at=NOW + 2 * DAY, max_age=DAY)
    assert not isinstance(found.value, ExpiredToken)


def test_clock_that_went_wrong_and_was_set_right_is_forgiven():
    token = make("confirm", 7, at=NOW + timedelta(days=2))

    assert read("confirm", token, at=NOW, max_age=DAY) == 7
    with pytest.raises(InvalidToken):
        read("confirm", token, at=NOW - timedelta(seconds=1), max_age=DAY)


def test_former_key_still_verifies(settings):
    token, stamped = make("confirm", 7, at=NOW), stamp(scope="form", at=NOW)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a new key", ["another", settings.SECRET_KEY]

    assert read("confirm", token, at=NOW, max_age=None) == 7
    assert stamp_age(stamped, scope="form", at=NOW) is not None


def test_forgotten_key_no_longer_verifies(settings):
    token = make("confirm", 7, at=NOW)
    settings.SECRET_KEY = "a new key"

    with pytest.raises(InvalidToken):
        read("confirm", token, at=NOW, max_age=None)


def test_stamp_is_the_same_within_its_granularity():
    first = NOW.replace(second=0)

    assert stamp(scope="form", at=first) == stamp(scope="form", at=first + timedelta(seconds=9))
    assert stamp(scope="form", at=first) != stamp(scope="form", at=first + timedelta(seconds=10))


def test_stamp_tells_its_age():
    stamped = stamp(scope="form", at=NOW)

    assert stamp_age(stamped, scope="form", at=NOW + timedelta(seconds=60)) == timedelta(seconds=67)


def test_age_of_a_stamp_from_a_faster_clock_is_nothing():
    stamped = stamp(scope="form", at=NOW + timedelta(minutes=1))

    assert stamp_age(stamped, scope="form", at=NOW) == timedelta(0)


@pytest.mark.parametrize("text", [None, *ODD_TEXTS, "A" * 20], ids=range(len(ODD_TEXTS) + 2))
def test_missing_or_forged_stamp_has_no_age(text):
    assert stamp_age(text, scope="form", at=NOW) is None


def test_stamp_of_another_scope_or_the_future_has_no_age():
    assert stamp_age(stamp(scope="other", at=NOW), scope="form", at=NOW) is None
    assert stamp_age(stamp(scope="form", at=NOW + DAY), scope="form", at=NOW) is None


def test_token_is_no_stamp():
    assert stamp_age(make("form", 1, at=NOW)[:20], scope="form", at=NOW) is None

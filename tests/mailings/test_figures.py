"""How far a mailing is, and what came of it."""

from datetime import timedelta

import pytest

from mailings.figures import NO_PETITION, UNKNOWN, Progress, figures, progress
from mailings.models import Recipient
from tests.factories import (
    NOW,
    make_edition,
    make_letter,
    make_mailing,
    make_petition,
    make_place,
    make_recipient,
    make_signature,
    make_supporter,
)

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
SENT = {"handed_over_at": NOW, "sent_at": NOW}


@pytest.fixture
def petition():
    return make_petition()


@pytest.fixture
def mailing(petition):
    return make_mailing(petition.campaign, starts_at=NOW, other_subject="Or this?")


@pytest.fixture
def edition(mailing, petition):
    return make_edition(mailing, petition)


def sent(edition, **fields):
    return make_recipient(edition, **SENT | fields)


# --- Progress ------------------------------------------------------------------------------------------------


def test_every_copy_is_in_exactly_one_number(edition, mailing):
    make_recipient(edition)
    make_recipient(edition, due_at=None)
    sent(edition)
    make_recipient(edition, failed_at=NOW)
    make_recipient(edition, handed_over_at=NOW)
    make_recipient(edition, handed_over_at=NOW, failed_at=NOW)  # staff left it in doubt
    make_recipient(edition, dropped_at=NOW, dropped="unsubscribed")
    make_recipient(edition, dropped_at=NOW, dropped="signed")
    sent(edition, dropped_at=NOW, dropped="stopped")
    make_recipient()

    found = progress(mailing, at=NOW)

    assert (found.queued, found.waiting, found.sent, found.failed, found.in_doubt) == (1, 1, 2, 1, 2)
    assert found.dropped == {"signed": 1, "unsubscribed": 1}
    assert found.people == Recipient.objects.filter(mailing=mailing).count()


def test_nothing_begun_is_nothing_done(mailing):
    assert progress(mailing, at=NOW) == Progress()
    assert Progress().percent == 100


@pytest.mark.parametrize(("sent", "queued", "percent"), [(0, 9, 0), (999, 1, 99), (10, 0, 100)])
def test_bar_is_full_only_at_the_end(sent, queued, percent):
    assert Progress(sent=sent, queued=queued).percent == percent


def test_time_left_is_told_from_the_speed_of_late(edition, mailing):
    for _ in range(20):
        sent(edition, handed_over_at=NOW + 2 * MINUTE, sent_at=NOW + 2 * MINUTE)
    for _ in range(30):
        make_recipient(edition)

    found = progress(mailing, at=NOW + 4 * MINUTE)

    assert found.a_minute == 5
    assert found.time_left(600) == 6 * MINUTE
    assert found.time_left(3) == 10 * MINUTE


def test_before_any_has_left_the_speed_staff_set_counts(edition, mailing):
    make_recipient(edition)

    assert progress(mailing, at=NOW - MINUTE).time_left(10) == MINUTE / 10
    assert Progress(sent=3).time_left(10) is None


def test_progress_takes_two_queries(mailing, django_assert_num_queries):
    with django_assert_num_queries(2):
        progress(mailing, at=NOW + MINUTE)


# --- Figures -------------------------------------------------------------------------------------------------


def test_what_people_did_is_counted_by_city_and_subject(edition, mailing, petition):
    other = make_petition(letter=petition.letter)
    there = make_edition(mailing, other)
    sent(edition, subject="a", bounced_at=NOW)
    sent(edition, subject="b", unsubscribed_at=NOW, complained_at=NOW)
    sent(there, subject="b", link_used_at=NOW, signature=make_signature(other, confirmed=True))
    make_recipient(there)

    found = figures(mailing)

    assert (found.total.sent, found.total.bounced, found.total.signed) == (3, 1, 1)
    rows = {
        row.label: (row.sent, row.bounced, row.complained, row.unsubscribed, row.signed)
        for row in found.cities
    }
    assert rows == {
        str(petition.target.place): (2, 1, 1, 1, 0),
        str(other.target.place): (1, 0, 0, 0, 1),
    }
    lines = {row.label: (row.sent, row.signed) for row in found.subjects}
    assert lines == {mailing.subject: (1, 0), "Or this?": (2, 1)}


def test_shared_onward_are_signatures_by_links_of_those_who_signed_through_it(edition, mailing, petition):
    through = make_signature(petition, confirmed=True)
    sent(edition, subject="a", link_used_at=NOW, signature=through)
    for fields in (
        {"referral": through.referral_code, "confirmed": True},
        {"referral": through.referral_code},  # not confirmed
        {"referral": through.referral_code, "confirmed": True, "at": NOW - timedelta(days=9)},
        {"referral": "another", "confirmed": True},
        {"referral": "", "confirmed": True},
    ):
        make_signature(petition, **fields)

    found = figures(mailing)

    assert found.total.shared == 1
    assert [row.shared for row in found.cities] == [1]


def test_where_all_are_led_to_one_petition_the_city_is_the_readers_own(petition):
    mailing = make_mailing(petition.campaign, starts_at=NOW, leads_to=petition)
    edition = make_edition(mailing, petition)
    city = make_place()
    sent(edition, supporter=make_supporter(place=city))
    sent(edition, supporter=make_supporter())
    sent(edition, supporter=None)

    assert {row.label: row.sent for row in figures(mailing).cities} == {str(city): 1, UNKNOWN: 2}


def test_people_without_a_petition_have_a_line(mailing):
    sent(make_edition(mailing, None))

    assert [row.label for row in figures(mailing).cities] == [NO_PETITION]


def test_largest_city_comes_first(edition, mailing, petition):
    small = make_edition(mailing, make_petition(letter=petition.letter))
    sent(small)
    sent(edition)
    sent(edition)

    assert [row.sent for row in figures(mailing).cities] == [2, 1]


def test_draft_has_no_figures():
    found = figures(make_mailing(make_letter().campaign))

    assert (found.total.sent, found.cities, found.subjects) == (0, [], [])


def test_queries_do_not_grow_with_cities(edition, mailing, petition, django_assert_max_num_queries):
    for _ in range(10):
        sent(make_edition(mailing, make_petition(letter=petition.letter)))

    with django_assert_max_num_queries(4):
        figures(mailing)

"""Momentum: what was gained lately, kept beside the count."""

from datetime import date, timedelta

import pytest
from django.test import override_settings

from petitions import momentum
from petitions.models import DayTally, Tally
from tests.factories import NOW, make_petition

pytestmark = pytest.mark.django_db
TODAY = NOW.date()


def gained(petition):
    return Tally.objects.get(pk=petition.pk).gained_lately


def on(petition, day, number):
    DayTally.objects.create(petition=petition, day=day, gained=number)


def test_the_last_three_days_count_and_no_day_before():
    petition = make_petition()
    for days_ago, number in enumerate((1, 20, 300, 4000)):
        on(petition, TODAY - timedelta(days=days_ago), number)

    assert momentum.remember(at=NOW) == 1

    assert gained(petition) == 321


def test_what_was_lost_is_taken_off():
    petition = make_petition()
    on(petition, TODAY, -5)
    on(petition, TODAY - timedelta(days=1), 3)

    momentum.remember(at=NOW)

    assert gained(petition) == -2


def test_nothing_is_written_where_nothing_changed(django_assert_num_queries):
    petition = make_petition()
    on(petition, TODAY, 7)
    momentum.remember(at=NOW)

    with django_assert_num_queries(2):
        assert momentum.remember(at=NOW) == 0


def test_momentum_fades_when_days_go_by():
    petition = make_petition()
    on(petition, TODAY, 7)
    momentum.remember(at=NOW)

    assert momentum.remember(at=NOW + timedelta(days=3)) == 1

    assert gained(petition) == 0


def test_a_petition_without_a_tally_is_left_alone():
    petition = make_petition(live=False)
    on(petition, TODAY, 7)

    assert momentum.remember(at=NOW) == 0


@override_settings(TIME_ZONE="Pacific/Auckland")
def test_days_are_those_of_the_time_zone_of_the_site():
    late = NOW.replace(hour=23)

    # There it is already the fourth of May.
    assert momentum.first_day(late) == date(2026, 5, 2)

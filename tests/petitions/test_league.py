"""The city league: who is ranked, how, and what a petition page says of it."""

import pytest
from django.test import Client

from campaigns.models import Campaign
from petitions.league import ordinal, rank_all
from petitions.models import Kind, Tally
from tests.factories import NOW, make_campaign, make_letter, make_petition, make_place
from tests.people import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def letter():
    return make_letter(campaign=make_campaign(shows_league=True))


def make_city(letter, count, name="", **fields):
    petition = make_petition(letter=letter, place=make_place(name=name) if name else None, **fields)
    Tally.objects.filter(pk=petition.pk).update(count=count)
    return petition


def ranks(*petitions):
    stored = dict(Tally.objects.values_list("pk", "rank"))
    return [stored[petition.pk] for petition in petitions]


def test_cities_are_ranked_by_signatures_and_equals_share_a_rank(letter):
    cities = [make_city(letter, count) for count in (10, 30, 20, 20, 5)]

    assert rank_all(NOW) == 5

    assert ranks(*cities) == [4, 1, 2, 2, 5]
    assert set(Tally.objects.values_list("ranked", flat=True)) == {5}


def test_both_petitions_of_a_city_count_for_it(letter):
    place = make_place()
    thanks = make_letter(campaign=letter.campaign, kind=Kind.THANK_YOU)
    demand = make_petition(letter=letter, place=place)
    thank_you = make_petition(letter=thanks, place=place)
    Tally.objects.filter(pk__in=[demand.pk, thank_you.pk]).update(count=6)
    others = [make_city(letter, 10), make_city(letter, 5)]

    rank_all(NOW)

    assert ranks(demand, thank_you, *others) == [1, 1, 2, 3]
    assert Tally.objects.get(pk=demand.pk).ranked == 3


def test_two_cities_are_no_league(letter):
    cities = [make_city(letter, 10), make_city(letter, 20)]

    assert rank_all(NOW) == 0

    assert ranks(*cities) == [None, None]


def test_what_the_floor_hides_adds_to_no_rank_and_has_none(letter):
    Campaign.objects.update(count_floor=10)
    place = make_place()
    thanks = make_letter(campaign=letter.campaign, kind=Kind.THANK_YOU)
    hidden = make_petition(letter=letter, place=place)
    shown = make_petition(letter=thanks, place=place)
    Tally.objects.filter(pk=hidden.pk).update(count=9)
    Tally.objects.filter(pk=shown.pk).update(count=11)
    above, below = make_city(letter, 12), make_city(letter, 9)

    rank_all(NOW)

    assert ranks(hidden, shown, above, below) == [None, 2, 1, None]
    assert Tally.objects.get(pk=shown.pk).ranked == 3


def test_a_city_without_a_signature_is_not_called_the_last(letter):
    cities = [make_city(letter, count) for count in (2, 1, 0)]

    rank_all(NOW)

    assert ranks(*cities) == [1, 2, None]


def test_groups_drafts_and_other_campaigns_are_not_ranked(letter):
    cities = [make_city(letter, count) for count in (3, 2, 1)]
    elsewhere = make_city(make_letter(), 100)
    make_petition(letter=letter, live=False)

    assert rank_all(NOW) == 3

    assert ranks(elsewhere, *cities) == [None, 1, 2, 3]
    assert set(Tally.objects.exclude(rank=None).values_list("ranked", flat=True)) == {3}


def test_only_what_changed_is_written(letter, django_assert_num_queries):
    first, second, third = (make_city(letter, count) for count in (30, 20, 10))
    rank_all(NOW)
    with django_assert_num_queries(2):
        assert rank_all(NOW) == 0
    Tally.objects.filter(pk=third.pk).update(count=25)

    assert rank_all(NOW) == 2

    assert ranks(first, second, third) == [1, 3, 2]


def test_ranks_go_with_the_league(letter):
    cities = [make_city(letter, count) for count in (3, 2, 1)]
    rank_all(NOW)
    Campaign.objects.update(shows_league=False)

    assert rank_all(NOW) == 3

    assert ranks(*cities) == [None, None, None]


@pytest.mark.parametrize(
    ("number", "word"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (13, "13th"), (21, "21st"),
     (101, "101st"), (111, "111th"), (1022, "1,022nd")],
)  # fmt: skip
def test_ordinals(number, word):
    assert ordinal(number) == word


@pytest.fixture
def third(letter):
    make_city(letter, 30)
    make_city(letter, 20)
    third = make_city(letter, 10, name="Rivermouth")
    rank_all(NOW)
    return third


def page_of(petition):
    return text_of(Client().get(petition.get_absolute_url()))


def test_petition_page_says_where_its_city_stands_in_the_same_query(third, django_assert_num_queries):
    with django_assert_num_queries(1):
        page = page_of(third)

    assert "Rivermouth, 3rd of 3 cities" in page


def test_petition_page_says_nothing_once_the_count_is_hidden_or_the_league_is_over(third):
    Campaign.objects.update(count_floor=11)
    assert "3rd of" not in page_of(third)

    Campaign.objects.update(count_floor=0, shows_league=False)
    assert "3rd of" not in page_of(third)

"""Signing in a second city of the same campaign: the site tells nobody, and the campaign counts a person once."""

import re

import pytest
from django.utils import timezone

from signers.models import Signature
from signers.removing import remove
from tests import factories
from tests.people import Person, shown_count


@pytest.fixture
def cities(db):
    letter = factories.make_letter()
    return [factories.make_petition(letter=letter) for _ in range(2)]


@pytest.fixture
def connie_signed_here(cities, connie, work):
    work()
    connie.signs(cities[0])
    work()
    connie.confirms()
    work()
    return connie


def shown_total(address):
    """The number beside the campaign on that page."""
    page = re.sub(r"<[^>]+>", " ", Person().opens(address).content.decode())
    found = re.search(r"([\d,]+)\s+(?:people|person|signed|signatures?)\b", page)
    return int(found[1].replace(",", "")) if found else 0


def signs_there_too(connie, cities, work):
    connie.signs(cities[1])
    work()
    connie.confirms()
    work()


def test_the_other_citys_page_is_the_same_for_who_signed_here(cities, connie_signed_here):
    hers = connie_signed_here.opens(cities[1].get_absolute_url())
    anybodys = Person().opens(cities[1].get_absolute_url())

    assert hers.content == anybodys.content
    assert not hers.cookies
    assert not connie_signed_here.client.cookies
    assert "Cookie" not in hers.get("Vary", "")


def test_both_cities_count_the_signature_and_the_campaign_the_person(cities, connie_signed_here, work):
    signs_there_too(connie_signed_here, cities, work)

    assert [shown_count(Person(), petition)[0] for petition in cities] == [1, 1]
    assert shown_total("/") == 1
    assert shown_total(cities[0].campaign.get_absolute_url()) == 1


def test_a_campaign_may_count_signatures_instead(cities, connie_signed_here, work):
    campaign = cities[0].campaign
    campaign.total_of = campaign.Total.SIGNATURES
    campaign.save()

    signs_there_too(connie_signed_here, cities, work)

    assert shown_total("/") == 2
    assert shown_total(campaign.get_absolute_url()) == 2


def test_who_takes_one_of_two_signatures_back_still_counts(cities, connie_signed_here, work):
    signs_there_too(connie_signed_here, cities, work)
    totals = []

    for signature in Signature.objects.order_by("pk"):
        remove(signature=signature, actor=factories.make_staff(), at=timezone.now(), reason="As she asked.")
        work()
        totals.append(shown_total("/"))

    assert totals == [1, 0]

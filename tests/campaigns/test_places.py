"""Finding a place by what somebody typed."""

import pytest

from campaigns import places
from campaigns.models import Place

pytestmark = pytest.mark.django_db


def test_a_place_is_found_whatever_its_case():
    place = Place.objects.create(name="Rivermouth", region="Westmark")

    assert places.find_or_create(name="  rivermouth ", region="WESTMARK") == place


def test_a_name_alone_finds_the_only_place_of_that_name():
    place = Place.objects.create(name="Rivermouth", region="Westmark", country="Norrhavn")

    assert places.find_or_create(name="Rivermouth") == place


def test_a_name_that_two_places_have_is_a_place_of_its_own():
    Place.objects.create(name="Rivermouth", region="Westmark")
    Place.objects.create(name="Rivermouth", region="Eastmark")

    place = places.find_or_create(name="Rivermouth")

    assert place.region == ""
    assert Place.objects.count() == 3


def test_another_region_is_another_place():
    Place.objects.create(name="Rivermouth", region="Westmark")

    assert places.find(name="Rivermouth", region="Eastmark") is None

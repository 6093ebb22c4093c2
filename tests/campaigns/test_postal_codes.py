"""Loading ZIP codes, the city one belongs to, and where places lie."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from campaigns import known_cities
from campaigns.models import Place, PostalCode
from campaigns.place_names import read
from campaigns.postal_codes import city_of, load, locate_places, matching_length
from tests.factories import make_place

pytestmark = pytest.mark.django_db


def row(code: str, city: str, state: str, **fields: Any) -> dict[str, Any]:
    """As the package has them."""
    return {
        "zip_code": code,
        "city": city,
        "state": state,
        "acceptable_cities": [],
        "lat": "40.0",
        "long": "-100.0",
    } | fields


def test_loading_twice_changes_nothing():
    rows = [row("11111", "Rivermouth", "OR"), row("22222", "Saltash", "ME")]
    first = load(rows)
    before = list(PostalCode.objects.values_list())

    again = load(rows)

    assert (first.added, bool(again)) == (2, False)
    assert list(PostalCode.objects.values_list()) == before


def test_newer_data_adds_changes_and_removes():
    load([row("11111", "Rivermouth", "OR"), row("22222", "Saltash", "ME")])

    loaded = load([row("11111", "St. Rivermouth", "OR"), row("33333", "Tarn", "VT")])

    assert (loaded.added, loaded.changed, loaded.removed) == (1, 1, 1)
    assert dict(PostalCode.objects.values_list("code", "name_key")) == {
        "11111": "saint rivermouth",
        "33333": "tarn",
    }


def test_codes_of_other_countries_stay():
    PostalCode.objects.create(country="HV", code="1012", name="Oosterwiek")

    load([row("11111", "Rivermouth", "OR")])

    assert PostalCode.objects.filter(country="HV").exists()


def test_code_tells_its_city_and_the_other_names_the_post_accepts():
    load([row("11111", "Rivermouth", "OR", acceptable_cities=["St. Anne", "Mill End"])])

    city, names = city_of("11111")

    assert (city.label, city.country) == ("Rivermouth, Oregon", "United States")
    assert names == ["rivermouth", "saint anne", "mill end"]
    assert city_of("99999") is None


def test_zero_coordinates_mean_unknown():
    load([row("09001", "Apo", "AE", lat="0.0", long="0.0")])

    city, _names = city_of("09001")

    assert city.latitude is None


def test_places_get_the_middle_of_their_codes():
    by_code = make_place(name="Rivermouth", region="OR", country="USA")
    by_name = make_place(name="Saltash", region="Maine", country="")
    elsewhere = make_place(name="Rivermouth", region="Westmark", country="Halvern")
    rows = [
        row("11111", "Rivermouth", "OR", lat="44.0", long="-123.0"),
        row("11112", "Rivermouth", "OR", lat="45.0", long="-124.0"),
        row("22222", "Saltash", "ME", lat="43.5", long="-70.0"),
        row("33333", "Rivermouth", "VT", lat="1.0", long="1.0"),
    ]

    loaded = load(rows)

    for place in (by_code, by_name, elsewhere):
        place.refresh_from_db()
    assert loaded.located == 2
    assert (by_code.latitude, by_code.longitude) == (44.5, -123.5)
    assert (by_name.latitude, by_name.longitude) == (43.5, -70.0)
    assert elsewhere.latitude is None


def test_place_without_region_is_located_only_where_nobody_else_has_its_name():
    load([row("11111", "Tarn", "OR"), row("22222", "Saltash", "ME"), row("33333", "Saltash", "VT")])
    tarn = make_place(name="Tarn", region="", country="US")
    make_place(name="Saltash", region="", country="US")

    assert locate_places() == 1

    assert Place.objects.get(latitude__isnull=False) == tarn


def test_locating_again_changes_nothing():
    load([row("11111", "Tarn", "OR", lat="44.12345", long="-123.98765")])
    make_place(name="Tarn", region="OR")

    assert [locate_places(), locate_places()] == [1, 0]


@pytest.mark.parametrize(
    ("code", "prefixes", "length"),
    [
        ("94301", "941 942, 94301", 5),
        ("94301", "943;94", 3),
        ("SW1A1AA", "sw1a", 4),
        ("94301", "95", 0),
        ("94301", "", 0),
        ("94301", " ,; ", 0),
    ],
)
def test_longest_fitting_prefix_decides(code, prefixes, length):
    assert matching_length(code, prefixes) == length


def test_cities_are_known_by_name_each_once():
    load(
        [row("11111", "Saltash", "ME"), row("11112", "Saltash", "ME"), row("33333", "Saltash", "VT")],
    )
    make_place(name="Saltash", region="Maine")
    make_place(name="Saltash", region="Westmark", country="Halvern")

    cities = known_cities.by_name(read("saltash").readings)

    assert [city.label for city in cities] == ["Saltash, Maine", "Saltash, Vermont", "Saltash, Westmark"]


@pytest.mark.parametrize(
    "typed", ["Saltash, ME", "Saltash Maine", "saltash me usa", "Saltash, Maine, United States"]
)
def test_region_tells_namesakes_apart(typed):
    load([row("11111", "Saltash", "ME"), row("33333", "Saltash", "VT")])

    assert [city.label for city in known_cities.by_name(read(typed).readings)] == ["Saltash, Maine"]


def test_command_says_what_it_did(monkeypatch):
    monkeypatch.setattr("zipcodes.list_all", lambda: [row("11111", "Rivermouth", "OR")])
    first, second = StringIO(), StringIO()

    call_command("load_postal_codes", stdout=first)
    call_command("load_postal_codes", stdout=second)

    assert "1 added" in first.getvalue()
    assert "nothing has changed" in second.getvalue()

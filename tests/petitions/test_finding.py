"""Finding a city's petition by what visitors type."""

import json
import logging
import random
from collections import defaultdict
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import zipcodes
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.models import Place, PostalCode, Target
from campaigns.place_names import name_key
from campaigns.postal_codes import city_and_names, load
from petitions import finder_views, finding
from petitions.finding import distance_in_words, find, in_city, instead, kilometers, of_places
from petitions.models import Petition, Tally
from tests.factories import NOW, make_letter, make_petition, make_place, make_version
from tests.people import text_of

pytestmark = pytest.mark.django_db
YESTERDAY = timezone.now() - timedelta(days=1)


@pytest.fixture
def letter():
    return make_letter()


@pytest.fixture
def campaign(letter):
    return letter.campaign


@pytest.fixture
def at_place(letter):
    """`at_place("Springfield", "OR")` is a live petition there."""

    def make(name, region="Westmark", country="", **fields):
        prefixes = fields.pop("postal_prefixes", "")
        place = make_place(name=name, region=region, country=country, postal_prefixes=prefixes)
        return make_petition(letter=letter, place=place, **fields)

    return make


def zip_code(code, name, region, **fields):
    return PostalCode.objects.create(country="US", code=code, name=name, region=region, **fields)


def found_urls(found):
    return [match.card.url for match in found.matches]


# --- By name


@pytest.mark.parametrize(
    "typed",
    [
        "Saint Mary's Falls",
        "st. mary’s falls",
        "ST MARYS FALLS",
        "City of St. Mary’s Falls",
        "St. Marys Falls, Oregon",
        "st marys falls or",
        "St. Mary's Falls, OR 97477",
        "saint marys falls, USA",
        "Saint Marys Falls, Oregon, United States",
        "saint ma",
        "ｓａｉｎｔ ｍａｒｙｓ ｆａｌｌｓ",
    ],
)
def test_city_is_found_however_it_is_written(campaign, at_place, typed):
    petition = at_place("St. Mary’s Falls", "OR")
    at_place("Saint Helens Bay", "OR")

    assert found_urls(find(campaign, typed, at=NOW)) == [petition.get_absolute_url()]


@pytest.mark.parametrize(("listed", "typed"), [("OR", "Springfield, Oregon"), ("Oregon", "springfield or")])
@pytest.mark.parametrize("country", ["", "US", "United States"])
def test_states_mean_the_same_by_name_and_by_letters(campaign, at_place, listed, typed, country):
    petition = at_place("Springfield", listed, country)
    at_place("Springfield", "Vermont", "USA")

    assert found_urls(find(campaign, typed, at=NOW)) == [petition.get_absolute_url()]


def test_namesakes_are_listed_with_their_regions(campaign, at_place):
    at_place("Springfield", "OR")
    at_place("Springfield", "VT")

    found = find(campaign, "springfield", at=NOW)

    assert found.only is None
    assert [match.label for match in found.matches] == ["Springfield, Oregon", "Springfield, Vermont"]


def test_namesakes_in_regions_of_one_name_are_listed_with_their_countries(campaign, at_place):
    at_place("Springfield", "Westmark", "Halvern")
    at_place("Springfield", "Westmark", "Sahiliya")

    labels = [match.label for match in find(campaign, "springfield", at=NOW).matches]

    assert labels == ["Springfield, Westmark, Halvern", "Springfield, Westmark, Sahiliya"]


def test_unique_beginning_is_enough(campaign, at_place):
    petition = at_place("Rivermouth")
    at_place("Riverbend")

    assert found_urls(find(campaign, "rivermo", at=NOW)) == [petition.get_absolute_url()]
    assert len(find(campaign, "river", at=NOW).matches) == 2


def test_beginning_that_is_a_city_of_its_own_leads_nowhere_by_itself(campaign, at_place):
    zip_code("77373", "Spring", "TX")
    petition = at_place("Springfield", "OR")

    found = find(campaign, "Spring", at=NOW)

    assert found.matches == []
    assert found.city.label == "Spring, Texas"
    assert [match.card.url for match in found.guesses] == [petition.get_absolute_url()]


def test_a_letter_or_two_are_only_a_guess(campaign, at_place):
    at_place("Rivermouth")

    found = find(campaign, "ri", at=NOW)

    assert found.matches == []
    assert len(found.guesses) == 1


@pytest.mark.parametrize("typed", ["Rivermuoth", "rivrmouth", "Rivermouht, Westmark"])
def test_slip_of_the_fingers_is_a_guess(campaign, at_place, typed):
    at_place("Rivermouth")
    at_place("Saltash")

    found = find(campaign, typed, at=NOW)

    assert found.matches == []
    assert [match.label for match in found.guesses] == ["Rivermouth, Westmark"]


def test_known_city_without_a_petition_is_told_by_name(campaign, at_place):
    at_place("Rivermouth")
    zip_code("94301", "Palo Alto", "CA")

    found = find(campaign, "palo alto", at=NOW)

    assert (found.matches, found.city.label) == ([], "Palo Alto, California")


def test_petitions_of_other_campaigns_and_unpublished_ones_are_not_found(campaign, at_place):
    make_petition(place=make_place(name="Rivermouth"))
    at_place("Saltash", live=False)
    at_place("Tarn", at=NOW + timedelta(days=1))

    for typed in ("Rivermouth", "Saltash", "Tarn"):
        assert find(campaign, typed, at=NOW).matches == []


def test_open_petition_goes_before_the_won_one(campaign, letter, at_place):
    won = at_place("Rivermouth")
    Petition.objects.filter(pk=won.pk).update(closed_at=NOW, won_at=NOW)
    thanks = make_letter(campaign=campaign, kind="thank-you")
    joined = make_petition(letter=thanks, place=won.target.place)

    assert found_urls(find(campaign, "Rivermouth", at=NOW)) == [joined.get_absolute_url()]


def test_won_petition_is_found_where_there_is_no_other(campaign, at_place):
    won = at_place("Rivermouth")
    Petition.objects.filter(pk=won.pk).update(closed_at=NOW, won_at=NOW)

    assert found_urls(find(campaign, "Rivermouth", at=NOW)) == [won.get_absolute_url()]


# --- By postal code


def test_zip_code_leads_to_its_city(campaign, at_place):
    petition = at_place("Springfield", "Oregon")
    at_place("Springfield", "VT")
    zip_code("97477", "Springfield", "OR")

    for typed in ("97477", "97477-0001", "９７４７７", "OR 97477", "Springfield 97477"):
        assert found_urls(find(campaign, typed, at=NOW)) == [petition.get_absolute_url()]


def test_other_accepted_names_come_after_the_first(campaign, at_place):
    second = at_place("Mill End", "OR")
    zip_code("97477", "Springfield", "OR", other_names=["Gateway", "Mill End"])

    assert found_urls(find(campaign, "97477", at=NOW)) == [second.get_absolute_url()]
    first = at_place("Springfield", "OR")
    assert found_urls(find(campaign, "97477", at=NOW)) == [first.get_absolute_url()]


def test_place_without_a_region_takes_the_zip_code(campaign, at_place):
    petition = at_place("Springfield", "")
    zip_code("97477", "Springfield", "OR")

    assert found_urls(find(campaign, "97477", at=NOW)) == [petition.get_absolute_url()]


def test_city_abroad_of_the_same_name_does_not_take_the_zip_code(campaign, at_place):
    at_place("Springfield", "", "Halvern")
    zip_code("97477", "Springfield", "OR")

    found = find(campaign, "97477", at=NOW)

    assert (found.matches, found.city.label) == ([], "Springfield, Oregon")


@pytest.mark.parametrize("typed", ["1012 AB", "1012ab", "10128"])
def test_codes_staff_list_lead_to_the_place_anywhere_on_earth(campaign, at_place, typed):
    petition = at_place("Oosterwiek", "Noorderkoog", "Halvern", postal_prefixes="1011, 1012")
    at_place("Westwiek", "Noorderkoog", "Halvern", postal_prefixes="10")

    assert found_urls(find(campaign, typed, at=NOW)) == [petition.get_absolute_url()]


def test_codes_staff_list_go_before_the_post(campaign, at_place):
    zip_code("11201", "Brooklyn", "NY")
    at_place("Brooklyn", "NY")
    petition = at_place("New York", "NY", postal_prefixes="100 112")

    assert found_urls(find(campaign, "11201", at=NOW)) == [petition.get_absolute_url()]


# --- Instead


def test_nearest_open_petitions_are_offered_with_their_distance(campaign, at_place):
    zip_code("11111", "Saltash", "OR", latitude=44.0, longitude=-123.0)
    for name, latitude, closed_at in (
        ("Near", 44.1, None),
        ("Far", 45.0, None),
        ("Shut", 44.0, NOW),
        ("Off", 20.0, None),
    ):
        petition = at_place(name, "OR", closed_at=closed_at)
        Place.objects.filter(pk=petition.target.place_id).update(latitude=latitude, longitude=-123.0)

    offered = instead(campaign, find(campaign, "11111", at=NOW), at=NOW)

    assert [(match.label, match.distance) for match in offered.near] == [
        ("Near, Oregon", "about 7 miles away"),
        ("Far, Oregon", "about 70 miles away"),
    ]
    assert offered.most_signed == []


def test_most_signed_are_offered_where_nothing_is_near(campaign, at_place):
    for name, count in (("Few", 3), ("Many", 300), ("Some", 30)):
        Tally.objects.filter(petition=at_place(name)).update(count=count)
    group = make_petition(letter=make_letter(campaign=campaign, kind="thank-you"), live=False)
    Petition.objects.filter(pk=group.pk).update(target=None, addressee="mayors who open on Sundays")
    group.refresh_from_db()
    make_version(group)

    offered = instead(campaign, find(campaign, "nowhere", at=NOW), at=NOW)

    assert [match.label for match in offered.most_signed] == [
        "Many, Westmark",
        "Some, Westmark",
        "Few, Westmark",
    ]
    assert [match.label for match in offered.groups] == ["Open Rivermouth’s library on Sundays"]


def test_order_of_the_most_signed_tells_no_count_below_the_floor(campaign, at_place):
    campaign.count_floor = 50
    campaign.save()
    for name, count in (("Few", 3), ("Some", 30), ("Many", 300)):
        Tally.objects.filter(petition=at_place(name)).update(count=count)

    offered = instead(campaign, find(campaign, "nowhere", at=NOW), at=NOW)

    assert [match.card.place_name for match in offered.most_signed] == ["Many", "Few", "Some"]


def test_what_was_probably_meant_is_not_offered_twice(campaign, at_place):
    at_place("Rivermouth")
    at_place("Saltash")

    offered = instead(campaign, find(campaign, "rivrmouth", at=NOW), at=NOW)

    assert [match.label for match in offered.most_signed] == ["Saltash, Westmark"]


@pytest.mark.parametrize(
    ("distance", "in_miles", "words"),
    [
        (0.4, True, "close by"),
        (20, True, "about 12 miles away"),
        (20, False, "about 20 km away"),
        (163, False, "about 160 km away"),
    ],
)
def test_distance_is_told_as_people_do(distance, in_miles, words):
    assert distance_in_words(distance, in_miles=in_miles) == words


def test_distance_is_along_the_surface():
    assert kilometers((0, 179.5), (0, -179.5)) == pytest.approx(111.2, abs=0.1)
    assert kilometers((90, 0), (-90, 0)) == pytest.approx(20_015, abs=1)
    assert kilometers((44, -123), (44, -123)) == 0


# --- At scale


def publish_in(letter, towns):
    """A live petition in each (city, state), in five statements."""
    places = Place.objects.bulk_create(
        [Place(name=name, region=state) for name, state in towns], batch_size=2000
    )
    targets = Target.objects.bulk_create(
        [
            Target(campaign=letter.campaign, name="Ada Okafor", last_name="Okafor", place=place)
            for place in places
        ],
        batch_size=2000,
    )
    petitions = Petition.objects.bulk_create(
        [Petition(letter=letter, target=target, slug=f"city-{target.pk}") for target in targets],
        batch_size=2000,
    )
    version = make_version(petitions[0])
    Petition.objects.filter(letter=letter).update(current_version=version, live_at=NOW)


def queries(campaign, typed):
    with CaptureQueriesContext(connection) as captured:
        found = find(campaign, typed, at=NOW)
        if not found.matches:
            instead(campaign, found, at=NOW)
    return len(captured)


def test_number_of_queries_does_not_grow_with_the_petitions(campaign, letter, at_place):
    at_place("Rivermouth")
    asked = ("Rivermouth", "riverm", "nowhere", "97477", "rivrmouth", "1012 AB", "Saltash, OR 97477-1234")
    few = [queries(campaign, typed) for typed in asked]

    publish_in(letter, [(f"Town {number}", "OR") for number in range(300)])

    assert [queries(campaign, typed) for typed in asked] == few
    assert max(few) <= 12


@pytest.mark.one_database
def test_every_zip_code_of_the_package_resolves(campaign, letter):
    rows = zipcodes.list_all()
    load(rows)
    # A petition in every fourth city, about 7,500: all others must be known as cities without one.
    towns = sorted({(row["city"], row["state"]) for row in rows})[::4]
    publish_in(letter, towns)
    by_name = defaultdict(list)
    for petition in of_places(campaign, NOW):
        by_name[petition.target.place.name_key].append(petition)
    with_petition = {(name_key(city), state) for city, state in towns}

    wrong = []
    for code in PostalCode.objects.all():
        city, names = city_and_names(code)
        there = in_city([petition for name in names for petition in by_name[name]], city, names)
        expected = next((name for name in names if (name, code.region) in with_petition), None)
        places = {(petition.target.place.name_key, petition.target.place.region) for petition in there}
        if places != ({(expected, code.region)} if expected else set()) or not city.label:
            wrong.append(code.code)

    assert len(rows) == PostalCode.objects.count() > 42_000
    assert wrong == []
    # The same through the front door, for some of them.
    for row in random.Random(3).sample(rows, 40):
        found = find(campaign, row["zip_code"], at=NOW)
        assert found.matches or found.city, row["zip_code"]


# --- Odd input

ODD = ["", " ", "\0", "a\0b", "💥" * 50, "\u202eמדינה\u202c", "القاهرة", "٩٤٣٠١", "９４３０１", "9" * 5000, "st", "St.", ",", "-,-", "%", "_",
       "' OR 1=1 --", "{{ 7|add:7 }}", "<script>", "a" * 10_000, "é" * 10_000, "\u0301" * 10_000, "0", "-1", "1e999", "²³", "\ufdfa" * 200,
       "Springfield," * 2000, "\r\nSet-Cookie: a=b", "\ud800", "ß" * 300, "of of of of of of", "ﷺ", "\U0010ffff"]  # fmt: skip
PIECES = [
    *ODD[:20],
    "Springfield",
    "OR",
    "Oregon",
    "97477",
    "1012",
    "AB",
    ",",
    " ",
    "Saint",
    "st.",
    "d’",
    "City of ",
    "\u200f",
    "-",
]


def made_up(seed):
    chance = random.Random(seed)
    pieces = [chance.choice(PIECES)[:500] for _ in range(chance.randint(1, 6))]
    letters = "".join(chr(chance.randrange(0x110000)) for _ in range(chance.randint(0, 12)))
    return chance.choice(["", " "]).join([*pieces, letters])


def assert_answered(campaign, at_place, inputs):
    at_place("Springfield", "OR", postal_prefixes="1012 ;,,, ²")
    at_place("Saint Mary", "")
    zip_code("97477", "Springfield", "VT", latitude=44.0, longitude=-123.0)
    for typed in inputs:
        found = find(campaign, typed, at=NOW)
        assert finder_views.suggestions(found)["message"]


def test_odd_inputs_give_no_error(campaign, at_place):
    assert_answered(campaign, at_place, ODD)


@pytest.mark.one_database
def test_a_thousand_made_up_inputs_give_no_error(campaign, at_place):
    assert_answered(campaign, at_place, (made_up(seed) for seed in range(1000)))


# --- The page


@pytest.fixture
def ask(campaign):
    def post(typed, **headers):
        return Client(enforce_csrf_checks=True, raise_request_exception=False).post(
            f"/campaigns/{campaign.slug}/find/", {} if typed is None else {"city": typed}, headers=headers
        )

    return post


def test_one_match_leads_straight_to_the_petition(ask, at_place):
    petition = at_place("Rivermouth", at=YESTERDAY)

    response = ask("rivermouth")

    assert (response.status_code, response["Location"]) == (303, petition.get_absolute_url())
    assert "no-store" in response["Cache-Control"]
    assert not response.cookies


@pytest.mark.parametrize(
    ("referer", "query"),
    [("?r=abc123xyz", "?r=abc123xyz"), ("?utm_source=x&r=abc123", "?r=abc123"), ("?r=<x>", ""), ("", "")],
)
def test_code_of_a_shared_link_goes_along(ask, at_place, campaign, referer, query):
    petition = at_place("Rivermouth", at=YESTERDAY)

    response = ask("rivermouth", referer=f"http://testserver/campaigns/{campaign.slug}/{referer}")

    assert response["Location"] == petition.get_absolute_url() + query


def test_several_matches_are_a_short_list(ask, at_place):
    at_place("Springfield", "OR", at=YESTERDAY)
    at_place("Springfield", "VT", at=YESTERDAY)

    response = ask("springfield")

    assert response.status_code == 200
    assert "Springfield, Oregon" in text_of(response)
    assert "Springfield, Vermont" in text_of(response)
    assert "no-store" in response["Cache-Control"]
    assert not response.cookies


def test_city_without_a_petition_is_told_kindly_and_can_be_nominated(ask, at_place):
    at_place("Rivermouth", at=YESTERDAY)
    zip_code("94301", "Palo Alto", "CA")

    response = ask("94301")

    assert response.status_code == 200
    assert "Palo Alto, California has no petition yet" in text_of(response)
    assert '<input type="hidden" name="city" value="Palo Alto, California">' in response.content.decode()
    assert "Most signed in other cities Rivermouth" in text_of(response)


def test_namesakes_can_be_nominated_by_region(ask, at_place):
    at_place("Rivermouth", at=YESTERDAY)
    zip_code("97477", "Springfield", "OR")
    zip_code("05156", "Springfield", "VT")

    page = ask("springfield").content.decode()

    assert "<option>Springfield, Oregon</option>" in page
    assert "<option>Springfield, Vermont</option>" in page


def test_unknown_name_can_be_nominated(ask, at_place):
    at_place("Rivermouth", at=YESTERDAY)

    assert 'name="city" value="Hohenfels an der Au"' in ask("Hohenfels an der Au").content.decode()


@pytest.mark.parametrize(
    "typed", ["99999", "buy at spam.example", "https://spam.example", "💥", "<b>x</b>", "=1+1"]
)
def test_what_is_no_name_cannot_be_nominated(ask, at_place, typed):
    at_place("Rivermouth", at=YESTERDAY)

    response = ask(typed)

    assert response.status_code == 200
    assert "/nominate/" not in response.content.decode()
    assert "<b>x" not in response.content.decode()


@pytest.mark.parametrize("typed", [None, "", "  ", "\0"])
def test_nothing_typed_is_asked_for_again(ask, at_place, typed):
    at_place("Rivermouth", at=YESTERDAY)

    response = ask(typed)

    assert response.status_code == 422
    assert 'aria-invalid="true"' in response.content.decode()
    assert "Type the name of your city" in text_of(response)


def test_address_of_the_finder_leads_to_the_campaign(client, campaign):
    response = client.get(f"/campaigns/{campaign.slug}/find/")

    assert (response.status_code, response["Location"]) == (302, campaign.get_absolute_url())


def test_campaign_without_a_page_has_no_finder(ask, campaign):
    assert ask("Rivermouth").status_code == 404
    assert Client().post("/campaigns/nowhere/find/", {"city": "x"}).status_code == 404


def test_suggestions_for_scripts(ask, at_place):
    petitions = [
        at_place(f"Riverbend {word}", "OR", at=YESTERDAY)
        for word in ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    ]

    response = ask("riverb", accept="application/json")

    answer = json.loads(response.content)
    assert len(answer["suggestions"]) == 8
    assert {
        "label": "Riverbend one, Oregon",
        "kind": "demand",
        "url": petitions[0].get_absolute_url(),
    } in answer["suggestions"]
    assert answer["message"] == "8 cities"
    assert "no-store" in response["Cache-Control"]
    assert not response.cookies


def test_script_hears_of_a_known_city_without_a_petition(ask, at_place):
    at_place("Rivermouth", at=YESTERDAY)
    zip_code("94301", "Palo Alto", "CA")

    answer = ask("94301", accept="application/json").json()

    assert answer == {
        "suggestions": [],
        "message": "Palo Alto, California has no petition yet. Press Enter to see what you can do.",
    }


def test_no_log_ever_holds_what_was_typed(ask, at_place, caplog, monkeypatch):
    at_place("Rivermouth", at=YESTERDAY)
    caplog.set_level(logging.DEBUG)

    for accept in ("text/html", "application/json"):
        ask("94301 Quietville", accept=accept)
    monkeypatch.setattr(finding, "by_name", lambda *_: 1 / 0)
    failed = ask("94301 Quietville")

    assert failed.status_code == 500
    assert "ZeroDivisionError" in caplog.text
    spoken = "".join(
        record.getMessage() + (record.exc_text or "")
        for record in caplog.records
        if record.name != "django.db.backends"
    )
    assert "94301" not in spoken
    assert "uietville" not in spoken


def test_nobody_finds_the_typed_text_in_an_address(ask, at_place):
    at_place("Rivermouth", at=YESTERDAY)

    location = urlsplit(ask("rivermouth")["Location"])

    assert location.query == ""

"""Names of places in the form in which they are compared, and what somebody typed taken apart."""

import pytest

from campaigns.place_names import Reading, name_key, read
from campaigns.us_states import CODES, NAMES, is_united_states, region_key, spellings


@pytest.mark.parametrize(
    "same",
    [
        ["St. Mary’s", "Saint Marys", "ST MARY'S", "st.  marys"],
        ["Ft. Wayne", "Fort Wayne", "FT WAYNE"],
        ["Mt. Vernon", "Mount Vernon"],
        ["Sault Ste. Marie", "Sault Sainte Marie"],
        ["Łódź", "Lodz", "ŁÓDŹ"],
        ["Tromsø", "Tromso"],
        ["Großau", "Grossau"],
        ["São João", "sao joao", "Sa\u0303o Joa\u0303o"],
        ["Winston-Salem", "winston salem", "Winston–Salem"],
        ["O’Fallon", "O Fallon", "OFallon"],
        ["De Kalb", "DeKalb"],
        ["Coeur d’Alene", "Coeur D Alene"],
        ["Ｓｐｒｉｎｇｆｉｅｌｄ", "Springfield"],
        ["الرباط", "الرِّباط"],
    ],
)
def test_spellings_of_one_name_have_one_key(same):
    assert len({name_key(name) for name in same}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [("Springfield", "Springfields"), ("Stockton", "Saint Ockton"), ("Fort", "Forth"), ("मुंबई", "मबई")],
)
def test_different_names_keep_different_keys(one, other):
    assert name_key(one) != name_key(other)


def test_key_has_an_end():
    assert len(name_key("Rivermouth " * 1000)) <= 200


@pytest.mark.parametrize(
    ("typed", "reading"),
    [
        ("Springfield, OR", Reading("springfield", "or")),
        ("Springfield Oregon", Reading("springfield", "oregon")),
        ("Springfield OR 97477", Reading("springfield", "or")),
        ("97477 Springfield", Reading("springfield")),
        ("City of Rivermouth", Reading("rivermouth")),
        ("the town of Rivermouth", Reading("rivermouth")),
        ("Rivermouth City, Westmark", Reading("rivermouth", "westmark")),
        ("Kansas City", Reading("kansas city")),
        ("Springfield, United States of America", Reading("springfield", "united states of america")),
    ],
)
def test_name_and_what_tells_it_from_its_namesakes_are_told_apart(typed, reading):
    assert reading in read(typed).readings


def test_name_as_typed_is_the_likeliest_reading():
    assert read("New York").readings[0] == Reading("new york")
    assert read("City of Industry").readings[0] == Reading("city of industry")


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("94301", "94301"),
        (" 94301-1234 ", "94301"),
        ("94301–1234", "94301"),
        ("943011234", "94301"),
        ("９４３０１", "94301"),
        ("٩٤٣٠١", "94301"),
        ("Palo Alto CA 94301", "94301"),
        ("9430", ""),
        ("9430112", ""),
        ("Rivermouth", ""),
    ],
)
def test_zip_code_is_found_in_what_was_typed(typed, code):
    assert read(typed).zip_code == code


@pytest.mark.parametrize(
    ("typed", "code"), [("sw1a 1aa", "SW1A1AA"), ("K1A-0B1", "K1A0B1"), ("1012 ab", "1012AB"), ("York", "")]
)
def test_postal_codes_of_other_countries_are_read_as_a_whole(typed, code):
    assert read(typed).postal_code == code


def test_unfinished_name_may_begin_either_way():
    assert {reading.name for reading in read("st").beginnings} == {"saint", "st"}
    assert {reading.name for reading in read("Port St").beginnings} == {"port saint", "port st"}


@pytest.mark.parametrize(
    "typed", ["", " ", "\0", "\ud800", "💥", "\u202e", ",", ", ,", "'" * 300, "\u0301" * 50]
)
def test_nothing_to_read_is_read_as_nothing(typed):
    found = read(typed)

    assert found.readings == ()
    assert found.beginnings == ()
    assert found.zip_code == found.postal_code == ""


def test_states_are_known_by_name_and_by_two_letters():
    assert len(NAMES) == len(CODES) == 62
    assert region_key("OR") == region_key("or") == region_key("Oregon") == "oregon"
    assert spellings("Oregon") == spellings("OR") == {"or", "oregon"}
    assert spellings("Westmark") == {"westmark"}
    assert spellings("") == frozenset()


@pytest.mark.parametrize("country", ["", "US", "U.S.A.", "usa", "United States", "United States of America"])
def test_ways_to_write_the_united_states(country):
    assert is_united_states(country)


def test_other_countries_are_not_the_united_states():
    assert not is_united_states("Halvern")

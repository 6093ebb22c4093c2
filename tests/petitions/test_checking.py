"""Mistakes in letters are told beside their field, with the name and what to do."""

import pytest

from campaigns.models import Campaign
from petitions.checking import letter_problems, letter_warnings, petition_problems, uncited
from petitions.models import Letter, Petition

KEYS = ("ferry-2026", "hours")


def told(letter: Letter, field: str, *petitions: Petition) -> list[str]:
    return [
        problem.message
        for problem in letter_problems(letter, keys=KEYS, petitions=petitions)
        if problem.field == field
    ]


def test_a_good_letter_has_no_problem(letter: Letter, petition: Petition) -> None:
    assert letter_problems(letter, keys=KEYS, petitions=[petition]) == []


def test_unknown_merge_field_is_named_with_the_nearest(letter: Letter) -> None:
    letter.headline = "Dear {{ target.lastname }}"

    assert told(letter, "headline") == [
        "There is no merge field {{ target.lastname }}. Did you mean {{ target.last_name }}?"
    ]


def test_unknown_source_is_named_with_the_nearest(letter: Letter) -> None:
    letter.body = "So it is.[^fery-2026]"

    assert told(letter, "body") == ["No source has the key “fery-2026”. Did you mean “ferry-2026”?"]


@pytest.mark.parametrize("field", ["headline", "lead_in", "statement", "call_to_action", "button", "body"])
def test_an_empty_part_is_named(letter: Letter, field: str) -> None:
    setattr(letter, field, "  ")

    assert any("is empty" in message for message in told(letter, field))


def test_field_without_value_names_the_targets(letter: Letter, petition: Petition) -> None:
    letter.body = "In {{ place.region }}."
    petition.target.place.region = ""  # type: ignore[union-attr]

    assert told(letter, "body", petition) == [
        "{{ place.region }} has no value for Mayor Ada Okafor. Add a fallback: {{ place.region|… }}."
    ]


def test_a_fallback_is_enough(letter: Letter, petition: Petition) -> None:
    letter.body = "In {{ place.region|your region }}."
    petition.target.place.region = ""  # type: ignore[union-attr]

    assert told(letter, "body", petition) == []


def test_group_lacks_what_only_a_target_has(letter: Letter) -> None:
    group = Petition(letter=letter, addressee="mayors who wait")

    messages = told(letter, "lead_in", group)

    assert len(messages) == 2
    assert "{{ target.office }} has no value for mayors who wait." in messages[0]


def test_line_that_grows_too_long_names_the_targets(letter: Letter, petition: Petition) -> None:
    letter.button = "Sign for {{ place.name }}"
    petition.target.place.name = "Upper Thistlewick-beneath-the-Crags"  # type: ignore[union-attr]

    assert told(letter, "button", petition) == [
        "With its merge fields filled this has 44 characters for Mayor Ada Okafor. It can have at most 40."
    ]


def test_headline_of_ones_own_can_grow_too_long(letter: Letter, petition: Petition) -> None:
    letter.headline = "{{ place.name }}" * 12
    petition.headline = "{{ campaign.title }}" * 10
    letter.campaign.title = "A title that goes on and on, and then on"

    problems = petition_problems(petition, keys=KEYS)

    assert [(problem.field, "at most 300" in problem.message) for problem in problems] == [("headline", True)]
    assert told(letter, "headline", petition) == []


def test_reader_belongs_in_the_greeting_only(letter: Letter) -> None:
    letter.body = "You, {{ supporter.first_name|friend }}, know."

    assert told(letter, "body") == ["{{ supporter.first_name }} can be used in the greeting only."]


def test_reader_in_the_greeting_needs_a_fallback(letter: Letter, petition: Petition) -> None:
    letter.greeting = "Dear {{ supporter.first_name }},"

    for petitions in ([], [petition]):
        assert told(letter, "greeting", *petitions) == [
            "{{ supporter.first_name }} has no value on the page. "
            "Add a fallback: {{ supporter.first_name|friend }}."
        ]


def test_notes_do_not_belong_in_a_headline(letter: Letter) -> None:
    letter.headline = "Open up[^hours]"

    assert "Notes can be cited" in told(letter, "headline")[0]


def test_notes_do_not_belong_on_the_thank_you_page(letter: Letter) -> None:
    letter.thanks = "Well done.[^hours]"

    assert "thank-you page" in told(letter, "thanks")[0]


@pytest.mark.parametrize(
    "body", ["[x](javascript:alert(1))", "![](https://a.example/i.png)", "<b>bold</b>", "Open {{ place.name"]
)
def test_what_would_be_lost_or_dangerous_is_told(letter: Letter, body: str) -> None:
    letter.body = body

    assert told(letter, "body")


def test_local_paragraph_is_checked_like_a_letter(petition: Petition) -> None:
    petition.local = "Here {{ place.nam }}.[^hour]"

    problems = petition_problems(petition, keys=KEYS)

    assert {problem.field for problem in problems} == {"local"}
    assert len(problems) == 2


def test_local_paragraph_that_would_not_show_is_a_warning(letter: Letter, petition: Petition) -> None:
    letter.body = "Nothing local. {{ x"
    petition.local = "Here too."

    assert any("Mayor Ada Okafor" in warning.message for warning in letter_warnings(letter, [petition]))


def test_uncited_sources_are_found(campaign: Campaign, letter: Letter, petition: Petition) -> None:
    letter.body = "Nothing cited."

    assert uncited([letter], [petition], KEYS) == ["ferry-2026"]

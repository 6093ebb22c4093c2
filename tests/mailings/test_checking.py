"""What the check list of a mailing finds, and beside which field."""

import pytest

from campaigns.models import Source
from mailings.checking import HEAVY, check, size_jump
from mailings.models import Mailing
from tests.factories import NOW, make_campaign, make_mailing, make_petition, make_place, make_subscriber

GOOD = "Dear {{ supporter.first_name|friend }},\n\nit is time.\n\n{{ call_to_action }}"


@pytest.fixture
def petition(db):
    return make_petition()


def draft(petition, **fields):
    return make_mailing(petition.campaign, **{"body": GOOD, "subject": "One more thing"} | fields)


def errors(mailing):
    return {problem.field: problem.message for problem in check(mailing, at=NOW).errors}


def warnings(mailing):
    return [problem.message for problem in check(mailing, at=NOW).warnings]


def test_good_mailing_has_no_errors(petition):
    assert errors(draft(petition)) == {}


@pytest.mark.parametrize("name", ["subject", "body", "call_to_action"])
def test_empty_texts_are_told(petition, name):
    assert "is empty" in errors(draft(petition, **{name: " \n"}))[name]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("subject", "Hello {{ supporter.first_nam|you }}", "supporter.first_name"),
        ("preview_text", "{{ place.nmae }}", "place.name"),
        ("other_subject", "{ place.name }", "two braces"),
        ("call_to_action", "Sign {{", "not written right"),
        ("body", "{{ nobody.knows }}", "nobody.knows"),
        ("body", "See [^nowhere].", "nowhere"),
        ("subject", "See [^nowhere]", "body only"),
    ],
)
def test_what_is_written_wrong_is_told_beside_its_field(petition, name, text, told):
    assert told in errors(draft(petition, **{name: text}))[name]


@pytest.mark.parametrize("name", ["subject", "other_subject", "preview_text", "body"])
def test_readers_name_needs_a_word_for_those_who_gave_none(petition, name):
    assert "Add a fallback" in errors(draft(petition, **{name: "Dear {{ supporter.first_name }}"}))[name]


def test_mistakes_are_told_down_the_form(petition):
    mailing = draft(
        petition, subject="", preview_text="{{ nope }}", body="[^nope]", other_subject="{{ nope }}"
    )
    mailing.campaign.organization.postal_address = ""

    fields = [problem.field for problem in check(mailing, at=NOW).errors]

    assert fields == ["", "subject", "preview_text", "body", "other_subject"]


def test_field_without_a_value_for_some_readers_is_told(petition):
    found = errors(draft(petition, body="In {{ place.name }}.", others=Mailing.Others.CAMPAIGN_PAGE))

    assert "people without a petition" in found["body"]


def test_field_with_a_fallback_is_fine_without_a_value(petition):
    mailing = draft(petition, body="In {{ place.name|your city }}.", others=Mailing.Others.CAMPAIGN_PAGE)

    assert errors(mailing) == {}


def test_line_that_becomes_too_long_is_told(petition):
    petition.target.name = "Ada " * 35
    petition.target.save()

    assert "too long" in errors(draft(petition, subject="{{ target.name }} " * 11))["subject"]


def test_petition_of_another_campaign_is_told(petition):
    mailing = draft(petition, audience="signed", of_petition=make_petition(), leads_to=make_petition())

    assert set(errors(mailing)) == {"of_petition", "leads_to"}


def test_petition_that_takes_no_signatures_cannot_be_led_to(petition):
    petition.closed_at = NOW
    petition.save()

    assert "takes no signatures" in errors(draft(petition, leads_to=petition))["leads_to"]
    assert errors(draft(petition, leads_to=petition, asks_to_sign=False)) == {}


def test_mailing_without_a_postal_address_cannot_leave(petition):
    petition.campaign.organization.postal_address = " \n"

    assert "no postal address" in errors(draft(petition))[""]


def test_missing_sender_preview_and_middle_button_are_worth_a_look(petition):
    found = " ".join(warnings(draft(petition, preview_text="", body="Only text.")))

    assert "no from address" in found
    assert "beginning of the text" in found
    assert "button stands only at the end" in found


def test_sources_that_are_not_cited_are_named(petition):
    for key in ("hours", "ferry"):
        Source.objects.create(campaign=petition.campaign, key=key, title=key)

    found = warnings(draft(petition, body=GOOD + "\n\nYes.[^HOURS]"))

    assert any("[^ferry]" in text and "[^hours]" not in text for text in found)


def test_heavy_mail_is_told(petition):
    heavy = draft(petition, body="A paragraph of some length.\n\n" * (HEAVY // 30))

    assert any("KB" in text for text in warnings(heavy))
    assert not any("KB" in text for text in warnings(draft(petition)))


@pytest.mark.parametrize(("people", "jumps"), [(20, False), (21, True)])
def test_going_to_more_than_twice_as_many_as_the_last_one_is_told(petition, people, jumps):
    make_mailing(petition.campaign, starts_at=NOW, people=10)

    assert bool(size_jump(draft(petition), people)) is jumps


def test_first_mailing_of_an_organization_is_no_jump(petition):
    make_mailing(make_campaign(), starts_at=NOW, people=1)

    assert size_jump(draft(petition), 1_000_000) == []


@pytest.mark.parametrize(
    "text", ["\ufffd" * 200, "{{" * 5000, "[^" * 5000, "\u202e{{ place.name }}", "> " * 300, "😀" * 1000]
)
def test_odd_texts_are_told_about_or_taken_but_never_break(petition, text):
    make_subscriber(petition.campaign.organization, place=make_place())

    check(draft(petition, subject=text[:200], body=text), at=NOW)

"""Mailings that begin with a letter, or with what a mayor did."""

from datetime import date

import pytest

from mailings.audience import audience_of
from mailings.checking import check
from mailings.models import Mailing
from mailings.rendering import compiled, edition_of
from mailings.starting_from import NothingToThank, ask_for_thanks, first_words, from_letter, plain
from petitions.models import Stand
from tests.factories import (
    NOW,
    make_letter,
    make_petition,
    make_signature,
    make_staff,
    make_subscription,
    make_version,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def letter():
    return make_letter(
        body="Stand on the steps of {{ place.name }}’s library.\n\n{{ call_to_action }}\n\nIt is time.",
        closing="Thank you,",
        signed_by="Wren Cole",
        signed_role="Campaigner",
        button="Sign now",
    )


@pytest.fixture
def stand():
    """Of a mayor who acted: the demand was left, the thank-you opened."""
    left = make_petition(live=False)
    letter = make_letter(campaign=left.campaign, kind="thank-you", button="Add your thanks")
    joined = type(left).objects.create(letter=letter, target=left.target, slug="thanks")
    for petition in (left, joined):
        make_version(petition)
    return Stand.objects.create(
        campaign=left.campaign,
        target=left.target,
        kind="thank-you",
        taken_on=date(2026, 5, 1),
        reason="Opened *every* library [on Sundays] {{ and more }}",
        left=left,
        joined=joined,
        recorded_at=NOW,
    )


def test_letter_comes_along_with_greeting_buttons_and_sign_off(letter):
    mailing = from_letter(letter)

    assert mailing.body.split("\n\n") == [
        "{{ statement }}",
        "{{ call_to_action }}",
        "Dear {{ supporter.first_name|friend }},",
        "Stand on the steps of {{ place.name }}’s library.",
        "{{ call_to_action }}",
        "It is time.",
        "{{ call_to_action }}",
        f"Thank you,\\\nWren Cole, Campaigner\\\n{plain(letter.campaign.organization.line)}\n",
    ]
    assert mailing.subject == letter.headline
    assert mailing.call_to_action == "Sign now"
    assert mailing.preview_text == "Stand on the steps of {{ place.name }}’s library."
    assert (mailing.kind, mailing.letter) == ("demand", letter)


def test_mail_of_a_letter_is_right_as_it_is(letter):
    make_petition(letter=letter)

    assert check(from_letter(letter), at=NOW).errors == []


def test_mail_of_a_letter_has_no_button_too_many(letter):
    petition = make_petition(letter=letter)

    edition = edition_of(compiled(from_letter(letter)), petition)

    assert edition.text.count("Sign now:") == 3
    assert edition.html.count("Sign now") == 3
    assert "Open the library on Sundays." in edition.text


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", ""),
        ("{{ local }}\n\nFirst **words** here.[^a]", "First words here."),
        ("# Heading [with a link](https://x.example)", "Heading with a link"),
        ("snake_case stays, _this_ does not", "snake_case stays, this does not"),
        ("word " * 60, " ".join(["word"] * 30) + " …"),
        ("{{ target.name|" + "x" * 200 + " }} and more", ""),
    ],
)
def test_preview_line_is_the_beginning_of_the_text(body, words):
    assert first_words(body) == words


@pytest.mark.parametrize("text", ["- a", "1. b", "# c", "*d*", "[e](f)", "{{ g }}", "> h", "`i`", "_j_"])
def test_plain_text_stays_what_it_is_in_markdown(letter, text):
    petition = make_petition(letter=letter)

    edition = edition_of(compiled(Mailing(campaign=letter.campaign, body=plain(text))), petition)

    assert f"\n{text}\n" in edition.text


# --- After a stand -------------------------------------------------------------------------------------------


def test_one_action_makes_the_draft_to_the_signers(stand):
    mailing, is_new = ask_for_thanks(stand=stand, actor=make_staff(), at=NOW)

    assert is_new
    assert (mailing.audience, mailing.of_petition, mailing.leads_to) == ("signed", stand.left, stand.joined)
    assert mailing.asks_to_sign
    assert mailing.call_to_action == "Add your thanks"
    assert check(mailing, at=NOW).errors == []


def test_draft_names_what_the_mayor_did_whatever_signs_it_is_written_with(stand):
    mailing, _is_new = ask_for_thanks(stand=stand, actor=make_staff(), at=NOW)

    edition = edition_of(compiled(mailing), stand.joined)

    assert "On May 1, 2026: Opened *every* library [on Sundays] {{ and more }}." in edition.text
    assert stand.target.title in edition.subject
    assert "<em>every" not in edition.html


def test_asked_for_twice_there_is_one_draft(stand):
    ada = make_staff()
    first, _is_new = ask_for_thanks(stand=stand, actor=ada, at=NOW)

    second, is_new = ask_for_thanks(stand=stand, actor=ada, at=NOW)

    assert (second, is_new) == (first, False)
    assert Mailing.objects.count() == 1


def test_signers_of_the_demand_get_it(stand):
    signature = make_signature(stand.left, confirmed=True)
    make_subscription(signature.supporter, stand.campaign.organization)
    make_signature(stand.left, confirmed=True)

    mailing, _is_new = ask_for_thanks(stand=stand, actor=make_staff(), at=NOW)

    (person,) = audience_of(mailing, at=NOW).sample()
    assert (person.supporter, person.petition) == (signature.supporter, stand.joined)


@pytest.mark.parametrize("fields", [{"undone_at": NOW}, {"kind": "demand"}, {"superseded_at": NOW}])
def test_nothing_to_thank_for(stand, fields):
    Stand.objects.filter(pk=stand.pk).update(**fields)

    with pytest.raises(NothingToThank):
        ask_for_thanks(stand=stand, actor=make_staff(), at=NOW)

    assert not Mailing.objects.exists()

"""A mailing as HTML and as text, for the readers of one petition."""

import pytest

from campaigns.models import Source
from mailings.rendering import SIGN_URL, UNSUBSCRIBE_URL, Reader, compiled, edition_of, fill
from tests.factories import make_letter, make_mailing, make_petition, make_version

pytestmark = pytest.mark.django_db
CALL = "{{ call_to_action }}"


@pytest.fixture
def petition():
    return make_petition()


def edition(petition, body="Text.", *, led=True, **fields):
    mailing = make_mailing(petition.campaign, body=body, **fields)
    return edition_of(compiled(mailing), petition if led else None)


def read(petition, body, name="Connie", **fields):
    reader = Reader(name, "https://x.example/dear/1/", "https://x.example/unsubscribe/1/")
    return fill(edition(petition, body, **fields), reader)


@pytest.mark.parametrize(
    ("body", "buttons"),
    [
        ("Text.", 1),
        (CALL, 1),
        (f"{CALL}\n\nText.", 1),
        (f"{CALL}\n\n{'Text. ' * 100}", 2),
        (f"{CALL}\n\nText.\n\n{CALL}\n\nThanks,\\\nWren", 2),
    ],
)
def test_mail_ends_with_a_button_and_never_with_two(petition, body, buttons):
    made = edition(petition, body)

    assert made.html.count(f'href="{SIGN_URL}"') == buttons
    assert made.text.count(SIGN_URL) == buttons


def test_statement_stands_in_a_box_of_its_own_as_it_was_published(petition):
    make_version(
        petition,
        lead_in_html="The petition to <em>Mayor</em> Okafor reads:",
        statement_html="Open <strong>up</strong>.<sup><a href='#note-1'>1</a></sup>",
        statement="Open up.",
    )

    made = edition(petition, "{{ statement }}")

    assert "Open <strong>up</strong>.</p>" in made.html
    assert "<blockquote" not in made.html
    assert "The petition to Mayor Okafor reads:\n\n“Open up.”" in made.text


def test_people_without_a_petition_get_neither_statement_nor_sign_link(petition):
    made = edition(petition, "{{ statement }}\n\nText.", led=False)

    assert SIGN_URL not in made.html + made.text
    assert petition.campaign.get_absolute_url() in made.text


def test_mailing_that_asks_for_nothing_leads_to_the_page(petition):
    made = edition(petition, asks_to_sign=False)

    assert SIGN_URL not in made.html + made.text
    assert petition.get_absolute_url() in made.html


def test_address_and_the_way_out_are_in_every_mail(petition):
    for made in (edition(petition), edition(petition, led=False)):
        for part in (made.html, made.text):
            assert UNSUBSCRIBE_URL in part
            assert "1 Lantern Row" in part
            assert "you said yes to updates" in part


def test_notes_come_along_in_both_parts(petition):
    Source.objects.create(campaign=petition.campaign, key="hours", title="Opening hours")

    made = edition(petition, "Shut.[^hours] Still shut.[^hours]")

    assert made.html.count("Opening hours") == 1
    assert "Shut.[1] Still shut.[1]" in made.text
    assert "[1] “Opening hours.”" in made.text


def test_preview_line_is_followed_by_nothing_of_the_letter(petition):
    made = edition(petition, preview_text="One minute.")

    hidden = made.html.split("One minute.")[1].split("</div>")[0]
    assert len(hidden) > 100
    assert not hidden.translate(dict.fromkeys(map(ord, "\u2007\u034f "))).strip()


@pytest.mark.parametrize(
    ("language", "direction"), [("ar", 'dir="rtl"'), ("he-IL", 'dir="rtl"'), ("en", 'dir="auto"')]
)
def test_letter_runs_in_the_direction_of_its_language(language, direction):
    petition = make_petition(letter=make_letter())
    petition.campaign.language = language

    assert f'<div lang="{language}" {direction}>' in edition(petition).html


@pytest.mark.parametrize(
    "name",
    [
        "<b>Connie</b>",
        "{{ place.name }}",
        "\ue000x\ue001",
        "\u202eeinnoC",
        SIGN_URL,
        "a\r\nBcc: x@example.org",
        "&amp;",
    ],
)
def test_odd_name_is_only_ever_a_name(petition, name):
    filled = read(
        petition,
        "Dear {{ supporter.first_name|friend }}, read on.",
        name,
        subject="For {{ supporter.first_name|you }}",
    )

    assert "<b>" not in filled.html
    assert "\n" not in filled.subject
    assert "\u202e" not in filled.html + filled.text
    assert petition.target.place.name not in filled.subject
    assert filled.text.count("https://x.example/dear/1/") == 1 + (name == SIGN_URL)


def test_no_name_is_the_fallback_of_each_place(petition):
    filled = read(
        petition,
        "Dear {{ supporter.first_name|friend }}, {{ supporter.first_name|you there }}!",
        "",
        subject="{{ supporter.first_name|Reader }}!",
    )

    assert "Dear friend, you there!" in filled.text
    assert filled.subject == "Reader!"

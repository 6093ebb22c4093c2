"""From a mailing and a petition to an edition, and from an edition to one reader's copy."""

import pytest

from campaigns.models import Source
from mailings.models import Mailing
from mailings.rendering import LONGEST_LINE, SIGN_URL, Reader, compiled, cut, edition_of, fill
from tests.factories import make_mailing, make_petition
from toolkit.merge_fields import LATER_BEGINS, LATER_ENDS

CONNIE = Reader("Connie", "https://a.example/dear/t/", "https://a.example/unsubscribe/t/")


@pytest.fixture
def petition(db):
    return make_petition()


@pytest.fixture
def render(petition):
    """`render("body", petition=…, subject=…)` is the edition of a mailing."""

    def rendered(body="Hello.", *, to=petition, **fields):
        return edition_of(compiled(make_mailing(petition.campaign, body=body, **fields)), to)

    return rendered


def test_edition_says_what_its_petition_says_and_leaves_the_reader_open(render, petition):
    edition = render(
        "Dear {{ supporter.first_name|friend }} of {{ place.name }}.", subject="{{ target.last_name }}!"
    )

    assert edition.subject == "Okafor!"
    assert f"Dear {LATER_BEGINS}friend{LATER_ENDS} of {petition.target.place.name}." in edition.text
    assert "Connie" in fill(edition, CONNIE).text


def test_button_leads_to_the_readers_own_link_wherever_it_stands(render):
    edition = render("{{ call_to_action }}\n\nRead on.\n\n{{ call_to_action }}")

    filled = fill(edition, CONNIE)
    for form in (filled.html, filled.text):
        assert form.count(CONNIE.sign_url) == 2


def test_body_without_a_button_gets_one_at_its_end(render):
    assert render("Hello.").html.count(SIGN_URL) == 1


@pytest.mark.parametrize("leads", ["campaign page", "asks for nothing"])
def test_without_something_to_sign_the_button_leads_to_a_page_for_everybody(render, petition, leads):
    edition = render(to=None) if leads == "campaign page" else render(asks_to_sign=False)

    page = petition.campaign if leads == "campaign page" else petition
    assert SIGN_URL not in edition.html + edition.text
    assert f"http://testserver{page.get_absolute_url()}" in edition.text


def test_notes_number_themselves_alike_in_both_forms(render, petition):
    for key in ("one", "two"):
        Source.objects.create(
            campaign=petition.campaign, key=key, title=f"The {key}", url=f"https://{key}.example/"
        )

    edition = render("First.[^two] Then.[^one] Again.[^two]")

    assert edition.text.index("The two") < edition.text.index("The one")
    assert edition.html.index("The two") < edition.html.index("The one")
    assert edition.text.count("The two") == 1


def test_unsubscribe_link_and_postal_address_are_in_both_forms_whatever_staff_write(render):
    edition = render("x")

    filled = fill(edition, CONNIE)
    for form in (filled.html, filled.text):
        assert CONNIE.unsubscribe_url in form
        assert "1 Lantern Row" in form


def test_html_has_its_styles_inline_and_no_picture_and_no_script(render):
    html = fill(render("Hello."), CONNIE).html

    assert "style=" in html
    assert "<img" not in html
    assert "<script" not in html
    assert "<link" not in html


@pytest.mark.parametrize(
    "name", ["<b>x</b>", '"onclick="', "{{ target.name }}", "\ue000x\ue001", SIGN_URL, "\u202eevil", "&amp;"]
)
def test_name_is_only_ever_a_name(render, name):
    edition = render("Dear {{ supporter.first_name|friend }}, {{ target.name }}.")

    filled = fill(edition, Reader(name, CONNIE.sign_url, CONNIE.unsubscribe_url))

    assert "<b>x" not in filled.html
    assert "\u202e" not in filled.html + filled.text
    assert not set("\ue000\ue001") & set(filled.html + filled.text + filled.subject)


@pytest.mark.parametrize("where", ["body", "subject", "preview_text", "call_to_action"])
def test_marks_that_staff_type_themselves_are_no_marks(render, where):
    edition = render(**{where: f"{LATER_BEGINS}x{LATER_ENDS} y"})

    filled = fill(edition, CONNIE)
    assert not set("\ue000\ue001") & set(filled.html + filled.text + filled.subject)


def test_reader_in_a_link_stays_in_the_link(render):
    html = fill(
        render("[{{ supporter.first_name|you }}](https://a.example/{{ supporter.first_name|you }})"), CONNIE
    ).html

    assert 'href="https://a.example/<' not in html


def test_long_subject_is_cut_but_never_inside_a_mark():
    mark = f"{LATER_BEGINS}friend{LATER_ENDS}"
    for length in range(LONGEST_LINE - 12, LONGEST_LINE + 2):
        text = cut("x" * length + mark)
        assert len(text) <= LONGEST_LINE
        assert text.count(LATER_BEGINS) == text.count(LATER_ENDS)


@pytest.mark.parametrize(
    "body", ["\x00", "\ud800", "#" * 5000, "[^" * 500, "> " * 300, "{{" * 800, "*" * 3000, "`" * 3000]
)
def test_odd_body_makes_an_edition(petition, body):
    mailing = Mailing(campaign=petition.campaign, subject=body[:200], body=body)

    assert edition_of(compiled(mailing), petition).html

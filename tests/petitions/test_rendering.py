"""What a letter becomes on the page of one petition."""

from campaigns.models import Campaign
from petitions.models import Letter, Petition
from petitions.rendering import CompiledLetter, Rendered, library, render
from tests.petitions.conftest import add_petition
from toolkit.safe_html import clean


def rendered(petition: Petition) -> Rendered:
    letter = Letter.objects.select_related("campaign__organization").get(pk=petition.letter_id)
    petition.letter = letter
    return render(
        petition, compiled=CompiledLetter.of(letter), sources=library(list(letter.campaign.sources.all()))
    )


def test_each_city_reads_its_own_names(petition: Petition, second: Petition) -> None:
    one, other = rendered(petition), rendered(second)

    assert one.headline == "Open Rivermouth’s library on Sundays"
    assert one.lead_in_html == "The petition to Mayor Okafor reads:"
    assert other.headline == "Open Hillford’s library on Sundays"
    assert other.lead_in_html == "The petition to Mayor van der Berg reads:"
    assert one.digest != other.digest


def test_notes_number_by_first_use_on_the_page(petition: Petition) -> None:
    page = rendered(petition)

    assert [note["number"] for note in page.notes] == [1, 2]
    assert page.notes[0]["text"] == "“Opening hours.”"
    assert page.notes[1]["text"].startswith("Ann Ferry and Bo Quill, “What ‘open’ means,”")
    assert 'href="#note-1"' in page.statement_html
    assert 'href="#note-2"' in page.letter_html
    assert 'href="#note-1"' in page.letter_html


def test_a_source_cited_twice_has_one_note_and_two_ways_back(petition: Petition) -> None:
    page = rendered(petition)

    assert page.notes_html.count("<li ") == 2
    assert 'href="#ref-1"' in page.notes_html
    assert 'href="#ref-1-2"' in page.notes_html


def test_statement_as_text_has_no_marks(petition: Petition) -> None:
    assert rendered(petition).statement == "Open the library on Sundays."


def test_call_to_action_stands_inside_and_after_the_letter(petition: Petition) -> None:
    page = rendered(petition)

    button = '<p class="call-to-action"><a class="button" href="#sign">Tell Mayor Okafor: open up.</a></p>'
    assert page.letter_html.count(button) == 2


def test_call_to_action_at_the_end_of_a_letter_is_not_doubled(letter: Letter, petition: Petition) -> None:
    letter.body = "Many ask.\n\n{{ call_to_action }}"
    letter.save()

    assert rendered(petition).letter_html.count('class="call-to-action"') == 1


def test_local_paragraph_stands_in_its_place_and_cites(letter: Letter) -> None:
    petition = add_petition(letter, place="Rivermouth", name="Ada Okafor", local="Here *too*.[^ferry-2026]")

    page = rendered(petition)

    assert "<p>Here <em>too</em>." in page.letter_html
    assert page.letter_html.index("Here") < page.letter_html.index("one")


def test_a_letter_without_local_paragraph_leaves_no_gap(petition: Petition) -> None:
    page = rendered(petition)

    assert "local" not in page.letter_html
    assert "<p></p>" not in page.letter_html


def test_greeting_and_sign_off_frame_the_letter(petition: Petition) -> None:
    page = rendered(petition)

    assert page.letter_html.startswith('<p class="greeting">Dear friend,</p>')
    assert page.letter_html.endswith(
        '<p class="sign-off">Thank you,<br>Ira Example, Campaigner<br>Readers’ Common from Lamp &amp; Page</p>'
    )


def test_a_petition_can_have_its_own_headline(letter: Letter) -> None:
    petition = add_petition(
        letter, place="Rivermouth", name="Ada Okafor", headline="Sundays for {{ place.name }}"
    )

    assert rendered(petition).headline == "Sundays for Rivermouth"


def test_hostile_names_are_text_and_nothing_else(letter: Letter) -> None:
    name = "<script>alert(1)</script> *Bold* [^hours] {{ place.name }}"
    petition = add_petition(letter, place="Rivermouth", name=name)
    petition.target.last_name = name  # type: ignore[union-attr]

    page = rendered(petition)

    everything = page.letter_html + page.lead_in_html + page.statement_html
    assert "<script" not in everything
    assert "&lt;script&gt;" in page.letter_html
    assert "*Bold* [^hours] {{ place.name }}" in page.call_to_action


def test_what_is_stored_is_clean_already(petition: Petition) -> None:
    page = rendered(petition)

    for html in (page.lead_in_html, page.statement_html, page.letter_html, page.notes_html, page.thanks_html):
        assert clean(html) == html


def test_a_group_is_named_by_its_addressee_line(letter: Letter) -> None:
    letter.lead_in = "The petition to {{ target.name }} reads:"
    letter.save()
    group = Petition.objects.create(letter=letter, addressee="mayors who wait", slug="waiting")

    page = rendered(group)

    assert page.lead_in_html == "The petition to mayors who wait reads:"
    assert page.addressee == "mayors who wait"
    assert page.place_name == ""


def test_share_texts_fall_back_to_headline_and_statement(petition: Petition) -> None:
    page = rendered(petition)

    assert page.share_title == page.headline
    assert page.share_text == page.statement


def test_plain_text_letter_carries_notes_and_addresses(petition: Petition) -> None:
    text = rendered(petition).letter_text

    assert "Many ask.[2]" in text
    assert "https://courier.example/open" in text


def test_rendering_makes_no_queries(
    campaign: Campaign, petition: Petition, second: Petition, django_assert_num_queries: object
) -> None:
    letter = Letter.objects.select_related("campaign__organization").get(campaign=campaign)
    compiled, sources = CompiledLetter.of(letter), library(list(campaign.sources.all()))
    petitions = list(Petition.objects.select_related("target__place"))
    for each in petitions:
        each.letter = letter

    with django_assert_num_queries(0):  # type: ignore[operator]
        pages = [render(each, compiled=compiled, sources=sources) for each in petitions]

    assert len(pages) == 2

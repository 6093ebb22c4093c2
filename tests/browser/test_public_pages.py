"""The public pages as a browser shows them: weight, stillness, and what their scripts add."""

import gzip
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Page, Route, expect

from petitions.models import Petition, Tally
from tests.factories import make_letter, make_petition, make_version

pytestmark = pytest.mark.django_db(transaction=True)
PAPER = 20 * 1024
EVERYTHING = 60 * 1024
SHIFTS = """() => new Promise(resolve => {
  let sum = 0;
  new PerformanceObserver(list => list.getEntries().forEach(entry => sum += entry.value))
    .observe({type: "layout-shift", buffered: true});
  setTimeout(() => resolve(sum), 300);
})"""


def make_read(**fields: Any) -> Petition:
    """A live petition with a letter as long as letters are, a note, and 1,204 signatures."""
    petition = make_petition(live=False, **fields)
    paragraph = "<p>On Sundays the lamps are off, and forty thousand books have the day to themselves.</p>"
    make_version(
        petition,
        letter_html=f'<p class="greeting">Dear friend,</p>{paragraph * 40}',
        notes_html='<section role="doc-endnotes" aria-labelledby="notes-heading"><h2 id="notes-heading">Notes</h2>'
        '<ol><li id="note-1"><a href="https://example.org/count">A Count</a>, <em>Doors</em></li></ol></section>',
    )
    Tally.objects.filter(petition=petition).update(count=1204, local=312)
    return petition


def test_petition_page_keeps_within_its_budget(visit):
    page = visit("/petitions/" + make_read().slug + "/")
    page.wait_for_load_state("networkidle")

    names = page.evaluate(
        "performance.getEntriesByType('resource').map(entry => new URL(entry.name).pathname)"
    )
    styles = [compressed(name) for name in names if name.endswith(".css")]
    others = [compressed(name) for name in names if not name.endswith((".css", ".json"))]

    assert styles
    assert others
    html = len(gzip.compress(page.content().encode()))
    assert html + sum(styles) <= PAPER
    assert html + sum(styles) + sum(others) <= EVERYTHING


def compressed(name: str) -> int:
    """Bytes of a static file as it is sent."""
    content = (Path(settings.STATIC_ROOT) / name.removeprefix(settings.STATIC_URL)).read_bytes()
    return min(len(content), len(gzip.compress(content)))


@pytest.mark.parametrize("screen", ["phone", "desktop"])
def test_nothing_moves_while_the_page_loads(visit, screen):
    page = visit("/petitions/" + make_read().slug + "/", screen=screen)

    assert page.evaluate(SHIFTS) == 0


def test_bar_leads_to_the_form_and_leaves_when_the_form_is_on_screen(visit):
    page = visit("/petitions/" + make_read().slug + "/", screen="phone")
    bar = page.locator(".sign-bar")
    page.locator("#notes-heading").scroll_into_view_if_needed()
    expect(bar).to_be_visible()

    bar.get_by_role("link").click()

    expect(page.get_by_label("First name")).to_be_in_viewport()
    expect(bar).to_be_hidden()


def test_typed_name_stands_on_the_line(visit):
    page = visit("/petitions/" + make_read().slug + "/")

    page.get_by_label("First name").fill("Connie")
    page.get_by_label("Last name").fill("Reed")

    expect(page.locator(".statement__name")).to_have_text("Connie Reed")
    expect(page.get_by_role("link", name="Sign here")).to_be_visible()


def test_mistyped_domain_is_offered_and_taken_with_one_press(visit):
    page = visit("/petitions/" + make_read().slug + "/")
    field = page.get_by_label("E-mail", exact=True)

    field.press_sequentially("connie@gmial.com")
    page.get_by_role("button", name="connie@gmail.com").click()

    expect(field).to_have_value("connie@gmail.com")
    expect(field).to_be_focused()


def test_count_of_an_open_page_follows_without_moving_anything(visit):
    petition = make_read()
    page = visit("/")
    page.clock.install()
    page.goto(petition.get_absolute_url())
    page.route("**/count.json", answer_count)

    page.clock.run_for(16_000)

    expect(page.locator(".progress__number")).to_have_text("1,499")
    expect(page.locator(".progress__bar")).to_have_attribute("value", "1499")
    page.clock.resume()
    assert page.evaluate(SHIFTS) == 0


def answer_count(route: Route) -> None:
    route.fulfill(json={"count": 1499, "goal": 1500, "local": 313})


def test_form_stays_in_view_beside_the_letter_on_wide_screens(visit):
    page = visit("/petitions/" + make_read().slug + "/")

    page.get_by_text("On Sundays the lamps are off").nth(20).scroll_into_view_if_needed()

    expect(page.get_by_role("button", name="Sign the petition")).to_be_in_viewport()


def test_every_field_can_be_reached_in_a_short_window(visit):
    page = visit("/petitions/" + make_read().slug + "/")
    page.set_viewport_size({"width": 1280, "height": 420})

    button = page.get_by_role("button", name="Sign the petition")
    button.scroll_into_view_if_needed()

    expect(button).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("width", [320, 640])
def test_nothing_is_wider_than_a_narrow_window(visit, width):
    letter = make_letter()
    petition = make_petition(live=False, letter=letter)
    long = "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch"
    make_version(petition, headline=long * 2, addressee=f"Mayor {long}", place_name=long, button=long[:40])
    page = visit("/")
    page.set_viewport_size({"width": width, "height": 600})

    for path in (petition.get_absolute_url(), letter.campaign.get_absolute_url()):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") == width, path


def test_print_shows_the_document_with_the_addresses_of_its_notes(visit):
    page = visit("/petitions/" + make_read().slug + "/")

    page.emulate_media(media="print")

    assert not page.locator("form").is_visible()
    expect(page.locator(".statement")).to_be_visible()
    assert "https://example.org/count" in page.locator("#note-1").aria_snapshot().split("/url:")[0]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("state", ["open", "closed", "won"])
def test_petition_page_has_no_accessibility_violation(visit, assert_accessible, dark, state):
    closed = {"closed_at": "2026-05-04T12:00Z"} if state != "open" else {}
    won = {"won_at": "2026-05-04T12:00Z"} if state == "won" else {}
    petition = make_read()
    Petition.objects.filter(pk=petition.pk).update(**closed, **won)

    page: Page = visit(petition.get_absolute_url(), dark=dark, bypass_csp=True)

    assert_accessible(page)

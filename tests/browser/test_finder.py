"""Find your city in a browser: by keyboard, by touch, by ear, without JavaScript, and on a bad day."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Route, expect

from campaigns.models import Campaign, Nomination, Place, PostalCode
from tests.factories import make_letter, make_petition, make_place

pytestmark = pytest.mark.django_db(transaction=True)
LONG = "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch"


@pytest.fixture
def campaign() -> Campaign:
    """Two Springfields, a long name and an Arabic one; Palo Alto is known and has no petition."""
    letter = make_letter()
    yesterday = timezone.now() - timedelta(days=1)
    for name, region, country in (
        ("Springfield", "OR", "US"),
        ("Springfield", "VT", "US"),
        (f"{LONG}", "Noorderkoog", "Halvern"),
        ("مرسى لوز", "ساحل اللوز", "Sahiliya"),
    ):
        make_petition(
            letter=letter, place=make_place(name=name, region=region, country=country), at=yesterday
        )
    Place.objects.filter(region="OR").update(latitude=44.0, longitude=-123.0)
    for code, name, region in (("94301", "Palo Alto", "CA"), ("97477", "Springfield", "OR")):
        PostalCode.objects.create(
            country="US", code=code, name=name, region=region, latitude=44.1, longitude=-123.0
        )
    return letter.campaign


@pytest.fixture
def field(visit, campaign):
    """The field on the campaign page, `field(**options of visit)`."""

    def find(**options):
        return visit(campaign.get_absolute_url(), **options).get_by_label("Find your city")

    return find


def test_keyboard_leads_to_the_petition(field):
    city = field()
    page = city.page

    city.press_sequentially("spring")
    options = page.get_by_role("option")
    expect(options).to_have_count(2)
    expect(city).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("status").filter(has_text="2 cities")).to_be_visible()

    city.press("ArrowDown")
    city.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    expect(city).to_have_attribute("aria-activedescendant", options.nth(1).get_attribute("id"))
    city.press("ArrowDown")
    expect(city).not_to_have_attribute("aria-activedescendant", "finder-option-1")
    city.press("ArrowUp")
    city.press("Home")
    expect(page.locator("[aria-selected=true]")).to_have_count(0)
    city.press("End")
    city.press("ArrowUp")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    city.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    expect(city).to_have_value("spring")
    expect(city).to_have_attribute("aria-expanded", "false")

    city.press("ArrowDown")
    city.press("ArrowDown")
    city.press("Enter")
    page.wait_for_url("**/petitions/*/")


def test_enter_without_a_choice_sends_the_form(field):
    city = field()

    city.press_sequentially("Springfield, OR")
    city.press("Enter")

    city.page.wait_for_url("**/petitions/*/")


def test_suggestion_can_be_pressed_and_keeps_the_code_of_a_shared_link(visit, campaign):
    page = visit(f"{campaign.get_absolute_url()}?r=abc123xyz", screen="phone", has_touch=True)

    page.get_by_label("Find your city").press_sequentially("springf")
    page.get_by_role("option", name="Springfield, Vermont").tap()

    page.wait_for_url("**/petitions/*/?r=abc123xyz")


def test_code_of_a_shared_link_stays_when_the_form_is_sent(visit, campaign):
    page = visit(f"{campaign.get_absolute_url()}?r=abc123xyz", javascript=False)

    page.get_by_label("Find your city").fill("97477")
    page.get_by_role("button", name="Find my city").click()

    page.wait_for_url("**/petitions/*/?r=abc123xyz")


def test_without_javascript_a_city_can_be_found_or_nominated(field):
    city = field(javascript=False)
    page = city.page
    assert city.get_attribute("role") is None

    city.fill("94301")
    page.get_by_role("button", name="Find my city").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Palo Alto, California has no petition yet")
    expect(page.get_by_role("listitem").filter(has_text="about 7 miles away")).to_contain_text(
        "Springfield, Oregon"
    )
    page.get_by_role("button", name="Nominate your city").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you for nominating your city")
    assert Nomination.objects.get().count == 1


def test_city_without_a_petition_is_told_while_typing(field):
    city = field()

    city.press_sequentially("94301")

    expect(
        city.page.get_by_role("status").filter(has_text="Palo Alto, California has no petition yet")
    ).to_be_visible()
    expect(city.page.get_by_role("listbox")).to_be_hidden()


def test_late_answer_to_an_older_question_is_not_shown(field):
    city = field()
    page, held = city.page, []
    page.route("**/find/", lambda route: held.append(route) if typed(route) == "sp" else answer(route))

    with page.expect_request("**/find/"):
        city.press_sequentially("sp")
    city.press_sequentially("ringfield")
    expect(page.get_by_role("option")).to_have_text(["springfield Demand"])
    answer(held[0])

    expect(page.get_by_role("option")).to_have_text(["springfield Demand"])


def typed(route: Route) -> str:
    return route.request.post_data.removeprefix("city=")


def answer(route: Route) -> None:
    suggestions = [{"label": typed(route), "kind": "demand", "url": "/"}]
    route.fulfill(json={"suggestions": suggestions, "message": "1 city"})


@pytest.mark.parametrize("trouble", ["abort", "error", "nonsense"])
def test_form_works_where_suggestions_fail(field, trouble):
    city = field()
    page = city.page
    page.route("**/find/", lambda route: fail(route, trouble))

    with page.expect_request("**/find/"):
        city.fill("97477")
    expect(page.get_by_role("listbox")).to_be_hidden()
    page.get_by_role("button", name="Find my city").click()

    page.wait_for_url("**/petitions/*/")


def fail(route: Route, trouble: str) -> None:
    if "json" not in route.request.headers["accept"]:
        route.continue_()
    elif trouble == "abort":
        route.abort()
    elif trouble == "error":
        route.fulfill(status=399, body="")
    else:
        route.fulfill(body="<!doctype html>")


@pytest.mark.parametrize("screen", ["phone", "desktop"])
@pytest.mark.parametrize("dark", [False, True])
def test_suggestions_have_no_accessibility_violation(field, assert_accessible, screen, dark):
    city = field(screen=screen, dark=dark, bypass_csp=True)

    city.press_sequentially("sp")
    expect(city.page.get_by_role("option")).to_have_count(2)
    city.press("ArrowDown")

    assert_accessible(city.page)


@pytest.mark.parametrize("text", ["", "springfield", "94301", "Hohenfels", "sprngfield"])
def test_answers_have_no_accessibility_violation(field, assert_accessible, text):
    city = field(screen="phone", bypass_csp=True)

    city.fill(text)
    city.page.get_by_role("button", name="Find my city").click()
    expect(city.page.get_by_role("heading", level=1)).to_be_visible()

    assert_accessible(city.page)


def test_field_and_list_are_named_for_those_who_listen(field):
    city = field()

    city.press_sequentially("spring")
    city.page.get_by_role("option").first.wait_for()

    heard = city.page.get_by_role("search").aria_snapshot()
    assert '- combobox "Find your city"' in heard
    assert '- listbox "Cities"' in heard
    assert '- option "Springfield, Oregon Demand"' in heard


@pytest.mark.parametrize("text", ["llan", "مرسى"])
def test_names_of_any_length_and_script_stay_within_a_narrow_window(field, text):
    city = field()
    city.page.set_viewport_size({"width": 320, "height": 600})

    city.press_sequentially(text)
    city.page.get_by_role("option").first.wait_for()

    assert city.page.evaluate("document.documentElement.scrollWidth") == 320

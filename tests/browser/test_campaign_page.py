"""The campaign page in a browser: rows to press, columns on a wide screen, and the same on paper."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from petitions.models import Kind, Tally
from tests.factories import make_campaign, make_letter, make_petition, make_place

pytestmark = pytest.mark.django_db(transaction=True)
CITIES = 130  # more than are laid out at once


@pytest.fixture
def campaign(transactional_db):
    campaign = make_campaign(slug="open-sundays", summary="Open up.")
    letters = [make_letter(campaign=campaign, kind=kind) for kind in Kind.values]
    long_ago = timezone.now() - timedelta(days=30)
    for number in range(CITIES):
        place = make_place(name=f"City {number:03}")
        petition = make_petition(
            letter=letters[number % 10 == 0], place=place, slug=f"city-{number}", at=long_ago
        )
        Tally.objects.filter(pk=petition.pk).update(count=CITIES - number, gained_lately=CITIES - number)
    return campaign


@pytest.mark.parametrize("screen", ["phone", "desktop"])
def test_the_whole_row_leads_to_the_petition(visit, campaign, screen):
    page = visit(campaign.get_absolute_url(), screen=screen, javascript=False)

    # Forced: what is pressed there is the link, which covers the row.
    page.locator(".city-list--demand li").last.locator("b").click(force=True)

    expect(page).to_have_url(f"{page.url.split('/petitions')[0]}/petitions/city-{CITIES - 1}/")


def test_both_sides_stand_beside_each_other_where_there_is_room(visit, campaign):
    page = visit(campaign.get_absolute_url())
    standing, waiting = (
        page.locator(f".city-list--{kind}").bounding_box() for kind in ("thank-you", "demand")
    )

    assert standing["x"] + standing["width"] < waiting["x"]
    assert standing["y"] == waiting["y"]


def test_numbers_lead_to_their_lists(visit, campaign):
    page = visit(campaign.get_absolute_url(), screen="phone", javascript=False)

    page.get_by_role("link", name="117 still to go").click()

    expect(page.get_by_role("heading", name="Who we still wait for")).to_be_in_viewport()


def test_axe_finds_no_violation_in_a_long_list(visit, campaign, assert_accessible):
    for dark in (False, True):
        assert_accessible(visit(campaign.get_absolute_url(), dark=dark, bypass_csp=True))


def test_on_paper_there_are_all_cities_and_nothing_to_press(visit, campaign):
    page = visit(campaign.get_absolute_url())
    page.emulate_media(media="print")

    assert not page.locator(".finder").is_visible()
    assert page.locator(".city-list li").count() == CITIES
    last = page.locator(".city-list--demand li").last
    assert last.evaluate("row => getComputedStyle(row).contentVisibility") == "visible"

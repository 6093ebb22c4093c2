"""The links of a mailing in a browser: one press signs, another forgets, another ends the mail."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from mailings.models import Recipient
from mailings.sending import send_some
from petitions.models import Petition
from signers.models import Signature, Subscription
from tests.browser.test_journeys import Keyboard
from tests.factories import (
    make_edition,
    make_mailing,
    make_petition,
    make_recipient,
    make_subscription,
    make_supporter,
)
from tests.people import Person, work

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no-scripts"])


@pytest.fixture
def petition(transactional_db: None) -> Petition:
    return make_petition(at=timezone.now() - timedelta(days=1))


@pytest.fixture
def copy(petition: Petition) -> Recipient:
    """Connie's, who has it in her mailbox."""
    mailing = make_mailing(petition.campaign, starts_at=timezone.now() - timedelta(hours=1))
    supporter = make_supporter(Person.email, first_name="Connie", last_name="Rivera")
    make_subscription(supporter, mailing.campaign.organization)
    copy = make_recipient(make_edition(mailing, petition), supporter=supporter)
    send_some(at=timezone.now())
    return copy


@BOTH
@pytest.mark.parametrize("screen", ["phone", "desktop"])
def test_one_press_signs_and_the_address_bar_never_keeps_the_token(visit, petition, copy, screen, javascript):
    page = visit(Person().link("dear"), screen=screen, javascript=javascript)
    at_first = page.url

    expect(page.get_by_role("heading", name="Dear Connie,")).to_be_visible()
    page.get_by_role("button", name="Sign the petition").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Signed. Thank you.")
    work()

    assert at_first.endswith(f"{petition.get_absolute_url()}you/")
    assert Person().link("dear").split("/")[2] not in page.url + page.content()
    assert page.context.cookies() == []
    assert Signature.objects.get().state == "confirmed"


@BOTH
def test_not_connie_shows_the_ordinary_page(visit, petition, copy, javascript):
    page = visit(Person().link("dear"), javascript=javascript)

    page.get_by_role("button", name="Not Connie?").click()

    expect(page.get_by_label("E-mail", exact=True)).to_be_visible()
    assert page.url.endswith(petition.get_absolute_url())
    assert page.context.cookies() == []
    assert "Connie" not in page.content()


@BOTH
def test_unsubscribing_takes_one_press(visit, copy, javascript):
    page = visit(Person().link("unsubscribe"), javascript=javascript, screen="phone")

    page.get_by_role("button", name="Unsubscribe").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("You are unsubscribed")
    assert not Subscription.objects.exists()
    assert page.context.cookies() == []


@pytest.mark.parametrize("screen", ["phone", "desktop"])
def test_a_keyboard_is_enough(visit, petition, copy, screen):
    page = visit(Person().link("dear"), screen=screen)
    keyboard = Keyboard(page)

    keyboard.tab_to(".sign-form button[type=submit]")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Signed. Thank you.")


def test_pressed_twice_in_a_hurry_it_signs_once(visit, petition, copy):
    page = visit(Person().link("dear"))

    page.get_by_role("button", name="Sign the petition").dblclick()

    expect(page.get_by_role("heading", level=1)).to_have_text("Signed. Thank you.")
    assert Signature.objects.count() == 1


def test_going_back_after_signing_shows_no_name(visit, petition, copy):
    page = visit(Person().link("dear"))
    page.get_by_role("button", name="Sign the petition").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Signed. Thank you.")

    page.go_back()

    expect(page.get_by_label("E-mail", exact=True)).to_be_visible()
    assert "Connie" not in page.content()


@pytest.mark.parametrize(("screen", "dark"), [("phone", True), ("desktop", False)], ids=["dark", "light"])
def test_every_page_behind_the_links_is_accessible(
    visit, petition, copy, assert_accessible: Callable[[Page], None], screen, dark
):
    type(petition.campaign).objects.update(asks_postal_code=True, asks_country=True)
    page = visit(Person().link("dear"), screen=screen, dark=dark, bypass_csp=True)
    assert_accessible(page)
    page.get_by_role("button", name="Sign the petition").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Postal code").fill("12345")
    page.get_by_label("Country").select_option("US")
    page.get_by_role("button", name="Sign the petition").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Signed. Thank you.")
    assert_accessible(page)
    for path in (Person().link("unsubscribe"), "/unsubscribe/abc/", "/dear/abc/"):
        page.goto(path)
        assert_accessible(page)
    page.goto(Person().link("unsubscribe"))
    page.get_by_role("button", name="Unsubscribe").click()
    assert_accessible(page)

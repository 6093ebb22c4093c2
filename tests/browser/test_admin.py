"""The admin in a browser: somebody with no training makes a campaign and publishes it."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import Group
from django.utils import timezone
from playwright.sync_api import Page, expect

from campaigns.models import Organization
from petitions.models import Petition
from petitions.share_images.keeping import Painter
from petitions.short_addresses import address_for
from petitions.target_lists.keeping import keep
from petitions.target_lists.reading import read
from staff.models import User
from tests.factories import NOW, make_letter, make_petition, make_signature

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "a-long-password-here"
MAYORS = (
    "City\tMayor\tE-Mail\tPhone\nTidewater\tLi Wei\tli@tide.example\nStonegate\tBo Lind\tbo(at)stonegate\n"
)


@pytest.fixture
def logged_in(visit) -> Callable[..., Page]:
    def open_page(path: str, role: str = "owner", **options) -> Page:
        user, _made = User.objects.get_or_create(username=f"the-{role.replace(' ', '-')}", is_staff=True)
        user.set_password(PASSWORD)
        user.save()
        user.groups.add(Group.objects.get(name=role))
        page = visit(f"/admin/login/?next={path}", **options)
        page.get_by_label("Username").fill(user.username)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        return page

    return open_page


def write_letter(page: Page) -> None:
    page.locator("#id_letters-0-headline").fill("Open {{ place.name }}’s library")
    page.locator("#id_letters-0-lead_in").fill(
        "The petition to {{ target.office }} {{ target.last_name }} reads:"
    )
    page.locator("#id_letters-0-statement").fill("Open the library on Sundays.")
    page.locator("#id_letters-0-call_to_action").fill("Tell them: open up.")
    page.locator("#id_letters-0-body").fill("Many ask for it. ")


def test_from_an_empty_site_to_a_published_page(logged_in):
    page = logged_in("/admin/")
    page.get_by_role("link", name="Start a campaign").click()

    with page.expect_popup() as opened:
        page.locator("#add_id_organization").click()
    popup = opened.value
    popup.get_by_label("Name:").fill("Readers’ Common")
    with popup.expect_event("close"):
        popup.get_by_role("button", name="Save", exact=True).click()

    page.locator("#id_title").fill("Open Sundays")
    page.locator("#id_sources-0-key").fill("hours-2026")
    page.locator("#id_sources-0-title").fill("Opening Hours")
    write_letter(page)
    page.locator("#id_letters-0-body").focus()
    page.keyboard.press("End")
    page.get_by_role("button", name="[^hours-2026]").click()
    page.locator("#id_targets-0-name").fill("Ada Okafor")
    page.locator("#id_targets-0-place_name").fill("Rivermouth")
    page.get_by_text("Add another Target").click()
    page.locator("#id_targets-1-name").fill("Bo Lind")
    page.locator("#id_targets-1-place_name").fill("Upper Thistlewick")
    page.get_by_role("button", name="Save and check").click()

    expect(page.get_by_text("Nothing stands in the way.")).to_be_visible()
    expect(page.get_by_text("2 new, 0 changed, 0 unchanged.")).to_be_visible()
    page.get_by_role("button", name="Publish").click()

    expect(page.get_by_text("2 petitions published for the first time; 2 pages went live.")).to_be_visible()
    assert sorted(Petition.objects.values_list("slug", flat=True)) == [
        "open-sundays-rivermouth",
        "open-sundays-upper-thistlewick",
    ]
    page.goto("/petitions/open-sundays-rivermouth/")
    expect(page.get_by_role("heading", name="Open Rivermouth’s library")).to_be_visible()
    expect(page.get_by_text("Opening Hours")).to_be_visible()


def test_a_mistake_is_shown_beside_its_field_and_the_rest_is_kept(logged_in):
    Organization.objects.create(name="Readers’ Common")
    page = logged_in("/admin/campaigns/campaign/add/")
    page.get_by_label("Organization:").select_option("Readers’ Common")
    page.locator("#id_title").fill("Open Sundays")
    write_letter(page)
    page.locator("#id_letters-0-statement").fill("Open {{ place.nmae }} on Sundays.[^nobody]")

    page.get_by_role("button", name="Save and check").click()

    errors = page.locator(".field-statement .errorlist")
    expect(errors).to_contain_text("{{ place.name }}")
    expect(errors).to_contain_text("nobody")
    expect(page.locator("#id_letters-0-body")).to_have_value("Many ask for it. ")


def test_the_form_counts_while_one_looks(logged_in):
    petition = make_petition()
    page = logged_in(f"/admin/campaigns/campaign/{petition.campaign.pk}/change/")
    expect(page.locator(".numbers")).to_contain_text("0 signatures")

    make_signature(petition, confirmed=True)

    expect(page.locator(".numbers")).to_contain_text("1 signature", timeout=15_000)
    expect(page.locator(f"[data-petition='{petition.pk}']")).to_contain_text("1 signature")


@pytest.mark.parametrize("part", ["page", "mail", "mail-text"])
@pytest.mark.parametrize("width", ["phone", "desktop"])
def test_a_preview_shows_in_its_frame(logged_in, part, width):
    petition = make_petition(live=False)

    page = logged_in(f"/admin/petitions/petition/{petition.pk}/preview/?part={part}%26width={width}")
    page.goto(f"/admin/petitions/petition/{petition.pk}/preview/?part={part}&width={width}")

    frame = page.frame_locator("iframe")
    expect(frame.locator("body")).to_contain_text("Open the library on Sundays.")
    assert page.locator("iframe").bounding_box()["width"] == {"phone": 390, "desktop": 1280}[width]


@pytest.mark.parametrize(("screen", "dark"), [("phone", True), ("desktop", False)])
def test_the_admin_fits_the_screen_and_its_own_parts_are_accessible(
    logged_in, assert_accessible, screen, dark
):
    petition = make_petition()
    signature = make_signature(petition, confirmed=True)
    address_for(petition, "Poster", at=NOW)
    Painter().draw_due(at=timezone.now())
    targets = keep(
        campaign=petition.campaign, read=read(MAYORS), name="mayors.csv", actor=None, at=timezone.now()
    )
    # Axe itself sets styles that our policy refuses.
    page = logged_in("/admin/", screen=screen, dark=dark, bypass_csp=True)

    for path in (
        "/admin/",
        "/admin/site-state/",
        f"/admin/campaigns/campaign/{petition.campaign.pk}/publish/",
        f"/admin/petitions/petition/close/?petition={petition.pk}",
        f"/admin/signers/signature/{signature.pk}/remove/",
        "/admin/signers/signature/",
        "/admin/petitions/petition/",
        "/admin/campaigns/organization/add/",
        f"/admin/petitions/petition/{petition.pk}/sharing/",
        f"/admin/campaigns/campaign/{petition.campaign.pk}/targets/",
        f"/admin/campaigns/campaign/{petition.campaign.pk}/targets/{targets.pk}/",
        "/admin/campaigns/campaign/upload/",
        f"/admin/campaigns/campaign/{petition.campaign.pk}/addresses/",
        f"/admin/campaigns/campaign/{petition.campaign.pk}/addresses/sheet/?channel=Poster",
    ):
        page.goto(path)
        results = Axe().run(page, options={"preload": False})
        assert results.violations_count == 0, results.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], path


@pytest.mark.parametrize("screen", ["phone", "desktop"])
def test_the_campaign_form_fits_the_screen(logged_in, screen):
    petition = make_petition()

    page = logged_in(f"/admin/campaigns/campaign/{petition.campaign.pk}/change/", screen=screen)

    expect(page.get_by_role("navigation", name="Steps to a published page")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_twelve_codes_print_on_a_sheet(logged_in, paper):
    letter = make_letter()
    for _city in range(24):
        address_for(make_petition(letter=letter), "Poster", at=NOW)
    page = logged_in(f"/admin/campaigns/campaign/{letter.campaign_id}/addresses/sheet/?channel=Poster")
    expect(page.get_by_text("Print in the original size")).to_be_visible()

    printed = page.pdf(format=paper)

    assert len(re.findall(rb"/Type /Page\b", printed)) == 2


@pytest.mark.parametrize("javascript", [True, False])
def test_targets_come_from_a_list_and_are_corrected_on_the_way(logged_in, javascript):
    campaign = make_petition(live=False).campaign
    page = logged_in(f"/admin/campaigns/campaign/{campaign.pk}/change/", javascript=javascript)
    page.get_by_role("link", name="Targets from a list").click()
    page.get_by_label("Or paste rows").fill(MAYORS)
    page.get_by_role("button", name="Show what it would do").click()
    expect(page.get_by_text("The column “Phone” is ignored.")).to_be_visible()

    page.get_by_role("group", name="Line 3").get_by_label("E-mail").fill("bo@stonegate.example")
    page.get_by_role("button", name="Save corrections and check again").click()
    page.get_by_role("button", name="Apply these 2 changes").click()

    expect(page.get_by_text("2 targets added, each with a petition.")).to_be_visible()
    expect(page.get_by_text("3 new, 0 changed, 0 unchanged.")).to_be_visible()


def test_everything_works_without_javascript(logged_in):
    Organization.objects.create(name="Readers’ Common")
    page = logged_in("/admin/campaigns/campaign/add/", javascript=False)
    page.get_by_label("Organization:").select_option("Readers’ Common")
    page.locator("#id_title").fill("Open Sundays")
    write_letter(page)
    page.locator("#id_targets-0-name").fill("Ada Okafor")
    page.locator("#id_targets-0-place_name").fill("Rivermouth")

    page.get_by_role("button", name="Save and check").click()
    page.get_by_role("button", name="Publish").click()

    assert Petition.objects.get().live_at is not None

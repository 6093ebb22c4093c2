"""Mailings in a browser: staff with no training write to supporters, watch it leave and see what came of it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import Group
from django.core import mail
from django.utils import timezone
from playwright.sync_api import Page, expect

from mailings.models import Mailing, Recipient
from mailings.sending import send_some
from petitions.models import Petition
from staff.models import User
from tests.factories import (
    make_edition,
    make_mailing,
    make_petition,
    make_recipient,
    make_subscriber,
)

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "a-long-password-here"


@pytest.fixture
def logged_in(visit) -> Callable[..., Page]:
    def open_page(path: str, role: str = "owner", **options) -> Page:
        user, _made = User.objects.get_or_create(
            username=f"the-{role}", is_staff=True, email="staff@example.org"
        )
        user.set_password(PASSWORD)
        user.save()
        user.groups.add(Group.objects.get(name=role))
        page = visit(f"/admin/login/?next={path}", **options)
        page.get_by_label("Username").fill(user.username)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        return page

    return open_page


@pytest.fixture
def petition(transactional_db: None) -> Petition:
    """With three people in its city who want updates."""
    petition = make_petition(at=timezone.now() - timedelta(days=1))
    for name in ("Connie", "زينب", "Maximiliane-Alexandra"):
        make_subscriber(petition.campaign.organization, place=petition.target.place, first_name=name)
    return petition


def let_it_leave() -> None:
    """The take-back time is over, and the worker comes by."""
    long_ago = timezone.now() - timedelta(minutes=20)
    Mailing.objects.update(started_at=long_ago, starts_at=long_ago + timedelta(minutes=10))
    Recipient.objects.filter(due_at__isnull=False).update(due_at=long_ago)
    while send_some(at=timezone.now()):
        pass
    send_some(at=timezone.now())


@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no-scripts"])
def test_from_a_letter_to_what_came_of_it(logged_in, petition, javascript):
    page = logged_in("/admin/", javascript=javascript)
    page.goto(f"/admin/campaigns/campaign/{petition.campaign.pk}/change/")
    page.get_by_role("link", name="Write to supporters").click()
    page.get_by_role("link", name="Mail the demand letter").click()

    page.get_by_label("Subject:", exact=True).fill("{{ place.nam }} needs you")
    page.get_by_role("button", name="Count who would get it").click()
    expect(page.get_by_role("status")).to_contain_text("3 people would get it.")
    page.get_by_role("button", name="Save and check").click()
    expect(page.locator(".field-subject .errorlist")).to_contain_text("{{ place.name }}")
    page.get_by_label("Subject:", exact=True).fill("{{ place.name }} needs you")
    page.get_by_role("button", name="Save and check").click()

    expect(page.get_by_text("Nothing stands in the way.")).to_be_visible()
    page.get_by_role("link", name="Next: see it as people will").click()
    page.get_by_role("link", name="Maximiliane-Alexandra Reed").first.click()
    frame = page.frame_locator("iframe")
    expect(frame.get_by_text("Dear Maximiliane-Alexandra,")).to_be_visible()
    expect(frame.get_by_role("link", name="Sign the petition").first).to_be_visible()
    page.get_by_role("button", name="Send a test copy").click()
    expect(page.get_by_text("A test copy is on its way to staff@example.org.")).to_be_visible()
    page.get_by_role("link", name="Next: who gets it").click()
    expect(page.get_by_text("3 people would get this mailing now.")).to_be_visible()
    page.get_by_role("link", name="Next: send it").click()
    page.get_by_role("link", name="Start").click()
    expect(page.get_by_text("You can take it back until then")).to_be_visible()
    page.get_by_role("button", name="Start").click()

    expect(page.get_by_text("0 of 3")).to_be_visible()
    let_it_leave()
    if not javascript:
        page.reload()
    expect(page.get_by_text("3 of 3")).to_be_visible(timeout=15_000)
    expect(page.get_by_role("link", name="Pause")).to_have_count(0)
    page.get_by_role("link", name="What came of it").click()
    expect(page.get_by_role("row", name="All 3")).to_be_visible()
    sent = [message for message in mail.outbox if not message.subject.startswith("[Test]")]
    assert {message.subject for message in sent} == {f"{petition.target.place.name} needs you"}
    assert len(sent) == 3


def test_audience_is_counted_while_one_chooses(logged_in, petition):
    page = logged_in(f"/admin/mailings/mailing/add/?letter={petition.letter.pk}")
    expect(page.get_by_role("status")).to_contain_text("3 people would get it.")

    page.get_by_label("Who signed any petition of this campaign").check()

    expect(page.get_by_role("status")).to_contain_text("Nobody would get it.")


def test_double_click_saves_one_draft(logged_in, petition):
    page = logged_in(f"/admin/mailings/mailing/add/?letter={petition.letter.pk}")
    page.get_by_label("Subject:", exact=True).fill("{{ place.name }} needs you")
    posts = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)

    # Playwright's own double click is faster than any finger: Chromium then sends one by itself.
    twice = "button => { button.click(); setTimeout(() => button.click(), 20); }"
    page.get_by_role("button", name="Save and check").evaluate(twice)

    expect(page.get_by_text("Nothing stands in the way.")).to_be_visible()
    assert len(posts) == Mailing.objects.count() == 1


def test_merge_field_is_put_where_one_writes(logged_in, petition):
    page = logged_in(f"/admin/mailings/mailing/add/?campaign={petition.campaign.pk}")
    page.get_by_label("Subject:", exact=True).fill("For ")

    page.get_by_role("button", name="{{ place.name }}").click()

    expect(page.get_by_label("Subject:", exact=True)).to_have_value("For {{ place.name }}")


@pytest.mark.parametrize(("screen", "dark"), [("phone", True), ("desktop", False)])
def test_pages_of_a_mailing_fit_the_screen_and_are_accessible(logged_in, petition, screen, dark):
    draft = make_mailing(petition.campaign, at=timezone.now(), other_subject="Or this?")
    hour_ago = timezone.now() - timedelta(hours=1)
    started = make_mailing(
        petition.campaign, starts_at=hour_ago, people=3, title="Under way", other_subject="Or this?"
    )
    edition = make_edition(started, petition)
    make_recipient(edition, subject="a", handed_over_at=hour_ago, sent_at=hour_ago)
    make_recipient(edition, subject="b", handed_over_at=hour_ago)
    make_recipient(edition, due_at=None)
    # Axe itself sets styles that our policy refuses.
    page = logged_in("/admin/", screen=screen, dark=dark, bypass_csp=True)

    for path in (
        "/admin/",
        "/admin/mailings/mailing/",
        "/admin/mailings/mailing/add/",
        *(f"/admin/mailings/mailing/{draft.pk}/{part}/" for part in ("change", "check", "preview", "audience", "send", "start")),
        *(f"/admin/mailings/mailing/{started.pk}/{part}/" for part in ("audience", "send", "in-doubt", "figures", "choose-b")),
    ):  # fmt: skip
        page.goto(path)
        results = Axe().run(page, options={"preload": False})
        assert results.violations_count == 0, f"{path}\n{results.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], path

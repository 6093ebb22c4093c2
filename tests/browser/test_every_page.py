"""What holds on every page a visitor can come to, in every state it can be in."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone
from playwright.sync_api import Page

from campaigns.models import Campaign, PostalCode
from config import errors
from petitions import campaign_files
from petitions.closing import close
from petitions.models import Letter, Petition
from petitions.publishing import publish
from petitions.taking_a_stand import take_a_stand
from signers import tokens
from signers.demo import ACTED, SAMPLE
from signers.models import AddressChange, Signature
from tests.people import Person, work

pytestmark = pytest.mark.django_db(transaction=True)
EAST, NORTH, THANKS = "open-sundays-rivermouth", "open-sundays-oosterwiek", "open-sundays-thank-you"
WON, CLOSED = "open-sundays-upper-thistlewick", "open-sundays-lindenfors"
PAPER, EVERYTHING = 20 * 1024, 60 * 1024


@pytest.fixture
def campaign(transactional_db: None) -> Campaign:
    """The sample campaign, published, with one petition won, one closed, and one mayor who took a stand."""
    month_ago = timezone.now() - timedelta(days=30)
    loaded = campaign_files.load(campaign_files.read(SAMPLE.read_bytes()), at=month_ago)
    publish(campaign=loaded.campaign, at=month_ago)
    for slug, note in ((WON, "The doors are open."), (CLOSED, "")):
        petition = Petition.objects.get(slug=slug)
        close(petition=petition, actor=None, at=timezone.now(), note=note, won=slug == WON)
    take_a_stand(
        petition=Petition.objects.get(slug=ACTED),
        taken_on=timezone.localdate(),
        reason="The council voted for Sunday hours.\n\nFrom one to six, with higher pay.",
        actor=None,
        at=timezone.now(),
    )
    return loaded.campaign


@pytest.fixture
def pages(campaign: Campaign, live_server: object) -> dict[str, HttpResponse]:
    """Every page of the site by name, as the site answers it."""
    return dict(answers(Petition.objects.get(slug=EAST)))


def answers(petition: Petition) -> Iterator[tuple[str, HttpResponse]]:
    public, address = Client(), petition.get_absolute_url()
    yield "no campaign", Client().get("/campaigns/nowhere/")
    yield "home", public.get("/")
    yield "campaign", public.get("/campaigns/open-sundays/")
    yield from finder_answers(public)
    yield "demand", public.get(address)
    yield "thank-you", public.get(f"/petitions/{THANKS}/")
    yield "won", public.get(f"/petitions/{WON}/")
    yield "closed", public.get(f"/petitions/{CLOSED}/")
    yield "acted", public.get(f"/petitions/{ACTED}/")
    yield "thanked for it", public.get(f"/petitions/{ACTED}-thank-you/")
    connie = Person()
    yield "mistakes", connie.signs(petition, email="connie@", updates="", last_name="")
    yield "one more click", connie.client.post(f"{address}sign/", {"first_name": "Connie"})
    yield "too late", connie.signs(Petition.objects.get(slug=CLOSED))
    yield "too late for it", connie.signs(Petition.objects.get(slug=ACTED))
    yield "signed", connie.opens(connie.signs(petition, email="connie@gmial.com")["Location"])
    connie.signs(petition)
    work()
    reword(petition)
    yield "versions", public.get(f"{address}versions/")
    yield "confirm", connie.opens(connie.link("confirm"))
    yield "confirmed", connie.confirms()
    yield "confirmed before", connie.confirms()
    yield from own_pages(connie)
    yield "not me", connie.opens(connie.link("not-me"))
    yield "not me, done", connie.presses(connie.link("not-me"))
    yield "not me, blocked", connie.presses(connie.link("not-me"), block="yes")
    yield "link, removed", connie.opens(connie.link("confirm"))
    yield "link, forged", connie.opens("/confirm/abc/")
    old = tokens.confirm_link(Signature.objects.latest("pk"), timezone.now() - timedelta(days=40))
    yield "link, expired", connie.opens(urlsplit(old).path)
    late = Person(first_name="Ray", email="ray@people.example")
    late.signs(Petition.objects.get(slug=NORTH))
    work()
    close(petition=Petition.objects.get(slug=NORTH), actor=None, at=timezone.now())
    yield "link, closed", late.confirms()
    Campaign.objects.update(
        confirmation="afterwards",
        asks_postal_code=True,
        asks_country=True,
        asks_comment=True,
        count_floor=100,
    )
    yield "all questions", public.get(address)
    yield "all questions, mistakes", late.signs(petition, country="XX", comment="a" * 1001)
    yield "signed, counts at once", late.opens(f"{address}signed/abcdefghjk/")
    Petition.objects.update(live_at=None)
    yield "home, empty", public.get("/")
    yield "taken down", public.get(address)
    request = RequestFactory().get("/")
    for view in (errors.bad_request, errors.permission_denied, errors.server_error, errors.unavailable):
        yield view.__name__, view(request)
    yield "login of staff", Client().get("/admin/login/")


def own_pages(connie: Person) -> Iterator[tuple[str, HttpResponse]]:
    yield "own page, asking", connie.opens("/me/")
    yield "own page, asked", connie.opens("/me/asked/")
    yield "own page, asking, mistakes", connie.presses("/me/", email="connie@")
    supporter = Signature.objects.latest("pk").supporter
    now = timezone.now()
    own, old = (urlsplit(tokens.own_page_link(supporter, now - timedelta(days=age))).path for age in (0, 2))
    number = supporter.signatures.latest("pk").pk
    yield "own page", connie.opens(f"{own}?done=hidden")
    yield "own page, mistakes", connie.presses(own, do="name", first_name="", last_name="www.example.org")
    yield "own page, name", connie.opens(f"{own}?ask=name&signature={number}")
    yield "own page, withdraw", connie.opens(f"{own}?ask=withdraw&signature={number}")
    yield "own page, erase", connie.opens(f"{own}?ask=erase")
    yield "own page, expired", connie.presses(old, do="name", first_name="Constance", last_name="Wu")
    yield "own page, forged", connie.opens("/me/abc/")
    connie.presses(own, do="address", email="connie@new.example")
    change = AddressChange.objects.create(
        supporter=supporter, email="connie@new.example", mailbox="connie@new.example", asked_at=now
    )
    yield "new address", connie.opens(urlsplit(tokens.new_address_link(change, now)).path)
    AddressChange.objects.all().delete()
    yield "new address, gone", connie.opens(urlsplit(tokens.new_address_link(change, now)).path)


def finder_answers(public: Client) -> Iterator[tuple[str, HttpResponse]]:
    find, nominate = "/campaigns/open-sundays/find/", "/campaigns/open-sundays/nominate/"
    PostalCode.objects.create(country="US", code="94301", name="Palo Alto", region="CA")
    yield "finder, nothing typed", public.post(find, {"city": ""})
    yield "finder, known city", public.post(find, {"city": "94301"})
    yield "finder, nothing known", public.post(find, {"city": "Hohenfels an der Au"})
    yield "finder, slip", public.post(find, {"city": "rivrmouth"})
    yield (
        "nominate, one more click",
        Client(enforce_csrf_checks=True).post(nominate, {"city": "Palo Alto, California"}),
    )
    yield "nominated", public.get("/campaigns/open-sundays/nominated/")


def reword(petition: Petition) -> None:
    letter = Letter.objects.get(pk=petition.letter_id)
    letter.statement += " Begin this spring."
    letter.save()
    publish(campaign=letter.campaign, at=timezone.now(), reason="The council asked for a date.")


@pytest.fixture
def show(visit: Callable[..., Page]) -> Callable[..., Page]:
    """`show(page, answer)` shows an answer of the site in the browser, whatever it took to get it."""

    def do(page: Page, name: str, answer: HttpResponse) -> None:
        address = "/shown/" + name.replace(" ", "-").replace(",", "")
        headers = {key: value for key, value in answer.items() if key != "Content-Length"}
        # An error is what is to be seen here, not what went wrong.
        page.route(
            f"**{address}", lambda route: route.fulfill(status=200, headers=headers, body=answer.content)
        )
        page.goto(address)

    return do


@pytest.mark.parametrize(("screen", "dark"), [("phone", True), ("desktop", False)], ids=["dark", "light"])
def test_axe_finds_no_violation(visit, show, pages, assert_accessible, screen, dark):
    page = visit("/healthz", screen=screen, dark=dark, bypass_csp=True)

    for name, answer in pages.items():
        show(page, name, answer)
        assert page.locator("h1").count() == 1, name
        assert_accessible(page)


@pytest.mark.parametrize("width", [320, 640], ids=["narrow", "zoomed"])
def test_nothing_has_to_be_scrolled_sideways(visit, show, pages, width):
    # 1280 pixels at 200 % are 640.
    page = visit("/healthz")
    page.set_viewport_size({"width": width, "height": 600})

    for name, answer in pages.items():
        show(page, name, answer)
        assert page.evaluate("document.documentElement.scrollWidth") == width, name


def test_no_page_allows_unsafe_things_or_needs_them(pages):
    for name, answer in pages.items():
        policy = answer.get("Content-Security-Policy", "default-src 'none'")
        body = answer.content.decode()

        assert "default-src 'none'" in policy, name
        assert "unsafe" not in policy, name
        assert "style=" not in body, name
        assert "<style" not in body, name
        assert "<script>" not in body, name


def test_pages_for_everybody_set_no_cookie_and_may_be_kept_and_pages_of_a_person_may_not(pages):
    for_everybody = {
        "home",
        "campaign",
        "demand",
        "thank-you",
        "won",
        "closed",
        "versions",
        "all questions",
        "nominated",
    }
    for_everybody |= {"own page, asking", "own page, asked"}

    for name, answer in pages.items():
        if name in for_everybody | {"acted", "thanked for it"}:
            assert answer["Cache-Control"].startswith("public"), name
            assert "ETag" in answer, name
            assert not answer.cookies, name
            assert "Cookie" not in answer.get("Vary", ""), name
        elif name not in {"no campaign", "taken down", "home, empty"}:
            assert "no-store" in answer["Cache-Control"], name


def test_the_sample_petition_with_six_hundred_words_and_its_notes_keeps_within_the_budget(visit, campaign):
    page = visit("/healthz")
    sizes: dict[str, int] = {}
    page.on(
        "requestfinished", lambda request: sizes.update({request.url: request.sizes()["responseBodySize"]})
    )

    page.goto(f"/petitions/{EAST}/")
    page.wait_for_load_state("networkidle")

    assert len(page.locator(".letter__body").inner_text().split()) > 400
    assert page.locator("[role=doc-endnotes] li").count() >= 6
    first_view = sum(size for url, size in sizes.items() if url.endswith((f"{EAST}/", ".css")))
    assert first_view <= PAPER, sizes
    assert sum(sizes.values()) <= EVERYTHING, sizes


def test_every_note_leads_to_its_line_and_back(visit, campaign):
    page = visit(f"/petitions/{EAST}/", screen="phone", javascript=False)
    marks = page.locator("a[role=doc-noteref]")

    for number in range(marks.count()):
        mark = marks.nth(number)
        target = mark.get_attribute("href")
        assert page.locator(target).count() == 1
        assert (
            page.locator(target).locator(f'a[role=doc-backlink][href="#{mark.get_attribute("id")}"]').count()
            == 1
        )


def test_in_print_the_form_is_gone_and_each_note_has_its_address(visit, campaign):
    page = visit(f"/petitions/{EAST}/")
    page.emulate_media(media="print")
    notes = page.locator("[role=doc-endnotes] li")

    assert not page.locator("form").is_visible()
    assert not page.locator(".sign-bar").is_visible()
    for number in range(notes.count()):
        address = notes.nth(number).locator("a[href^=http]").first.get_attribute("href")
        assert address.removeprefix("https://") in printed(notes.nth(number))
    assert len(page.pdf()) > 10_000


def printed(note) -> str:
    """What stands on paper, with what the style sheet adds."""
    return note.evaluate(
        """note => [...note.querySelectorAll("a")].map(link =>
          link.textContent + getComputedStyle(link, "::after").content).join(" ")"""
    )

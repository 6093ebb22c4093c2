"""From a link to a counted signature in a real browser: with and without scripts, on a phone and a desk, by keyboard."""

import pytest
from django.core import mail
from django.utils import timezone
from playwright.sync_api import expect

from campaigns.models import Campaign
from fraud import proof_of_work
from fraud.judging import BurstJudge
from signers.folding import fold
from signers.models import Signature, Submission, Supporter
from tests.factories import make_letter, make_petition, make_version
from tests.people import Person, work

pytestmark = pytest.mark.django_db(transaction=True)
LONG_NAME = "Wolfeschlegelsteinhausenbergerdorff" * 2


def fill_in(page, *, first_name="Connie", last_name="Rivera", email="connie@people.example"):
    page.get_by_label("First name").fill(first_name)
    page.get_by_label("Last name").fill(last_name)
    page.get_by_label("E-mail", exact=True).fill(email)
    page.get_by_label("No, thank you").check()


def sign(page, **typed):
    fill_in(page, **typed)
    page.get_by_role("button", name="Sign the petition").click()


@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no-scripts"])
@pytest.mark.parametrize("screen", ["phone", "desktop"])
def test_a_supporter_signs_confirms_and_is_counted(visit, screen, javascript):
    petition = make_petition()
    page = visit(petition.get_absolute_url(), screen=screen, javascript=javascript)

    sign(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("One step left: check your e-mail")
    work()
    page.goto(Person().link("confirm"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Connie, is this your signature?")
    page.get_by_role("button", name="Yes, confirm my signature").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirmed. Thank you.")
    work()
    page.get_by_role("link", name="Open Rivermouth’s library on Sundays").click()

    expect(page.locator(".progress__number")).to_have_text("1")
    assert page.context.cookies() == []


@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no-scripts"])
def test_it_wasnt_me_in_two_presses(visit, javascript):
    Person().signs(make_petition())
    work()

    page = visit(Person().link("not-me"), javascript=javascript, screen="phone")
    page.get_by_role("button", name="Remove it and block my address").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("The signature is removed")
    assert Signature.objects.get().supporter.blocked_at


# What has the focus has a ring around it, is in view, and has nothing lying over it.
IS_SEEN = """() => {
  const element = document.activeElement, whole = element.closest("label") ?? element;
  const ringed = [element, whole].some(node => getComputedStyle(node).outlineStyle !== "none");
  const box = element.getClientRects()[0];
  const top = box && document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return ringed && top && (whole.contains(top) || top.contains(whole));
}"""


class Keyboard:
    """Somebody who uses nothing else, and has to see where they are after each Tab."""

    def __init__(self, page):
        self.page = page

    def tab_to(self, selector):
        for _ in range(80):
            self.page.keyboard.press("Tab")
            focus = self.page.locator(":focus")
            self.page.wait_for_function(IS_SEEN)
            if focus.evaluate("(element, selector) => element.matches(selector)", selector):
                return
        pytest.fail(f"Tab never came to {selector}")


@pytest.mark.parametrize("screen", ["phone", "desktop"])
def test_a_keyboard_is_enough(visit, screen):
    page = visit(make_petition().get_absolute_url(), screen=screen)
    keyboard = Keyboard(page)

    keyboard.tab_to(".skip-link")
    page.keyboard.press("Enter")
    for selector, text in {"[name=first_name]": "Connie", "[name=last_name]": "Rivera"}.items():
        keyboard.tab_to(selector)
        page.keyboard.type(text)
    keyboard.tab_to("[name=email]")
    page.keyboard.type("connie@people.example")
    keyboard.tab_to("[name=updates]")
    page.keyboard.press("ArrowDown")
    keyboard.tab_to("button[type=submit]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/signed/**")
    work()
    page.goto(Person().link("confirm"))
    keyboard.tab_to("main button")
    page.keyboard.press("Space")

    expect(page.get_by_role("heading", level=1)).to_have_text("Confirmed. Thank you.")
    assert Signature.objects.get().state == "confirmed"


@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no-scripts"])
def test_mistakes_are_summed_up_where_the_reader_is_and_lead_to_their_fields(visit, javascript):
    page = visit(make_petition().get_absolute_url(), screen="phone", javascript=javascript)
    page.get_by_label("First name").fill("Connie")

    page.get_by_role("button", name="Sign the petition").click()

    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(summary).to_be_in_viewport()
    assert page.title().startswith("Please check: ")
    expect(page.get_by_label("First name")).to_have_value("Connie")
    expect(page.get_by_label("Last name")).to_have_attribute("aria-invalid", "true")
    summary.get_by_role("link", name="Enter your e-mail address").click()
    expect(page.get_by_label("E-mail", exact=True)).to_be_focused()
    summary.get_by_role("link", name="Choose yes or no").click()
    expect(page.get_by_label("Yes, keep me informed")).to_be_focused()


def test_a_mistyped_address_is_asked_about_after_signing_where_no_script_ran(visit):
    page = visit(make_petition().get_absolute_url(), javascript=False)

    sign(page, email="connie@gmial.com")

    expect(page.get_by_role("main")).to_contain_text("Did you mean gmail.com?")
    assert "connie" not in page.url


def test_the_link_is_copied_and_the_share_sheet_opened_with_the_signers_own_link(visit):
    page = visit(
        make_petition().get_absolute_url(), screen="phone", permissions=["clipboard-read", "clipboard-write"]
    )
    page.add_init_script("navigator.share = async what => { window.shared = what; }")
    sign(page)
    page.wait_for_url("**/signed/**")
    link = page.get_by_label("Link to the petition").input_value()

    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    page.get_by_role("button", name="Share the petition").click()

    code = page.url.split("/")[-2]
    assert page.evaluate("navigator.clipboard.readText()") == link
    assert link.endswith(f"?r={code}")
    assert page.evaluate("window.shared.url") == link


def test_without_scripts_no_button_is_shown_that_would_do_nothing(visit):
    page = visit(make_petition().get_absolute_url(), javascript=False)
    sign(page)

    expect(page.get_by_label("Link to the petition")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)


def test_pressing_twice_sends_once(visit):
    page = visit(make_petition().get_absolute_url())
    fill_in(page)

    page.get_by_role("button", name="Sign the petition").dblclick(no_wait_after=True)
    page.wait_for_url("**/signed/**")

    assert Submission.objects.count() == 1


@pytest.mark.parametrize(
    ("first_name", "last_name"),
    [("عائشة", "بن علي"), ("שרה", "כהן"), (LONG_NAME, LONG_NAME), ("Nguyễn Thị Minh Khai", "李")],
    ids=["arabic", "hebrew", "long", "mixed"],
)
def test_names_of_any_script_and_length_fit_and_leave_the_rest_in_order(visit, first_name, last_name):
    page = visit(make_petition().get_absolute_url(), screen="phone")
    page.set_viewport_size({"width": 320, "height": 640})

    fill_in(page, first_name=first_name, last_name=last_name)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    page.get_by_role("button", name="Sign the petition").click()
    page.wait_for_url("**/signed/**")
    work()
    page.goto(Person().link("confirm"))

    expect(page.get_by_role("heading", level=1)).to_have_text(f"{first_name}, is this your signature?")
    assert page.locator("h1").evaluate("heading => getComputedStyle(heading).direction") == "ltr"
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    assert mail.outbox[0].body.count(first_name) == 1


def test_a_letter_in_a_language_of_the_other_direction_reads_from_the_right(visit):
    letter = make_letter()
    letter.campaign.language = "ar"
    letter.campaign.save()
    petition = make_petition(live=False, letter=letter)
    make_version(
        petition,
        headline="افتحوا مكتبة المدينة يوم الأحد",
        lead_in_html="تقول العريضة:",
        statement_html="افتحوا المكتبة يوم الأحد.",
        letter_html="<p>كثيرون يطلبون ذلك.</p>",
        button="وقّع العريضة",
    )
    page = visit(petition.get_absolute_url(), screen="phone")

    for selector in ("h1", ".statement__text", ".letter__body"):
        assert page.locator(selector).evaluate("element => getComputedStyle(element).direction") == "rtl", (
            selector
        )
    assert (
        page.get_by_label("First name").evaluate("element => getComputedStyle(element.labels[0]).direction")
        == "ltr"
    )


@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no-scripts"])
@pytest.mark.parametrize("screen", ["phone", "desktop"])
def test_somebody_looks_after_their_signature_and_is_erased(visit, screen, javascript):
    petition = make_petition()
    connie = Person()
    connie.signs(petition)
    work()
    connie.confirms()

    page = visit(petition.get_absolute_url(), screen=screen, javascript=javascript)
    page.get_by_role("link", name="Your signatures").click()
    page.get_by_label("Your e-mail address").fill(connie.email)
    page.get_by_role("button", name="Mail me the link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your e-mail")
    work()
    page.goto(connie.link("me"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Connie, your signatures")
    page.get_by_role("button", name="Hide my name").click()
    expect(page.get_by_role("status")).to_have_text("Your name is hidden. The signature goes on counting.")
    page.get_by_label("Last name").fill("www.example.org")
    page.get_by_role("button", name="Correct it everywhere").click()
    expect(page.get_by_role("alert")).to_contain_text("without a web or e-mail address")
    page.get_by_label("Last name").fill("Rivera-Okafor")
    page.get_by_role("button", name="Correct it everywhere").click()
    expect(page.locator(".own-signature__state")).to_contain_text("Signed as Connie Rivera-Okafor, hidden.")
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download everything as a table (CSV)").click()
    page.get_by_role("link", name="Erase me…").click()
    page.get_by_role("button", name="Erase everything about me").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Everything about you is erased")
    assert downloading.value.suggested_filename == "my-data.csv"
    assert not Supporter.objects.exists()
    assert page.context.cookies() == []


def test_own_page_by_keyboard(visit):
    connie = Person()
    connie.signs(make_petition())
    work()
    connie.confirms()
    connie.presses("/me/", email=connie.email)
    work()
    page = visit(connie.link("me"))
    keyboard = Keyboard(page)

    keyboard.tab_to("button[value=hide]")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_be_focused()
    keyboard.tab_to("a[href*=withdraw]")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Withdraw your signature?")
    keyboard.tab_to("button[value=withdraw]")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_have_text("Your signature is withdrawn. It counts no more.")
    assert Signature.objects.get().removal == "withdrawn"


@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no-scripts"])
def test_a_browser_works_out_a_sum_where_the_campaign_asks_for_it(visit, monkeypatch, javascript):
    """Without scripts nothing is refused: a person looks at the signature before it counts."""
    monkeypatch.setattr(proof_of_work, "COST", 10)
    monkeypatch.setattr(proof_of_work, "MOST_TRIES", proof_of_work.FEWEST_TRIES + 1)
    petition = make_petition()
    Campaign.objects.update(asks_proof=True)
    page = visit(petition.get_absolute_url(), javascript=javascript)

    sign(page)

    expect(page.get_by_role("heading", level=1)).to_have_text("One step left: check your e-mail")
    fold(at=timezone.now(), judge=BurstJudge())
    assert (Signature.objects.get().held_at is None) is javascript
    assert page.context.cookies() == []

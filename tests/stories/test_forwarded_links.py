"""The link that recognizes its reader: forwarded, reposted, replayed, altered, late, of another purpose, pressed twice."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from campaigns.models import Campaign
from mailings import links
from mailings.models import Recipient
from mailings.sending import send_some
from petitions.closing import close
from petitions.models import Tally
from petitions.publishing import publish
from signers import tokens
from signers.counting import add_up
from signers.erasing import erase
from signers.models import Consent, Signature, Subscription, Supporter
from tests.factories import (
    make_edition,
    make_mailing,
    make_petition,
    make_recipient,
    make_signature,
    make_subscription,
    make_supporter,
    make_version,
)
from tests.people import Person, later, path_of, shown_count, text_of, work
from tests.threads import in_parallel

LONG_AGO = timezone.now() - timedelta(days=3)


def mail_to(person, petition, **mailing):
    """A mailing arrives at a person who said yes to updates when they signed something else; returns their copy."""
    supporter = Supporter.objects.filter(email=person.email).first() or make_supporter(
        person.email, first_name=person.first_name, last_name=person.last_name, confirmed_at=LONG_AGO
    )
    Subscription.objects.filter(supporter=supporter).exists() or make_subscription(
        supporter, petition.campaign.organization
    )
    edition = make_edition(make_mailing(petition.campaign, starts_at=later(minutes=-1), **mailing), petition)
    copy = make_recipient(edition, supporter=supporter)
    send_some(at=timezone.now())
    return copy


@pytest.fixture
def petition(db):
    return make_petition(at=LONG_AGO)


@pytest.fixture
def copy(connie, petition):
    return mail_to(connie, petition)


@pytest.fixture
def ray():
    return Person(first_name="Ray", last_name="Holt", email="ray@people.example")


def comes(person, path):
    """Follows the link to where it leads; the page."""
    answer = person.opens(path)
    return person.opens(answer["Location"]) if answer.status_code == 302 else answer


def presses_sign(person, petition, **typed):
    return person.presses(f"{petition.get_absolute_url()}you/sign/", **typed)


def is_ordinary(page, petition):
    """The page as everybody sees it, with nobody's name or address on it."""
    html = page.content.decode()
    return (
        page.request["PATH_INFO"] == petition.get_absolute_url()
        and "Connie" not in html
        and "people.example" not in html
        and 'name="email"' in html
    )


# --- As it is meant ------------------------------------------------------------------------------------------


def test_reader_is_greeted_and_one_press_signs_and_counts(connie, petition, copy):
    arrived = connie.opens(connie.link("dear"))
    page = connie.opens(arrived["Location"])
    signed = presses_sign(connie, petition)
    thanks = connie.opens(signed["Location"])
    add_up(at=timezone.now())

    assert arrived.status_code == 302
    assert "Dear Connie," in text_of(page)
    # And in the bar that is all a phone shows of the form at first.
    assert '<p class="sign-bar__count" dir="auto">Dear <bdi>Connie</bdi></p>' in page.content.decode()
    assert signed.status_code == 303
    assert "Signed. Thank you." in text_of(thanks)
    assert shown_count(Person(), petition) == (1, 1)
    signature = Signature.objects.get()
    assert (signature.state, signature.first_name, signature.last_name, signature.email) == (
        "confirmed", "Connie", "Rivera", "connie@people.example",
    )  # fmt: skip
    copy.refresh_from_db()
    assert (copy.signature, bool(copy.link_used_at)) == (signature, True)


def test_token_is_nowhere_but_in_the_mail_and_a_cookie_scripts_cannot_read(connie, petition, copy):
    link = connie.link("dear")
    token = link.split("/")[2]

    arrived = connie.opens(link)
    page = connie.opens(arrived["Location"])

    cookie = arrived.cookies["reader"]
    assert (cookie.value, cookie["httponly"], cookie["samesite"], cookie["path"]) == (
        token, True, "Lax", petition.get_absolute_url(),
    )  # fmt: skip
    assert 0 < cookie["max-age"] <= 3600
    assert token not in arrived["Location"] + page.content.decode()
    assert page.cookies == {}
    for answer in (arrived, page):
        assert "no-store" in answer["Cache-Control"]
        assert answer["Referrer-Policy"] == "same-origin"
    assert 'name="robots" content="noindex' in page.content.decode()


def test_on_https_the_cookie_is_for_https_only(connie, petition, copy, settings):
    settings.SESSION_COOKIE_SECURE = True

    assert connie.opens(connie.link("dear")).cookies["reader"]["secure"]


def test_reader_page_shows_the_first_name_and_nothing_else_of_the_person(connie, petition, copy):
    make_signature(
        make_petition(letter=petition.letter), supporter=copy.supporter, confirmed=True, postal_code="98765"
    )

    html = comes(connie, connie.link("dear")).content.decode()

    assert "Connie" in html
    assert not [secret for secret in ("Rivera", "people.example", "98765") if secret in html]


def test_public_pages_set_no_cookie_and_are_the_same_for_a_recognized_reader(connie, petition, copy):
    comes(connie, connie.link("dear"))

    page = connie.opens(petition.get_absolute_url())

    assert is_ordinary(page, petition)
    assert page.cookies == {}
    assert page["Cache-Control"].startswith("public")
    assert page.content == Client().get(petition.get_absolute_url()).content


def test_signing_ends_the_link_and_takes_the_cookie_away(connie, petition, copy):
    comes(connie, connie.link("dear"))

    signed = presses_sign(connie, petition)

    assert signed.cookies["reader"].value == ""
    assert is_ordinary(comes(connie, connie.link("dear")), petition)


def test_not_connie_forgets_the_reader_and_the_link_in_the_mail_stays_good(connie, ray, petition, copy):
    comes(ray, connie.link("dear"))

    left = ray.presses(f"{petition.get_absolute_url()}you/not-me/")

    assert is_ordinary(ray.opens(left["Location"]), petition)
    assert is_ordinary(comes(ray, f"{petition.get_absolute_url()}you/"), petition)
    assert not Signature.objects.exists()
    assert "Dear Connie," in text_of(comes(connie, connie.link("dear")))


def test_the_same_page_works_for_a_browser_that_does_not_say_where_a_post_comes_from(connie, petition, copy):
    comes(connie, connie.link("dear"))

    answer = connie.client.post(f"{petition.get_absolute_url()}you/sign/")

    assert answer.status_code == 303
    assert Signature.objects.get().state == "confirmed"


def test_another_sites_form_signs_nothing(connie, petition, copy):
    comes(connie, connie.link("dear"))

    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}, {"origin": "null"}):
        answer = connie.client.post(f"{petition.get_absolute_url()}you/sign/", headers=headers)
        assert answer.status_code == 403

    assert not Signature.objects.exists()


# --- Asked for what is missing -------------------------------------------------------------------------------


def test_reader_without_names_is_asked_for_them_and_nothing_else(connie, petition):
    connie.first_name = connie.last_name = ""
    copy = mail_to(connie, petition)
    page = comes(connie, connie.link("dear"))

    wrong = presses_sign(connie, petition, first_name="Connie")
    right = presses_sign(connie, petition, first_name="Connie", last_name="Rivera")

    assert "Dear friend," in text_of(page)
    assert re.findall(r'<input[^>]* name="(\w+)"', page.content.decode()) == [
        "version",
        "first_name",
        "last_name",
    ]
    assert wrong.status_code == 422
    assert "Enter your last name." in text_of(wrong)
    assert 'value="Connie"' in wrong.content.decode()
    assert right.status_code == 303
    copy.supporter.refresh_from_db()
    assert (Signature.objects.get().last_name, copy.supporter.first_name) == ("Rivera", "Connie")


def test_postal_code_is_asked_for_once_and_known_for_the_next_petition(connie, petition, copy):
    Campaign.objects.update(asks_postal_code=True, asks_country=True)
    page = comes(connie, connie.link("dear"))
    missing = presses_sign(connie, petition)
    presses_sign(connie, petition, postal_code="12345", country="US")
    other = make_petition(letter=petition.letter, at=LONG_AGO)
    mail_to(connie, other)
    second = comes(connie, connie.link("dear"))
    presses_sign(connie, other)

    assert 'name="postal_code"' in page.content.decode()
    assert missing.status_code == 422
    assert 'name="postal_code"' not in second.content.decode()
    assert list(Signature.objects.values_list("postal_code", "country")) == [("12345", "US")] * 2


def test_what_is_known_cannot_be_typed_over(connie, petition, copy):
    comes(connie, connie.link("dear"))

    presses_sign(connie, petition, first_name="Eve", last_name="Mallory", email="eve@example.org")

    signature = Signature.objects.get()
    assert (signature.first_name, signature.email) == ("Connie", "connie@people.example")


def test_signature_is_under_the_version_that_was_read(connie, petition, copy):
    read = petition.current_version
    comes(connie, connie.link("dear"))
    newer = make_version(petition, statement="Open the library on Sundays, too.")

    presses_sign(connie, petition, version=str(read.number))

    assert newer.number > read.number
    assert Signature.objects.get().version == read


@pytest.mark.parametrize("said", ["", "0", "999999999", "9" * 5000, "x", "-1", "٣", "\x00"])
def test_odd_version_is_the_current_one(connie, petition, copy, said):
    comes(connie, connie.link("dear"))

    presses_sign(connie, petition, version=said)

    assert Signature.objects.get().version == petition.current_version


# --- In other hands ------------------------------------------------------------------------------------------


def test_forwarded_before_use_shows_a_first_name_and_no_address(connie, ray, petition, copy):
    page = comes(ray, connie.link("dear"))

    html = page.content.decode()
    assert "Not <bdi>Connie</bdi>?" in html
    assert "people.example" not in html
    assert "Rivera" not in html


def test_reposted_after_use_everybody_sees_the_ordinary_page(connie, ray, petition, copy):
    link = connie.link("dear")
    comes(connie, link)
    presses_sign(connie, petition)

    page = comes(ray, link)
    again = presses_sign(ray, petition)

    assert is_ordinary(page, petition)
    assert "reader" not in ray.client.cookies
    assert path_of(again) == petition.get_absolute_url()
    assert Signature.objects.count() == 1


def test_cookie_replayed_after_use_signs_nothing_and_names_nobody(connie, ray, petition, copy):
    link = connie.link("dear")
    comes(ray, link)  # took a copy of the cookie before
    comes(connie, link)
    presses_sign(connie, petition)
    [before] = Signature.objects.values()

    page = comes(ray, f"{petition.get_absolute_url()}you/")
    answer = presses_sign(ray, petition, first_name="Ray", last_name="Holt")
    after = ray.opens(answer["Location"])

    assert is_ordinary(page, petition)
    assert "Connie" not in after.content.decode()
    assert "people.example" not in after.content.decode()
    assert list(Signature.objects.values()) == [before]


def test_pressed_twice_shows_the_same_thanks(connie, petition, copy):
    comes(connie, connie.link("dear"))
    cookie = connie.client.cookies["reader"].value
    first = presses_sign(connie, petition)
    connie.client.cookies["reader"] = cookie

    second = presses_sign(connie, petition)

    assert (second.status_code, path_of(second)) == (303, path_of(first))
    assert Signature.objects.count() == 1


def test_cookie_of_one_petition_is_worth_nothing_at_another(connie, petition, copy):
    other = make_petition(letter=petition.letter, at=LONG_AGO)
    comes(connie, connie.link("dear"))
    token = connie.client.cookies["reader"].value
    connie.client.cookies.clear()
    connie.client.cookies["reader"] = token

    page = comes(connie, f"{other.get_absolute_url()}you/")
    answer = presses_sign(connie, other)

    assert is_ordinary(page, other)
    assert path_of(answer) == other.get_absolute_url()
    assert not Signature.objects.exists()


@pytest.mark.parametrize(
    "alter",
    [
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: ("A" if token[0] != "A" else "B") + token[1:],
        lambda token: token[:-1],
        lambda token: token + "A",
        lambda token: token.swapcase(),
        lambda token: "x" * 4000,
        lambda token: "%00",
        lambda token: "%ED%A0%80",
        lambda token: "٣" * 40,
    ],
)
def test_altered_link_recognizes_nobody_and_says_that_it_does_not_work(connie, petition, copy, alter):
    token = connie.link("dear").split("/")[2]

    page = connie.opens(f"/dear/{alter(token)}/")
    # As a browser's bytes come in.
    connie.client.cookies["reader"] = alter(token)[:3000].encode().decode("latin-1")
    reader_page = connie.opens(f"{petition.get_absolute_url()}you/")
    signed = presses_sign(connie, petition)

    assert page.status_code == 404
    assert "This link does not work" in text_of(page)
    assert path_of(reader_page) == path_of(signed) == petition.get_absolute_url()
    assert not Signature.objects.exists()


def test_link_is_good_for_thirty_days_and_then_leads_to_the_ordinary_page(connie, petition, copy):
    young, old = (
        urlsplit(links.sign_link(copy, timezone.now() - timedelta(days=days))).path for days in (29, 31)
    )

    assert "Dear Connie," in text_of(comes(connie, young))
    assert is_ordinary(comes(Person(), old), petition)


def test_link_that_expires_while_the_page_is_open_signs_nothing(connie, petition, copy):
    connie.client.cookies["reader"] = urlsplit(
        links.sign_link(copy, timezone.now() - timedelta(days=31))
    ).path.split("/")[2]

    answer = presses_sign(connie, petition)

    assert path_of(answer) == petition.get_absolute_url()
    assert not Signature.objects.exists()


def test_token_of_one_purpose_is_worth_nothing_for_another(connie, petition, copy):
    signature = make_signature(make_petition(), supporter=copy.supporter, at=timezone.now())
    now = timezone.now()
    made = {
        "dear": links.sign_link(copy, now),
        "unsubscribe": links.unsubscribe_link(copy, now),
        "confirm": tokens.confirm_link(signature, now),
        "not-me": tokens.not_me_link(signature, now),
        "me": tokens.own_page_link(copy.supporter, now),
    }
    found = {purpose: urlsplit(link).path.split("/")[2] for purpose, link in made.items()}

    for place in found:
        for purpose, token in found.items():
            if place != purpose:
                assert connie.opens(f"/{place}/{token}/").status_code == 404
                if place != "dear":
                    assert connie.presses(f"/{place}/{token}/").status_code == 404

    signature.refresh_from_db()
    assert signature.state == "pending"
    assert Subscription.objects.count() == 1


# --- At the same time ----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="on SQLite one writes at a time")
def test_two_people_pressing_at_the_same_time_make_one_signature():
    petition, connie = make_petition(at=LONG_AGO), Person()
    mail_to(connie, petition)
    people = [Person() for _ in range(6)]
    for person in people:
        comes(person, connie.link("dear"))
    answers = []

    in_parallel(
        *((lambda person=person: answers.append(presses_sign(person, petition)), 1) for person in people)
    )

    assert {answer.status_code for answer in answers} == {303}
    assert Signature.objects.count() == 1
    add_up(at=timezone.now())
    assert Tally.objects.get(petition=petition).count == 1


# --- Programs that follow links ------------------------------------------------------------------------------


def test_scanner_that_follows_every_link_three_times_changes_nothing(connie, petition, copy):
    before = everything()
    html = connie.mails[-1].alternatives[0].content
    addresses = {urlsplit(address).path for address in re.findall(r'href="(http[^"]+)"', html)}
    scanner = Person()

    for address in sorted(addresses) * 3:
        comes(scanner, address)
        scanner.client.head(address)
        scanner.client.options(address)

    assert {"dear", "unsubscribe", "petitions"} <= {address.split("/")[1] for address in addresses}
    assert everything() == before
    assert "Dear Connie," in text_of(comes(connie, connie.link("dear")))


def everything():
    call_command("work", once=True)
    return [
        list(model.objects.order_by("pk").values())
        for model in (Signature, Consent, Subscription, Supporter, Recipient, Tally)
    ]


def test_reading_takes_no_post_and_signing_nothing_but_one(connie, petition, copy):
    comes(connie, connie.link("dear"))

    assert connie.presses(connie.link("dear")).status_code in {403, 405}
    assert connie.presses(f"{petition.get_absolute_url()}you/").status_code in {403, 405}
    assert connie.opens(f"{petition.get_absolute_url()}you/sign/").status_code == 405
    assert connie.opens(f"{petition.get_absolute_url()}you/not-me/").status_code == 405
    assert not Signature.objects.exists()


# --- What happened meanwhile ---------------------------------------------------------------------------------


@pytest.mark.parametrize("won", [True, False])
def test_petition_that_ended_meanwhile_says_so(connie, petition, copy, won):
    close(petition=petition, actor=None, at=timezone.now(), won=won, note="The doors are open.")

    page = comes(connie, connie.link("dear"))

    assert page.request["PATH_INFO"] == petition.get_absolute_url()
    assert "It takes no more signatures" in text_of(page)
    assert "Connie" not in page.content.decode()


def test_petition_that_closes_before_the_button_is_pressed_says_so_and_does_not_count(connie, petition, copy):
    comes(connie, connie.link("dear"))
    close(petition=petition, actor=None, at=timezone.now())

    answer = presses_sign(connie, petition)

    assert answer.status_code == 409
    assert "The petition closed before your signature reached it" in text_of(answer)
    assert not Signature.objects.exists()


def test_petition_taken_off_the_site_is_not_there(connie, petition, copy):
    comes(connie, connie.link("dear"))
    petition.live_at = None
    petition.save()

    assert comes(connie, connie.link("dear")).status_code == 404
    assert presses_sign(connie, petition).status_code == 404


def test_who_signed_by_the_form_meanwhile_is_thanked_and_counted_once(connie, petition, copy):
    connie.signs(petition)
    work()
    connie.confirms()
    comes(connie, connie.link("dear", which=0))

    answer = presses_sign(connie, petition)
    add_up(at=timezone.now())

    assert "Signed. Thank you." in text_of(connie.opens(answer["Location"]))
    assert shown_count(Person(), petition) == (1, 1)
    assert is_ordinary(comes(connie, connie.link("dear", which=0)), petition)


def test_signature_that_waits_for_its_confirmation_is_confirmed_by_the_press(connie, petition, copy):
    connie.signs(petition, first_name="Constance")
    work()
    comes(connie, connie.link("dear", which=0))

    presses_sign(connie, petition)
    late = connie.confirms()
    add_up(at=timezone.now())

    signature = Signature.objects.get()
    assert (signature.state, signature.first_name) == ("confirmed", "Connie")
    assert late.status_code == 200
    assert shown_count(Person(), petition) == (1, 1)


def test_signature_that_counted_before_it_was_confirmed_counts_once(connie, petition, copy):
    Campaign.objects.update(confirmation="afterwards")
    connie.signs(petition)
    work()
    comes(connie, connie.link("dear", which=0))

    presses_sign(connie, petition)
    add_up(at=timezone.now())

    assert Signature.objects.get().state == "confirmed"
    assert shown_count(Person(), petition) == (1, 1)


@pytest.mark.parametrize(
    ("removal", "state"), [("withdrawn", "confirmed"), ("not-me", "confirmed"), ("staff", "removed")]
)
def test_signature_taken_away_comes_back_unless_staff_removed_it(connie, petition, copy, removal, state):
    make_signature(
        petition, supporter=copy.supporter, confirmed=True, removed_at=timezone.now(), removal=removal
    )
    comes(connie, connie.link("dear"))

    presses_sign(connie, petition)

    assert Signature.objects.get().state == state


def test_who_was_erased_is_nobody(connie, petition, copy):
    comes(connie, connie.link("dear"))
    erase(supporter_id=copy.supporter_id, at=timezone.now())

    assert is_ordinary(comes(connie, connie.link("dear")), petition)
    assert path_of(presses_sign(connie, petition)) == petition.get_absolute_url()
    assert not Signature.objects.exists()


def test_who_was_blocked_is_not_recognized(connie, petition, copy):
    comes(connie, connie.link("dear"))
    Supporter.objects.update(blocked_at=timezone.now())

    assert is_ordinary(comes(connie, connie.link("dear")), petition)
    presses_sign(connie, petition)
    assert not Signature.objects.exists()


def test_link_of_a_mailing_that_was_canceled_later_still_works(connie, petition, copy):
    type(copy.mailing).objects.update(canceled_at=timezone.now())

    assert "Dear Connie," in text_of(comes(connie, connie.link("dear")))


def test_copy_without_a_petition_leads_to_the_campaign_page(connie, petition):
    mailing = make_mailing(petition.campaign, starts_at=later(minutes=-1), others="campaign-page")
    copy = make_recipient(make_edition(mailing), supporter=make_supporter(connie.email))

    answer = connie.opens(urlsplit(links.sign_link(copy, timezone.now())).path)

    assert path_of(answer) == petition.campaign.get_absolute_url()


def test_republished_petition_keeps_its_links(connie, petition, copy):
    publish(campaign=petition.campaign, at=timezone.now(), reason="A date.")

    assert "Dear Connie," in text_of(comes(connie, connie.link("dear")))

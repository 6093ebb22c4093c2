"""From reading a petition to a signature that counts."""

import re

from django.core import mail
from django.utils import timezone

from campaigns.models import Campaign
from petitions.closing import close, reopen, unpublish
from signers.models import Consent, Signature
from tests import factories
from tests.people import Person, later, path_of, shown_count, text_of


def test_a_supporter_signs_confirms_by_mail_and_is_counted(connie, petition, work):
    page = connie.opens(petition.get_absolute_url())
    thanks = connie.opens(path_of(connie.signs(petition, updates="yes")))
    work()

    assert "Open the library on Sundays." in text_of(page)
    assert "check your e-mail" in text_of(thanks)
    assert shown_count(connie, petition) == (0, 0)
    [message] = connie.mails
    assert message.subject.startswith("Please confirm your signature")
    assert "Dear Connie" in message.body

    asked = connie.opens(connie.link("confirm"))
    answer = connie.confirms()
    work()

    assert "Connie, is this your signature?" in text_of(asked)
    assert "Confirmed. Thank you." in text_of(answer)
    assert shown_count(connie, petition) == (1, 1)
    consent = Consent.objects.get()
    assert (consent.granted, consent.supporter.email) == (True, "connie@people.example")
    assert len(connie.mails) == 1


def test_opening_the_link_without_pressing_the_button_counts_nothing(signed, petition, work):
    for _ in range(3):
        signed.opens(signed.link("confirm"))
    work()

    assert shown_count(signed, petition) == (0, 0)


def test_refusing_updates_never_loses_the_signature(connie, petition, work):
    connie.signs(petition, updates="no")
    work()
    connie.confirms()
    work()

    assert shown_count(connie, petition) == (1, 1)
    assert Consent.objects.get().granted is False


def test_a_campaign_that_confirms_afterwards_counts_at_once_and_still_asks(connie, work):
    petition = factories.make_petition(confirmation=Campaign.Confirmation.AFTERWARDS)

    thanks = connie.opens(path_of(connie.signs(petition)))
    work()

    assert "Thank you for signing" in text_of(thanks)
    assert "does not count" not in text_of(thanks)
    assert shown_count(connie, petition) == (1, 1)
    assert Signature.objects.get().state == "accepted"

    answer = connie.confirms()
    work()

    assert "Confirmed. Thank you." in text_of(answer)
    assert shown_count(connie, petition) == (1, 1)
    assert Signature.objects.get().state == "confirmed"


def test_a_mistake_keeps_what_was_typed_and_is_put_right(connie, petition, work):
    refused = connie.signs(petition, email="connie@", updates="")
    page = refused.content.decode()
    work()

    assert refused.status_code == 422
    assert 'value="Rivera"' in page
    assert 'value="connie@"' in page
    assert mail.outbox == []

    assert connie.signs(petition).status_code == 303


def test_a_browser_that_says_nothing_about_itself_needs_one_more_click(petition, work):
    person = Person()
    typed = {"first_name": "Ada", "last_name": "Ruiz", "email": person.email, "updates": "yes"}
    address = f"{petition.get_absolute_url()}sign/"

    asked = person.client.post(address, typed)
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', asked.content.decode()))
    taken = person.client.post(address, fields)
    work()

    assert "One more click" in text_of(asked)
    assert taken.status_code == 303
    assert Signature.objects.get().first_name == "Ada"


def test_a_shared_link_brings_the_next_signer_and_is_credited(confirmed, petition, work):
    thanks = confirmed.opens(confirmed.link("confirm")).content.decode()
    shared = re.search(r'id="share-link"[^>]*value="http://testserver([^"]+)"', thanks)
    friend = Person(first_name="Ray", email="ray@people.example")

    page = friend.opens(shared[1])
    friend.client.defaults["HTTP_REFERER"] = f"http://testserver{shared[1]}"
    friend.signs(petition)
    work()

    first, second = Signature.objects.order_by("id")
    assert page.status_code == 200
    assert "Connie" not in page.content.decode()
    assert second.referral == first.referral_code != ""


def test_a_petition_that_closed_before_the_click_says_so_and_does_not_count(signed, petition, work):
    close(petition=petition, actor=None, at=timezone.now(), note="The council has voted.")

    asked, pressed = signed.opens(signed.link("confirm")), signed.confirms()
    work()

    assert (asked.status_code, pressed.status_code) == (410, 410)
    assert "It closed before your signature was confirmed" in text_of(pressed)
    assert Signature.objects.get().state == "pending"


def test_a_petition_that_was_reopened_takes_the_late_click(signed, petition, work):
    close(petition=petition, actor=None, at=timezone.now())
    signed.confirms()
    reopen(petition=petition, actor=None, at=timezone.now(), reason="The vote was put off.")

    signed.confirms()
    work()

    assert shown_count(signed, petition) == (1, 1)


def test_what_was_signed_before_closing_is_folded_after_it(connie, petition, work):
    connie.signs(petition)
    close(petition=petition, actor=None, at=later(seconds=1))

    work(at=later(seconds=2))

    assert Signature.objects.get().state == "pending"


def test_a_visitor_who_comes_too_late_is_told_so(connie, petition):
    close(petition=petition, actor=None, at=timezone.now(), won=True, note="The doors are open.")

    answer = connie.signs(petition)

    assert answer.status_code == 409
    assert "The petition closed before your signature reached it" in text_of(answer)
    assert "The doors are open." in text_of(connie.opens(petition.get_absolute_url()))


def test_a_petition_taken_off_the_site_is_gone_and_its_links_explain_themselves(signed, petition):
    unpublish(petition=petition, actor=None, at=timezone.now(), reason="A wrong name.")

    assert signed.opens(petition.get_absolute_url()).status_code == 404
    assert signed.opens(signed.link("confirm")).status_code == 410
    assert signed.confirms().status_code == 410


def test_two_people_may_share_one_computer(petition, work):
    connie, ray = Person(), Person(first_name="Ray", email="ray@people.example")
    ray.client = connie.client

    for person in (connie, ray):
        person.signs(petition)
        work()
        person.confirms()
    work()

    assert shown_count(connie, petition) == (2, 2)
    assert "Connie" not in connie.opens(petition.get_absolute_url()).content.decode()

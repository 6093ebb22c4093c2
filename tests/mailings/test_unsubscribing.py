"""Leaving by the link of a copy: by button or by program (RFC 8058), at once, for ever, per organization."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.test import Client

from mailings.links import unsubscribe_link
from mailings.models import Mailing, Recipient
from mailings.unsubscribing import unsubscribe
from signers import changing_address, consents
from signers.consents import Choice
from signers.erasing import erase
from signers.models import AddressChange, Consent, Signature, Subscription
from tests.factories import (
    NOW,
    make_edition,
    make_mailing,
    make_recipient,
    make_signature,
    make_subscriber,
    make_subscription,
)
from tests.people import text_of

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def copy(db):
    return make_recipient(sent_at=NOW, handed_over_at=NOW)


@pytest.fixture
def link(copy):
    return path_of(copy)


def path_of(copy, at=NOW):
    return urlsplit(unsubscribe_link(copy, at)).path


def consents_of(copy):
    found = Consent.objects.filter(supporter=copy.supporter).order_by("pk")
    return list(found.values_list("granted", "source"))


# --- By program ----------------------------------------------------------------------------------------------


def test_one_post_without_cookies_ends_the_updates_and_leads_nowhere_else(copy, link):
    mail_program = Client(enforce_csrf_checks=True)

    answer = mail_program.post(link, ONE_CLICK)

    assert (answer.status_code, answer.cookies) == (200, {})
    assert not Subscription.objects.exists()
    assert consents_of(copy) == [(True, "sign-form"), (False, "unsubscribe")]
    copy.refresh_from_db()
    assert copy.unsubscribed_at


@pytest.mark.parametrize(
    "kind",
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "application/json",
        "nonsense",
    ],
)
def test_body_may_come_in_any_form(link, kind):
    bodies = {
        "multipart/form-data; boundary=x": '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
    }

    answer = Client().post(
        link,
        bodies.get(kind, "List-Unsubscribe=One-Click"),
        content_type=kind,
        headers={"origin": "null", "sec-fetch-site": "cross-site"},
    )

    assert answer.status_code == 200
    assert not Subscription.objects.exists()


@pytest.mark.parametrize("body", [b"", b"\x00\xff" * 100, b"a=" * 5000])
def test_odd_body_ends_the_updates_too(link, body):
    answer = Client().post(link, body, content_type="application/x-www-form-urlencoded")

    assert answer.status_code == 200
    assert not Subscription.objects.exists()


def test_posted_again_it_is_the_same_answer_and_no_second_consent(copy, link):
    first, second = Client().post(link, ONE_CLICK), Client().post(link, ONE_CLICK)

    assert first.content == second.content
    assert len(consents_of(copy)) == 2


def test_each_time_somebody_came_back_and_leaves_again_there_is_a_record(copy, link):
    Client().post(link)
    organization = copy.mailing.campaign.organization_id
    consents.record(
        [Choice(copy.supporter_id, organization, granted=True, wording="Yes")], source="self-service", at=NOW
    )

    Client().post(link)

    assert [granted for granted, _source in consents_of(copy)] == [True, False, True, False]
    assert not Subscription.objects.exists()


# --- By hand -------------------------------------------------------------------------------------------------


def test_opening_the_link_shows_one_button_and_changes_nothing(copy, link):
    answer = Client().get(link)
    Client().head(link)

    assert answer.content.decode().count("<button") == 1
    assert copy.mailing.campaign.organization.name in text_of(answer)
    assert Subscription.objects.count() == 1
    assert len(consents_of(copy)) == 1


def test_button_says_that_it_is_done_and_that_signatures_stay(copy, link):
    make_signature(copy.edition.petition, supporter=copy.supporter, confirmed=True)

    answer = Client(enforce_csrf_checks=True).post(link)

    assert "You are unsubscribed" in text_of(answer)
    assert Signature.objects.get().is_counted


@pytest.mark.parametrize("do", [Client.get, Client.post])
def test_page_names_nobody_is_kept_nowhere_and_sets_no_cookie(copy, link, do):
    answer = do(Client(), link)

    assert copy.supporter.email not in answer.content.decode()
    assert "Connie" not in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "same-origin"
    assert 'content="noindex' in answer.content.decode()
    assert answer.cookies == {}


# --- For ever ------------------------------------------------------------------------------------------------


def test_link_works_for_ever(copy):
    long_ago = path_of(copy, NOW - timedelta(days=3650))

    assert Client().post(long_ago).status_code == 200
    assert not Subscription.objects.exists()


def test_link_works_after_the_person_was_erased(copy, link):
    erase(supporter_id=copy.supporter_id, at=NOW)

    shown, pressed = Client().get(link), Client().post(link, ONE_CLICK)

    assert (shown.status_code, pressed.status_code) == (200, 200)
    assert "You are unsubscribed" in text_of(pressed)


def test_link_works_after_two_mailboxes_turned_out_to_be_one_person(copy):
    theirs = copy.supporter
    for number in range(2):
        owner = make_subscriber(copy.mailing.campaign.organization, email=f"new-{number}@example.org")
        make_recipient(copy.edition, supporter=owner)
        changing_address.ask(supporter_id=theirs.pk, email=owner.email, at=NOW)
        changing_address.confirm(change_id=AddressChange.objects.latest("pk").pk, at=NOW)
        theirs = owner

    unsubscribe(recipient_id=copy.pk, at=NOW)

    assert not Subscription.objects.filter(supporter=theirs).exists()
    assert not Recipient.objects.queued().filter(supporter=theirs).exists()


def test_link_works_after_the_mailing_is_gone(copy, link):
    Recipient.objects.all().delete()
    Mailing.objects.all().delete()

    shown, pressed = Client().get(link), Client().post(link, ONE_CLICK)

    assert (shown.status_code, pressed.status_code) == (200, 200)
    assert "You get no more updates" in text_of(pressed)


def test_link_outlives_a_change_of_the_secret(link, settings):
    settings.SECRET_KEY_FALLBACKS = [django_settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-which-is-long-enough-to-be-accepted-as-one"

    assert Client().post(link).status_code == 200
    assert not Subscription.objects.exists()


def test_somebody_elses_updates_go_on(copy, link):
    other = make_recipient(copy.edition)

    Client().post(link)

    assert [row.supporter for row in Subscription.objects.all()] == [other.supporter]


def test_updates_of_another_organization_go_on(copy, link):
    other = make_recipient(make_edition(make_mailing(starts_at=NOW)), supporter=copy.supporter)
    make_subscription(copy.supporter, other.mailing.campaign.organization)

    Client().post(link)

    assert [row.organization for row in Subscription.objects.all()] == [other.mailing.campaign.organization]
    assert Recipient.objects.get(pk=other.pk).state == "queued"


def test_queued_copies_of_all_mailings_of_the_organization_are_dropped_at_once(copy, link):
    same = make_recipient(
        make_edition(make_mailing(copy.mailing.campaign, starts_at=NOW)), supporter=copy.supporter
    )
    waiting = make_recipient(
        make_edition(make_mailing(copy.mailing.campaign, starts_at=NOW)),
        supporter=copy.supporter,
        due_at=None,
    )

    Client().post(link)

    assert {Recipient.objects.get(pk=row.pk).dropped for row in (same, waiting)} == {"unsubscribed"}


# --- What is no such link ------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["a" * 40, "x", "%00", "%ED%A0%80", "a" * 4000, "٣" * 40])
def test_forged_link_says_that_it_does_not_work_and_what_helps(copy, token):
    for answer in (
        Client().get(f"/unsubscribe/{token}/"),
        Client().post(f"/unsubscribe/{token}/", ONE_CLICK),
    ):
        assert answer.status_code == 404
        assert "This link does not work" in text_of(answer)

    assert Subscription.objects.count() == 1


@pytest.mark.parametrize("number", [0, 2**63 - 1])
def test_copy_that_never_was_is_nobodys(db, number):
    assert unsubscribe(recipient_id=number, at=NOW) is None


def test_queries_are_few(copy, link, django_assert_max_num_queries):
    with django_assert_max_num_queries(11):
        Client().post(link)

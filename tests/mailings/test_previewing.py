"""A mailing as its readers will see it, before anything leaves."""

from email import message_from_bytes, policy

import pytest
from django.core import mail as outbox_of

from mailings.audience import audience_of
from mailings.links import read_sign, read_unsubscribe
from mailings.models import Recipient
from mailings.previewing import (
    INVENTED,
    as_test_reader,
    copy_for,
    editions_of,
    invented,
    person,
    real,
    send_test,
)
from tests.factories import NOW, make_mailing, make_petition, make_recipient, make_staff, make_subscriber
from tests.smtp_server import SmtpServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def petition():
    return make_petition()


@pytest.fixture
def mailing(petition):
    return make_mailing(petition.campaign, other_subject="Or this, {{ supporter.first_name|you }}?")


def readers(mailing):
    return {reader.key: reader for reader in invented(editions_of(mailing, audience_of(mailing, at=NOW)))}


@pytest.mark.parametrize(("key", "greeting"), [("short", "Dear Connie,"), ("none", "Dear friend,")])
def test_copy_is_written_for_its_reader(mailing, key, greeting):
    copy = copy_for(mailing, readers(mailing)[key], at=NOW)

    assert greeting in copy.text
    assert copy.subject == f"{INVENTED[key][0] or 'friend'}, one more thing"
    assert copy.headers.startswith("To: reader@example.org\n")
    assert "\r" not in copy.html + copy.text


def test_second_subject_is_seen_as_well(mailing):
    assert copy_for(mailing, readers(mailing)["short"], subject="b", at=NOW).subject == "Or this, Connie?"


def test_links_of_a_preview_belong_to_nobody(mailing, petition):
    make_recipient()
    copy = copy_for(mailing, readers(mailing)["short"], at=NOW)

    sign, leave = (copy.text.split(f"/{kind}/")[1].split("/")[0] for kind in ("dear", "unsubscribe"))

    assert read_sign(sign, at=NOW) == read_unsubscribe(leave, at=NOW) == 0
    assert not Recipient.objects.filter(pk=0).exists()


def test_people_worth_a_look_are_found(mailing, petition):
    place, organization = petition.target.place, petition.campaign.organization
    for name in ("Connie", "", "زينب", "Maximiliane-Alexandra"):
        make_subscriber(organization, place=place, first_name=name)

    groups = real(mailing, audience_of(mailing, at=NOW))

    assert groups["The longest names"][0].first_name == "Maximiliane-Alexandra"
    assert [reader.first_name for reader in groups["No first name"]] == [""]
    assert [reader.first_name for reader in groups["From right to left"]] == ["زينب"]
    assert len(groups["From all over the list"]) == 4


def test_somebody_is_looked_up_only_among_those_who_get_it(mailing, petition):
    inside = make_subscriber(petition.campaign.organization, place=petition.target.place)
    outside = make_subscriber(make_petition().campaign.organization)
    audience = audience_of(mailing, at=NOW)

    assert person(mailing, audience, inside.pk).first_name == "Connie"
    assert person(mailing, audience, outside.pk) is None


def test_frozen_mailing_is_seen_as_it_was_sent():
    copy = make_recipient()
    mailing = copy.mailing
    mailing.body = "Changed by hand."

    shown = copy_for(mailing, readers(mailing)["short"], at=NOW)

    assert "the doors stay shut" in shown.text
    assert person(mailing, audience_of(mailing, at=NOW), copy.supporter_id).key == f"s{copy.supporter_id}"


# --- Test copies ---------------------------------------------------------------------------------------------


def test_test_copy_is_marked_and_made_by_what_writes_all_copies(mailing):
    reader = as_test_reader(readers(mailing)["short"], "Ada")

    send_test(mailing, reader, to="ada@example.org", at=NOW)

    (message,) = outbox_of.outbox
    assert message.to == ["ada@example.org"]
    assert message.subject == "[Test] Ada, one more thing"
    assert "Dear Ada," in message.body
    assert not Recipient.objects.exists()


def test_each_test_copy_is_a_mail_of_its_own(mailing):
    for _ in range(2):
        send_test(mailing, readers(mailing)["short"], to="ada@example.org", at=NOW)

    first, second = (message.extra_headers["Message-ID"] for message in outbox_of.outbox)
    assert first != second


def test_test_copy_goes_out_by_smtp(mailing, settings):
    with SmtpServer() as server:
        settings.EMAIL_BACKEND = "toolkit.emails.SmtpBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port

        send_test(mailing, readers(mailing)["short"], subject="b", to="ada@example.org", at=NOW)

    (received,) = server.mails
    assert message_from_bytes(received, policy=policy.default)["Subject"] == "[Test] Or this, Connie?"


def test_sending_a_test_needs_no_list(mailing):
    make_staff()

    send_test(mailing, readers(mailing)["none"], to="ada@example.org", at=NOW)

    assert len(outbox_of.outbox) == 1

"""What stands in the mails signers get."""

from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from petitions.models import Version
from signers.emails import already_signed_mail, confirm_mail, confirm_mail_preview
from signers.sending import send_due
from tests.factories import NOW, make_mail, make_organization, make_petition, make_signature, make_version

HOSTILE = [
    "<script>alert(1)</script>",
    "{{ organization.postal_address }}",
    "{% include 'base.html' %}",
    "Connie\r\nBcc: everybody@example.org",
    "\u202eeinnoC",
    "عائشة",
    "O’Brien & Söhne",
]


def parts(message):
    (html, _type), *_ = message.alternatives
    return message.body, html


@pytest.fixture
def signature(db):
    organization = make_organization(
        name="Readers’ Common", from_email="desk@readers.example", reply_to="hello@readers.example"
    )
    return make_signature(make_petition(organization=organization), email="Connie@example.org")


def test_confirm_mail_says_what_is_signed_and_has_both_links(signature):
    mail = make_mail(signature)

    message = confirm_mail(mail)

    assert message.subject == "Please confirm your signature: Open Rivermouth’s library on Sundays"
    for text in parts(message):
        assert "Dear " in text
        assert "The petition to Mayor Okafor reads:" in text
        assert "Open the library on Sundays." in text
        assert signature.petition.addressed_to in text
        assert "http://testserver/confirm/" in text
        assert "http://testserver/not-me/" in text
        assert "30 days" in text
        assert "1 Lantern Row" in text
        assert "https://readers.example/privacy" in text


def test_mail_comes_from_the_organization(signature):
    message = confirm_mail(make_mail(signature))

    sent = message.message()
    assert message.to == ["Connie@example.org"]
    assert message.from_email == "=?utf-8?q?Readers=E2=80=99_Common?= <desk@readers.example>"
    assert sent["Reply-To"] == "hello@readers.example"
    assert sent["Date"]


def test_organization_without_an_address_uses_the_one_of_the_site(db):
    message = confirm_mail(make_mail())

    assert message.from_email.endswith("<petitions@testserver.example>")
    assert "Reply-To" not in message.message()


def test_message_id_is_the_same_for_every_attempt_and_differs_between_events(signature):
    first, second = make_mail(signature), make_mail(signature)

    ids = [confirm_mail(mail).message()["Message-ID"] for mail in (first, first, second)]

    assert ids[0] == ids[1] != ids[2]
    assert ids[0].endswith("@testserver>")


def test_every_attempt_sends_the_same_words(signature):
    mail = make_mail(signature)

    assert parts(confirm_mail(mail)) == parts(confirm_mail(mail))


def test_already_signed_mail_says_since_when_and_what_to_do_now(db):
    signature = make_signature(confirmed=True)

    message = already_signed_mail(make_mail(signature, message="already-signed"))

    assert message.subject.startswith("You have already signed")
    for text in parts(message):
        assert "3 May 2026" in text
        assert "your signature counts" in text
        assert f"http://testserver{signature.petition.get_absolute_url()}" in text
        assert "http://testserver/not-me/" in text
        assert "/confirm/" not in text


def test_mail_about_a_signature_that_counts_does_not_say_that_it_waits(db):
    for text in parts(confirm_mail(make_mail(make_signature(accepted=True)))):
        assert "Your signature counts" in text
        assert "One step is left" not in text


@pytest.mark.parametrize("name", HOSTILE)
def test_name_is_data(db, name):
    message = confirm_mail(make_mail(make_signature(first_name=name)))

    text, html = parts(message)
    shown = name.replace("\r\n", " ").replace("\u202e", "")
    assert f"Dear {shown}," in text
    assert "<script" not in html
    assert unescape(html.partition("<bdi>")[2].partition("</bdi>")[0]) == shown
    assert "Bcc" not in message.message()


@pytest.mark.parametrize("headline", ["Open\nit & “now”", "<b>Open</b>", "{{ x }}", "x" * 300])
def test_headline_is_data(db, headline):
    petition = make_petition(live=False)
    make_version(petition, headline=headline)

    message = confirm_mail(make_mail(make_signature(petition)))

    assert "\n" not in message.subject
    assert "<b>" not in parts(message)[1]
    assert message.message().as_bytes()


def test_notes_and_markup_of_the_lead_in_stay_behind(db):
    petition = make_petition(live=False)
    make_version(
        petition, lead_in_html='The <em>petition</em> &amp; plea<sup><a href="#note-1">1</a></sup> reads:'
    )

    for text in parts(confirm_mail(make_mail(make_signature(petition)))):
        assert "#note-1" not in text
    assert "The petition & plea reads:" in confirm_mail(make_mail(make_signature(petition))).body


def test_mail_loads_nothing_from_elsewhere(signature):
    _text, html = parts(confirm_mail(make_mail(signature)))

    assert "<img" not in html
    assert "src=" not in html
    assert "<link" not in html


def test_preview_needs_no_stored_version_and_no_signature(db):
    petition = make_petition(live=False)
    version = Version(petition=petition, headline="Open it", statement="Open.", addressee="Mayor Okafor")

    message = confirm_mail_preview(petition=petition, version=version, at=NOW)

    assert "Dear Connie," in message.body
    assert "Open it" in message.subject


def test_sending_a_mail_costs_one_read_of_everything_it_needs(db):
    def queries(number):
        for _ in range(number):
            make_mail()
        with CaptureQueriesContext(connection) as captured:
            send_due(at=NOW)
        return len(captured)

    # Lock, read, what the mailbox had, read again, hand over, sent; on PostgreSQL a savepoint's begin and end.
    assert (queries(3) - queries(1)) / 2 <= 6 + 2 * (connection.vendor == "postgresql")

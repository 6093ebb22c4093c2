"""What a mail provider posts to us: believed with the secret, understood, and passed on once."""

import base64
import json

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import include, path

from mailings import provider_reports
from mailings.models import MailReport
from mailings.provider_reports import receive
from signers.models import Subscription
from tests.factories import NOW, make_mail, make_recipient
from toolkit.bounce_addresses import COPY, MAIL, mark

urlpatterns = [path("mail-reports/<slug:provider>/", receive), path("", include("config.urls"))]
pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
SECRET = "reports:only-for-tests-0123456789"


@pytest.fixture(autouse=True)
def _provider(settings):
    settings.EMAIL_PROVIDER = "postmark"
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET, "MAILGUN_API_KEY": "key"}


def post(content, *, secret=SECRET, provider="postmark"):
    headers = {"authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"} if secret else {}
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    client = Client(enforce_csrf_checks=True)
    return client.post(f"/mail-reports/{provider}/", body, content_type="application/json", headers=headers)


def event(row, **fields):
    """As Postmark tells of a mailbox that does not exist."""
    kind, to = (MAIL, row.to) if hasattr(row, "to") else (COPY, row.supporter.email)
    return {
        "RecordType": "Bounce",
        "Type": "HardBounce",
        "ID": 1,
        "MessageID": "0a1b",
        "Email": row.supporter.email,
        "BouncedAt": NOW.isoformat(),
        "Description": "The server was unable to deliver your message (ex: unknown user).",
        "Details": f"smtp;550 5.1.1 <{row.supporter.email}> does not exist",
        "Metadata": {"mail": f"<{mark(kind, row.pk, to=to)}@petitions.example>"},
    } | fields


def stopped(row):
    row.supporter.refresh_from_db()
    return row.supporter.stopped


def test_hard_bounce_of_a_copy_stops_mail():
    recipient = make_recipient()

    answer = post(event(recipient))

    assert (answer.status_code, stopped(recipient)) == (200, "bounced")
    report = MailReport.objects.get()
    assert (report.recipient, report.at) == (recipient, NOW)
    assert "does not exist" in report.reason
    assert "@" not in report.reason


def test_hard_bounce_of_a_confirmation_stops_mail():
    mail = make_mail()

    post(event(mail))

    assert stopped(mail) == "bounced"


@pytest.mark.parametrize(
    "fields",
    [
        {"Type": "SoftBounce", "Details": ""},
        {"Details": "smtp;552 5.2.2 mailbox full"},
        {"Details": "smtp;550 5.7.1 blocked for its reputation"},
        {"Type": "Blocked"},
    ],
)
def test_what_may_pass_is_soft(fields):
    recipient = make_recipient()

    post(event(recipient, **fields))

    assert MailReport.objects.get().kind == "soft"
    assert not stopped(recipient)


@pytest.mark.parametrize("type_", ["Transient", "DnsError", "AutoResponder", "OpenRelayTest", "Unknown"])
def test_what_is_no_bounce_is_no_report(type_):
    recipient = make_recipient()

    answer = post(event(recipient, Type=type_))

    assert (answer.status_code, MailReport.objects.count()) == (200, 0)


def test_complaint_ends_updates():
    recipient = make_recipient()

    post(event(recipient, RecordType="SpamComplaint", Type="SpamComplaint"))

    assert stopped(recipient) == "complained"
    assert not Subscription.objects.filter(supporter=recipient.supporter).exists()


def test_leaving_by_way_of_the_provider_is_leaving():
    recipient = make_recipient()

    post(
        event(
            recipient,
            RecordType="SubscriptionChange",
            SuppressSending=True,
            SuppressionReason="ManualSuppression",
        )
    )

    assert not Subscription.objects.filter(supporter=recipient.supporter).exists()
    assert not stopped(recipient)


def test_delivery_ends_a_row_of_soft_bounces():
    recipient = make_recipient()
    post(event(recipient, Type="SoftBounce", Details=""))

    post(event(recipient, RecordType="Delivery", DeliveredAt=NOW.isoformat()))

    recipient.supporter.refresh_from_db()
    assert recipient.supporter.soft_bounces == 0


def test_same_event_again_counts_once():
    recipient = make_recipient()

    for _ in range(3):
        post(event(recipient))

    assert MailReport.objects.count() == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"Metadata": {}},
        {"Metadata": {"mail": "<1@elsewhere.example>"}},
        {"Metadata": {"mail": 7}},
        {"Metadata": {"mail": f"<c{'a' * 32}@petitions.example>"}},
        {"Email": "former@example.org"},
    ],
)
def test_event_about_no_mail_of_ours_is_quietly_ignored(fields):
    recipient = make_recipient()

    answer = post(event(recipient, **fields))

    assert answer.status_code == 200
    assert not stopped(recipient)


@pytest.mark.parametrize(
    "secret", ["", "reports:wrong", "reports:", "reports:\udcff".encode("utf-8", "replace").decode()]
)
def test_without_the_secret_nothing_is_believed(secret):
    recipient = make_recipient()

    answer = post(event(recipient), secret=secret)

    assert answer.status_code == 403
    assert not stopped(recipient)


def test_signature_of_the_provider_is_checked_as_well(settings):
    settings.EMAIL_PROVIDER = "mailgun"
    signed = {
        "signature": {"token": "t", "timestamp": "1", "signature": "0" * 64},
        "event-data": {"event": "failed"},
    }

    assert post(signed, provider="mailgun").status_code == 403


@pytest.mark.parametrize("provider", ["mailgun", "sendgrid", "nobody"])
def test_only_the_provider_in_the_settings_has_an_address(provider):
    assert post({}, provider=provider).status_code == 404


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\0", b"[]", b"7", b"null", b"[" * 100_000, b'{"a":' + b"9" * 5000 + b"}"]
)
def test_nonsense_is_refused_in_a_line(content, caplog):
    answer = post(content)

    assert answer.status_code in {200, 400}
    assert all("Traceback" not in record.getMessage() for record in caplog.records)


def test_logs_name_nobody(caplog):
    recipient = make_recipient()
    post(event(recipient, BouncedAt={"odd": recipient.supporter.email}))
    post(event(recipient), secret="")
    post(event(recipient))

    assert recipient.supporter.email not in caplog.text


def test_database_that_is_away_makes_the_provider_come_again(monkeypatch):
    def away(**_report):
        raise OperationalError

    recipient = make_recipient()
    monkeypatch.setattr(provider_reports, "report", away)

    assert post(event(recipient)).status_code == 503


@pytest.mark.parametrize(
    ("provider", "body", "kind"),
    [
        ("brevo", {"event": "hard_bounce", "reason": "unable to deliver", "X-Mailin-custom": "M", "email": "E", "ts_epoch": 1777809600000}, "hard"),
        ("brevo", {"event": "soft_bounce", "reason": "550 5.1.1", "X-Mailin-custom": "M", "email": "E", "ts_epoch": 1777809600000}, "soft"),
        ("brevo", {"event": "invalid_email", "reason": "", "X-Mailin-custom": "M", "email": "E"}, "hard"),
        ("resend", {"type": "email.bounced", "created_at": "2026-05-03T12:00:00Z", "data": {"email_id": "1", "to": ["E"],
          "bounce": {"message": "The recipient's email provider sent a bounce message because the recipient's inbox was full."},
          "headers": [{"name": "X-Metadata", "value": "M"}]}}, "soft"),
        ("resend", {"type": "email.bounced", "created_at": "2026-05-03T12:00:00Z", "data": {"email_id": "1", "to": ["E"],
          "bounce": {"message": "The recipient's email provider sent a hard bounce message, but didn't specify the reason."},
          "headers": [{"name": "X-Metadata", "value": "M"}]}}, "hard"),
        ("resend", {"type": "email.complained", "created_at": "2026-05-03T12:00:00Z", "data": {"email_id": "1", "to": ["E"],
          "headers": [{"name": "X-Metadata", "value": "M"}]}}, "complaint"),
    ],
)  # fmt: skip
def test_other_providers_are_understood_too(settings, provider, body, kind):
    settings.EMAIL_PROVIDER = provider
    recipient = make_recipient()
    metadata = json.dumps(event(recipient)["Metadata"])
    written = (
        json.dumps(body).replace('"M"', json.dumps(metadata)).replace('"E"', f'"{recipient.supporter.email}"')
    )

    answer = post(written.encode(), provider=provider)

    assert answer.status_code == 200
    assert MailReport.objects.get().kind == kind

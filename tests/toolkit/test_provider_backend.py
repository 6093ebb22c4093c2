"""Whatever a mail provider answers, or doesn't: afterwards it is known whether it took the mail."""

import json
import socket
import threading
from email.utils import parseaddr
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.core.mail import EmailMultiAlternatives, send_mail

from toolkit.emails import (
    Deferred,
    InDoubt,
    RawMail,
    Refused,
    ServerUnavailable,
    answers,
    deliver,
    mailbox,
    open_connection,
)

TAKEN = {
    "ErrorCode": 0,
    "Message": "OK",
    "MessageID": "1-2-3",
    "SubmittedAt": "x",
    "To": "connie@example.org",
}
HANGS_UP = 0


@pytest.fixture
def provider(settings):
    """A provider on loopback; `provider.answer` is its status and JSON, `provider.mails` what it was sent."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            mail = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.mails.append(mail)
            status, said = server.answer
            if status == HANGS_UP:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            body = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.answer, server.mails = (200, TAKEN), []
    settings.EMAIL_BACKEND = "toolkit.provider_backend.ProviderBackend"
    settings.EMAIL_PROVIDER_BACKEND = "anymail.backends.postmark.EmailBackend"
    settings.ANYMAIL = {
        "POSTMARK_SERVER_TOKEN": "key",
        "POSTMARK_API_URL": f"http://127.0.0.1:{server.server_port}/",
        "REQUESTS_TIMEOUT": 5,
    }
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join(10)
    server.server_close()


def message():
    written = EmailMultiAlternatives(
        "Hello",
        "Text",
        "Desk <desk@example.org>",
        ["connie@example.org"],
        headers={"Message-ID": "<1@example.org>"},
    )
    written.attach_alternative("<p>Text</p>", "text/html")
    return written


def raw():
    content = (
        "To: connie@example.org\r\nFrom: Desk <desk@example.org>\r\nSubject: Hello\r\nMessage-ID: <1@example.org>\r\n"
        "Date: Sun, 03 May 2026 12:00:00 +0000\r\nList-Unsubscribe: <https://example.org/unsubscribe/x/>\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\nText\r\n"
    )
    return RawMail("bounces+x@example.org", "connie@example.org", content.encode())


def sent(what=None):
    """The steps of a delivery: only handed over, or also taken."""
    steps = []
    connection = open_connection()
    try:
        deliver(what or message(), connection, before_handover=lambda: steps.append("handed over"))
    finally:
        connection.close()
    return [*steps, "taken"]


@pytest.mark.parametrize("what", [message, raw])
def test_mail_is_taken_and_carries_what_its_reports_will_bring_back(provider, what):
    steps = sent(what())

    (mail,) = provider.mails
    assert steps == ["handed over", "taken"]
    assert mail["Metadata"] == {"mail": "<1@example.org>"}
    assert "desk@example.org" in mail["From"]
    assert "Date" not in {header["Name"] for header in mail.get("Headers", [])}


def test_headers_of_a_mailing_come_along(provider):
    sent(raw())

    headers = {header["Name"]: header["Value"] for header in provider.mails[0]["Headers"]}
    assert headers["List-Unsubscribe"] == "<https://example.org/unsubscribe/x/>"


@pytest.mark.parametrize(
    ("status", "said", "error"),
    [
        (401, {"ErrorCode": 10, "Message": "Bad token"}, ServerUnavailable),
        (429, {}, ServerUnavailable),
        (503, {}, ServerUnavailable),
        (422, {"ErrorCode": 300, "Message": "Invalid request"}, Deferred),
        (422, {"ErrorCode": 406, "Message": "You tried to send to a recipient that has been marked as inactive.\n"
               "Found inactive addresses: connie@example.org.\nInactive recipients are ones ..."}, Refused),
        (500, {}, InDoubt),
        (502, b"<html>", InDoubt),
        (200, b"not JSON", InDoubt),
        (HANGS_UP, {}, InDoubt),
    ],
)  # fmt: skip
def test_each_answer_says_what_became_of_the_mail_and_names_nobody(provider, status, said, error):
    provider.answer = status, said

    with pytest.raises(error) as raised:
        sent()

    assert "connie" not in raised.value.reason


def test_provider_that_cannot_be_reached_has_no_mail(provider, settings):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    settings.ANYMAIL = settings.ANYMAIL | {"POSTMARK_API_URL": f"http://127.0.0.1:{port}/"}

    with pytest.raises(ServerUnavailable):
        sent()


def test_provider_that_says_nothing_may_have_the_mail(settings, provider):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.ANYMAIL = settings.ANYMAIL | {
            "POSTMARK_API_URL": f"http://127.0.0.1:{silent.getsockname()[1]}/",
            "REQUESTS_TIMEOUT": 0.2,
        }

        with pytest.raises(InDoubt):
            sent()


def test_mail_that_is_withdrawn_at_the_last_moment_never_leaves(provider):
    def withdraw():
        raise LookupError

    with pytest.raises(LookupError):
        deliver(message(), open_connection(), before_handover=withdraw)

    assert provider.mails == []


def test_provider_can_be_asked_whether_it_is_there(provider):
    assert answers(open_connection())


def test_mail_of_the_admin_goes_the_same_way(provider):
    assert send_mail("Hello", "Text", "desk@example.org", ["connie@example.org"]) == 1


@pytest.mark.parametrize(
    "name", ["Readers’ Common", "市民の会" * 20, 'The "New" Friends, and others', "Plain"]
)
def test_sender_name_arrives_as_it_is_read_and_not_encoded_twice(provider, name):
    message = EmailMultiAlternatives(
        "Hello", "Hello.", mailbox(name, "desk@example.org"), ["connie@example.org"]
    )

    deliver(message, open_connection(), before_handover=lambda: None)

    assert parseaddr(provider.mails[0]["From"]) == (name, "desk@example.org")

"""Mail as messages, and handing them over to servers good and bad."""

import shutil
import ssl
import subprocess
import time
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import parseaddr
from types import SimpleNamespace

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler
from django.core import mail
from django.core.mail import EmailMessage, get_connection
from django.test import override_settings

from tests.smtp_server import DROP, HANG, RESET, SmtpServer
from toolkit.emails import (
    Deferred,
    DeliveryError,
    InDoubt,
    NoSuchMailbox,
    Refused,
    ServerUnavailable,
    SmtpBackend,
    accent_colors,
    compose,
    deliver,
    open_connection,
)

TIMEOUT = 0.3


# --- Messages ----------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def sample_templates(settings, tmp_path):
    """A mail of its own, so that the wording of real mails can change."""
    folder = tmp_path / "emails"
    folder.mkdir()
    (folder / "sample.subject.txt").write_text("Confirm,\n {{ name }} & co\n")
    (folder / "sample.txt").write_text(
        '{% extends "emails/_layout.txt" %}{% block content %}Dear {{ name }},\n\n\n\n{{ text }}{% endblock %}'
        "{% block why %}You signed.{% endblock %}"
    )
    (folder / "sample.html").write_text(
        '{% extends "emails/_layout.html" %}{% block content %}<p>Dear {{ name }}, {{ text }}</p>'
        '{% include "emails/_button.html" with url="https://example.org/?a=1&b=2" label="Confirm" only %}'
        "{% endblock %}{% block why %}You signed.{% endblock %}"
    )
    engine = settings.TEMPLATES[0]
    settings.TEMPLATES = [{**engine, "DIRS": [tmp_path, *engine["DIRS"]]}]


def organization(**changes):
    return SimpleNamespace(
        **{
            "name": "Friends & Neighbors",
            "parent": "from Larkfield",
            "postal_address": "1 Mill Lane\nLarkfield",
            "privacy_url": "https://example.org/privacy",
            "accent": "#ffcc00",
            **changes,
        }
    )


def composed(name="Ana", text="Hello", accent="#ffcc00", **changes):
    return compose(
        **{
            "template": "sample",
            "context": {"name": name, "text": text, "organization": organization(accent=accent)},
            "from_email": "desk@example.org",
            "from_name": "Friends",
            "to": "ana@example.org",
            "message_id": "<1@example.org>",
            **changes,
        }
    )


def parsed(message):
    return message_from_bytes(message.message().as_bytes(), policy=policy.default)


def html_of(message):
    return message.alternatives[0][0]


def test_message_carries_its_headers():
    found = parsed(composed(reply_to="reply@example.org", headers={"List-Id": "<news.example.org>"}))

    assert str(found["From"]) == "Friends <desk@example.org>"
    assert found["To"] == "ana@example.org"
    assert found["Reply-To"] == "reply@example.org"
    assert found["Message-ID"] == "<1@example.org>"
    assert found["Auto-Submitted"] == "auto-generated"
    assert found["List-Id"] == "<news.example.org>"
    assert abs(found["Date"].datetime.timestamp() - time.time()) < 3600


@pytest.mark.parametrize(
    "name",
    [
        "Plain",
        "Say hi, <you@example.org>",
        'The "New" Friends',
        "Freunde & Ärzte",
        "جمعية " * 40,
        "市民の会",
        "x" * 300,
    ],
)
def test_sender_name_in_any_script_arrives(name):
    header = composed(from_name=name).message()["From"]

    # Not the newer parser, which puts a space between encoded words that belong together.
    shown, address = parseaddr(str(make_header(decode_header(header))))
    assert shown == name.strip()
    assert address == "desk@example.org"
    assert all(len(word) <= 75 for word in header.split() if word.startswith("=?"))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028", "\x85", "\v"])
def test_no_value_can_add_a_header(end):
    sly = f"Ana{end}Bcc: eve@example.org"

    message = composed(name=sly, from_name=sly, message_id=f"<1@x>{end}Bcc: x", headers={"List-Id": sly})

    found = parsed(message)
    assert found["Bcc"] is None
    assert str(found["Subject"]).startswith("Confirm, Ana Bcc: eve@example.org")
    assert message.recipients() == ["ana@example.org"]


def test_lone_surrogates_and_control_characters_do_not_stop_a_mail():
    message = composed(name="A\ud800n\x00a", text="\udfff\x07")

    assert b"\x00" not in message.message().as_bytes()


def test_text_is_not_escaped_and_html_is():
    message = composed(name="<b>O'Neill</b>")

    assert "Dear <b>O'Neill</b>," in message.body
    assert "<b>" not in html_of(message)
    assert str(message.subject) == "Confirm, <b>O'Neill</b> & co"


def test_text_has_no_piled_up_empty_lines():
    assert "\n\n\n" not in composed().body


def test_both_forms_say_who_writes_and_why():
    message = composed()

    for text in (message.body, html_of(message).replace("&amp;", "&")):
        for words in (
            "Friends & Neighbors",
            "from Larkfield",
            "1 Mill Lane",
            "https://example.org/privacy",
            "You signed.",
        ):
            assert words in text


def test_missing_details_of_the_organization_leave_no_traces():
    message = composed(
        context={"organization": organization(parent="", postal_address="", privacy_url="", accent="")}
    )

    assert "Privacy" not in message.body + html_of(message)
    assert "None" not in message.body + html_of(message)
    assert ", \n" not in message.body


def test_html_styles_are_inline_but_for_dark_and_narrow_views():
    html = html_of(composed())

    style = html[html.index("<style>") : html.index("</style>")]
    assert "prefers-color-scheme: dark" in style
    assert "max-width: 480px" in style
    assert ".button-face" not in style
    assert "background-color: #ffcc00" in html[html.index("</style>") :]
    assert 'href="https://example.org/?a=1&amp;b=2"' in html


@pytest.mark.parametrize("accent", ["", "red;} body{display:none", None, "#12345"])
def test_unusable_accent_falls_back(accent):
    assert accent_colors(accent) == accent_colors("#1f3d5c")


def test_international_domains_are_sent_as_ascii():
    message = composed(to="ana@straße.example", from_email="desk@münchen.example")

    assert message.to == ["ana@xn--strae-oqa.example"]
    assert message.from_email == "Friends <desk@xn--mnchen-3ya.example>"


# --- Handing over ------------------------------------------------------------------------------------------


def plain(body="Hello\n", **changes):
    return EmailMessage(
        **{
            "subject": "Grüße",
            "body": body,
            "from_email": "Desk <desk@example.org>",
            "to": ["ana.lee@example.org"],
            **changes,
        }
    )


def connection_to(server, **options):
    return SmtpBackend(
        **{
            "host": "127.0.0.1",
            "port": server.port,
            "username": "",
            "password": "",
            "timeout": TIMEOUT,
            **options,
        }
    )


def attempt(server, message=None, **options):
    """The outcome's class (None for success), its reason, and what the server had when `before_handover` came."""
    connection = connection_to(server, **options)
    seen = []
    try:
        deliver(
            message or plain(),
            connection,
            before_handover=lambda: seen.append((len(server.mails), list(server.commands))),
        )
        outcome = None, ""
        connection.close()
    except DeliveryError as error:
        assert connection.connection is None
        outcome = type(error), error.reason
    return (*outcome, seen)


def test_mail_arrives_whole_at_a_real_server():
    arrived = []

    class Keep(MessageHandler):
        def handle_message(self, message):
            arrived.append(message)

    body = "\n".join(["Grüße", ".", "..two", ".one", "x" * 3000, "日本語" * 500, "From here", "end"])
    # Port 0 is not for aiosmtpd, which connects to the port it was given to see whether it is up.
    with SmtpServer() as free:
        port = free.port
    server = Controller(Keep(), hostname="127.0.0.1", port=port)
    server.start()
    try:
        connection = SmtpBackend(host="127.0.0.1", port=port, timeout=10)
        deliver(composed(name="Zoë", text=body), connection, before_handover=lambda: None)
        connection.close()
    finally:
        server.stop(no_assert=True)

    (message,) = arrived
    found = message_from_bytes(message.as_bytes(), policy=policy.default)
    text = found.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert body in text
    assert found["Subject"] == "Confirm, Zoë & co"
    assert message["X-MailFrom"] == "desk@example.org"
    assert message["X-RcptTo"] == "ana@example.org"


def test_callback_comes_once_and_before_the_server_has_the_mail():
    with SmtpServer() as server:
        outcome, _, seen = attempt(server)

    assert outcome is None
    assert [count for count, _ in seen] == [0]
    assert seen[0][1][-1] == b"data"
    assert len(server.mails) == 1


def test_connection_is_used_again():
    with SmtpServer() as server:
        connection = connection_to(server)
        for _ in range(3):
            deliver(plain(), connection, before_handover=lambda: None)
        connection.close()

    assert len(server.mails) == 3
    assert server.connections == 1


@pytest.mark.parametrize(
    "answer", [[b"250 OK\r\n", DROP, b"250 OK\r\n"], [b"250 OK\r\n", b"421 Enough\r\n", b"250 OK\r\n"]]
)
def test_connection_that_went_stale_is_opened_again(answer):
    with SmtpServer({"MAIL": answer}) as server:
        connection = connection_to(server)
        for _ in range(2):
            deliver(plain(), connection, before_handover=lambda: None)
        connection.close()

    assert len(server.mails) == 2
    assert server.connections == 2


def test_lines_beginning_with_dots_are_stuffed_and_bare_line_ends_made_whole():
    with SmtpServer() as server:
        attempt(server, plain(body="one\n.\n.two\r.\rthree\r\n..four"))

    content = server.mails[0].split(b"\r\n\r\n", 1)[1]
    assert content == b"one\r\n..\r\n..two\r\n..\r\nthree\r\n...four\r\n"


def test_eight_bit_mail_is_announced():
    with SmtpServer() as server:
        attempt(server, plain(body="Grüße"))

    assert b"body=8bitmime" in next(line for line in server.commands if line.startswith(b"mail")).lower()
    assert "Grüße".encode() in server.mails[0]


def test_server_that_knows_only_seven_bits_gets_them():
    with SmtpServer({"EHLO": b"250 old.example\r\n"}) as server:
        attempt(server, plain(body="Grüße\n.\n"))

    found = message_from_bytes(server.mails[0].replace(b"\r\n..", b"\r\n."), policy=policy.default)
    assert server.mails[0].isascii()
    assert found.get_content().split() == ["Grüße", "."]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"connect": b"421 Too busy\r\n"}, ServerUnavailable),
        ({"connect": b"554 Go away\r\n"}, ServerUnavailable),
        ({"connect": DROP}, ServerUnavailable),
        ({"connect": HANG}, ServerUnavailable),
        ({"connect": b"hello?\r\n"}, ServerUnavailable),
        ({"EHLO": b"500 No\r\n", "HELO": b"500 No\r\n"}, ServerUnavailable),
        ({"EHLO": HANG}, ServerUnavailable),
        ({"MAIL": b"450 Slow down\r\n"}, ServerUnavailable),
        ({"MAIL": b"550 Not from you\r\n"}, ServerUnavailable),
        ({"MAIL": b"552 Too big\r\n"}, Refused),
        ({"RCPT": b"421 Closing\r\n"}, ServerUnavailable),
        ({"RCPT": b"451 Try later\r\n"}, Deferred),
        ({"RCPT": b"550 No such user\r\n"}, NoSuchMailbox),
        ({"RCPT": b"550 5.1.1 No such user\r\n"}, NoSuchMailbox),
        ({"RCPT": b"551 User not local\r\n"}, NoSuchMailbox),
        ({"RCPT": b"553-5.1.3 Bad mailbox\r\n553 5.1.3 name\r\n"}, NoSuchMailbox),
        ({"RCPT": b"552 5.2.2 Mailbox full\r\n"}, Refused),
        ({"RCPT": b"550 5.7.1 Not wanted\r\n"}, Refused),
        ({"RCPT": b"550 5.1.8 Bad sender domain\r\n"}, Refused),
        ({"RCPT": b"550 5.1.10 Null MX\r\n"}, NoSuchMailbox),
        ({"RCPT": b"550 Your network is on our block list\r\n"}, Refused),
        ({"DATA": b"550 5.1.1 No such user\r\n"}, Refused),
        ({"RCPT": b"554 5.7.1 Relay access denied\r\n"}, ServerUnavailable),
        ({"RCPT": b"530 5.7.0 Authentication required\r\n"}, ServerUnavailable),
        ({"RCPT": b"???\r\n"}, ServerUnavailable),
        ({"RCPT": DROP}, ServerUnavailable),
        ({"RCPT": HANG}, ServerUnavailable),
        ({"DATA": b"451 Later\r\n"}, Deferred),
        ({"DATA": b"554 No\r\n"}, Refused),
        ({"DATA": b"250 What?\r\n"}, ServerUnavailable),
    ],
)
def test_trouble_before_the_content_never_comes_near_the_handover(answers, expected):
    with SmtpServer(answers) as server:
        outcome, _, seen = attempt(server)

    assert outcome is expected
    assert seen == []
    assert server.mails == []


def test_no_server_at_all():
    with SmtpServer() as server:
        pass

    outcome, reason, seen = attempt(server)

    assert (outcome, seen) == (ServerUnavailable, [])
    assert reason.startswith("ConnectionRefusedError")


@pytest.mark.parametrize("host", ["x" * 80 + ".example", "\ud800", "no such host.invalid", "a..b"])
def test_impossible_host_is_an_unavailable_server(host):
    with SmtpServer() as server:
        outcome, _, _ = attempt(server, host=host)

    assert outcome is ServerUnavailable


def test_refused_login_concerns_the_whole_queue():
    answers = {"EHLO": b"250-x\r\n250 AUTH PLAIN\r\n", "AUTH": b"535 5.7.8 desk@example.org unknown\r\n"}
    with SmtpServer(answers) as server:
        outcome, reason, _ = attempt(server, username="desk@example.org", password="secret")

    assert outcome is ServerUnavailable
    assert reason == "535 5.7.8 … unknown"


@pytest.mark.parametrize("ending", [DROP, RESET])
def test_connection_lost_in_the_content_is_before_the_handover(ending):
    with SmtpServer({"content": ending}) as server:
        outcome, _, seen = attempt(server, plain(body=f"{'x' * 900}\n" * 10_000), timeout=10)

    assert (outcome, seen) == (ServerUnavailable, [])


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"dot": b"451 Greylisted\r\n"}, Deferred),
        ({"dot": b"552 Too big\r\n"}, Refused),
        ({"dot": b"554 Spam\r\n"}, Refused),
        ({"dot": b"421 Closing\r\n"}, ServerUnavailable),
        ({"dot": DROP}, InDoubt),
        ({"dot": RESET}, InDoubt),
        ({"dot": HANG}, InDoubt),
        ({"dot": b"ok, I think\r\n"}, InDoubt),
        ({"dot": b"354 More?\r\n"}, InDoubt),
    ],
)
def test_answer_to_the_dot_decides(answers, expected):
    with SmtpServer(answers) as server:
        outcome, _, seen = attempt(server)

    assert outcome is expected
    assert len(seen) == 1


def test_server_that_says_no_in_the_middle_is_heard_before_the_handover():
    with SmtpServer({"content": b"552 Too big\r\n"}) as server:
        outcome, _, seen = attempt(server, plain(body=f"{'x' * 900}\n" * 10_000), timeout=10)

    assert (outcome, seen) == (Refused, [])
    assert server.mails == []


def test_failing_callback_leaves_the_mail_unsent():
    with SmtpServer() as server:
        connection = connection_to(server)
        with pytest.raises(OSError, match="database is gone"):
            deliver(
                plain(),
                connection,
                before_handover=lambda: (_ for _ in ()).throw(OSError("database is gone")),
            )
        assert connection.connection is None
        deliver(plain(body="second"), connection, before_handover=lambda: None)
        connection.close()

    assert len(server.mails) == 1
    assert b"second" in server.mails[0]


@pytest.mark.parametrize(
    "text",
    [
        b"<ana.lee@example.org>: no such user",
        b"user ana.lee unknown",
        b"ANA.LEE@EXAMPLE.ORG rejected; see desk@example.org",
        b"rejected: ana.lee@example.org,\r\n",
        "ü\xff".encode("latin-1") + b" mailto:ana.lee@example.org",
    ],
)
def test_reasons_never_name_an_address(text):
    with SmtpServer({"RCPT": b"550 " + text.strip() + b"\r\n"}) as server:
        _, reason, _ = attempt(server)

    assert reason.startswith("550 ")
    assert "ana.lee" not in reason.lower()
    assert "@" not in reason
    assert "\n" not in reason


def test_endless_reasons_are_cut():
    with SmtpServer(
        {"RCPT": b"".join(b"550-" + b"x" * 400 + b"\r\n" for _ in range(50)) + b"550 x\r\n"}
    ) as server:
        outcome, reason, _ = attempt(server)

    assert outcome is NoSuchMailbox
    assert len(reason) < 300


@pytest.mark.parametrize(
    "to", ["ana@exa mple.org", "änne@example.org", "ana", "a\nb@example.org", "ana@", "\ud800@example.org"]
)
def test_impossible_recipient_is_refused_without_naming_it(to):
    with SmtpServer() as server:
        outcome, reason, seen = attempt(server, plain(to=[to]))

    assert (outcome, seen) == (Refused, [])
    assert to not in reason


def test_other_backends_get_the_mail_after_the_callback():
    seen = []

    deliver(plain(), get_connection(), before_handover=lambda: seen.append(len(mail.outbox)))

    assert seen == [0]
    assert len(mail.outbox) == 1


def test_other_backends_get_nothing_when_the_callback_fails():
    def fail():
        raise RuntimeError

    with pytest.raises(RuntimeError):
        deliver(plain(), get_connection(), before_handover=fail)

    assert mail.outbox == []


def test_files_can_take_mail(tmp_path):
    backend = "django.core.mail.backends.filebased.EmailBackend"
    with override_settings(EMAIL_BACKEND=backend, EMAIL_FILE_PATH=str(tmp_path / "mail")):
        connection = open_connection()
        for _ in range(2):
            deliver(plain(), connection, before_handover=lambda: None)

    (file,) = (tmp_path / "mail").iterdir()
    assert file.read_text().count("Message-ID:") == 2


def test_unwritable_folder_is_an_unavailable_server(tmp_path):
    connection = get_connection(
        "django.core.mail.backends.filebased.EmailBackend", file_path=str(tmp_path / "mail")
    )
    (tmp_path / "mail").rmdir()
    seen = []

    with pytest.raises(ServerUnavailable):
        deliver(plain(), connection, before_handover=lambda: seen.append(1))

    assert seen == []


@pytest.mark.parametrize(
    "name", ["toolkit.emails.SmtpBackend", "django.core.mail.backends.smtp.EmailBackend"]
)
def test_smtp_is_always_ours_and_never_waits_for_ever(name):
    with override_settings(EMAIL_BACKEND=name, EMAIL_TIMEOUT=None):
        connection = open_connection()

    assert isinstance(connection, SmtpBackend)
    assert connection.timeout == 10


@pytest.mark.parametrize("from_the_start", [True, False])
def test_encrypted_connections_deliver_too(from_the_start, tmp_path):
    with SmtpServer(tls=_server_tls(tmp_path), tls_from_the_start=from_the_start) as server:
        server.answers["EHLO"] = (
            [b"250-x\r\n250 STARTTLS\r\n", b"250 x\r\n"] if not from_the_start else b"250 x\r\n"
        )
        connection = connection_to(server, use_ssl=from_the_start, use_tls=not from_the_start, timeout=10)
        connection.ssl_context = ssl.create_default_context(cafile=tmp_path / "cert.pem")
        deliver(plain(), connection, before_handover=lambda: None)
        connection.close()

    assert len(server.mails) == 1


def test_untrusted_certificate_is_an_unavailable_server(tmp_path):
    with SmtpServer(tls=_server_tls(tmp_path), tls_from_the_start=True) as server:
        outcome, reason, seen = attempt(server, use_ssl=True, timeout=10)

    assert (outcome, seen) == (ServerUnavailable, [])
    assert reason.startswith("SSLCertVerificationError")


def test_what_a_server_says_before_encryption_does_not_count_after_it(tmp_path):
    answers = {"EHLO": b"250 STARTTLS\r\n", "STARTTLS": b"220 Go\r\n250 forged\r\n"}
    with SmtpServer(answers, tls=_server_tls(tmp_path)) as server:
        server.answers["EHLO"] = [b"250-x\r\n250 STARTTLS\r\n", b"550 The true answer\r\n"]
        server.answers["HELO"] = b"550 The true answer\r\n"
        connection = connection_to(server, use_tls=True, timeout=10)
        connection.ssl_context = ssl.create_default_context(cafile=tmp_path / "cert.pem")
        with pytest.raises(ServerUnavailable, match="550 The true answer"):
            deliver(plain(), connection, before_handover=lambda: None)

    assert server.mails == []


def _server_tls(folder):
    """A server's TLS with a certificate made for 127.0.0.1."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the openssl command")
    options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1"
    names = "-addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem"
    command = [openssl, *options.split(), *names.split()]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context

"""Whatever happens, nothing that is logged or reported says whom it happened to."""

import io
import json
import logging
import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import DataError, OperationalError
from django.test import Client, override_settings
from django.utils import timezone

from config import watching, worker
from mailings.bounces import take
from mailings.sending import send_some
from signers import erasing, folding
from signers import views as signing_views
from signers.models import Supporter
from signers.sending import send_due
from tests.factories import (
    make_edition,
    make_mail,
    make_mailing,
    make_petition,
    make_recipient,
    make_signature,
    make_submission,
    make_subscription,
)
from tests.mailings.bounce_samples import POSTFIX, filled
from tests.people import Person, work
from tests.smtp_server import DROP, SmtpServer
from toolkit.bounce_addresses import COPY, mark
from toolkit.log_privacy import JsonLines, WithoutSecrets

FIRST, LAST, EMAIL, COMMENT = "Philippina", "Zwetschge", "pflaume.zw@private.example", "Because of my hip"
NETWORK, NETWORK_6 = "203.0.113.77", "2001:db8:77::5"
WHO = (FIRST, LAST, "pflaume", "private.example", COMMENT, NETWORK, NETWORK_6)


@pytest.fixture
def log():
    """`log()` is all that was logged so far, as text and as JSON."""
    streams = {"text": io.StringIO(), "json": io.StringIO()}
    formatters = {
        "text": logging.Formatter("{asctime} {levelname} {name} {message}", style="{"),
        "json": JsonLines(),
    }
    handlers = []
    for name, stream in streams.items():
        handler = logging.StreamHandler(stream)
        handler.setFormatter(formatters[name])
        handler.addFilter(WithoutSecrets())
        logging.getLogger().addHandler(handler)
        handlers.append(handler)
    yield lambda: {name: stream.getvalue() for name, stream in streams.items()}
    for handler in handlers:
        logging.getLogger().removeHandler(handler)


@pytest.fixture
def philippina(monkeypatch):
    """Whose every request is slow enough to be logged."""
    monkeypatch.setattr(watching, "SLOW", -1)
    visitor = Client(enforce_csrf_checks=True, raise_request_exception=False, REMOTE_ADDR=NETWORK)
    return Person(FIRST, LAST, EMAIL, visitor)


def exploding(error):
    def explode(*_arguments, **_fields):
        raise error

    return explode


def what_was_typed():
    """As an error of Python's own quotes it."""
    return ValueError(f"invalid literal: {FIRST} {LAST} <{EMAIL}> {COMMENT} from {NETWORK}")


def test_whole_story_names_nobody(log, philippina, db, monkeypatch):
    yesterday = timezone.now() - timedelta(days=1)
    petition = make_petition(at=yesterday)
    philippina.signs(petition, comment=COMMENT)
    philippina.signs(petition, email="not an address", first_name=FIRST)
    work()
    confirm, not_me = philippina.link("confirm"), philippina.link("not-me")
    philippina.confirms()
    philippina.presses("/me/", email=EMAIL)
    work()
    own_page = philippina.link("me")
    philippina.opens(own_page)
    philippina.opens(own_page + "data.json")
    supporter = Supporter.objects.get()
    copy = copy_of_a_mailing(make_petition(letter=petition.letter, at=yesterday), supporter)
    send_some(at=timezone.now())
    unsubscribe, dear = philippina.link("unsubscribe"), philippina.link("dear")
    philippina.opens(dear)
    philippina.opens(f"/petitions/{petition.slug}/you/")
    philippina.presses(unsubscribe)
    take(filled(POSTFIX, mark=mark(COPY, copy.pk, to=EMAIL)), at=timezone.now())

    odd_requests(philippina, petition)
    mail_server_that_quotes(petition)
    errors_that_quote(philippina, petition, monkeypatch)
    erasing.erase(supporter_id=supporter.pk, at=timezone.now())

    tokens = [path.split("/")[2] for path in (confirm, not_me, own_page, unsubscribe, dear)]
    for written in log().values():
        assert [secret for secret in (*WHO, *tokens) if secret.lower() in written.lower()] == []
        # Something was logged indeed: requests, mails, errors in web and worker.
        assert "was answered 500" in written
        assert "The job “fold” failed: DataError" in written
        assert "was answered 303" in written
        assert "is in doubt" in written
        assert "is parked" in written
        assert "ValueError" in written
    assert {frozenset(json.loads(line)) for line in log()["json"].splitlines()} <= {
        frozenset(fields)
        for fields in (PLAIN, PLAIN | {"trace"}, PLAIN | {"route", "method", "status", "milliseconds"})
    }


PLAIN = {"time", "level", "logger", "message", "process"}


def copy_of_a_mailing(petition, supporter):
    make_subscription(supporter, petition.campaign.organization)
    edition = make_edition(
        make_mailing(petition.campaign, starts_at=timezone.now() - timedelta(hours=1)), petition
    )
    return make_recipient(edition, supporter=supporter)


def odd_requests(person, petition):
    person.opens(f"/nowhere/{EMAIL}/?email={EMAIL}")
    person.opens(f"/confirm/{FIRST}/")
    person.client.get("/", headers={"host": f"{LAST}.example"})
    person.client.post("/admin/login/", {"username": EMAIL, "password": LAST})
    person.client.post(
        f"/petitions/{petition.slug}/sign/", {"email": EMAIL}, headers={"origin": f"https://{LAST}.example"}
    )


def mail_server_that_quotes(petition):
    """Its answers name the mailbox; one takes the mail and says nothing more."""
    about = f"550 5.1.1 <{EMAIL}>: {FIRST} {LAST} is unknown from {NETWORK}\r\n".encode()
    for number, answers in enumerate(({"RCPT": about}, {"connect": about}, {"dot": DROP})):
        make_mail(make_signature(petition, email=f"{number}.{EMAIL}", first_name=FIRST, at=timezone.now()))
        with (
            SmtpServer(answers) as server,
            override_settings(
                EMAIL_BACKEND="toolkit.emails.SmtpBackend", EMAIL_HOST="127.0.0.1", EMAIL_PORT=server.port
            ),
        ):
            worker.send_some_of(
                lambda at: send_due(at=at),
                worker.Backoff("The database", (1,)),
                worker.Backoff("The mail server", (1,)),
            )


def errors_that_quote(person, petition, monkeypatch):
    backoff = worker.Backoff("The database", (1,))
    database = OperationalError(
        f"server closed the connection\nDETAIL: Failing row contains ({FIRST}, {EMAIL})."
    )
    for error in (what_was_typed(), KeyError(EMAIL), DataError(f"bad value {LAST}"), database):
        with monkeypatch.context() as patch:
            patch.setattr(signing_views, "submit", exploding(error))
            patch.setattr(folding.Batch, "take", exploding(what_was_typed()))
            person.signs(petition, comment=COMMENT)
            make_submission(petition, first_name=FIRST, email=EMAIL, received_at=timezone.now())
            folding.fold(at=timezone.now())
    job = worker.Job("fold", exploding(DataError(f"invalid {LAST} {EMAIL}")), timedelta(seconds=1))
    with monkeypatch.context() as patch:
        patch.setattr(worker.connection, "close", lambda: None)
        worker.run_due([job], timezone.now(), backoff)
    try:
        try:
            raise what_was_typed()
        except ValueError as error:
            raise RuntimeError(EMAIL) from error
    except RuntimeError:
        logging.getLogger("signers").exception("Could not be done for %s\nat %s", EMAIL, NETWORK_6)
    logging.getLogger("signers").error("%d values", FIRST)


def test_slow_request_is_told_by_its_route(log, philippina, db):
    philippina.opens(f"/confirm/{LAST}-token/?x={LAST}")

    told = json.loads(log()["json"].splitlines()[-1])
    assert (told["route"], told["method"], told["status"], told["level"]) == (
        "confirm",
        "GET",
        404,
        "WARNING",
    )
    assert isinstance(told["milliseconds"], int)
    assert " GET of the page “confirm” was answered 404 after " in log()["text"]


def test_quick_request_is_not_told(log, client, db):
    client.get("/")

    assert log()["json"] == ""


@pytest.mark.parametrize(
    ("message", "arguments", "written"),
    [
        ("%s", ["\ud800 lone\x00"], "\ud800 lone\x00"),
        ("ends\r\n2026-01-01 CRITICAL forged", [], "ends  2026-01-01 CRITICAL forged"),
        ("%d", ["no number"], "%d"),
        (
            "from ::ffff:203.0.113.7 or 198.51.100.2:443",
            [],
            "from [network address] or [network address]:443",
        ),
        ("silent since 12:34:56", [], "silent since 12:34:56"),
        ("Listening at: http://127.0.0.1:8000", [], "Listening at: http://127.0.0.1:8000"),
        ("release 5.2.19", [], "release 5.2.19"),
    ],
)
def test_whatever_is_logged_is_one_line_of_json(message, arguments, written):
    record = logging.LogRecord("x", logging.INFO, __file__, 1, message, tuple(arguments), None)
    record.request = object()

    WithoutSecrets().filter(record)
    line = JsonLines().format(record)

    assert "\n" not in line
    assert json.loads(line)["message"] == written


def test_error_whose_text_cannot_be_had_is_logged_by_its_kind(log):
    class Unspeakable(TypeError):
        def __str__(self):
            raise RuntimeError(EMAIL)

    Unspeakable.__name__ = "TypeError"
    try:
        raise Unspeakable
    except TypeError:
        logging.getLogger("x").exception("Failed")

    assert log()["text"].endswith("\nTypeError\n")


# --- Sentry --------------------------------------------------------------------------------------------------

# In a process of its own: the SDK changes Django for good.
REPORTS = """
import json, sys
import django
django.setup()
from django.conf import settings
plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
import sentry_sdk
from django.test import Client
from config import error_reports
from signers import views
from staff import site_state

class Caught(sentry_sdk.transport.Transport):
    def capture_envelope(self, envelope):
        for item in envelope.items:
            print(json.dumps([item.type, item.payload.json]))

first, email, network = sys.argv[1:]
error_reports.start(transport=Caught)

def explode(slug):
    typed = {"email": email}
    int(typed["email"])

views.live_page = explode
site_state.remember(site_state.Notice(), for_seconds=60)
visitor = Client(raise_request_exception=False, REMOTE_ADDR=network)
visitor.cookies["staff"] = first
visitor.post(
    f"/petitions/{first}/sign/?token={first}",
    {"first_name": first, "email": email},
    headers={"sec-fetch-site": "same-origin", "user-agent": first, "authorization": first},
)
import logging
import os
logging.getLogger("signers").error("Not for %s", email)
try:
    raise KeyError(email)
except KeyError as error:
    error.add_note(email)
    sentry_sdk.set_user({"email": email})
    sentry_sdk.set_tag("who", first)
    sentry_sdk.add_breadcrumb(message=email)
    error_reports.report(error)
sentry_sdk.flush()
"""


def test_reported_errors_name_nobody():
    run = subprocess.run(
        [sys.executable, "-c", REPORTS, FIRST, EMAIL, NETWORK],
        capture_output=True,
        text=True,
        check=True,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SENTRY_DSN": "http://key@127.0.0.1:9/1",
            "DATABASE_URL": "sqlite://:memory:",
        },
    )

    reported = [json.loads(line) for line in run.stdout.splitlines()]
    assert [secret for secret in WHO if secret.lower() in run.stdout.lower()] == []
    assert [kind for kind, _event in reported] == ["event"] * len(reported)
    kinds = [event["exception"]["values"][-1]["type"] for _kind, event in reported if "exception" in event]
    assert kinds == ["ValueError", "KeyError"]
    frames = [
        frame["function"] for frame in reported[0][1]["exception"]["values"][-1]["stacktrace"]["frames"]
    ]
    assert frames[-1] == "explode"

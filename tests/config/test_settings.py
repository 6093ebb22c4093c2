"""A wrong setting stops the start with one line that names the variable."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
GOOD = {
    "SECRET_KEY": "invented-for-this-test-and-long-enough-to-pass-0123456789",
    "SITE_URL": "https://petitions.example.org",
    "ALLOWED_HOSTS": "petitions.example.org",
    "DATABASE_URL": "sqlite://:memory:",
    "EMAIL_URL": "smtp://mail.example.org:25",
}


def start(**changes: str | None) -> subprocess.CompletedProcess[str]:
    """Runs `check --deploy` in a process of its own, with the environment of a documented production site."""
    return run("manage.py", "check", "--deploy", "--fail-level", "WARNING", **changes)


def read(name: str, **changes: str | None) -> Any:
    """One setting as such a process reads it, by way of JSON."""
    code = f"import json; from config import settings; print(json.dumps(settings.{name}))"
    return json.loads(run("-c", code, **changes).stdout)


def run(*command: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    environment |= {name: value for name, value in (GOOD | changes).items() if value is not None}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_documented_production_settings_are_silent() -> None:
    run = start()

    assert run.returncode == 0, run.stderr
    assert "no issues (0 silenced)" in run.stdout


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", None),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "change-me-change-me-change-me-change-me-change-me"),
        ("SITE_URL", None),
        ("SITE_URL", "petitions.example.org"),
        ("SITE_URL", "https://petitions.example.org/path"),
        ("SITE_URL", "https://petitions.example.org:door"),
        ("SITE_URL", "https://[petitions.example.org"),
        ("SITE_URL", "https://robin:secret@petitions.example.org"),
        ("ALLOWED_HOSTS", "*"),
        ("ALLOWED_HOSTS", "petitions.example.org,*"),
        ("ALLOWED_HOSTS", ".example.org"),
        ("DATABASE_URL", "mysql://root@localhost/x"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "sqlite:////dev/null/undersigned.sqlite3"),
        ("EMAIL_URL", "carrier-pigeon://home"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,everybody"),
        ("EMAIL_PROVIDER", "pigeonpost"),
        ("BOUNCE_ADDRESS", "bounces"),
        ("BOUNCE_ADDRESS", "bounces+tag@mail.example.org"),
        ("BOUNCE_ADDRESS", f"{'b' * 31}@mail.example.org"),
        ("BOUNCE_MAILBOX", "pop3://robin:word@mail.example.org"),
        ("BOUNCE_MAILBOX", "imap://robin:word@mail.example.org"),
        ("BOUNCE_MAILBOX", "imaps://mail.example.org"),
        ("BOUNCE_MAILBOX", "imaps://robin:word@mail.example.org:door"),
        ("BOUNCE_MAILBOX", "imaps://robin:wo%0Ard@mail.example.org"),
        ("DATABASE_POOLER", "session"),
        ("MAIL_CONNECTIONS", "many"),
        ("MAIL_CONNECTIONS", "0"),
        ("DEBUG", "perhaps"),
        ("TIME_ZONE", "Mars/Olympus"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_line(name: str, value: str | None) -> None:
    run = start(**{name: value})

    assert run.returncode != 0
    lines = run.stderr.strip().splitlines()
    assert len(lines) == 1, run.stderr
    assert name in lines[0]
    if value:
        assert "invented-for-this-test" not in run.stderr


PROVIDER = {
    "EMAIL_PROVIDER": "postmark",
    "EMAIL_PROVIDER_KEY": "key-of-the-provider",
    "EMAIL_PROVIDER_SECRET": "a-secret-for-reports-0123456789",
}


def test_mail_provider_is_silent_when_complete() -> None:
    run = start(**PROVIDER)

    assert run.returncode == 0, run.stderr
    assert "no issues (0 silenced)" in run.stdout


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EMAIL_PROVIDER_KEY", None),
        ("EMAIL_PROVIDER_SECRET", None),
        ("EMAIL_PROVIDER_SECRET", "short"),
        ("EMAIL_PROVIDER_SECRET", "with-an-@-that-no-address-can-hold"),
        ("EMAIL_PROVIDER_OPTIONS", "MAILGUN_API_URL"),
        ("BOUNCE_ADDRESS", "bounces@mail.example.org"),
    ],
)
def test_an_incomplete_mail_provider_stops_the_start_with_one_line(name: str, value: str | None) -> None:
    run = start(**PROVIDER | {name: value})

    assert run.returncode != 0
    lines = run.stderr.strip().splitlines()
    assert len(lines) == 1, run.stderr
    assert name in lines[0]
    assert "key-of-the-provider" not in run.stderr


def test_options_of_a_mail_provider_are_passed_on_but_cannot_open_its_reports() -> None:
    given = "POSTMARK_MESSAGE_STREAM=mailings,WEBHOOK_SECRET=known:to-all"

    settings = read("ANYMAIL", **PROVIDER, EMAIL_PROVIDER_OPTIONS=given)

    assert settings["POSTMARK_MESSAGE_STREAM"] == "mailings"
    assert settings["WEBHOOK_SECRET"] == "reports:a-secret-for-reports-0123456789"


def test_mail_provider_is_told_to_track_nobody() -> None:
    assert read("ANYMAIL", **PROVIDER)["SEND_DEFAULTS"] == {"track_opens": False, "track_clicks": False}


def test_mailbox_for_bounces_is_read_from_its_address() -> None:
    assert read(
        "BOUNCE_MAILBOX", BOUNCE_MAILBOX="imaps://us%40example.org:w%3Ard@mail.example.org/Bounces/New"
    ) == {
        "secure": True,
        "host": "mail.example.org",
        "port": 993,
        "user": "us@example.org",
        "password": "w:rd",
        "folder": "Bounces/New",
    }


def test_options_in_the_address_of_the_database_are_heeded() -> None:
    address = "postgres://robin:word@db.example.org/petitions?sslmode=verify-full&conn_max_age=5"

    database = read("DATABASES", DATABASE_URL=address)["default"]

    assert database["OPTIONS"]["sslmode"] == "verify-full"
    assert database["OPTIONS"]["connect_timeout"] == 3
    assert database["CONN_MAX_AGE"] == 5


def test_options_for_the_server_come_after_our_limits() -> None:
    address = "postgres://db.example.org/petitions?options=-c%20statement_timeout%3D9s"

    options = read("DATABASES", DATABASE_URL=address)["default"]["OPTIONS"]["options"]

    assert "idle_in_transaction_session_timeout=120s" in options
    assert options.endswith(" -c statement_timeout=9s")


def test_hosts_may_stand_with_blanks_between_them() -> None:
    hosts = read("ALLOWED_HOSTS", ALLOWED_HOSTS="petitions.example.org, www.example.org")

    assert hosts == ["petitions.example.org", "www.example.org"]


def test_empty_list_of_hosts_is_the_host_of_the_site() -> None:
    assert read("ALLOWED_HOSTS", ALLOWED_HOSTS="") == ["petitions.example.org"]


def test_behind_a_pooler_nothing_is_asked_of_a_session() -> None:
    through = {
        "DATABASE_URL": "postgres://undersigned@pooler.example:6432/undersigned",
        "DATABASE_POOLER": "transaction",
    }

    database = read("DATABASES", **through)["default"]

    assert database["DISABLE_SERVER_SIDE_CURSORS"] is True
    assert "options" not in database["OPTIONS"]
    assert database["OPTIONS"]["connect_timeout"]


def test_without_a_pooler_statements_have_a_limit() -> None:
    database = read("DATABASES", DATABASE_URL="postgres://undersigned@db.example/undersigned")["default"]

    assert "statement_timeout" in database["OPTIONS"]["options"]
    assert "DISABLE_SERVER_SIDE_CURSORS" not in database

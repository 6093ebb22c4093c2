"""The demo's setting up; running it is what `make demo` does."""

import os
import socket
import stat

import demo
import environ
import pytest

from signers.demo import STAFF


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    """The demo's files in a folder whose name needs quoting in a URL."""
    folder = tmp_path / "a folder+with %20 odd näme"
    folder.mkdir()
    monkeypatch.setattr(demo, "VAR", folder)
    monkeypatch.setattr(demo, "DATABASE", folder / "undersigned.sqlite3")
    monkeypatch.setattr(demo, "MAIL", folder / "mail")
    monkeypatch.setattr(demo, "PASSWORD", folder / "demo-password")
    return folder


def test_announces_the_staff_that_is_made():
    assert set(demo.STAFF) == set(STAFF)


def test_database_and_mail_are_its_own_whatever_the_shell_says(own_folder, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://live.example.org/petitions")
    monkeypatch.setenv("EMAIL_URL", "smtp://mail.example.org")

    settings = demo.settings("127.0.0.1", 8000)

    database = environ.Env.db_url_config(settings["DATABASE_URL"])
    assert database["NAME"] == str(own_folder / "undersigned.sqlite3")
    assert settings["EMAIL_URL"].startswith("filemail:///")


def test_secrets_are_made_once_and_readable_by_their_owner_only(own_folder):
    first, second = demo.settings("127.0.0.1", 8000), demo.settings("127.0.0.1", 8001)

    assert len(first["SECRET_KEY"]) >= 50
    assert len(first["DEMO_PASSWORD"]) >= 12
    assert [first[name] for name in ("SECRET_KEY", "DEMO_PASSWORD")] == [
        second[name] for name in ("SECRET_KEY", "DEMO_PASSWORD")
    ]
    assert {stat.S_IMODE(file.stat().st_mode) for file in own_folder.glob("demo-*")} == {0o600}


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "80 ", "٨٠", "9" * 5000])
def test_a_wrong_port_is_one_clear_line(port, monkeypatch):
    monkeypatch.setenv("HOST", "127.0.0.1")
    monkeypatch.setenv("PORT", port)

    with pytest.raises(SystemExit, match=r"^PORT must be a number from 1 to 65535"):
        demo.address()


def test_a_taken_port_is_one_clear_line(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv("HOST", "127.0.0.1")
        monkeypatch.setenv("PORT", str(other.getsockname()[1]))

        with pytest.raises(SystemExit, match=r"^Port \d+ is in use"):
            demo.address()


@pytest.mark.parametrize("host", ["192.0.2.1", "a..b", "x" * 300, "\u00e4" * 100, "not a host"])
def test_a_wrong_host_is_one_clear_line(host, monkeypatch):
    monkeypatch.setenv("HOST", host)
    monkeypatch.setenv("PORT", "8000")

    with pytest.raises(SystemExit, match=r"^Cannot listen on HOST="):
        demo.address()


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "[::1]"),
        ("0.0.0.0", "localhost"),
        ("::", "localhost"),
        ("a.example", "a.example"),
    ],
)
def test_the_address_is_one_a_browser_can_open(host, shown):
    assert demo.visible(host) == shown


def test_listening_everywhere_answers_to_the_name_of_the_machine():
    assert {"localhost", "127.0.0.1", socket.gethostname()} <= set(demo.names_of("0.0.0.0"))


def test_one_that_ends_is_named(capsys):
    process = demo.start(["-c", "raise SystemExit(3)"], dict(os.environ))
    process.wait()

    assert demo.report_ended({"worker": process})
    assert "The worker has ended (status 3)" in capsys.readouterr().err

"""Reports are fetched from a mailbox, or piped in, and none is lost to a server or a database that goes away."""

import io
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from config.worker import fetch_bounces
from mailings import bounce_mailbox
from mailings.bounce_mailbox import MailboxAway, fetch
from mailings.bounce_messages import LONGEST
from mailings.management.commands import receive_bounce
from mailings.models import MailReport
from tests.factories import NOW, make_recipient
from tests.imap_server import DROP, HANG, ImapServer
from tests.mailings.bounce_samples import ANSWER, POSTFIX, filled
from toolkit.bounce_addresses import COPY, mark

pytestmark = pytest.mark.django_db


def bounce_of(recipient):
    return filled(POSTFIX, mark=mark(COPY, recipient.pk, to=recipient.supporter.email))


def stopped(recipient):
    recipient.supporter.refresh_from_db()
    return recipient.supporter.stopped


# --- The mailbox -------------------------------------------------------------------------------------------


def test_reports_are_dealt_with_and_deleted_and_the_rest_is_left_as_read(settings):
    recipient = make_recipient()
    with ImapServer(filled(ANSWER), bounce_of(recipient), b"\0\xff") as server:
        settings.BOUNCE_MAILBOX = server.settings()

        reports = fetch(at=NOW)

    assert (reports, stopped(recipient)) == (1, "bounced")
    assert {number: message.flags for number, message in server.messages.items()} == {
        11: {r"\Seen"},
        13: {r"\Seen"},
    }


def test_what_was_read_is_not_read_again(settings):
    with ImapServer(filled(ANSWER)) as server:
        settings.BOUNCE_MAILBOX = server.settings()
        fetch(at=NOW)
        fetch(at=NOW)

    assert len([command for command in server.commands if "FETCH" in command]) == 1


def test_no_more_than_the_beginning_of_a_message_is_fetched(settings):
    recipient = make_recipient()
    with ImapServer(bounce_of(recipient) + b"." * (2 * LONGEST)) as server:
        settings.BOUNCE_MAILBOX = server.settings()

        assert fetch(at=NOW) == 1


def test_database_that_goes_away_leaves_the_message_for_the_next_time(settings, monkeypatch):
    def away(*_args, **_options):
        raise OperationalError("gone")

    recipient = make_recipient()
    with ImapServer(bounce_of(recipient)) as server:
        settings.BOUNCE_MAILBOX = server.settings()
        monkeypatch.setattr(bounce_mailbox, "take", away)
        with pytest.raises(OperationalError):
            fetch(at=NOW)
        left = [set(message.flags) for message in server.messages.values()]
        monkeypatch.undo()

        fetch(at=NOW)

    assert left == [set()]
    assert stopped(recipient) == "bounced"


def test_message_whose_mark_got_lost_with_the_connection_counts_once(settings):
    recipient = make_recipient()
    with ImapServer(bounce_of(recipient), answers={"STORE": DROP}) as server:
        settings.BOUNCE_MAILBOX = server.settings()
        with pytest.raises(MailboxAway):
            fetch(at=NOW)
        server.answers = {}

        fetch(at=NOW)

    assert MailReport.objects.count() == 1
    assert server.messages == {}


@pytest.mark.parametrize(
    "answers",
    [
        {"connect": "SSH-2.0"},
        {"connect": DROP},
        {"LOGIN": "NO bounces@example.org may not"},
        {"SELECT": "NO no such folder"},
        {"SEARCH": "BAD what?"},
        {"FETCH": DROP},
        {"SEARCH": HANG},
        {"CAPABILITY": HANG},
    ],
)
def test_server_that_does_not_play_along_is_away_and_named_without_a_user(settings, monkeypatch, answers):
    monkeypatch.setattr(bounce_mailbox, "TIMEOUT", 0.3)
    with ImapServer(b"", answers=answers) as server:
        settings.BOUNCE_MAILBOX = server.settings()

        with pytest.raises(MailboxAway) as raised:
            fetch(at=NOW)
        server._stopping.set()

    assert "bounces" not in raised.value.reason
    assert "word" not in raised.value.reason


def test_nobody_there_is_away(settings):
    with ImapServer() as server:
        settings.BOUNCE_MAILBOX = server.settings()

    with pytest.raises(MailboxAway):
        fetch(at=NOW)


def test_worker_goes_on_without_the_mailbox_and_says_so(settings, caplog):
    with ImapServer(answers={"LOGIN": "NO"}) as server:
        settings.BOUNCE_MAILBOX = server.settings()

        assert fetch_bounces(NOW) == 0

    assert "does not answer" in caplog.text


def test_worker_without_a_mailbox_has_nothing_to_fetch(settings):
    settings.BOUNCE_MAILBOX = {}

    assert fetch_bounces(NOW) == 0


def test_command_says_how_many_there_were(settings, capsys):
    with ImapServer(bounce_of(make_recipient())) as server:
        settings.BOUNCE_MAILBOX = server.settings()
        call_command("fetch_bounces")

    assert capsys.readouterr().out == "1 new reports.\n"


@pytest.mark.parametrize(
    "where",
    [{}, {"host": "127.0.0.1", "port": 1, "secure": True, "user": "u", "password": "p", "folder": "f"}],
)
def test_command_says_in_a_line_what_is_wrong(settings, where):
    settings.BOUNCE_MAILBOX = where

    with pytest.raises(CommandError):
        call_command("fetch_bounces")


# --- The pipe ----------------------------------------------------------------------------------------------


@pytest.fixture
def pipe(monkeypatch):
    """`pipe(content)` is the status the command ends with, and what is left of the content."""

    def run(content):
        stream = io.BytesIO(content)
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=stream))
        try:
            call_command("receive_bounce")
        except SystemExit as end:
            return end.code, stream.read()
        return 0, stream.read()

    return run


def test_piped_report_is_dealt_with(pipe):
    recipient = make_recipient()

    assert pipe(bounce_of(recipient)) == (0, b"")
    assert stopped(recipient) == "bounced"


@pytest.mark.parametrize(
    "content", [b"", b"\0", b"\xff" * 1000, filled(ANSWER), b"x" * (3 * LONGEST)], ids=range(5)
)
def test_anything_else_is_taken_to_its_end_and_ignored(pipe, content):
    assert pipe(content) == (0, b"")


def test_mail_server_is_asked_to_come_again_while_the_database_is_away(pipe, monkeypatch):
    def away(*_args, **_options):
        raise OperationalError("gone")

    monkeypatch.setattr(receive_bounce, "take", away)

    assert pipe(b"x")[0] == 75


def test_real_pipe_into_a_process_without_a_database_ends_with_75(tmp_path):
    # A directory where a file should be: SQLite cannot open it.
    environment = {
        "PATH": "/usr/bin:/bin",
        "DEBUG": "on",
        "DATABASE_URL": f"sqlite:///{tmp_path}",
    }
    content = filled(POSTFIX)

    run = subprocess.run(
        [sys.executable, "manage.py", "receive_bounce"],
        cwd=Path(__file__).resolve().parents[2],
        env=environment,
        input=content,
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert run.returncode == 75, run.stderr
    assert b"connie" not in run.stderr

"""Replies of a mail server, also those that never end."""

import smtplib
import socket

import pytest

from toolkit.smtp_conversation import Conversation


@pytest.fixture
def ends():
    """A conversation, and the server's end of it."""
    ours, theirs = socket.socketpair()
    conversation = Conversation(timeout=5, local_hostname="client.example")
    conversation.sock = ours
    with ours, theirs:
        yield conversation, theirs


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"250 OK\r\n", (250, b"OK")),
        (b"250\r\n", (250, b"")),
        (b"250-one\r\n250 two\r\n", (250, b"one\ntwo")),
        (b"hello\r\n", (-1, b"o")),
        (b"\r\n", (-1, b"")),
        (b"\xff\xfe\n", (-1, b"")),
        (b"\xb2\xb2\xb2 x\n", (-1, b"x")),
    ],
)
def test_reply_is_code_and_text(ends, sent, expected):
    conversation, server = ends
    server.sendall(sent)

    assert conversation.getreply() == expected


def test_replies_sent_together_are_read_one_by_one(ends):
    conversation, server = ends
    server.sendall(b"250 one\r\n251 two\r\n")

    assert conversation.getreply() == (250, b"one")
    assert conversation.getreply() == (251, b"two")


@pytest.mark.parametrize("sent", [b"250-more\r\n" * 1000, b"2" * 70_000])
def test_endless_reply_ends_the_conversation(ends, sent):
    conversation, server = ends
    server.sendall(sent)

    with pytest.raises(smtplib.SMTPServerDisconnected, match="does not end"):
        conversation.getreply()
    assert conversation.sock is None


def test_reply_begun_but_not_ended_in_time_ends_the_conversation(ends):
    conversation, server = ends
    server.sendall(b"250-slowly")

    with pytest.raises(smtplib.SMTPServerDisconnected, match="in time"):
        conversation.reply_within(0.05)
    assert conversation.sock is None


def test_hanging_up_in_a_reply_ends_the_conversation(ends):
    conversation, server = ends
    server.sendall(b"250-one\r\n")
    server.shutdown(socket.SHUT_WR)

    with pytest.raises(smtplib.SMTPServerDisconnected, match="closed"):
        conversation.getreply()


def test_silence_is_no_early_reply(ends):
    conversation, _ = ends

    assert conversation.early_reply() is None
    assert conversation.sock.gettimeout() == 5


def test_early_reply_is_heard(ends):
    conversation, server = ends
    server.sendall(b"421 Closing\r\n")

    assert conversation.early_reply() == (421, b"Closing")


def test_early_goodbye_is_heard(ends):
    conversation, server = ends
    server.shutdown(socket.SHUT_WR)

    with pytest.raises(smtplib.SMTPServerDisconnected):
        conversation.early_reply()

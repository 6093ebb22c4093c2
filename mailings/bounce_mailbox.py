"""The mailbox that bounces come to: looked into by IMAP, each message dealt with before it is marked or deleted."""

import imaplib
import logging
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.conf import settings

from mailings.bounce_messages import LONGEST
from mailings.bounces import Taken, take
from toolkit.database_trouble import AWAY

logger = logging.getLogger(__name__)

TIMEOUT = 20  # seconds for each answer of the server
AT_ONCE = 200


class MailboxAway(Exception):
    """The mailbox cannot be read; `reason` is fit for logs."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def fetch(*, at: datetime, limit: int = AT_ONCE, keep_on: Callable[[], bool] = lambda: True) -> int:
    """Deals with the unread messages, oldest first; returns how many were reports about mails of ours.

    Those are deleted; everything else is marked as read and left, since a person may have written it. A message is
    marked after what it says is committed, so that it is read again rather than lost. Raises `MailboxAway`.
    """
    reports = 0
    with _opened() as mailbox:
        for number in _unread(mailbox)[:limit]:
            if not keep_on():
                break
            content = _content(mailbox, number)
            taken = Taken.NOTHING if content is None else _take_outside(content, at)
            reports += taken is Taken.REPORTED
            flag = r"(\Seen)" if taken is Taken.NOTHING else r"(\Deleted)"
            _answer(mailbox.uid("STORE", number, "+FLAGS.SILENT", flag))
        _answer(mailbox.expunge())
    return reports


class _OurOwn(Exception):
    """Wraps what the database raises, which is nobody's business but the caller's."""


def _take_outside(content: bytes, at: datetime) -> Taken:
    # Some errors of the database are close enough to OSError to be taken for the mailbox's.
    try:
        return take(content, at=at)
    except AWAY as error:
        raise _OurOwn from error
    except Exception as error:  # noqa: BLE001 - it stays in the mailbox, read, and those behind it get their turn
        logger.error("A message could not be dealt with: %s", type(error).__name__)
        return Taken.NOTHING


@contextmanager
def _opened() -> Iterator[imaplib.IMAP4]:
    where = settings.BOUNCE_MAILBOX
    mailbox: imaplib.IMAP4 | None = None
    try:
        mailbox = _connected(where)
        _answer(mailbox.login(_quoted(where["user"]), where["password"]))
        _answer(mailbox.select(_quoted(where["folder"])))
        yield mailbox
    except _OurOwn as error:
        raise (error.__cause__ or error) from None
    except imaplib.IMAP4.error as error:
        # Not the server's own words, which may quote the user.
        said = "does not do what it is asked" if mailbox else "does not speak IMAP"
        raise MailboxAway(f"The server {said}: {type(error).__name__}") from None
    except (OSError, ValueError) as error:
        raise MailboxAway(type(error).__name__) from None
    finally:
        if mailbox is not None:
            _close(mailbox)


def _connected(where: dict[str, Any]) -> imaplib.IMAP4:
    if where["secure"]:
        context = ssl.create_default_context()
        return imaplib.IMAP4_SSL(where["host"], where["port"], ssl_context=context, timeout=TIMEOUT)
    return imaplib.IMAP4(where["host"], where["port"], timeout=TIMEOUT)


def _close(mailbox: imaplib.IMAP4) -> None:
    try:
        mailbox.logout()
    except (imaplib.IMAP4.error, OSError, ValueError):
        mailbox.shutdown()


def _unread(mailbox: imaplib.IMAP4) -> list[str]:
    found = _answer(mailbox.uid("SEARCH", "UNSEEN", "UNDELETED"))
    numbers = b" ".join(part for part in found if isinstance(part, bytes)).split()
    return [number.decode() for number in numbers if number.isdigit()]


def _content(mailbox: imaplib.IMAP4, number: str) -> bytes | None:
    """The beginning of a message, unmarked; None where it is gone."""
    for part in _answer(mailbox.uid("FETCH", number, f"(BODY.PEEK[]<0.{LONGEST}>)")):
        if isinstance(part, tuple) and isinstance(part[1], bytes):
            return part[1]
    return None


def _answer(reply: tuple[str, list[Any]]) -> list[Any]:
    status, data = reply
    if status != "OK":
        raise imaplib.IMAP4.error(status)
    return data


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

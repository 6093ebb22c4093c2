"""An edition as bytes: written once, and every reader's own values put in their places."""

import binascii
import re
import secrets
from datetime import datetime
from email.header import Header
from email.utils import format_datetime
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings

from campaigns.models import Organization
from mailings.links import sign_link, unsubscribe_link
from mailings.models import Edition, Mailing, Recipient
from mailings.rendering import SIGN_URL, UNSUBSCRIBE_URL, Reader
from toolkit.bounce_addresses import COPY, bounce_address, mark
from toolkit.email_addresses import sendable
from toolkit.emails import RawMail, mailbox
from toolkit.merge_fields import LATER_BEGINS, LATER_ENDS, filled_later
from toolkit.plain_text import one_line, storable
from toolkit.safe_html import escape

_PLACES = re.compile(
    f"{LATER_BEGINS}([^{LATER_ENDS}]*){LATER_ENDS}|({re.escape(SIGN_URL)}|{re.escape(UNSUBSCRIBE_URL)})"
)
LINE, QUOTED_LINE = 78, 76
# Ends a line that goes on (RFC 2045 §6.7): what is put in stands on lines of its own, whatever its length.
_SOFT_BREAK = b"=\r\n"


class Writer:
    """Writes the copies of one edition. Making one costs a millisecond, a copy a fraction of that."""

    def __init__(self, edition: Edition, mailing: Mailing) -> None:
        organization = mailing.campaign.organization
        self.edition = edition
        self.sender = sendable(organization.from_email or settings.DEFAULT_FROM_EMAIL)
        self.host = urlsplit(settings.SITE_URL).hostname or "localhost"
        self.boundary = f"=_{secrets.token_hex(12)}"
        self.fixed_headers = fixed_headers(mailing, organization, self.sender, self.host, self.boundary)
        self.text = Slotted(edition.text)
        self.html = Slotted(edition.html)

    def message(self, recipient: Recipient, *, to: str, first_name: str, at: datetime) -> RawMail:
        """The copy of one recipient, whose key its links carry; `at` is the moment of sending."""
        address = sendable(one_line(to))
        reader = Reader(
            first_name,
            sign_link(recipient, at),
            unsubscribe_link(recipient, at),
        )
        own = mark(COPY, recipient.pk or 0, to=address)
        parts = [
            self.headers(recipient, reader, address, own, at),
            self.fixed_headers,
            self.part("plain"),
            self.text.filled(reader.spoken_name, reader),
            self.part("html"),
            self.html.filled(reader.spoken_name, reader, escaped=True),
            f"\r\n--{self.boundary}--\r\n".encode(),
        ]
        reports_to = bounce_address(own)
        return RawMail(reports_to or self.sender, address, b"".join(parts))

    def headers(self, recipient: Recipient, reader: Reader, address: str, own: str, at: datetime) -> bytes:
        edition = self.edition
        second = recipient.subject == "b" and edition.other_subject
        subject = filled_later(edition.other_subject if second else edition.subject, reader.spoken_name)
        lines = [
            f"To: {address}",
            text_header("Subject", subject),
            f"Message-ID: {message_id(recipient, own, self.host)}",
            f"Date: {date_header(at.replace(microsecond=0))}",
            f"List-Unsubscribe: <{reader.unsubscribe_url}>",
        ]
        if reader.unsubscribe_url.startswith("https://"):
            # RFC 8058 §3.1: a bare POST to the address above is enough, and it has to be HTTPS.
            lines.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
        return "".join(f"{line}\r\n" for line in lines).encode("ascii")

    def part(self, kind: str) -> bytes:
        return (
            f"\r\n--{self.boundary}\r\n"
            f"Content-Type: text/{kind}; charset=utf-8\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        ).encode("ascii")


class Slotted:
    """A text in quoted-printable, cut at the places of the reader's own values."""

    def __init__(self, text: str) -> None:
        self.pieces: list[bytes] = []
        self.places: list[tuple[str, str]] = []  # fallback, or link
        end = 0
        for match in _PLACES.finditer(text):
            self.pieces.append(before_break(quoted(text[end : match.start()])))
            self.places.append((match[1] or "", match[2] or ""))
            end = match.end()
        self.pieces.append(quoted(text[end:]))

    def filled(self, name: str, reader: Reader, *, escaped: bool = False) -> bytes:
        links = {SIGN_URL: reader.sign_url, UNSUBSCRIBE_URL: reader.unsubscribe_url}
        spoken = f"<bdi>{escape(name)}</bdi>" if escaped and name else name
        own: dict[tuple[str, str], bytes] = {}
        parts = [self.pieces[0]]
        for place, piece in zip(self.places, self.pieces[1:], strict=True):
            if place not in own:
                fallback, link = place
                value = links[link] if link else spoken or fallback
                own[place] = between_breaks(value)
            parts += [own[place], piece]
        return b"".join(parts)


def fixed_headers(
    mailing: Mailing, organization: Organization, sender: str, host: str, boundary: str
) -> bytes:
    """What all copies have in common."""
    lines = [
        folded(f"From: {mailbox(organization.name, sender)}"),
        # RFC 2919: one list for each organization, so that mail programs can sort by it.
        f"List-Id: <updates-{organization.pk}.{host}>",
        "Auto-Submitted: auto-generated",  # RFC 3834: keeps holiday notices from answering
        "Precedence: bulk",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{boundary}"',
    ]
    if organization.reply_to:
        lines.insert(1, f"Reply-To: {sendable(one_line(organization.reply_to))}")
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def message_id(recipient: Recipient, own: str, host: str) -> str:
    """The same for every attempt, so that a mail program shows only one should two ever arrive.

    `own` is the copy's mark, which tells reports about the mail. Test copies, which belong to nobody, are each a mail
    of its own.
    """
    return f"<{own if recipient.pk else f'test.{secrets.token_hex(8)}'}@{host}>"


@lru_cache(maxsize=16)
def date_header(second: datetime) -> str:
    """Hundreds of copies leave within a second."""
    return format_datetime(second)


@lru_cache(maxsize=512)
def text_header(name: str, text: str) -> str:
    """A header of free text in lines of lawful length (RFC 2047 §2, RFC 5322 §2.1.1)."""
    text = one_line(storable(text))
    if text.isascii() and "=?" not in text:
        return folded(f"{name}: {text}")
    words = Header(text, "utf-8", maxlinelen=70, header_name=name).encode(linesep="\r\n")
    return f"{name}: {words}"


def folded(header: str) -> str:
    """In lines of at most 78 characters, as far as blanks allow (RFC 5322 §2.1.1); never right after the name."""
    name, _, text = header.partition(" ")
    first, *words = text.split(" ")
    lines = [f"{name} {first}"]
    for word in words:
        if len(lines[-1]) + 1 + len(word) <= LINE:
            lines[-1] += f" {word}"
        else:
            lines.append(f" {word}")
    return "\r\n".join(lines)


def quoted(text: str) -> bytes:
    """Quoted-printable with CRLF line ends."""
    encoded = binascii.b2a_qp(text.replace("\r\n", "\n").encode("utf-8", "replace"), istext=True)
    return encoded.replace(b"\n", b"\r\n")


@lru_cache(maxsize=64)
def between_breaks(value: str) -> bytes:
    """A value on lines of its own. A copy has its links in the text and again in the HTML, an edition many Adas."""
    return _SOFT_BREAK + before_break(quoted(value)) + _SOFT_BREAK


def before_break(encoded: bytes) -> bytes:
    """Leaves room for the soft line break that follows: a line has at most 76 characters with it (RFC 2045 §6.7)."""
    rest, end, last = encoded.rpartition(b"\n")
    if len(last) < QUOTED_LINE:
        return encoded
    # Three characters are one, if the first of them is "=".
    place = next(place for place in (-1, -2, -3) if b"=" not in last[:place][-2:])
    return rest + end + last[:place] + _SOFT_BREAK + last[place:]

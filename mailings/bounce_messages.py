"""Reading what mail servers send back: delivery reports (RFC 3464), complaints (RFC 5965), and what came before them.

Our own small parser: whatever arrives here was written by strangers, and the standard one recurses and raises.
"""

import binascii
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from mailings.models import MailReport
from toolkit.bounce_addresses import Mark, marks_in
from toolkit.plain_text import one_line

Kind = MailReport.Kind
# Bytes that are looked at: a report begins with what it has to say, and ends with the mail it is about.
LONGEST = 256 * 1024
_MOST_PARTS, _DEEPEST, _MOST_MARKS, _LONGEST_WORDS = 20, 4, 10, 2000
_FOR_US = ("to", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to", "cc")
_BOUNDARY = re.compile(r"boundary\s*=\s*(?:\"([^\"]{1,200})\"|([^\s;\"]{1,200}))", re.IGNORECASE)
_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")
_REPLY_CODE = re.compile(r"(?<![\d.])([245])\d\d(?=[\s-])")
_UNTRUE_COMPLAINTS = frozenset({"not-spam", "auth-failure", "dkim", "virus", "other"})
# RFC 3463: the mailbox, or its domain, is not there.
_NOBODY = frozenset({(1, 1), (1, 2), (1, 3), (1, 6), (1, 10)})
# About a mailbox that is full, the network, the content, the sender or a policy: the next mail may well get through.
_PASSING = frozenset({(1, 7), (1, 8), (2, 2), (2, 3), (2, 4), (4, 5), (4, 6), (4, 7), (4, 14), (5, 3)})
_PASSING_SUBJECTS = frozenset({3, 6, 7})
_PASSING_WORDS = re.compile(
    r"spam|junk|bulk mail|block ?list|black ?list|\bblock(?:ed|ing)?\b|policy|reputation|dnsbl|\brbl\b|\bspf\b|dkim"
    r"|dmarc|rate.?limit|too (?:many|fast|quickly|large|big)|at a rate|quota|full mailbox|box (?:is |was )?full"
    r"|out of storage|insufficient|temporar|try again|gr[ae]y.?list|content rejected|virus",
    re.IGNORECASE,
)
_NOBODY_WORDS = re.compile(
    r"user unknown|unknown (?:user|recipient|local)|no such (?:user|mailbox|recipient|person|address)|does ?n[o']t"
    r" exist|no mailbox here|unrouteable address|recipient(?: address)? not found|invalid (?:recipient|mailbox)"
    r"|hard bounce",
    re.IGNORECASE,
)
_FAILED_SUBJECT = re.compile(
    r"undeliver|fail|returned|not? deliver|rejected|bounce|unzustellbar", re.IGNORECASE
)
_STILL_TRYING = re.compile(r"delay|warning|still trying|will (?:be )?retr", re.IGNORECASE)
_RETURNED_COPY = re.compile(r"copy of (?:the|your) message|below this line|original message", re.IGNORECASE)


@dataclass(frozen=True)
class Returned:
    """What a report says: its conclusion, the server's words (with addresses), and the marks of mails found in it."""

    kind: str
    words: str
    marks: tuple[Mark, ...]
    digest: str


@dataclass(frozen=True)
class Part:
    """A message, or a part of one. Names of headers are in small letters; repeated ones are joined."""

    headers: dict[str, str]
    body: bytes

    @property
    def type(self) -> str:
        return self.headers.get("content-type", "text/plain").partition(";")[0].strip().lower()

    @property
    def boundary(self) -> str:
        found = _BOUNDARY.search(self.headers.get("content-type", ""))
        return (found[1] or found[2]) if found else ""

    @property
    def decoded(self) -> bytes:
        encoding = self.headers.get("content-transfer-encoding", "").strip().lower()
        try:
            if encoding == "base64":
                return binascii.a2b_base64(self.body)
            return binascii.a2b_qp(self.body) if encoding == "quoted-printable" else self.body
        except binascii.Error:
            return self.body

    @property
    def text(self) -> str:
        return _text(self.decoded)


def read(content: bytes) -> Returned | None:
    """None for whatever says nothing about a mail of ours: answers by people and machines, delays, garbage."""
    content = content[:LONGEST].replace(b"\r\n", b"\n")
    message = part_of(content)
    leaves = list(islice(leaves_of(message), _MOST_PARTS * 2))
    said = complaint(leaves) or delivery_report(leaves)
    if said is None and not any(leaf.type.endswith("delivery-status") for leaf in leaves):
        said = older_report(message, leaves)
    marks = marks_of(message, leaves, content)
    if said is None or not marks:
        return None
    kind, words = said
    told_apart = message.headers.get("message-id", "").encode("utf-8", "replace") or content
    return Returned(
        kind, words[:_LONGEST_WORDS], marks, hashlib.blake2b(told_apart, digest_size=16).hexdigest()
    )


def verdict(status: str, words: str) -> str:
    """Whether a mail that failed did so for good, from an enhanced status code (RFC 3463) and the server's words."""
    enhanced = _ENHANCED.search(status)
    if enhanced is None or enhanced[2] == "0":
        enhanced = _ENHANCED.search(words) or enhanced
    code = _REPLY_CODE.search(f"{words} ")
    if enhanced is None and code is None:
        return Kind.HARD if _NOBODY_WORDS.search(words) and not _PASSING_WORDS.search(words) else Kind.SOFT
    if (enhanced or code)[1] != "5":  # type: ignore[index]
        return Kind.SOFT
    if enhanced is not None:
        subject, detail = int(enhanced[2]), int(enhanced[3])
        if (subject, detail) in _NOBODY:
            return Kind.HARD
        if subject in _PASSING_SUBJECTS or (subject, detail) in _PASSING:
            return Kind.SOFT
    return Kind.SOFT if _PASSING_WORDS.search(words) else Kind.HARD


# --- Three sorts of report ---------------------------------------------------------------------------------


def complaint(leaves: list[Part]) -> tuple[str, str] | None:
    """RFC 5965: somebody pressed “spam”, or what their mail provider makes of it."""
    for leaf in leaves:
        if leaf.type == "message/feedback-report":
            sort = fields_of(leaf.decoded).get("feedback-type", "").strip().lower()
            return (
                (Kind.COMPLAINT, f"Reported as {sort}") if sort and sort not in _UNTRUE_COMPLAINTS else None
            )
    return None


def delivery_report(leaves: list[Part]) -> tuple[str, str] | None:
    """RFC 3464. A mail that reached somebody, or is still tried, has not bounced."""
    said: tuple[str, str] | None = None
    for leaf in leaves:
        if not leaf.type.endswith("delivery-status"):
            continue
        for block in re.split(rb"\n[ \t]*\n", leaf.decoded)[: _MOST_PARTS * 2]:
            fields = fields_of(block)
            action = fields.get("action", "").strip().lower()
            if not action:
                continue
            if not action.startswith("failed"):
                return None
            words = one_line(re.sub(r"^\s*[\w-]+\s*;\s*", "", fields.get("diagnostic-code", "")))[
                :_LONGEST_WORDS
            ]
            status = fields.get("status", "")[:20]
            kind = verdict(status, words)
            if said is None or kind == Kind.SOFT:
                said = (kind, words or f"Status {status.strip()}")
    return said


def older_report(message: Part, leaves: list[Part]) -> tuple[str, str] | None:
    """What mail servers wrote before there was a form for it, and some still do."""
    sender, subject = message.headers.get("from", "").lower(), message.headers.get("subject", "")
    by_machine = (
        "mailer-daemon" in sender or "postmaster" in sender or message.headers.get("return-path") == "<>"
    )
    failed = "x-failed-recipients" in message.headers or (by_machine and _FAILED_SUBJECT.search(subject))
    if not failed or _STILL_TRYING.search(subject):
        return None
    text = next((leaf.text for leaf in leaves if leaf.type == "text/plain"), "")[:20_000]
    text = _RETURNED_COPY.split(text, maxsplit=1)[0]
    telling = [line for line in text.splitlines() if _ENHANCED.search(line) or _REPLY_CODE.search(f"{line} ")]
    telling = telling or [line for line in text.splitlines() if _NOBODY_WORDS.search(line)]
    words = one_line(" ".join(telling[:5]))[:_LONGEST_WORDS]
    return verdict("", words), words


# --- Pieces ------------------------------------------------------------------------------------------------


def part_of(content: bytes) -> Part:
    """Headers and body. Never raises, and takes time in proportion to the length."""
    if content.startswith(b"\n"):
        return Part({}, content[1:])
    head, _, body = content.partition(b"\n\n")
    return Part(fields_of(head), body)


def fields_of(block: bytes) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in re.sub(rb"\n[ \t]+", b" ", block.strip(b"\n")).split(b"\n")[:500]:
        name, colon, value = line.partition(b":")
        if colon and len(name) < 100:
            key, text = _text(name).strip().lower(), _text(value).strip()
            fields[key] = f"{fields[key]} {text}" if key in fields else text
    return fields


def leaves_of(part: Part, depth: int = 0) -> Iterator[Part]:
    """Parts without parts. An attached mail is one: what is reported in there was said to somebody else."""
    boundary = part.boundary.encode("utf-8", "replace")
    if not part.type.startswith("multipart/") or not boundary or depth >= _DEEPEST:
        yield part
        return
    for piece in (b"\n" + part.body).split(b"\n--" + boundary, _MOST_PARTS)[1:]:
        if piece.startswith(b"--"):
            return
        rest, _, content = piece.partition(b"\n")
        if not rest.strip():
            yield from leaves_of(part_of(content), depth + 1)


def marks_of(message: Part, leaves: list[Part], content: bytes) -> tuple[Mark, ...]:
    """First those in the address the report came to, then wherever the mail itself is quoted."""
    headers = " ".join(message.headers.get(name, "") for name in _FOR_US)
    texts = [headers, _text(content), *(leaf.text for leaf in leaves if leaf.decoded is not leaf.body)]
    found = (mark for text in texts for mark in marks_in(text))
    return tuple(dict.fromkeys(islice(found, _MOST_MARKS)))


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")

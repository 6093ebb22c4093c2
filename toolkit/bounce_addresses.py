"""What tells which mail a report is about: a mark in the address reports go to, and in the mail's Message-ID.

Nobody else can make a mark, and it is good for one mailbox only: a report without one proves nothing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings

from toolkit import signed_tokens
from toolkit.email_addresses import mailbox_key

# Which table a mark's number is of; the letter is all that stands in the address.
COPY, MAIL = "c", "m"
_MARK = re.compile(
    rf"(?i)(?<![a-z0-9])([{COPY}{MAIL}])([a-z2-7]{{{signed_tokens.MARK_LENGTH}}})(?![a-z0-9])", re.ASCII
)


@dataclass(frozen=True)
class Mark:
    """Found somewhere; genuine only if `is_of` says so."""

    kind: str
    text: str

    @property
    def subject(self) -> int | None:
        """The number of the copy or mail that it says it is about."""
        return signed_tokens.claimed_subject(self.text)

    def is_of(self, mailbox: str) -> bool:
        """Whether we sent this mail, and to this mailbox (the key, not the address)."""
        return signed_tokens.is_genuine(_purpose(self.kind), self.text, about=mailbox)

    def __str__(self) -> str:
        return self.kind + self.text


def mark(kind: str, subject: int, *, to: str) -> str:
    """The same for every attempt."""
    return kind + signed_tokens.make_mark(_purpose(kind), subject, about=mailbox_key(to))


def bounce_address(mark: str) -> str:
    """Where reports about a mail are to go (its envelope sender); "" where BOUNCE_ADDRESS is not set."""
    local, _, domain = settings.BOUNCE_ADDRESS.rpartition("@")
    return f"{local}+{mark}@{domain}" if local else ""


def marks_in(text: str) -> Iterator[Mark]:
    """All marks in a text, in whatever case a mail server left them."""
    for found in _MARK.finditer(text):
        yield Mark(found[1].lower(), found[2].lower())


def _purpose(kind: str) -> str:
    return f"bounce {kind}"

"""A report that came in: whose mail it is about, if of anybody, and passing on what it says."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from mailings import bounce_messages
from mailings.models import Recipient
from mailings.reports import report
from signers.models import OutgoingMail
from toolkit.bounce_addresses import COPY, Mark


class Taken(Enum):
    """What came of a message."""

    REPORTED = "written down"
    KNOWN = "reported before"
    NOTHING = "says nothing about a mail of ours"


@dataclass(frozen=True)
class About:
    """Whose mail it was; the copy, if it was one of a mailing."""

    supporter_id: int
    mailbox: str
    recipient_id: int | None


def take(content: bytes, *, at: datetime) -> Taken:
    """Deals with one message, whatever is in it. Only a mark of ours proves that it is about a mail of ours."""
    returned = bounce_messages.read(content)
    if returned is None:
        return Taken.NOTHING
    for mark in returned.marks:
        if about := about_whom(mark):
            new = report(
                supporter_id=about.supporter_id,
                recipient_id=about.recipient_id,
                kind=returned.kind,
                reason=returned.words,
                event=f"{returned.kind}:{mark}:{returned.digest}",
                at=at,
            )
            return Taken.REPORTED if new else Taken.KNOWN
    return Taken.NOTHING


def about_whom(mark: Mark) -> About | None:
    """None for what we never sent, and where the person is gone or has moved to another mailbox since. One query."""
    if mark.subject is None:
        return None
    mails = Recipient.objects if mark.kind == COPY else OutgoingMail.objects
    row = mails.filter(pk=mark.subject).values_list("supporter_id", "supporter__mailbox").first()
    if row is None or row[0] is None or not mark.is_of(row[1]):
        return None
    return About(row[0], row[1], mark.subject if mark.kind == COPY else None)

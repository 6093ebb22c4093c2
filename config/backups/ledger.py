"""Who left, kept beside the backups, so that bringing one back does not bring back who has left since.

Lines of JSON in `erasures.jsonl`, only ever appended: numbers and moments of rows, no name, no address. A person is
known by the number and the moment of creation of their row, which together no other row has, whatever was restored.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from django.db import transaction

from signers import consents
from signers.confirming import disown
from signers.consents import Choice
from signers.erasing import ERASED, MERGED, erase, known_as
from signers.models import Consent, Signature, Subscription, Supporter
from signers.own_page import withdraw
from staff.models import AuditEntry

NAME = "erasures.jsonl"
# The moment of an entry is that of the decision; it may have been committed a little later.
OVERLAP = timedelta(minutes=10)
REASON = "Erased before; a backup from before that was restored."


class What(StrEnum):
    ERASED = "erased"
    REMOVED = "removed"
    UNSUBSCRIBED = "unsubscribed"


@dataclass(frozen=True)
class Entry:
    """Somebody was erased, took a signature back, or wants no more updates. `row` and `since` say which row it is."""

    what: What
    at: datetime
    row: int
    since: datetime | None = None
    more: dict[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        values = asdict(self) | {
            "at": self.at.isoformat(),
            "since": self.since.isoformat() if self.since else None,
        }
        return json.dumps(values, sort_keys=True)

    @classmethod
    def read(cls, line: str) -> "Entry":
        """Raises ValueError, TypeError or KeyError."""
        values = json.loads(line)
        since = values["since"]
        return cls(
            What(values["what"]),
            datetime.fromisoformat(values["at"]),
            int(values["row"]),
            datetime.fromisoformat(since) if since else None,
            dict(values["more"]),
        )


# --- Writing ---------------------------------------------------------------------------------------------------


def entries_since(moment: datetime) -> Iterator[Entry]:
    """From the database: whoever left after the moment, oldest first of each kind."""
    yield from erased_since(moment)
    removed = Signature.objects.filter(removed_at__gt=moment, removal__in=("not-me", "withdrawn"))
    for pk, signed_at, at, how in (
        removed.order_by("pk").values_list("pk", "signed_at", "removed_at", "removal").iterator()
    ):
        if at is not None:
            yield Entry(What.REMOVED, at, pk, signed_at, {"how": how})
    merged = set(AuditEntry.objects.filter(action=MERGED).values_list("subject_id", flat=True))
    ended = Consent.objects.filter(at__gt=moment, granted=False).order_by("pk")
    fields = ("at", "supporter_id", "supporter__created_at", "organization_id", "wording", "source")
    for at, supporter, since, organization, wording, source in ended.values_list(*fields).iterator():
        more = {"organization": organization, "wording": wording, "source": source}
        # The backup may know them from before they became one with somebody.
        rows = known_as(Supporter(pk=supporter, created_at=since)) if supporter in merged else []
        for row, known_since in rows or [(supporter, since.isoformat())]:
            yield Entry(What.UNSUBSCRIBED, at, row, datetime.fromisoformat(known_since), more)


def erased_since(moment: datetime) -> Iterator[Entry]:
    """From the audit log, which keeps under which numbers an erased person was known."""
    log = AuditEntry.objects.filter(at__gt=moment, action=ERASED, subject_type="supporter").order_by("pk")
    for at, row, details in log.values_list("at", "subject_id", "details").iterator():
        for number, since in details.get("known_as") or [[row, None]]:
            yield Entry(What.ERASED, at, number, datetime.fromisoformat(since) if since else None)


def write_down(folder: Path, *, since: datetime) -> int:
    """Appends what is not yet in the ledger of the folder; returns how much."""
    with open(
        os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600),
        "r+",
        encoding="utf-8",
        errors="replace",
    ) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        content = file.read()
        known = set(content.splitlines())
        new = [
            line
            for line in dict.fromkeys(entry.line() for entry in entries_since(since))
            if line not in known
        ]
        if content and not content.endswith("\n"):
            file.write("\n")  # a line that was cut off must not take the next one along
        file.write("".join(f"{line}\n" for line in new))
        file.flush()
        os.fsync(file.fileno())
    return len(new)


# --- Reading, and doing it again -------------------------------------------------------------------------------


def entries(folder: Path, *, since: datetime) -> tuple[list[Entry], int]:
    """Those after the moment, in the order in which they happened, and how many lines cannot be read."""
    try:
        lines = (folder / NAME).read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return [], 0
    found, odd = [], 0
    for line in lines:
        try:
            found.append(Entry.read(line))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            odd += 1
    return sorted((entry for entry in found if entry.at > since), key=lambda entry: entry.at), odd


def do_again(entry: Entry, *, at: datetime) -> bool:
    """Whether there was something to do: doing it twice is the same as once."""
    return {What.ERASED: erase_again, What.REMOVED: remove_again, What.UNSUBSCRIBED: unsubscribe_again}[
        entry.what
    ](entry, at)


def erase_again(entry: Entry, at: datetime) -> bool:
    return is_there(entry) and erase(supporter_id=entry.row, at=at, reason=REASON) is not None


def remove_again(entry: Entry, at: datetime) -> bool:
    signature = Signature.objects.filter(pk=entry.row, removed_at=None).first()
    if signature is None or signature.signed_at != entry.since:
        return False
    if entry.more.get("how") == Signature.Removal.NOT_ME:
        disown(signature_id=signature.pk, at=entry.at, block=False)
        return True
    return withdraw(supporter_id=signature.supporter_id, signature_id=signature.pk, at=entry.at)


@transaction.atomic
def unsubscribe_again(entry: Entry, at: datetime) -> bool:
    organization = entry.more.get("organization")
    held = Subscription.objects.filter(supporter=entry.row, organization=organization, since__lt=entry.at)
    if not is_there(entry) or not held.exists():
        return False
    choice = Choice(
        entry.row, int(str(organization)), granted=False, wording=str(entry.more.get("wording", ""))
    )
    consents.record([choice], source=Consent.Source(entry.more.get("source", "unsubscribe")), at=entry.at)
    return True


def is_there(entry: Entry) -> bool:
    """Whether this is the row that is meant, and not another that got its number after something was restored."""
    row = Supporter.objects.filter(pk=entry.row).values_list("created_at", flat=True).first()
    return row is not None and (row == entry.since if entry.since else row <= entry.at)

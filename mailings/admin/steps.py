"""From a text to a mailing that was sent: what is done, what is missing, and where to go on."""

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from mailings.models import Mailing

DONE, MISSING, LATER = "done", "missing", "later"
STATES = {
    "draft": "Draft",
    "asked": "Waits for approval",
    "approved": "Approved",
    "leaving": "Started, can be taken back",
    "sending": "Being sent",
    "paused": "Paused",
    "canceled": "Canceled",
    "sent": "Sent",
}
# What can still be written, and started.
UNSTARTED = ("draft", "asked", "approved")


@dataclass(frozen=True)
class Step:
    """`state` is done, missing (the next thing to do) or later; `page` names the step's page."""

    page: str
    name: str
    state: str
    note: str
    url: str


@dataclass(frozen=True)
class Standing:
    """What the steps say of a mailing, as far as a page has looked: None is not looked at."""

    errors: int | None = None
    people: int | None = None


def steps_of(mailing: Mailing | None, *, at: datetime, standing: Standing | None = None) -> list[Step]:
    """The six steps of a mailing; of one that is not saved yet, all are to come."""
    known = standing or Standing()
    if mailing is None or not mailing.pk:
        return [
            Step("write", "Write", MISSING, "the text, and who gets it", ""),
            Step("check", "Check", LATER, "after saving", ""),
            Step("preview", "Preview", LATER, "as people will read it", ""),
            Step("audience", "Audience", LATER, "who gets it, who does not", ""),
            Step("send", "Send", LATER, "after checking", ""),
            Step("figures", "Figures", LATER, "what came of it", ""),
        ]
    state = mailing.state(at)
    started = mailing.is_frozen
    steps = [
        ("write", "Write", DONE, "as it was sent" if started else mailing.campaign.title),
        ("check", "Check", *check_state(known, started=started)),
        ("preview", "Preview", DONE if started else LATER, "and test copies"),
        ("audience", "Audience", *audience_state(mailing, known)),
        ("send", "Send", *send_state(mailing, state, known)),
        ("figures", "Figures", DONE if state == "sent" else LATER, "what came of it"),
    ]
    return [Step(page, name, how, note, page_url(mailing, page)) for page, name, how, note in steps]


def check_state(known: Standing, *, started: bool) -> tuple[str, str]:
    if started:
        return DONE, "when it was started"
    if known.errors is None:
        return LATER, "what is missing"
    if known.errors:
        return MISSING, f"{counted(known.errors, 'mistake')} to correct"
    return DONE, "ready"


def audience_state(mailing: Mailing, known: Standing) -> tuple[str, str]:
    if mailing.people is not None:
        return DONE, people_text(mailing.people)
    if known.people is None:
        return LATER, "who gets it"
    return (DONE, people_text(known.people)) if known.people else (MISSING, "nobody yet")


def send_state(mailing: Mailing, state: str, known: Standing) -> tuple[str, str]:
    if state == "draft":
        return (MISSING if known.errors == 0 and known.people else LATER), "not started"
    if state == "approved":
        return MISSING, "approved"
    return (DONE if state in {"sent", "canceled"} else MISSING), STATES[state].lower()


def page_url(mailing: Mailing, page: str) -> str:
    name = "change" if page == "write" else page
    return reverse(f"admin:mailings_mailing_{name}", args=[mailing.pk])


def counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def people_text(number: int) -> str:
    return f"{number:,} person" if number == 1 else f"{number:,} people"


def clock(moment: datetime, *, at: datetime) -> str:
    """“14:05”, with the day where it is another one."""
    local = timezone.localtime(moment)
    today = timezone.localtime(at).date() == local.date()
    return date_format(local, "H:i" if today else "M j, H:i")

"""Mailings that begin with what is written already: a letter, or a mayor who acted on a petition."""

import re
from datetime import date, datetime

from django.db import transaction
from django.utils.formats import date_format

from campaigns.models import Campaign
from mailings.models import Mailing
from mailings.rendering import CALL_TO_ACTION, STATEMENT
from petitions.models import Kind, Letter, Stand
from staff import audit
from staff.models import User
from toolkit.plain_text import one_line

PREVIEW_LENGTH = 150
BUTTON = f"{{{{ {CALL_TO_ACTION} }}}}"
_LONE_FIELD = re.compile(r"\{\{[^{}]*\}\}")
_CITATION = re.compile(r"\[\^[^\]]*\]")
_LINK = re.compile(r"\[([^\[\]]*)\]\([^()]*\)")
_MARKS = re.compile(r"[*`>#]+|(?<!\w)_|_(?!\w)|^[-+] |^\d+\. ", re.MULTILINE)
# Not cut in two: a merge field, or a word.
_WORD = re.compile(r"(?:\{\{[^{}]*\}\}|\S)+")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>{}])")
_LINE_MARK = re.compile(r"^(\s*\d*)([#+\-.)])", re.MULTILINE)


class NothingToThank(Exception):
    """Why no mailing can be made of what a target did; the message is for staff."""


def blank(campaign: Campaign) -> Mailing:
    """Not saved: what an empty form begins with."""
    return Mailing(campaign=campaign, body=f"Dear {{{{ supporter.first_name|friend }}}},\n\n\n\n{BUTTON}\n")


def from_letter(letter: Letter) -> Mailing:
    """Not saved: the letter as a mail, its notes and merge fields along, with the button at top and end."""
    return Mailing(
        campaign=letter.campaign,
        letter=letter,
        title=one_line(f"{letter.get_kind_display()} to supporters")[:120],
        subject=one_line(letter.headline)[:200],
        preview_text=first_words(letter.body),
        body=body_of(letter),
        call_to_action=letter.button,
        kind=letter.kind,
    )


def body_of(letter: Letter, *, news: str = "") -> str:
    """What stands on the petition's page, as one Markdown text; `news` comes after the greeting."""
    body = letter.body.strip()
    parts = [
        f"{{{{ {STATEMENT} }}}}",
        BUTTON,
        letter.greeting.strip(),
        news,
        body,
        "" if body.endswith(BUTTON) else BUTTON,
        sign_off(letter),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def sign_off(letter: Letter) -> str:
    """Closing, “name, role” and the organization, a line each."""
    who = ", ".join(part for part in (letter.signed_by.strip(), letter.signed_role.strip()) if part)
    lines = [letter.closing.strip(), who, plain(letter.campaign.organization.line) if who else ""]
    return "\\\n".join(line for line in lines if line)


def first_words(body: str) -> str:
    """The beginning of the text's first paragraph, with its merge fields, as mail programs show it."""
    paragraphs = (paragraph.strip() for paragraph in re.split(r"\n\s*\n", body))
    first = next((text for text in paragraphs if text and not _LONE_FIELD.fullmatch(text)), "")
    text = " ".join(_MARKS.sub("", _LINK.sub(r"\1", _CITATION.sub("", first))).split())
    if len(text) <= PREVIEW_LENGTH:
        return text
    kept = ""
    for word in _WORD.finditer(text):
        if word.end() > PREVIEW_LENGTH:
            break
        kept = text[: word.end()]
    return f"{kept} …" if kept else ""


def plain(text: str) -> str:
    """A plain text as Markdown that shows it as it is."""
    return _LINE_MARK.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\1", text.strip()))


# --- After a stand -------------------------------------------------------------------------------------------


@transaction.atomic
def ask_for_thanks(*, stand: Stand, actor: User, at: datetime) -> tuple[Mailing, bool]:
    """A draft to the signers of the petition that was won, which asks them for their thanks; whether it is new.

    Asked for twice, the draft that is there already comes back. Raises `NothingToThank`.
    """
    row = (
        Stand.objects.select_for_update(of=("self",))
        .select_related("target__place", "left", "joined")
        .get(pk=stand.pk)
    )
    joined = row.joined
    letter = Letter.objects.select_related("campaign__organization").get(pk=joined.letter_id)
    if row.undone_at is not None:
        raise NothingToThank("This stand was undone.")
    if row.kind != Kind.THANK_YOU:
        raise NothingToThank(f"{row.target.title} has moved to the side of those who are asked, not thanked.")
    if row.superseded_at is not None:
        raise NothingToThank(f"{row.target.title} has moved once more since.")
    waiting = Mailing.objects.filter(
        of_petition=row.left, leads_to=joined, started_at=None, canceled_at=None
    ).first()
    if waiting is not None:
        return waiting, False
    mailing = Mailing.objects.create(
        campaign=letter.campaign,
        letter=letter,
        title=one_line(f"Thanks for {row.target.title}, {row.target.place.name}")[:120],
        subject=one_line(f"You asked, and {escaped(row.target.title)} acted")[:200],
        preview_text=first_words(escaped(what_they_did(row.target.title, row.reason, row.taken_on))),
        body=body_of(letter, news=what_they_did(plain(row.target.title), plain(row.reason), row.taken_on)),
        call_to_action=letter.button,
        audience=Mailing.Audience.SIGNED,
        of_petition=row.left,
        leads_to=joined,
        created_at=at,
        created_by=actor,
    )
    audit.record(actor=actor, action="added", subject=mailing, at=at, after_the_stand_of=str(row.target))
    return mailing, True


def what_they_did(who: str, reason: str, taken_on: date) -> str:
    """One paragraph that names what the target did, and what is asked now."""
    words = " ".join(reason.split())
    ended = words if words.endswith((".", "!", "?", "…", "”")) else f"{words}."
    day = date_format(taken_on, "F j, Y")
    return f"You signed, and {who} acted. On {day}: {ended} Will you now add your thanks?"


def escaped(text: str) -> str:
    """A plain text for a line that knows merge fields."""
    return text.replace("{", "(").replace("}", ")")

"""From a mailing and a petition to an edition, and from an edition to what one reader gets."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.html import strip_tags

from campaigns.models import Source
from mailings.models import Edition, Mailing
from petitions.models import Petition
from petitions.rendering import CALL_TO_ACTION, LOCAL, PAGE_FIELDS, READER, library, values_for
from toolkit import markdown, merge_fields
from toolkit.emails import compose_parts
from toolkit.footnotes import Notes
from toolkit.markdown import Document
from toolkit.plain_text import one_line, storable
from toolkit.safe_html import clean, escape

STATEMENT = "statement"
# Paragraphs of only such a field are replaced as a whole.
MAIL_BLOCKS = (CALL_TO_ACTION, LOCAL, STATEMENT)
MAIL_FIELDS = (*PAGE_FIELDS, READER)

# Stand for the reader's own links until the copy is made; no such host can exist (RFC 2606 §2).
SIGN_URL = "https://reader.invalid/sign"
UNSUBSCRIBE_URL = "https://reader.invalid/unsubscribe"

# What may stand after a button that ends the mail, in characters.
LONGEST_SIGN_OFF = 400

LONGEST_LINE = 400  # characters of a subject

_CALL = re.compile(r"\{\{\s*" + CALL_TO_ACTION + r"\s*\}\}")
# A button and the box of the statement are tables, which no text of staff may hold: they come in after cleaning.
_BUTTON_PLACE, _STATEMENT_PLACE = '<p class="call-to-action"></p>', '<p class="local"></p>'
_RIGHT_TO_LEFT = frozenset({"ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})
_NOTE_MARK = re.compile(r"<sup\b.*?</sup>", re.DOTALL)
# Marks that turn the direction of everything after them: a name may not do that to our sentences.
_DIRECTION_OVERRIDES = re.compile("[\u202a-\u202e\u2066-\u2069]")
_PRIVATE_USE = str.maketrans("", "", merge_fields.LATER_BEGINS + merge_fields.LATER_ENDS)


@dataclass(frozen=True)
class CompiledMailing:
    """A mailing parsed once, to be rendered for any number of petitions."""

    mailing: Mailing
    body: Document
    sources: Mapping[str, Source]

    @property
    def ends_with_call(self) -> bool:
        """Whether the last button has no more than a sign-off after it; another one would be too many."""
        if CALL_TO_ACTION not in self.body.blocks:
            return False
        after = _CALL.split(self.mailing.body)[-1]
        return len(after.strip()) <= LONGEST_SIGN_OFF


@dataclass(frozen=True)
class Reader:
    """What one copy says of its reader. The first name may be empty; then each field's own fallback stands."""

    first_name: str
    sign_url: str
    unsubscribe_url: str

    @property
    def spoken_name(self) -> str:
        """The first name as a sentence can carry it."""
        return one_line(_DIRECTION_OVERRIDES.sub("", self.first_name)).translate(_PRIVATE_USE)


@dataclass(frozen=True)
class Filled:
    """One reader's copy."""

    subject: str
    html: str
    text: str


def compiled(mailing: Mailing) -> CompiledMailing:
    """One query, for the sources; the mailing needs its campaign and organization loaded."""
    body = mailing.body.translate(_PRIVATE_USE)
    return CompiledMailing(mailing, markdown.parse(body), library(list(mailing.campaign.sources.all())))


def edition_of(compiled: CompiledMailing, petition: Petition | None) -> Edition:
    """The mailing for the readers of one petition (with letter, target, place and version loaded), not saved.

    None is the edition that leads to the campaign page. Makes no query.
    """
    return Page(compiled, petition).edition()


def mail_values(compiled: CompiledMailing, petition: Petition | None) -> dict[str, str | None]:
    """What each merge field says in an edition; the reader's name comes later."""
    campaign = compiled.mailing.campaign
    of_petition = values_for(petition) if petition else {}
    return {
        **dict.fromkeys(PAGE_FIELDS),
        **of_petition,
        "organization.name": campaign.organization.name,
        "campaign.title": campaign.title,
        READER: merge_fields.LATER,
    }


@dataclass
class Page:
    """One edition being rendered: its values, and the notes as they number themselves."""

    compiled: CompiledMailing
    petition: Petition | None
    values: dict[str, str | None] = field(init=False)
    notes: Notes = field(init=False)

    def __post_init__(self) -> None:
        self.values = mail_values(self.compiled, self.petition)
        self.notes = Notes(self.compiled.sources)

    def edition(self) -> Edition:
        mailing = self.compiled.mailing
        preview = self.line(mailing.preview_text)
        context = self.context() | {"preview_text": preview}
        text, page = compose_parts(template="mailing", context=context)
        return Edition(
            mailing=mailing,
            petition=self.petition,
            subject=cut(self.line(mailing.subject)),
            other_subject=cut(self.line(mailing.other_subject)),
            preview_text=cut(preview),
            html=page,
            text=text,
        )

    def context(self) -> dict[str, Any]:
        # The HTML first: it is where notes are cited, in reading order.
        letter_html = self.letter_html()
        notes_html = clean(self.notes.html()) if self.notes.used else ""
        campaign = self.compiled.mailing.campaign
        return {
            "organization": campaign.organization,
            "campaign": campaign,
            "language": campaign.language,
            # Some mail programs do not look at the text themselves.
            "direction": "rtl" if campaign.language.lower().split("-")[0] in _RIGHT_TO_LEFT else "auto",
            "letter_html": letter_html,
            "notes_html": notes_html,
            "letter_text": self.letter_text(),
            "notes_text": self.notes.text().strip() if self.notes.used else "",
            "unsubscribe_url": UNSUBSCRIBE_URL,
            "page_url": self.page_url(),
        }

    def line(self, text: str) -> str:
        return one_line(merge_fields.fill(text.translate(_PRIVATE_USE), self.values))

    # --- The letter ----------------------------------------------------------------------------------------

    def letter_html(self) -> str:
        blocks = {
            CALL_TO_ACTION: lambda: _BUTTON_PLACE,
            LOCAL: self.local_html,
            STATEMENT: lambda: _STATEMENT_PLACE,
        }
        body = clean(self.compiled.body.html(self.values, notes=self.notes, blocks=blocks, first_heading=2))
        if not self.compiled.ends_with_call:
            body += _BUTTON_PLACE
        body = body.replace(_STATEMENT_PLACE, self.statement_html())
        return body.replace(_BUTTON_PLACE, self.button_html())

    def letter_text(self) -> str:
        blocks = {CALL_TO_ACTION: self.call_text, LOCAL: self.local_text, STATEMENT: self.statement_text}
        body = self.compiled.body.text(self.values, notes=self.notes, blocks=blocks).strip()
        return body if self.compiled.ends_with_call else f"{body}\n\n{self.call_text()}"

    def call(self) -> str:
        return self.line(self.compiled.mailing.call_to_action)

    def button_html(self) -> str:
        return render_to_string("emails/_button.html", {"url": self.call_url(), "label": self.call()})

    def call_text(self) -> str:
        return f"{self.call()}:\n{self.call_url()}"

    def call_url(self) -> str:
        """The link that recognises its reader, where there is something to sign."""
        return SIGN_URL if self.petition and self.compiled.mailing.asks_to_sign else self.page_url()

    def page_url(self) -> str:
        page = self.petition or self.compiled.mailing.campaign
        return settings.SITE_URL + page.get_absolute_url()

    # --- What comes from the petition ----------------------------------------------------------------------

    def local_html(self) -> str:
        return self.local().html(self.values, notes=self.notes) if self.petition else ""

    def local_text(self) -> str:
        return self.local().text(self.values, notes=self.notes).strip() if self.petition else ""

    def local(self) -> Document:
        return markdown.parse(self.petition.local if self.petition else "")

    def statement_html(self) -> str:
        """As it was published: what the button signs. Its notes are on the page."""
        version = self.petition.current_version if self.petition else None
        if version is None:
            return ""
        lead_in, statement = (
            _NOTE_MARK.sub("", text) for text in (version.lead_in_html, version.statement_html)
        )
        context = {"lead_in": lead_in, "statement": statement}
        return render_to_string("emails/_statement.html", context)

    def statement_text(self) -> str:
        version = self.petition.current_version if self.petition else None
        if version is None:
            return ""
        lead_in = one_line(html.unescape(strip_tags(_NOTE_MARK.sub("", version.lead_in_html))))
        return f"{lead_in}\n\n“{version.statement}”" if lead_in else f"“{version.statement}”"


def cut(text: str) -> str:
    """At most as long as an edition's lines can be, never in the middle of a mark."""
    text = text[:LONGEST_LINE]
    begins = text.rfind(merge_fields.LATER_BEGINS)
    return text[:begins] if begins > text.rfind(merge_fields.LATER_ENDS) else text


# --- One reader's copy ---------------------------------------------------------------------------------------


def fill(edition: Edition, reader: Reader, subject: str = "") -> Filled:
    """The copy of one reader; `subject` is "a", "b" or "" (the first)."""
    name = reader.spoken_name
    chosen = edition.other_subject if subject == "b" and edition.other_subject else edition.subject
    spoken = f"<bdi>{escape(name)}</bdi>" if name else ""
    return Filled(
        subject=one_line(merge_fields.filled_later(chosen, name)),
        html=_with_links(merge_fields.filled_later(edition.html, spoken), reader, escaped=True),
        text=_with_links(merge_fields.filled_later(edition.text, name), reader, escaped=False),
    )


def _with_links(text: str, reader: Reader, *, escaped: bool) -> str:
    own = {SIGN_URL: reader.sign_url, UNSUBSCRIBE_URL: reader.unsubscribe_url}
    for place, url in own.items():
        text = text.replace(place, escape(url) if escaped else url)
    return storable(text)

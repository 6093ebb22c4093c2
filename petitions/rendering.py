"""From a letter, a target and a source library to what a page shows: the fields of a Version, all safe to store."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

from campaigns.models import Source
from petitions.models import Letter, Petition
from toolkit import markdown, merge_fields
from toolkit.footnotes import Note, Notes
from toolkit.markdown import Document
from toolkit.safe_html import clean, escape

CALL_TO_ACTION = "call_to_action"
LOCAL = "local"
BLOCKS = (CALL_TO_ACTION, LOCAL)
READER = "supporter.first_name"
# What a letter may say of its target, place and campaign. The reader's name is for greetings (and mail) only.
PAGE_FIELDS = (
    "target.name",
    "target.office",
    "target.last_name",
    "place.name",
    "place.region",
    "organization.name",
    "campaign.title",
)
Values = Mapping[str, str | None]


@dataclass(frozen=True)
class Rendered:
    """Everything a Version freezes. `*_html` is sanitized, the rest is plain text."""

    kind: str
    addressee: str
    place_name: str
    headline: str
    lead_in_html: str
    statement_html: str
    statement: str
    letter_html: str
    letter_text: str
    notes_html: str
    notes: list[Note] = field(hash=False)
    call_to_action: str
    button: str
    thanks_html: str
    share_title: str
    share_text: str

    @property
    def fields(self) -> dict[str, Any]:
        """By name, as a Version takes them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) over all fields: two renderings are the same page if and only if their digests are."""
        content = json.dumps(self.fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True)
class CompiledLetter:
    """A letter parsed once, to be rendered for any number of petitions."""

    letter: Letter
    lead_in: Document
    statement: Document
    body: Document
    thanks: Document

    @classmethod
    def of(cls, letter: Letter) -> "CompiledLetter":
        parse = markdown.parse
        return cls(
            letter, parse(letter.lead_in), parse(letter.statement), parse(letter.body), parse(letter.thanks)
        )

    @property
    def ends_with_call(self) -> bool:
        return (
            bool(self.body.blocks)
            and self.letter.body.rstrip().endswith("}}")
            and self.body.blocks[-1] == CALL_TO_ACTION
        )


def library(sources: "list[Source]") -> dict[str, Source]:
    """Sources by key, as `Notes` wants them."""
    return {source.key: source for source in sources}


def values_for(petition: Petition) -> dict[str, str | None]:
    """What each merge field says on this petition's page; None where it has nothing to say.

    A group has no office, last name or place; its addressee line stands for the name.
    """
    campaign = petition.letter.campaign
    target = petition.target
    return {
        "target.name": target.name if target else petition.addressee,
        "target.office": target.office if target else None,
        "target.last_name": target.last_name if target else None,
        "place.name": target.place.name if target else None,
        "place.region": target.place.region if target else None,
        "organization.name": campaign.organization.name,
        "campaign.title": campaign.title,
        READER: None,
    }


def local_document(petition: Petition) -> Document:
    """The local paragraph, parsed once for everybody who asks this row about it."""
    text, document = vars(petition).get("_local_document", (None, None))
    if document is None or text != petition.local:
        document = markdown.parse(petition.local)
        vars(petition)["_local_document"] = (petition.local, document)
    return document


def render(petition: Petition, *, compiled: CompiledLetter, sources: Mapping[str, Source]) -> Rendered:
    """Renders one petition. Makes no query where letter, campaign, organization, target and place are loaded.

    Notes number by first use in reading order: lead-in, statement, letter.
    """
    return Page(petition, compiled, sources).rendered()


class Page:
    """One petition being rendered: its values, and the notes as they number themselves."""

    def __init__(self, petition: Petition, compiled: CompiledLetter, sources: Mapping[str, Source]) -> None:
        self.petition = petition
        self.compiled = compiled
        self.letter = compiled.letter
        self.values: Values = values_for(petition)
        self.notes = Notes(sources)
        self.local = local_document(petition)

    def rendered(self) -> Rendered:
        petition, letter = self.petition, self.letter
        headline = self.line(petition.headline or letter.headline)
        lead_in_html = self.clean(self.compiled.lead_in.html(self.values, notes=self.notes, inline=True))
        statement_html = self.clean(self.compiled.statement.html(self.values, notes=self.notes, inline=True))
        letter_html = self.clean(self.letter_html())
        statement = self.compiled.statement.text(self.values, notes=Notes({})).strip()
        return Rendered(
            kind=letter.kind,
            addressee=petition.addressed_to,
            place_name=petition.target.place.name if petition.target else "",
            headline=headline,
            lead_in_html=lead_in_html,
            statement_html=statement_html,
            statement=statement,
            letter_html=letter_html,
            letter_text=self.letter_text(),
            notes_html=self.clean(self.notes.html()) if self.notes.used else "",
            notes=self.notes.plain(),
            call_to_action=self.line(letter.call_to_action),
            button=self.line(letter.button),
            thanks_html=self.clean(self.compiled.thanks.html(self.values, notes=Notes({}))),
            share_title=self.line(letter.share_title) or headline,
            share_text=self.line(letter.share_text) or statement,
        )

    def clean(self, html: str) -> str:
        return clean(html)

    def line(self, text: str) -> str:
        return merge_fields.fill(text, self.values).strip()

    def letter_html(self) -> str:
        body = self.compiled.body.html(
            self.values, notes=self.notes, blocks={CALL_TO_ACTION: self.call_html, LOCAL: self.local_html}
        )
        parts = [
            self.paragraph("greeting", [self.line(self.letter.greeting)]),
            body,
            "" if self.compiled.ends_with_call else self.call_html(),
            self.paragraph("sign-off", self.sign_off()),
        ]
        return "\n".join(part for part in parts if part)

    def letter_text(self) -> str:
        body = self.compiled.body.text(
            self.values, notes=self.notes, blocks={CALL_TO_ACTION: self.call_text, LOCAL: self.local_text}
        )
        parts = [
            self.line(self.letter.greeting),
            body.strip(),
            "" if self.compiled.ends_with_call else self.call_text(),
            "\n".join(self.sign_off()),
            self.notes.text().strip() if self.notes.used else "",
        ]
        return "\n\n".join(part for part in parts if part)

    def call_html(self) -> str:
        call = self.line(self.letter.call_to_action)
        return (
            f'<p class="call-to-action"><a class="button" href="#sign">{escape(call)}</a></p>' if call else ""
        )

    def call_text(self) -> str:
        return self.line(self.letter.call_to_action)

    def local_html(self) -> str:
        return self.local.html(self.values, notes=self.notes)

    def local_text(self) -> str:
        return self.local.text(self.values, notes=self.notes).strip()

    def sign_off(self) -> list[str]:
        """Closing, “name, role”, and the organization's line, those that are there."""
        letter = self.letter
        who = ", ".join(part for part in (self.line(letter.signed_by), self.line(letter.signed_role)) if part)
        lines = [self.line(letter.closing), who]
        if who:
            lines.append(letter.campaign.organization.line)
        return [line for line in lines if line]

    @staticmethod
    def paragraph(name: str, lines: list[str]) -> str:
        text = "<br>".join(escape(line) for line in lines if line)
        return f'<p class="{name}">{text}</p>' if text else ""

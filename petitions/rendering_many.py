"""One letter for a thousand petitions: rendered once with marks where their own words go, then filled in."""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from campaigns.models import Source
from petitions.models import Petition
from petitions.rendering import CompiledLetter, Page, Rendered, local_document, render, values_for
from toolkit import merge_fields
from toolkit.footnotes import Note, Notes
from toolkit.plain_text import one_line
from toolkit.safe_html import clean, escape

# Letters and digits, which no rendering changes, and which nobody can have written into a text.
_MARK = f"m{secrets.token_hex(12)}"
_PLACE = re.compile(rf"{_MARK}(\d+)x")
# The values come in the order of their names, and the local paragraph after them.
_HTML = ("lead_in_html", "statement_html", "letter_html", "thanks_html")
_TEXT = ("statement", "letter_text", "call_to_action", "button", "share_title", "share_text")


def _mark(number: int) -> str:
    return f"{_MARK}{number}x"


@dataclass(frozen=True)
class _Own:
    """What only one petition has: its values, each on one line, and its local paragraph."""

    names: tuple[str, ...]
    text: tuple[str, ...]
    html: tuple[str, ...]

    @property
    def shape(self) -> tuple[bool, ...]:
        """Which of them are there. That is all that a rendering decides by; the words themselves it only puts in."""
        return tuple(map(bool, (*self.text, self.html[-1])))

    @classmethod
    def of(cls, petition: Petition) -> "_Own | None":
        """None where it must be rendered by itself: its local paragraph has notes, or would be changed by cleaning."""
        values = values_for(petition)
        words = [one_line(str(value)) if value is not None else "" for value in values.values()]
        local_html = local_text = ""
        if petition.local:
            local = local_document(petition)
            local_html = local.html(values, notes=Notes({}))
            local_text = local.text(values, notes=Notes({})).strip()
            if local.citations or clean(local_html) != local_html:
                return None
        return cls(tuple(values), (*words, local_text), (*map(escape, words), local_html))


class _MarkedPage(Page):
    """A page with a mark for every value and for the local paragraph; `is_clean` where cleaning changed nothing.

    Then it would change nothing either with other words in place of the marks: these stand where text stands, and
    escaped words are text.
    """

    def __init__(
        self, petition: Petition, compiled: CompiledLetter, sources: Mapping[str, Source], own: _Own
    ) -> None:
        super().__init__(petition, compiled, sources)
        self.values = {
            name: _mark(number) if own.text[number] else None for number, name in enumerate(own.names)
        }
        self.own = own
        self.is_clean = True

    def clean(self, html: str) -> str:
        cleaned = super().clean(html)
        self.is_clean &= cleaned == html
        return cleaned

    def local_html(self) -> str:
        # A paragraph, which is where blocks stand.
        return f"<p>{_mark(len(self.own.names))}</p>\n" if self.own.html[-1] else ""

    def local_text(self) -> str:
        return _mark(len(self.own.names)) if self.own.text[-1] else ""


@dataclass(frozen=True)
class _Filling:
    """A text with places to fill: strings that are ready, and between each two the number of what comes there."""

    ready: tuple[str, ...]
    numbers: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> "_Filling":
        parts = _PLACE.split(text)
        return cls(tuple(parts[::2]), tuple(map(int, parts[1::2])))

    def filled(self, words: Sequence[str]) -> str:
        parts = [""] * (2 * len(self.ready) - 1)
        parts[::2] = self.ready
        parts[1::2] = [words[number] for number in self.numbers]
        return "".join(parts)


@dataclass(frozen=True)
class _Sheet:
    """A letter rendered for all petitions of one shape."""

    html: Mapping[str, _Filling]
    text: Mapping[str, _Filling]
    notes_html: str
    notes: list[Note]

    @classmethod
    def of(cls, page: _MarkedPage) -> "_Sheet | None":
        """None where it is not clean by itself."""
        rendered = page.rendered()
        if not page.is_clean:
            return None
        local = _mark(len(page.own.names))
        html = {name: getattr(rendered, name).replace(f"<p>{local}</p>\n", local) for name in _HTML}
        return cls(
            {name: _Filling.of(text) for name, text in html.items()},
            {name: _Filling.of(getattr(rendered, name)) for name in _TEXT},
            rendered.notes_html,
            rendered.notes,
        )


class Renderer:
    """Renders the petitions of one letter, each as `render` does."""

    def __init__(self, compiled: CompiledLetter, sources: Mapping[str, Source]) -> None:
        self.compiled = compiled
        self.sources = sources
        self.sheets: dict[tuple[bool, ...], _Sheet | None] = {}

    def render(self, petition: Petition) -> Rendered:
        own = _Own.of(petition)
        sheet = self.sheet_for(petition, own) if own else None
        if own is None or sheet is None:
            return render(petition, compiled=self.compiled, sources=self.sources)
        letter = self.compiled.letter
        values = dict(zip(own.names, own.text, strict=False))
        headline = merge_fields.fill(petition.headline or letter.headline, values).strip()
        fields = {name: filling.filled(own.text) for name, filling in sheet.text.items()}
        fields |= {name: filling.filled(own.html) for name, filling in sheet.html.items()}
        if not merge_fields.fill(letter.share_title, values).strip():
            fields["share_title"] = headline
        return Rendered(
            kind=letter.kind,
            addressee=petition.addressed_to,
            place_name=petition.target.place.name if petition.target else "",
            headline=headline,
            notes_html=sheet.notes_html,
            notes=sheet.notes,
            **fields,
        )

    def sheet_for(self, petition: Petition, own: _Own) -> _Sheet | None:
        if own.shape not in self.sheets:
            page = _MarkedPage(petition, self.compiled, self.sources, own)
            self.sheets[own.shape] = _Sheet.of(page)
        return self.sheets[own.shape]

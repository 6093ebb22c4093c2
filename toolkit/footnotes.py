"""Notes that number themselves by first use on a page, and the lists they become."""

from collections.abc import Mapping
from typing import TypedDict

from toolkit.bibliography import Source, note_html, note_text
from toolkit.safe_html import escape, link_start

__all__ = ["Note", "Notes", "Source", "folded_key", "note_html", "note_text"]

# ↩ with the selector that keeps phones from drawing it as a picture.
_BACK = "↩\ufe0e"


class Note(TypedDict):
    """One note as data; an address that must not be followed is empty."""

    number: int
    text: str
    url: str
    archived_url: str


def folded_key(key: str) -> str:
    """The form in which keys are compared: staff may write `[^Smith-2026]`."""
    return key.strip().lower()


class Notes:
    """The notes of one page. Cite in reading order, then take the list; `prefix` keeps the ids of two lists apart."""

    def __init__(self, sources: Mapping[str, Source], *, prefix: str = "") -> None:
        self._sources = {folded_key(key): source for key, source in sources.items()}
        self._uses: dict[str, int] = {}
        self._numbers: dict[str, int] = {}
        self._prefix = prefix

    def __contains__(self, key: str) -> bool:
        return folded_key(key) in self._sources

    @property
    def used(self) -> tuple[str, ...]:
        """The keys that have a number, in order."""
        return tuple(self._numbers)

    def number(self, key: str) -> int:
        """The note's number, given now if it had none; counts no use. KeyError for an unknown key."""
        key = folded_key(key)
        if key not in self._sources:
            raise KeyError(key)
        return self._numbers.setdefault(key, len(self._numbers) + 1)

    def cite(self, key: str) -> tuple[int, int]:
        """The note's number and which use of it this is, from 1. KeyError for an unknown key."""
        number = self.number(key)
        key = folded_key(key)
        self._uses[key] = self._uses.get(key, 0) + 1
        return number, self._uses[key]

    def reference_html(self, key: str) -> str:
        """Cites, and returns the raised number that leads to the note; nothing for an unknown key."""
        if key not in self:
            return ""
        number, use = self.cite(key)
        return (
            f'<sup><a href="#{self._prefix}note-{number}" id="{self._reference_id(number, use)}"'
            f' role="doc-noteref" aria-label="Note {number}">{number}</a></sup>'
        )

    def reference_text(self, key: str) -> str:
        """The number in brackets; nothing for an unknown key."""
        return f"[{self.number(key)}]" if key in self else ""

    def html(self, *, heading: str = "Notes", level: int = 2) -> str:
        """The list of notes (DPUB-ARIA 1.1), each with one way back per use; "" without notes."""
        if not self._numbers:
            return ""
        heading_id = f"{self._prefix}notes-heading"
        items = "".join(self._item_html(key, number) for key, number in self._numbers.items())
        return (
            f'<section role="doc-endnotes" aria-labelledby="{heading_id}">\n'
            f'<h{level} id="{heading_id}">{escape(heading)}</h{level}>\n<ol>\n{items}</ol>\n</section>\n'
        )

    def text(self, *, heading: str = "Notes") -> str:
        """The list for text mails and digests, one note a line; "" without notes."""
        lines = [f"[{number}] {note_text(self._sources[key])}" for key, number in self._numbers.items()]
        return "\n".join([heading, "", *lines]) if lines else ""

    def plain(self) -> list[Note]:
        """The notes as data, for JSON, mails and documents that set them their own way."""
        return [self._note(self._sources[key], number) for key, number in self._numbers.items()]

    def _note(self, source: Source, number: int) -> Note:
        url, archived_url = source.url.strip(), source.archived_url.strip()
        return {
            "number": number,
            "text": note_text(source, addresses=False),
            "url": url if link_start(url) else "",
            "archived_url": archived_url if link_start(archived_url) else "",
        }

    def _item_html(self, key: str, number: int) -> str:
        back = "".join(
            f" {self._back_html(key, number, use)}" for use in range(1, self._uses.get(key, 0) + 1)
        )
        return f'<li id="{self._prefix}note-{number}">{note_html(self._sources[key])}{back}</li>\n'

    def _back_html(self, key: str, number: int, use: int) -> str:
        once = self._uses[key] == 1
        label = f"Back to text, note {number}" if once else f"Back to note {number}, use {use}"
        mark = _BACK if use == 1 else f"{_BACK}<sup>{use}</sup>"
        reference = self._reference_id(number, use)
        return f'<a href="#{reference}" role="doc-backlink" aria-label="{label}">{mark}</a>'

    def _reference_id(self, number: int, use: int) -> str:
        return f"{self._prefix}ref-{number}" + (f"-{use}" if use > 1 else "")

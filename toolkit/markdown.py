"""Staff's Markdown: parsed once, then rendered for a thousand petitions as HTML or plain text."""

import functools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from markdown_it.token import Token

from toolkit.footnotes import Notes
from toolkit.markdown_mistakes import FieldUse, Finding, findings, problems
from toolkit.markdown_pieces import Citation, HeadingTag, LoneField, Pieces
from toolkit.markdown_syntax import read
from toolkit.markdown_to_html import block_pieces, line_pieces
from toolkit.markdown_to_text import text_pieces
from toolkit.merge_fields import MergeField
from toolkit.plain_text import storable
from toolkit.safe_html import escape
from toolkit.text_problems import TextProblem

Values = Mapping[str, str | None]
Blocks = Mapping[str, Callable[[], str]]

_NO_BLOCKS: Blocks = {}
_LAST_HEADING = 4


@dataclass(frozen=True, slots=True)
class Uses:
    """What a text uses, and what in it is a mistake.

    `fields` are the merge fields to be filled with values and `citations` the keys, both in order with repeats;
    `blocks` are the undotted names that stand alone in a paragraph, such as `call_to_action`.
    """

    fields: tuple[MergeField, ...]
    citations: tuple[str, ...]
    blocks: tuple[str, ...]
    _findings: tuple[Finding, ...]

    def problems(
        self, *, fields: Collection[str], keys: Collection[str], blocks: Collection[str] = ()
    ) -> list[TextProblem]:
        """What the writer has to mend, in reading order, each once."""
        return problems(self._findings, fields=fields, keys=keys, blocks=blocks)


@dataclass(frozen=True, slots=True)
class Document(Uses):
    """A parsed text. It never changes, so that threads may share it."""

    _html: Pieces
    _lines: tuple[Pieces, ...]
    _text: Pieces

    def html(
        self,
        values: Values,
        *,
        notes: Notes,
        blocks: Blocks = _NO_BLOCKS,
        inline: bool = False,
        first_heading: int = 3,
    ) -> str:
        """Safe HTML. Values are data; citations number themselves through notes; a block's callable returns safe HTML.

        With inline there is nothing around the words, and paragraphs are joined by `<br>`.
        The highest heading becomes `first_heading`, none goes below h4.
        """
        fill = _Filler(
            field=lambda field: escape(field.filled(values)),
            cite=notes.reference_html,
            heading=functools.partial(_heading_tag, first=first_heading),
            blocks=blocks,
        )
        if inline:
            return "<br>".join(line for pieces in self._lines if (line := fill.joined(pieces)))
        return fill.joined(self._html)

    def text(self, values: Values, *, notes: Notes, blocks: Blocks = _NO_BLOCKS) -> str:
        """Plain text with note numbers in brackets; a block's callable returns plain text. Counts no use of a note."""
        fill = _Filler(
            field=lambda field: field.filled(values),
            cite=notes.reference_text,
            heading=lambda tag: "",
            blocks=blocks,
        )
        return fill.joined(self._text).strip("\n")


def parse(text: str) -> Document:
    """Reads any text; mistakes in it are reported by the document's `problems`."""
    tokens = read(storable(text))
    return Document(
        *_uses(tokens),
        _html=block_pieces(tokens),
        _lines=line_pieces(tokens),
        _text=text_pieces(tokens),
    )


def uses(text: str) -> Uses:
    """As `parse`, for checking alone, in half the time."""
    return Uses(*_uses(read(storable(text))))


def _uses(
    tokens: list[Token],
) -> tuple[tuple[MergeField, ...], tuple[str, ...], tuple[str, ...], tuple[Finding, ...]]:
    found = findings(tokens)
    fields = [finding for finding in found if isinstance(finding, FieldUse)]
    return (
        tuple(use.field for use in fields if not use.is_block),
        tuple(finding.key for finding in found if isinstance(finding, Citation)),
        tuple(use.field.name for use in fields if use.is_block),
        found,
    )


@dataclass(frozen=True, slots=True)
class _Filler:
    """Puts pieces together, once, in order."""

    field: Callable[[MergeField], str]
    cite: Callable[[str], str]
    heading: Callable[[HeadingTag], str]
    blocks: Blocks

    def joined(self, pieces: Pieces) -> str:
        return "".join(piece if isinstance(piece, str) else self._filled(piece) for piece in pieces)

    def _filled(self, piece: MergeField | Citation | HeadingTag | LoneField) -> str:
        match piece:
            case MergeField():
                return self.field(piece)
            case Citation(key):
                return self.cite(key)
            case HeadingTag():
                return self.heading(piece)
            case LoneField():
                return self._lone(piece)

    def _lone(self, piece: LoneField) -> str:
        block = self.blocks.get(piece.field.name) if piece.may_be_block else None
        if block is not None:
            written = block()
        elif words := self.field(piece.field):
            written = f"{piece.before}{words}{piece.after}"
        else:
            written = ""
        return f"{piece.gap}{written}" if written else ""


def _heading_tag(tag: HeadingTag, *, first: int) -> str:
    level = min(max(first, 2) + tag.rank, _LAST_HEADING)
    return f"</h{level}>\n" if tag.closing else f"<h{level}>"

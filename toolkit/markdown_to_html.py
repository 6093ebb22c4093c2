"""Tokens to pieces of HTML, in exactly the form that `safe_html.clean` leaves as it is."""

from collections.abc import Iterable, Iterator, Sequence

from markdown_it.token import Token

from toolkit.markdown_pieces import (
    Citation,
    HeadingTag,
    LoneField,
    Piece,
    Pieces,
    flat,
    joined,
    lone_field,
    special,
)
from toolkit.safe_html import escape, link_start

_TAGS = {
    "strong_open": "<strong>",
    "strong_close": "</strong>",
    "em_open": "<em>",
    "em_close": "</em>",
    "softbreak": "\n",
    "hardbreak": "<br>\n",
    "hr": "<hr>\n",
    "blockquote_open": "<blockquote>\n",
    "blockquote_close": "</blockquote>\n",
    "bullet_list_open": "<ul>\n",
    "bullet_list_close": "</ul>\n",
    "ordered_list_open": "<ol>\n",
    "ordered_list_close": "</ol>\n",
    "list_item_open": "<li>",
    "list_item_close": "</li>\n",
}


def block_pieces(tokens: Sequence[Token]) -> Pieces:
    """The whole text, with paragraphs, lists and headings."""
    ranks = {
        tag: rank for rank, tag in enumerate(sorted({t.tag for t in tokens if t.type == "heading_open"}))
    }
    pieces: list[Piece] = []
    for place, token in enumerate(tokens):
        match token.type:
            case "inline":
                pieces += _leaf(tokens[place - 1], token, ranks)
            case "fence":
                pieces.append(f"<pre><code>{escape(token.content)}</code></pre>\n")
            case "ordered_list_open" if (start := token.attrs.get("start")) is not None:
                pieces.append(f'<ol start="{start}">\n')
            case _:
                pieces.append(_TAGS.get(token.type, ""))
    return joined(pieces)


def line_pieces(tokens: Sequence[Token]) -> tuple[Pieces, ...]:
    """The lines of the text without the blocks around them, each by itself."""
    lines: list[Pieces] = []
    for token in tokens:
        if token.type == "inline":
            lines.append(joined(_inline(token.children or [])))
        elif token.type == "fence":
            lines.append((f"<code>{escape(token.content.strip())}</code>",))
    return tuple(line for line in lines if line)


def _leaf(opener: Token, token: Token, ranks: dict[str, int]) -> Iterator[Piece]:
    """One paragraph or heading; nothing where it has no content, as of an image without words."""
    children = token.children or []
    content = joined(_inline(children))
    if not content:
        return
    if opener.type == "heading_open":
        rank = ranks[opener.tag]
        yield from (HeadingTag(rank, closing=False), *content, HeadingTag(rank, closing=True))
    elif opener.hidden:
        yield from content
    elif field := lone_field(children):
        yield LoneField(field, opener.level == 0, before="<p>", after="</p>\n")
    else:
        yield from ("<p>", *content, "</p>\n")


def _inline(children: Iterable[Token]) -> list[Piece]:
    link = _Link()
    pieces: list[Piece] = []
    for token in flat(children):
        piece = special(token)
        if isinstance(piece, Citation) and link.depth:
            # A link cannot stand inside a link, so the note's number follows it.
            link.citations.append(piece)
        elif piece is not None:
            pieces.append(piece)
        elif token.type == "link_open":
            link.open(str(token.attrs.get("href", "")), pieces)
        elif token.type == "link_close":
            link.close(pieces)
        elif token.type == "code_inline":
            pieces.append(f"<code>{escape(token.content)}</code>")
        else:
            pieces.append(_TAGS.get(token.type) or escape(token.content))
    return pieces


class _Link:
    """The link being written, if any; one inside another, as in an image's words, is only its words."""

    def __init__(self) -> None:
        self.depth = 0
        self.citations: list[Citation] = []
        self._address = ""
        self._tag = ""
        self._start = 0

    def open(self, address: str, pieces: list[Piece]) -> None:
        self.depth += 1
        if self.depth == 1:
            self._address, self._tag = address, link_start(address)
            pieces.append(self._tag)
            self._start = len(pieces)

    def close(self, pieces: list[Piece]) -> None:
        self.depth -= 1
        if self.depth:
            return
        if self._tag:
            has_words = any(piece if isinstance(piece, str) else True for piece in pieces[self._start :])
            pieces.append("</a>" if has_words else f"{escape(self._address)}</a>")
        pieces += self.citations
        self.citations.clear()

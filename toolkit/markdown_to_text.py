"""Tokens to pieces of plain text: unwrapped paragraphs, • bullets, addresses in parentheses."""

from collections.abc import Iterable, Sequence

from markdown_it.token import Token

from toolkit.markdown_pieces import LoneField, Piece, Pieces, flat, joined, lone_field, special
from toolkit.safe_html import link_start

_BULLET = "• "
_RULE = "* * *"


def text_pieces(tokens: Sequence[Token]) -> Pieces:
    """The whole text; blank lines around it are left to whoever puts it together."""
    writer = _Writer()
    for token in tokens:
        writer.take(token)
    return joined(writer.pieces)


class _Writer:
    """Keeps the margin: what the list items and quotations around a line put before it."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self._margins: list[_Margin] = []
        self._numbers: list[int | None] = []
        self._list_is_new = False
        self._tight = False
        self._in_heading = False

    def take(self, token: Token) -> None:
        match token.type:
            case "paragraph_open" | "heading_open":
                self._tight, self._in_heading = token.hidden, token.type == "heading_open"
            case "inline":
                self._paragraph(token)
            case "fence":
                lines = token.content.rstrip("\n").split("\n")
                self._block([self._line_break().join(lines)], tight=False)
            case "hr":
                self._block([_RULE], tight=False)
            case _:
                self._surround(token)

    def _surround(self, token: Token) -> None:
        """Lists and quotations set the margin."""
        match token.type:
            case "bullet_list_open":
                self._open_list(None)
            case "ordered_list_open":
                self._open_list(int(token.attrs.get("start", 1)))
            case "bullet_list_close" | "ordered_list_close":
                self._numbers.pop()
            case "list_item_open":
                self._margins.append(_Margin(self._marker()))
            case "blockquote_open":
                self._margins.append(_Margin("> ", every_line=True))
            case "list_item_close" | "blockquote_close":
                self._margins.pop()

    def _open_list(self, first_number: int | None) -> None:
        self._list_is_new = self._list_is_new or not self._numbers
        self._numbers.append(first_number)

    def _marker(self) -> str:
        number = self._numbers[-1]
        if number is None:
            return _BULLET
        self._numbers[-1] = number + 1
        return f"{number}. "

    def _paragraph(self, token: Token) -> None:
        children = token.children or []
        if not (self._margins or self._in_heading) and (field := lone_field(children)):
            self.pieces.append(LoneField(field, True, gap="\n\n"))
        elif content := joined(_inline(children, self._line_break())):
            self._block(content, tight=self._tight)

    def _block(self, content: Iterable[Piece], *, tight: bool) -> None:
        gap = "\n" if tight and not self._list_is_new else "\n\n"
        self._list_is_new = False
        self.pieces += [gap, "".join(margin.first() for margin in self._margins), *content]

    def _line_break(self) -> str:
        return "\n" + "".join(margin.rest for margin in self._margins)


class _Margin:
    def __init__(self, marker: str, *, every_line: bool = False) -> None:
        self._marker = marker
        self.rest = marker if every_line else " " * len(marker)

    def first(self) -> str:
        """The marker, once; then what stands before all other lines."""
        marker, self._marker = self._marker, self.rest
        return marker


def _inline(children: Iterable[Token], line_break: str) -> list[Piece]:
    pieces: list[Piece] = []
    links: list[tuple[str, int]] = []
    for token in flat(children):
        if piece := special(token):
            pieces.append(piece)
        elif token.type == "link_open":
            links.append((str(token.attrs.get("href", "")), len(pieces)))
        elif token.type == "link_close":
            address, start = links.pop()
            pieces.append(_after_link(address, pieces[start:]))
        elif token.type == "softbreak":
            pieces.append(" ")
        elif token.type == "hardbreak":
            pieces.append(line_break)
        else:
            pieces.append(token.content)
    return pieces


def _after_link(address: str, words: list[Piece]) -> str:
    """The address in parentheses, unless the words already are that address or it must not be followed."""
    if not link_start(address):
        return ""
    shown = address.removeprefix("mailto:")
    plain = "".join(word for word in words if isinstance(word, str))
    if not words or not any(words):
        return shown
    return "" if plain.strip() in (shown, address) else f" ({shown})"

"""What a parsed text consists of: strings that are ready, and between them the places filled at each rendering."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from markdown_it.token import Token

from toolkit.footnotes import folded_key
from toolkit.merge_fields import MergeField


@dataclass(frozen=True, slots=True)
class Citation:
    """A note's number goes here."""

    key: str


@dataclass(frozen=True, slots=True)
class HeadingTag:
    """The start or the end of a heading; rank counts from 0 over the levels the text uses."""

    rank: int
    closing: bool


@dataclass(frozen=True, slots=True)
class LoneField:
    """A paragraph of one field only, gone with what surrounds it when it comes out empty.

    `before` and `after` go around words, `gap` goes before them and before a block alike.
    """

    field: MergeField
    may_be_block: bool
    before: str = ""
    after: str = ""
    gap: str = ""


Piece = str | MergeField | Citation | HeadingTag | LoneField
Pieces = tuple[Piece, ...]


def joined(pieces: Iterable[Piece]) -> Pieces:
    """The same pieces with neighboring strings made one."""
    result: list[Piece] = []
    for ready, group in itertools.groupby(pieces, key=lambda piece: isinstance(piece, str)):
        neighbors = list(group)
        result += ["".join(map(str, neighbors))] if ready else neighbors
    return tuple(piece for piece in result if piece != "")


def flat(children: Iterable[Token]) -> Iterator[Token]:
    """The tokens of a paragraph, an image replaced by the words that describe it."""
    for token in children:
        if token.type == "image":
            yield from flat(token.children or ())
        else:
            yield token


def lone_field(children: Iterable[Token]) -> MergeField | None:
    """The field of a paragraph that holds nothing else."""
    tokens = [token for token in children if token.type != "text" or token.content.strip()]
    if len(tokens) != 1 or tokens[0].type != "merge_field":
        return None
    field: MergeField = tokens[0].meta["field"]
    return field


def special(token: Token) -> MergeField | Citation | None:
    """The piece for a token of ours."""
    if token.type == "merge_field":
        field: MergeField = token.meta["field"]
        return field
    return Citation(folded_key(token.meta["key"])) if token.type == "citation" else None

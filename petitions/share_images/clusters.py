"""Text as it is set: what cannot be drawn is left out, and each letter keeps its marks and gets a font."""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from petitions.share_images.faces import Face, face_for

LONGEST = 400  # characters; no headline or name is longer
MOST_MARKS = 4  # on one letter; more of them are a joke that would cover the lines above
JOINERS = "\u200c\u200d"
VIRAMA = 9  # the combining class of what joins an Indic letter to the next
# Thai and Lao vowels that stand before the letter they belong to, and such as stand after it.
LEADING = frozenset("เแโใไເແໂໃໄ")
TRAILING = frozenset("ะาำๅๆຯະາຳ")
SILENCED = "\u0e4c"  # over a Thai letter that ends the syllable before it
NO_FONT = "□"


@dataclass(frozen=True, slots=True)
class Cluster:
    """What is never torn apart: a base character with its marks, and the face it is set in."""

    text: str
    face: Face

    @property
    def is_space(self) -> bool:
        return self.text == " "


def clusters_of(text: str) -> list[Cluster]:
    """The text in its faces, each stretch of blanks as one space, nothing at the ends."""
    found: list[Cluster] = []
    for piece in pieces(plain(text)):
        found += drawable(piece, found[-1].face if found else None)
    return trimmed(found)


def plain(text: str) -> str:
    """Composed, without control characters, direction marks, lone surrogates and private characters."""
    kept = []
    for character in unicodedata.normalize("NFC", text[:LONGEST]):
        if character.isspace():
            kept.append(" ")
        elif character in JOINERS or not unicodedata.category(character).startswith("C"):
            kept.append(character)
    return " ".join("".join(kept).split())


def pieces(text: str) -> Iterator[str]:
    """Letters with what hangs on them."""
    piece = ""
    for at, character in enumerate(text):
        if piece and (belongs_to(piece, character) or text[at + 1 : at + 2] == SILENCED):
            piece += character
        else:
            if piece:
                yield piece
            piece = character
    if piece:
        yield piece


def belongs_to(piece: str, character: str) -> bool:
    if piece == " " or character == " ":
        return False
    last = piece[-1]
    return (
        is_mark(character)
        or character in TRAILING
        or last in LEADING
        or last == "\u200d"
        or (unicodedata.combining(last) == VIRAMA and character.isalpha())
    )


def is_mark(character: str) -> bool:
    return (
        character in JOINERS
        or unicodedata.category(character).startswith("M")
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )


def drawable(piece: str, before: Face | None) -> list[Cluster]:
    """The piece in its face. Without one: a plainer form, a box for a letter, nothing for a picture."""
    text = without_heap(piece)
    face = face_for(text, before)
    if face is not None:
        text = text if face.covers(text) else only_covered(text, face)
        return [Cluster(text, face)] if text.strip(JOINERS) else []
    # 𝕺𝖕𝖊𝖓 and the like are plain letters in disguise.
    plainer = unicodedata.normalize("NFKC", text)
    if plainer != text:
        return [cluster for part in pieces(plain(plainer)) for cluster in drawable(part, before)]
    box = face_for(NO_FONT)
    return [Cluster(NO_FONT, box)] if box is not None and text[0].isalnum() else []


def without_heap(piece: str) -> str:
    """At most four marks on each letter."""
    kept, marks = "", 0
    for character in piece:
        marks = marks + 1 if is_mark(character) else 0
        if marks <= MOST_MARKS:
            kept += character
    return kept


def only_covered(text: str, face: Face) -> str:
    return "".join(character for character in text if ord(character) in face.characters)


def trimmed(clusters: Iterable[Cluster]) -> list[Cluster]:
    """Without blanks at the ends or after each other, which leaving something out may have made."""
    kept: list[Cluster] = []
    for cluster in clusters:
        if not cluster.is_space or (kept and not kept[-1].is_space):
            kept.append(cluster)
    while kept and kept[-1].is_space:
        kept.pop()
    return kept

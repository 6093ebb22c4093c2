"""The fonts we draw with, which characters each has, and which one a piece of text is set in."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from PIL import ImageFont, features

FONTS = Path(__file__).parent / "fonts"
# Raqm joins, stacks and orders letters as their script asks for; it needs the system's FriBidi.
SHAPES = bool(features.check("raqm"))
NO_GLYPH = 0


@dataclass(frozen=True)
class Face:
    """A font file. `scale` brings it to the size of the others; `leading` is its line height, in sizes.

    `bolder` thickens a font that has no bold weight, in sizes.
    """

    file: str
    leading: float = 1.12
    scale: float = 1.0
    bolder: float = 0.0

    @cached_property
    def characters(self) -> frozenset[int]:
        return frozenset(mapped_characters((FONTS / self.file).read_bytes()))

    def covers(self, text: str) -> bool:
        return all(ord(character) in self.characters for character in text)

    def font(self, size: float) -> ImageFont.FreeTypeFont:
        return load(self.file, round(size * self.scale, 1))


@lru_cache(maxsize=256)
def load(file: str, size: float) -> ImageFont.FreeTypeFont:
    layout = ImageFont.Layout.RAQM if SHAPES else ImageFont.Layout.BASIC
    return ImageFont.truetype(FONTS / file, size, layout_engine=layout)


OURS = Face("brygada-1918-semibold.ttf")
# The first that has a character sets it; Noto Serif steps in for the letters Brygada lacks.
FACES = (
    OURS,
    Face("noto-serif-bold.ttf", leading=1.16, scale=0.94),
    Face("noto-naskh-arabic-bold.ttf", leading=1.45, scale=1.08),
    Face("noto-serif-hebrew-bold.ttf", leading=1.2),
    Face("noto-serif-devanagari-bold.ttf", leading=1.34),
    Face("noto-serif-bengali-bold.ttf", leading=1.34),
    Face("noto-serif-gujarati-bold.ttf", leading=1.34),
    Face("noto-serif-gurmukhi-bold.ttf", leading=1.34),
    Face("noto-serif-tamil-bold.ttf", leading=1.3, scale=0.9),
    Face("noto-serif-telugu-bold.ttf", leading=1.42, scale=0.94),
    Face("noto-serif-kannada-bold.ttf", leading=1.42, scale=0.94),
    Face("noto-serif-malayalam-bold.ttf", leading=1.34, scale=0.9),
    Face("noto-serif-sinhala-bold.ttf", leading=1.34, scale=0.94),
    Face("noto-serif-thai-bold.ttf", leading=1.42),
    Face("noto-serif-lao-bold.ttf", leading=1.42),
    Face("noto-serif-khmer-bold.ttf", leading=1.6, scale=0.94),
    Face("noto-serif-myanmar-bold.ttf", leading=1.7, scale=0.94),
    Face("noto-serif-tibetan-bold.ttf", leading=1.6, scale=0.94),
    Face("noto-serif-armenian-bold.ttf"),
    Face("noto-serif-georgian-bold.ttf"),
    Face("noto-serif-ethiopic-bold.ttf", leading=1.25),
    Face("noto-serif-kr-bold.otf", leading=1.3, scale=0.94),
    Face("droid-sans-fallback.ttf", leading=1.24, scale=0.94, bolder=0.022),
    Face("dejavu-sans-symbols-bold.ttf", scale=0.88),
)


def face_for(text: str, before: Face | None = None) -> Face | None:
    """The face for one cluster: a base character with its marks. None where no face has the base character.

    Marks and spaces prefer the face of what stands `before`, so that words are shaped in one piece.
    """
    if before is not None and not text[0].isalnum() and before.covers(text):
        return before
    for face in FACES:
        if face.covers(text):
            return face
    return next((face for face in FACES if face.covers(text[0])), None)


def mapped_characters(data: bytes) -> Iterator[int]:
    """The code points a TrueType file has a glyph for: its `cmap`, formats 4 and 12 (OpenType 1.9, “cmap”)."""
    (tables,) = struct.unpack_from(">H", data, 4)
    for at in range(12, 12 + 16 * tables, 16):
        tag, _checksum, offset, _length = struct.unpack_from(">4sLLL", data, at)
        if tag == b"cmap":
            (subtables,) = struct.unpack_from(">H", data, offset + 2)
            for entry in range(offset + 4, offset + 4 + 8 * subtables, 8):
                (start,) = struct.unpack_from(">L", data, entry + 4)
                yield from in_subtable(data, offset + start)


def in_subtable(data: bytes, start: int) -> Iterator[int]:
    (kind,) = struct.unpack_from(">H", data, start)
    if kind == 4:
        yield from in_segments(data, start)
    elif kind == 12:
        (groups,) = struct.unpack_from(">L", data, start + 12)
        for at in range(start + 16, start + 16 + 12 * groups, 12):
            first, last, _glyph = struct.unpack_from(">LLL", data, at)
            yield from range(first, last + 1)


def in_segments(data: bytes, start: int) -> Iterator[int]:
    """Format 4: segments of code points, each with an offset to its glyph numbers."""
    (doubled,) = struct.unpack_from(">H", data, start + 6)
    ends, starts = start + 14, start + 16 + doubled
    deltas, offsets = starts + doubled, starts + 2 * doubled
    for at in range(0, doubled, 2):
        (last,), (first,) = (
            struct.unpack_from(">H", data, ends + at),
            struct.unpack_from(">H", data, starts + at),
        )
        (delta,), (offset,) = (
            struct.unpack_from(">H", data, deltas + at),
            struct.unpack_from(">H", data, offsets + at),
        )
        for code in range(first, min(last, 0xFFFE) + 1):
            glyph = code
            if offset:
                (glyph,) = struct.unpack_from(">H", data, offsets + at + offset + 2 * (code - first))
                if glyph == NO_GLYPH:
                    continue
            if (glyph + delta) & 0xFFFF:
                yield code

"""A page cut where its numbers stand: each piece is compressed once, and new numbers go in between."""

import re
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

LEVEL = 9  # done once for a page
# RFC 1952 §2.3: deflate, no flags, no time, no system.
GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
LONGEST_STORED = 0xFFFF


@dataclass(frozen=True)
class Piece:
    """Bytes that stay, and the same as whole deflate blocks that end on a byte; `value` names what comes after them."""

    raw: bytes
    packed: bytes
    value: str


@dataclass(frozen=True)
class Pieces:
    pieces: tuple[Piece, ...]

    @cached_property
    def values(self) -> frozenset[str]:
        """The names of all values that are asked for."""
        return frozenset(piece.value for piece in self.pieces)

    @property
    def size(self) -> int:
        return sum(len(piece.raw) + len(piece.packed) for piece in self.pieces)

    def parts(self, values: Mapping[str, bytes]) -> tuple[bytes, ...]:
        return tuple(part for piece in self.pieces for part in (piece.raw, values[piece.value]))

    def gzipped(self, values: Mapping[str, bytes], whole: bytes) -> bytes:
        """One gzip member (RFC 1952) whose content is `whole`: the parts made of the same values, joined."""
        parts = [GZIP_HEADER]
        for piece in self.pieces:
            parts += (piece.packed, stored(values[piece.value]))
        parts += (LAST_BLOCK, struct.pack("<II", zlib.crc32(whole), len(whole) & 0xFFFFFFFF))
        return b"".join(parts)


# A piece without a value after it: the last one.
NOTHING = ""
# An empty last block with fixed codes.
LAST_BLOCK = b"\x03\x00"


def cut(content: bytes, marks: Mapping[bytes, str]) -> Pieces:
    """Cuts at each mark. Values named in `marks` are asked for where they stood, and `NOTHING` at the end."""
    if not marks:
        return Pieces((piece(content, NOTHING),))
    # The longest first: a mark may begin like another.
    found = re.split(b"(%s)" % b"|".join(map(re.escape, sorted(marks, key=len, reverse=True))), content)
    values = [marks[mark] for mark in found[1::2]]
    return Pieces(tuple(map(piece, found[0::2], [*values, NOTHING])))


def piece(raw: bytes, value: str) -> Piece:
    return Piece(raw, packed(raw), value)


def packed(raw: bytes) -> bytes:
    """Deflate blocks (RFC 1951) that refer to nothing before them and leave nothing open."""
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compressor.compress(raw) + compressor.flush(zlib.Z_FULL_FLUSH) if raw else b""


def stored(value: bytes) -> bytes:
    """A number as a block of its own, not compressed: it is shorter than any code for it."""
    if not value:
        return b""
    if len(value) > LONGEST_STORED:
        return packed(value)
    return struct.pack("<BHH", 0, len(value), len(value) ^ 0xFFFF) + value

"""The pages that are held: finished answers, and how many of them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from config.page_front.inputs import Inputs
from config.page_front.marks import Contents, Marked, Number
from petitions.public_pages import WORTH_COMPRESSING

MOST_PAGES = 1000
MOST_BYTES = 24 * 1024 * 1024  # in each process
DEPENDS_ON_BODY = frozenset({"content-length", "content-encoding", "etag"})
# What a 304 leaves out, as Django's does.
DESCRIBES_BODY = frozenset({"content-type", "content-length", "content-encoding"})

Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Answers:
    """What is sent: to who takes gzip, to who does not, and to who has the page already."""

    etag: str
    gzipped: Headers
    body: tuple[bytes]  # compressed, where that is worth it
    plain: Headers
    parts: tuple[bytes, ...]
    unchanged: Headers


def answers_of(contents: Contents, headers: Headers) -> Answers:
    """`headers` are Django's for the same page."""
    stay = [(name, value) for name, value in headers if name.lower() not in DEPENDS_ON_BODY]
    tagged: Headers = [*stay, ("ETag", contents.etag)]
    plain = [*tagged, ("Content-Length", str(contents.length))]
    compressed = [("Content-Encoding", "gzip"), ("Content-Length", str(len(contents.gzipped)))]
    return Answers(
        etag=contents.etag,
        gzipped=[*tagged, *compressed] if contents.length > WORTH_COMPRESSING else plain,
        body=(contents.gzipped,),
        plain=plain,
        parts=contents.parts,
        unchanged=[(name, value) for name, value in tagged if name.lower() not in DESCRIBES_BODY],
    )


@dataclass(slots=True)
class Held:
    """A page at its address. Whoever answers reads `answers` once; they are only ever replaced whole.

    All moments are of the monotonic clock. After `until` it must not be served any more.
    """

    path: str
    slug: str
    source: Marked | Number
    headers: Headers
    site: object  # what all pages depend on
    inputs: Inputs
    answers: Answers
    slot: int  # of the form's stamp
    filled: float
    until: float
    asked: float

    @property
    def size(self) -> int:
        """Parts are those of `source`."""
        return self.source.size + len(self.answers.body[0])


class Shelf:
    """Pages by path. Written by one thread, read by all."""

    def __init__(self, *, most_pages: int = MOST_PAGES, most_bytes: int = MOST_BYTES) -> None:
        self.by_path: dict[str, Held] = {}
        self.most_pages, self.most_bytes = most_pages, most_bytes

    def __iter__(self) -> Iterator[Held]:
        return iter(list(self.by_path.values()))

    def __len__(self) -> int:
        return len(self.by_path)

    def put(self, page: Held) -> None:
        """Whoever was not asked for longest makes room."""
        self.by_path[page.path] = page
        size = sum(held.size for held in self)
        while len(self) > self.most_pages or size > self.most_bytes:
            least = min(self, key=lambda held: held.asked if held is not page else math.inf)
            size -= least.size
            self.drop(least.path)

    def drop(self, path: str) -> None:
        self.by_path.pop(path, None)

    def clear(self) -> None:
        self.by_path.clear()

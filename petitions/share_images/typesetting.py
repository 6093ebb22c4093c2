"""Setting text of any script in a box: the largest size that fits, in lines of like length."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from PIL import ImageDraw

from petitions.share_images.clusters import Cluster, clusters_of, trimmed
from petitions.share_images.faces import SHAPES, Face, face_for
from petitions.share_images.reading_order import levels, reads_rightward, visual_order

UNIT = 100  # the size at which text is measured, once for all sizes
SHRINK = 0.95  # from one size to the next that is tried
# Written without spaces: a line may end after any character but these, and before any but those.
NEVER_LAST = frozenset("（「『【〈《［｛〔“‘([{")
NEVER_FIRST = frozenset(
    "、。，．：；！？）」』】〉》］｝〕ー〜…々ぁぃぅぇぉっゃゅょァィゥェォッャュョ”’)]}!?,.:;"
)
HYPHENS = frozenset("-‐–—/")

Line = tuple[Cluster, ...]


@dataclass(frozen=True)
class Run:
    """A stretch of one line in one face and one direction."""

    text: str
    face: Face
    rightward: bool


@dataclass(frozen=True)
class Word:
    """What stays on one line where it can; `width` in units, `spaced` where a blank stands before it."""

    clusters: Line
    width: float
    spaced: bool

    @property
    def is_divisible(self) -> bool:
        """Thai, Lao, Khmer and Burmese write no blanks between words; we know no dictionary."""
        return any(
            "\u0e00" <= cluster.text[0] <= "\u0eff" or is_mon_khmer(cluster) for cluster in self.clusters
        )


@dataclass(frozen=True)
class Setting:
    """Lines of clusters at a size in pixels, ready to be drawn."""

    lines: list[Line]
    size: float
    leading: float
    rightward: bool

    @property
    def line_height(self) -> float:
        return self.size * self.leading

    @property
    def height(self) -> float:
        return self.line_height * len(self.lines)

    @property
    def width(self) -> float:
        return max((self.width_of(line) for line in self.lines), default=0.0)

    def width_of(self, line: Line) -> float:
        return sum(length(run, self.size) for run in runs_of(line, rightward=self.rightward))

    def baseline(self, at: int) -> float:
        """How far below the top of the setting a line's letters stand."""
        return self.line_height * (at + 0.5) + self.size * 0.33


def set_text(
    text: str, *, width: float, height: float, largest: float, smallest: float, most_lines: int = 12
) -> Setting:
    """The text as large as fits into the box. At the smallest size words are torn, and what is left over cut off."""
    clusters = clusters_of(text)
    rightward = reads_rightward("".join(cluster.text for cluster in clusters))
    words = list(words_of(clusters, rightward=rightward))
    leading = max((cluster.face.leading for cluster in clusters), default=1.0)
    for tearing in (False, True):
        size = largest
        while size >= smallest:
            limit = width / size * UNIT
            most = min(most_lines, max(1, int(height / (size * leading))))
            lines = broken(words, limit, tearing=tearing)
            if lines is not None and len(lines) <= most:
                return Setting(balanced(words, lines, limit), size, leading, rightward)
            size *= SHRINK
    limit = width / smallest * UNIT
    most = min(most_lines, max(1, int(height / (smallest * leading))))
    lines = broken(words, limit, tearing=True) or []
    return Setting(cut(lines, most, limit, rightward), smallest, leading, rightward)


def words_of(clusters: Sequence[Cluster], *, rightward: bool) -> Iterator[Word]:
    start, spaced = 0, False
    for at, cluster in enumerate(clusters):
        if cluster.is_space:
            if at > start:
                yield word(clusters[start:at], spaced, rightward)
            start, spaced = at + 1, True
        elif at > start and may_break(clusters[at - 1], cluster):
            yield word(clusters[start:at], spaced, rightward)
            start, spaced = at, False
    if start < len(clusters):
        yield word(clusters[start:], spaced, rightward)


def word(clusters: Sequence[Cluster], spaced: bool, rightward: bool) -> Word:
    return Word(tuple(clusters), units(clusters, rightward=rightward), spaced)


def may_break(before: Cluster, after: Cluster) -> bool:
    if before.text[-1] in NEVER_LAST or after.text[0] in NEVER_FIRST:
        return False
    if before.text[-1] in HYPHENS:
        return after.text[0].isalpha()
    return is_east_asian(before) or is_east_asian(after)


def is_east_asian(cluster: Cluster) -> bool:
    """Han and Kana; Hangul is written with blanks."""
    return (
        "\u2e80" <= cluster.text[0] <= "\u9fff"
        or "\uff00" <= cluster.text[0] <= "\uffef"
        or ("\U00020000" <= cluster.text[0] <= "\U0003ffff")
    )


def is_mon_khmer(cluster: Cluster) -> bool:
    return "\u1000" <= cluster.text[0] <= "\u109f" or "\u1780" <= cluster.text[0] <= "\u17ff"


def broken(words: Sequence[Word], limit: float, *, tearing: bool) -> list[Line] | None:
    """The words in lines of at most `limit` units; None where a word is longer and must not be torn."""
    blank = units((space(),), rightward=True)
    lines: list[list[Cluster]] = []
    used = limit + 1
    for piece in torn(words, limit, tearing=tearing):
        if piece is None:
            return None
        gap = blank if piece.spaced else 0
        if lines and used + gap + piece.width <= limit:
            lines[-1] += [space()] * piece.spaced + list(piece.clusters)
            used += gap + piece.width
        else:
            lines.append(list(piece.clusters))
            used = piece.width
    return [tuple(line) for line in lines]


def torn(words: Sequence[Word], limit: float, *, tearing: bool) -> Iterator[Word | None]:
    """The words, those that are wider than a line in pieces, cluster by cluster."""
    for whole in words:
        if whole.width <= limit:
            yield whole
        elif not (tearing or whole.is_divisible):
            yield None
        else:
            for at, cluster in enumerate(whole.clusters):
                yield Word((cluster,), units((cluster,), rightward=True), whole.spaced and at == 0)


def balanced(words: Sequence[Word], lines: list[Line], limit: float) -> list[Line]:
    """The same number of lines, as narrow as that allows, so that none is left with a single word."""
    whole = (each.width for each in words if not (each.is_divisible and each.width > limit))
    narrow, wide = max(whole, default=0.0), limit
    if len(lines) < 2 or narrow > limit:
        return lines
    for _ in range(8):
        middle = (narrow + wide) / 2
        tried = broken(words, middle, tearing=False)
        if tried is not None and len(tried) <= len(lines):
            lines, wide = tried, middle
        else:
            narrow = middle
    return lines


def cut(lines: list[Line], most: int, limit: float, rightward: bool) -> list[Line]:
    """At most so many lines; the last of them ends in an ellipsis where something is missing."""
    if len(lines) <= most:
        return lines
    last = list(lines[most - 1])
    ellipsis = clusters_of("…")
    while last and units([*last, *ellipsis], rightward=rightward) > limit:
        last.pop()
    return [*lines[: most - 1], tuple(trimmed(last) + ellipsis)]


def runs_of(line: Sequence[Cluster], *, rightward: bool) -> list[Run]:
    """From left to right."""
    found = levels([cluster.text[0] for cluster in line], rightward=rightward)
    runs, run_levels = [], []
    for (level, face), group in groupby(
        zip(found, line, strict=True), key=lambda pair: (pair[0], pair[1].face)
    ):
        runs.append(Run("".join(cluster.text for _level, cluster in group), face, level % 2 == 0))
        run_levels.append(level)
    return [runs[at] for at in visual_order(run_levels)]


def units(clusters: Sequence[Cluster], *, rightward: bool) -> float:
    return sum(length(run, UNIT) for run in runs_of(clusters, rightward=rightward))


@lru_cache(maxsize=4096)
def length(run: Run, size: float) -> float:
    """The width of a run in pixels."""
    return run.face.font(size).getlength(shown(run), direction=direction(run))


@lru_cache(maxsize=1)
def space() -> Cluster:
    face = face_for(" ")
    if face is None:
        raise LookupError("No font has a space.")
    return Cluster(" ", face)


def shown(run: Run) -> str:
    """Without Raqm letters stand as they come, so those that read leftward are turned round here."""
    return run.text if SHAPES or run.rightward else run.text[::-1]


def direction(run: Run) -> str | None:
    if not SHAPES:
        return None
    return "ltr" if run.rightward else "rtl"


def draw_line(
    draw: ImageDraw.ImageDraw, line: Line, *, left: float, baseline: float, size: float, rightward: bool
) -> None:
    """Onto a plate: in full ink."""
    for run in runs_of(line, rightward=rightward):
        draw.text(
            (left, baseline),
            shown(run),
            fill=255,
            font=run.face.font(size),
            anchor="ls",
            stroke_width=run.face.bolder * size,
            direction=direction(run),
        )
        left += length(run, size)

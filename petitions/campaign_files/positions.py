"""On which line of a TOML text each table and key stands, which Python's own reader does not tell."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

Path = tuple[str | int, ...]

# Deeper than any campaign file goes, and far from where Python's reader gets slow or runs out of stack.
DEEPEST = 20

_TOKEN = re.compile(
    r"""
      (?P<long>\"{3}(?:[^"\\]|\\.|"(?!""))*"{3,5} | '{3}(?:[^']|'(?!''))*'{3,5})
    | (?P<quoted>"(?:[^"\\\n]|\\.)*" | '[^'\n]*')
    | (?P<comment>\#[^\n]*)
    | (?P<newline>\n)
    | (?P<blank>[ \t\r]+)
    | (?P<mark>\[\[|\]\]|[\[\]{}=.,])
    | (?P<bare>[A-Za-z0-9_+:-]+)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Positions:
    """Lines by path; arrays of tables count from one: ("targets", 3, "email")."""

    lines: Mapping[Path, int]
    too_deep: int | None = None

    def line(self, *path: str | int) -> int:
        """The line of the path, or of the nearest thing around it that has one."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1


def find_positions(text: str) -> Positions:
    """Reads as far as the text is TOML. `too_deep` is the line on which things are nested beyond reason."""
    scan = _Scan()
    position = 0
    while match := _TOKEN.match(text, position):
        position = match.end()
        scan.take(match.lastgroup or "", match.group())
        if scan.too_deep:
            break
    scan.end_line()
    return Positions(scan.lines, scan.too_deep)


@dataclass
class _Scan:
    """Walks from token to token; knows only where statements begin and how deep brackets are."""

    lines: dict[Path, int] = field(default_factory=dict)
    too_deep: int | None = None
    line: int = 1
    depth: int = 0
    dots: int = 0
    # The header being read: its opening mark, then its parts; or the parts of a key until its equals sign.
    header: str = ""
    parts: list[str] = field(default_factory=list)
    in_value: bool = False
    prefix: Path = ()
    counts: dict[Path, int] = field(default_factory=dict)

    def take(self, kind: str, words: str) -> None:
        if kind == "newline":
            self.end_line()
        elif self.in_value:
            self.take_in_value(kind, words)
        elif kind == "mark":
            self.take_mark(words)
        elif kind in {"bare", "quoted"}:
            self.parts.append(words if kind == "bare" else words[1:-1])
        self.line += words.count("\n")

    def take_mark(self, mark: str) -> None:
        if mark in {"[", "[["} and not self.parts:
            self.header = mark
        elif mark == ".":
            self.count_dot()
        elif mark == "=" and not self.header:
            self.note(self.prefix + self.resolved(self.prefix, self.parts))
            self.in_value, self.depth, self.dots = True, 0, 0

    def take_in_value(self, kind: str, marks: str) -> None:
        if kind != "mark":
            return
        if marks == ".":
            self.count_dot()
            return
        self.dots = 0
        self.depth += sum({"[": 1, "{": 1, "]": -1, "}": -1}.get(mark, 0) for mark in marks)
        if self.depth > DEEPEST:
            self.too_deep = self.line

    def count_dot(self) -> None:
        self.dots += 1
        if self.dots > DEEPEST:
            self.too_deep = self.line

    def end_line(self) -> None:
        if self.in_value and self.depth > 0:
            return
        if self.header:
            self.open_table()
        self.header, self.parts, self.in_value, self.depth, self.dots = "", [], False, 0, 0

    def open_table(self) -> None:
        path = self.resolved((), self.parts[:-1]) + tuple(self.parts[-1:])
        if self.header == "[[":
            self.counts[path] = self.counts.get(path, 0) + 1
            self.lines.setdefault(path, self.line)
        self.prefix = self.resolved((), self.parts)
        self.note(self.prefix)

    def resolved(self, prefix: Path, parts: list[str]) -> Path:
        """The parts as a path below `prefix`, with the number of the current table wherever there are several."""
        path = prefix
        for part in parts:
            path = (*path, part)
            if path in self.counts:
                path = (*path, self.counts[path])
        return path[len(prefix) :] if prefix else path

    def note(self, path: Path) -> None:
        for length in range(1, len(path) + 1):
            self.lines.setdefault(path[:length], self.line)

"""What a benchmark found: figures with their spread and target, printed, kept, and written as a table."""

import json
import os
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NoReturn

# The file into which a benchmark started by `python -m benchmarks` puts its figures, one a line.
KEPT_IN = "BENCHMARK_FIGURES"


@dataclass(frozen=True)
class Figure:
    """One row of the table. `low` and `high` are the extremes over the rounds, `beside` says what stands behind the
    value, such as the two sides of a ratio."""

    name: str
    value: float
    low: float
    high: float
    unit: str = "×"
    target: float | None = None
    stretch: float | None = None
    at_most: bool = False  # whether less is better
    beside: str = ""

    @classmethod
    def of(
        cls,
        name: str,
        rounds: Sequence[float],
        *,
        unit: str = "×",
        target: float | None = None,
        stretch: float | None = None,
        at_most: bool = False,
        beside: str = "",
    ) -> "Figure":
        """The median of the rounds."""
        median = statistics.median(rounds)
        return cls(name, median, min(rounds), max(rounds), unit, target, stretch, at_most, beside)

    @property
    def met(self) -> bool:
        return self.reaches(self.target)

    def reaches(self, wanted: float | None) -> bool:
        if wanted is None:
            return True
        return self.value <= wanted if self.at_most else self.value >= wanted

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        if not self.met:
            return "**missed**"
        return "stretch" if self.stretch is not None and self.reaches(self.stretch) else "met"

    @property
    def shown(self) -> str:
        return f"{number(self.value)} {self.unit}".rstrip()

    @property
    def spread(self) -> str:
        return f"{number(self.low)}–{number(self.high)}" if self.low != self.high else ""

    def wanted(self, limit: float | None) -> str:
        return "" if limit is None else f"{'≤' if self.at_most else '≥'} {number(limit)}"


def number(value: float) -> str:
    """Three digits, as many as such a measurement can bear."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def finish(figures: Sequence[Figure]) -> NoReturn:
    """Prints the figures, keeps them for `python -m benchmarks`, and exits: 1 where a target was missed."""
    print("\n".join(lines(figures)), flush=True)
    if path := os.environ.get(KEPT_IN):
        with Path(path).open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(figure)) + "\n" for figure in figures)
    sys.exit(0 if all(figure.met for figure in figures) else 1)


def kept(path: Path) -> list[Figure]:
    """What benchmarks have put into a file."""
    return [Figure(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def lines(figures: Sequence[Figure]) -> list[str]:
    """As text for a terminal."""
    width = max((len(figure.name) for figure in figures), default=0)
    return [
        "  ".join(
            part
            for part in (
                f"{figure.name:{width}}",
                f"{figure.shown:>10}",
                f"({figure.spread})" if figure.spread else "",
                figure.wanted(figure.target),
                figure.verdict.strip("*").upper() if not figure.met else figure.verdict,
                figure.beside,
            )
            if part
        )
        for figure in figures
    ]


def table(figures: Sequence[Figure]) -> str:
    """As Markdown."""
    rows = ["| figure | measured | spread | target | stretch | | |", "|---|---|---|---|---|---|---|"]
    rows += [
        f"| {figure.name} | {figure.shown} | {figure.spread} | {figure.wanted(figure.target)} |"
        f" {figure.wanted(figure.stretch)} | {figure.verdict} | {figure.beside} |"
        for figure in figures
    ]
    return "\n".join(rows)

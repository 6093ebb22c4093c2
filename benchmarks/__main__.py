"""Runs benchmarks, one after the other, each in a process and with a database of its own.

`python -m benchmarks [--write] [--long] [NAME ...]`: without names all that take a minute or two, with `--long` all
the others. `--write` puts the figures into docs/performance.md. Without DATABASE_URL they get a PostgreSQL of their
own, which keeps what it has acknowledged; with `DATABASE_URL=` (empty) SQLite.
"""

import argparse
import os
import pkgutil
import platform
import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import benchmarks
from benchmarks.figures import KEPT_IN, Figure, kept, table

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "performance.md"
# What they share, and this module.
NO_BENCHMARKS = {
    "__main__",
    "figures",
    "one_insert",
    "one_insert_settings",
    "processes",
    "served_settings",
    "servers",
    "throwaway",
}
# Minutes, each.
LONG = {
    "confirmations",
    "flat",
    "import_targets",
    "killed_mailing",
    "mailings",
    "publishing",
    "restore_drill",
    "surge",
}
# Nobody waits for ever.
STOPPED_AFTER = 3_600  # seconds


def main() -> int:
    asked = arguments()
    if "DATABASE_URL" not in os.environ:
        return with_postgres()
    names = asked.names or [name for name in every() if (name in LONG) == asked.long]
    started, load_before = datetime.now(UTC), os.getloadavg()
    figures: dict[str, list[Figure]] = {}
    failed = []
    for name in names:
        print(f"--- {name.replace('_', ' ')} ---", flush=True)
        figures[name], code = run(name)
        if code:
            failed.append(name)
        print(flush=True)
    if failed:
        print(f"Missed a target or failed: {', '.join(failed)}")
    if asked.write:
        write("long" if asked.long else "short", figures, machine(started, load_before))
    return 1 if failed else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[*every(), []])
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--write", action="store_true")
    return parser.parse_args()


def every() -> list[str]:
    return sorted({module.name for module in pkgutil.iter_modules(benchmarks.__path__)} - NO_BENCHMARKS)


def with_postgres() -> int:
    """The same again, on a PostgreSQL for it alone."""
    starter = [sys.executable, str(ROOT / "scripts" / "throwaway_postgres.py"), "--durable"]
    command = [sys.executable, "-m", "benchmarks", *sys.argv[1:]]
    return subprocess.run([*starter, *command], check=False, cwd=ROOT).returncode


def run(name: str) -> tuple[list[Figure], int]:
    """A benchmark's figures and its exit status."""
    with tempfile.NamedTemporaryFile(prefix="undersigned-figures-") as file:
        try:
            code = subprocess.run(
                [sys.executable, "-m", f"benchmarks.{name}"],
                check=False,
                cwd=ROOT,
                env={**os.environ, KEPT_IN: file.name},
                timeout=STOPPED_AFTER,
            ).returncode
        except subprocess.TimeoutExpired:
            print(f"Stopped after {STOPPED_AFTER / 60:.0f} minutes.")
            code = 1
        return kept(Path(file.name)), code


def machine(started: datetime, load_before: tuple[float, float, float]) -> str:
    """Where and when, in one paragraph."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    took = (datetime.now(UTC) - started).total_seconds() / 60
    versions = ", ".join(f"{name} {version(name)}" for name in ("Django", "gunicorn", "psycopg2-binary"))
    loads = f"{load_before[0]:.1f} before and {os.getloadavg()[0]:.1f} after"
    return (
        f"Measured on {started:%B} {started.day}, {started:%Y at %H:%M} UTC in {took:.0f} minutes, on {os.cpu_count()}"
        f" cores with {memory:.0f} GB of memory (Linux {platform.release()}, Python {platform.python_version()},"
        f" {postgres_version()}, {versions}). Load average {loads}."
    )


def postgres_version() -> str:
    found = subprocess.run(
        ["sh", "-c", "psql --version 2>/dev/null"], capture_output=True, text=True, check=False
    )
    numbers = re.search(r"\d+\.\d+", found.stdout)
    return f"PostgreSQL {numbers[0]}" if numbers else "SQLite"


def write(part: str, figures: dict[str, list[Figure]], where: str) -> None:
    """Replaces what stands between the markers of a part; rows of benchmarks that were not run stay away."""
    begin, end = f"<!-- figures: {part} -->", f"<!-- end of figures: {part} -->"
    text = PAGE.read_text(encoding="utf-8")
    before, marked, rest = text.partition(begin)
    _old, closed, after = rest.partition(end)
    if not (marked and closed):
        sys.exit(f"{PAGE.name} has no place for the figures: {begin} … {end}")
    rows = [figure for found in figures.values() for figure in found]
    PAGE.write_text(f"{before}{begin}\n{where}\n\n{table(rows)}\n{end}{after}", encoding="utf-8")
    print(f"Written into {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())

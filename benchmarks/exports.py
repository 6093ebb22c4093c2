"""Signatures exported as CSV beside psql copying the same SELECT; how much memory that takes."""

import os
import re
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, finish
from benchmarks.fold import make_petitions
from benchmarks.servers import interleaved, ratios, shown
from benchmarks.throwaway import database

ROWS, ROUNDS = 1_000_000, 3
TARGET, STRETCH, MOST_GROWTH, SMALL_GROWTH = 0.8, 1.3, 16, 4


def main() -> list[Figure]:
    with database() as vendor:
        if vendor != "PostgreSQL":
            return []
        return measure()


def measure() -> list[Figure]:
    from django.utils import timezone

    from signers.seeding import seed, tidy

    seed(petition=make_petitions()[0], number=ROWS, at=timezone.now())
    tidy()
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        grown: list[float] = []
        export(grown)
        script.write(same_select())
        script.flush()
        sides = {"ours": lambda: export(grown), "psql": lambda: copy(script.name)}
        copy(script.name)
        seconds = interleaved(sides, ROUNDS)
    rates = {name: [ROWS / taken for taken in all_taken] for name, all_taken in seconds.items()}
    return [
        Figure.of(
            f"CSV export of {ROWS:,} signatures : psql COPY of the same SELECT",
            ratios(rates["ours"], rates["psql"]),
            target=TARGET,
            stretch=STRETCH,
            beside=f"{shown(rates['ours'])} : {shown(rates['psql'])} rows a second",
        ),
        Figure.of(
            "CSV export: growth of memory, the first of a process included",
            [max(grown)],
            unit="MB",
            target=MOST_GROWTH,
            stretch=SMALL_GROWTH,
            at_most=True,
        ),
    ]


def same_select() -> str:
    from django.db.models import QuerySet

    from signers import exporting
    from signers.models import Signature

    chosen: QuerySet[Any, Any] = Signature.objects.order_by("pk").annotate(**exporting.unless_hidden())
    return exporting._copy_statement(chosen.values_list(*exporting.COLUMNS.values())) + ";\n"


def export(grown: list[float]) -> float:
    """Seconds until the last block of what a browser downloads."""
    from signers.exporting import blocks
    from signers.models import Signature

    before = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
    start, size = time.perf_counter(), 0
    for block in blocks(Signature.objects.all()):
        size += len(block)
    taken = time.perf_counter() - start
    grown.append(max(0.0, memory("VmHWM") - before))
    if size < 50 * ROWS:
        raise RuntimeError(f"Only {size:,} bytes came.")
    return taken


def copy(script: str) -> float:
    from django.db import connection

    given = connection.settings_dict
    start = time.perf_counter()
    subprocess.run(
        [
            "psql",
            "-q",
            "-h",
            given["HOST"],
            "-U",
            given["USER"],
            "-d",
            given["NAME"],
            "-o",
            "/dev/null",
            "-f",
            script,
        ],
        check=True,
        env={**os.environ, "PGOPTIONS": "-c statement_timeout=0"},
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - start


def memory(name: str) -> float:
    """MB of this process: VmRSS now, VmHWM at most so far."""
    found = re.search(rf"^{name}:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"), re.M)
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    finish(main())

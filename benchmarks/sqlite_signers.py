"""SQLite under 64 signers at once: signatures a second, the slowest, and whether anybody met a locked database.

The worker folds meanwhile, as in earnest.
"""

import os
import time
from typing import Any

from benchmarks.figures import Figure, finish
from benchmarks.fold import make_petitions
from benchmarks.servers import gunicorn, wrk
from benchmarks.sign_post import SCRIPT, stamp_of
from benchmarks.throwaway import database

ROUNDS, SECONDS, SIGNERS = 5, 6, 64
TARGET, STRETCH, SLOWEST, SMALL_SLOWEST = 400, 500, 400, 100
FOLDED_WITHIN = 120  # seconds


def main() -> list[Figure]:
    os.environ["DATABASE_URL"] = ""
    with database():
        petition = make_petitions()[0]
        script = SCRIPT.replace("STAMP", stamp_of(petition))
        sign = f"/petitions/{petition.slug}/sign/"
        with gunicorn(workers=4) as address, worker():
            wrk(address + sign, seconds=2, connections=SIGNERS, script=script)
            loads = [
                wrk(address + sign, seconds=SECONDS, connections=SIGNERS, script=script)
                for _ in range(ROUNDS)
            ]
            left = folded()
    refused = sum(load.errors for load in loads) + left
    beside = f"SQLite, 4 workers, {SIGNERS} signers at once, while the worker folds"
    return [
        Figure.of(
            "SQLite: signatures",
            [load.requests_per_second for load in loads],
            unit="/s",
            target=TARGET,
            stretch=STRETCH,
            beside=beside,
        ),
        Figure.of(
            "SQLite: sign POST, p99",
            [1000 * load.p99 for load in loads],
            unit="ms",
            target=SLOWEST,
            stretch=SMALL_SLOWEST,
            at_most=True,
        ),
        Figure.of("SQLite: posts refused or not folded", [refused], unit="", target=0, at_most=True),
    ]


def worker() -> Any:
    """The worker, on the same file."""
    from tests.processes import worker as running_worker

    return running_worker()


def folded() -> int:
    """What is still left of the submissions after a while."""
    from signers.models import Submission

    deadline = time.monotonic() + FOLDED_WITHIN
    while (left := Submission.objects.count()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return left


if __name__ == "__main__":
    finish(main())

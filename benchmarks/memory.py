"""How much memory a web worker has after a thousand requests of every kind."""

import re
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, finish
from benchmarks.fold import make_petitions
from benchmarks.processes import text, workers_of
from benchmarks.servers import gunicorn
from benchmarks.sign_post import stamp_of
from benchmarks.throwaway import database

REQUESTS, WORKERS = 1_000, 2
TARGET, STRETCH = 130, 100


def main() -> list[Figure]:
    with database() as vendor:
        from django.core.management import call_command

        call_command("collectstatic", verbosity=0, interactive=False)
        petitions = make_petitions()
        with gunicorn(workers=WORKERS) as address:
            for number in range(REQUESTS * WORKERS):
                ask(address, petitions[number % len(petitions)], number)
            workers = workers_of(address)
            return [
                Figure.of(
                    f"memory of a web worker after {REQUESTS:,} requests",
                    [resident(process) for process in workers],
                    unit="MB",
                    target=TARGET,
                    stretch=STRETCH,
                    at_most=True,
                    beside=f"resident, shared pages counted whole; {vendor}",
                ),
                Figure.of(
                    "the same, shared pages counted by share",
                    [proportional(process) for process in workers],
                    unit="MB",
                ),
            ]


def ask(address: str, petition: Any, number: int) -> None:
    """Pages, counts, posts with and without mistakes, the admin's door, and what is not there."""
    page = f"/petitions/{petition.slug}/"
    kind = number % 10
    if kind in {4, 5}:
        mistake = kind == 5
        body = (
            f"first_name=Connie&last_name={'' if mistake else 'Rivera'}&updates=yes&elapsed=21000&website=&version=1"
            f"&stamp={stamp_of(petition)}&email=connie{number}%40people.example"
        )
        request = urllib.request.Request(
            f"{address}{page}sign/", body.encode(), {"Sec-Fetch-Site": "same-origin"}, method="POST"
        )
    else:
        paths = {1: f"{page}count.json", 2: "/", 3: f"{page}versions/", 6: "/campaigns/open-sundays/"}
        paths |= {7: "/admin/login/", 8: "/not-there/", 9: "/me/"}
        request = urllib.request.Request(address + paths.get(kind, page))
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()
    except urllib.error.HTTPError as refused:
        if refused.code >= 500:
            raise
        refused.read()


def resident(process: int) -> float:
    return kilobytes(text(Path(f"/proc/{process}/status")), "VmRSS") / 1024


def proportional(process: int) -> float:
    return kilobytes(text(Path(f"/proc/{process}/smaps_rollup")), "Pss") / 1024


def kilobytes(report: str, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", report, re.MULTILINE)
    return int(found[1]) if found else 0


if __name__ == "__main__":
    finish(main())

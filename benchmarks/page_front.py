"""The page of a petition with its live count, beside a bare WSGI function that sends the very same bytes.

Both stand behind gunicorn as shipped, with two workers, and take turns under wrk. Then the age of the shown count, also
from workers that were idle, and how often signatures make anybody render.

`python -m benchmarks.page_front [--rounds 5] [--seconds 5]`
"""

import argparse
import http.client
import json
import os
import pickle
import random
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from benchmarks.figures import Figure, finish
from benchmarks.servers import Load, gunicorn, interleaved, ratios, wrk
from benchmarks.throwaway import database

PETITIONS = 200
WORKERS = 2
SIGNATURES = 80  # a second
IDLE = 15  # seconds
SAMPLED = 15  # seconds
CHANGED_EVERY = 0.1  # seconds, while the age is measured
WORDS = 2000  # of a letter; with its notes and the form a page of some 30 KB
ADDRESS = re.compile(r'<strong class="progress__number" data-live="count">([\d,]+)')
WHAT_RENDERED = "/benchmark/rendered"
BARE = "BENCHMARK_BARE"
# Asks for another petition each time.
IN_TURNS = """
local paths = { %s }
local i = 0
request = function()
  i = i %% #paths + 1
  return wrk.format(nil, paths[i])
end
"""

_bare: list[Any] = []


def bare(environ: dict[str, Any], start_response: Callable[..., Any]) -> tuple[bytes]:
    """The yardstick, served by gunicorn: headers and body of the petition's page, whatever is asked."""
    if not _bare:
        _bare.extend(pickle.loads(Path(os.environ[BARE]).read_bytes()))
    headers, body = _bare
    start_response("200 OK", headers[:])
    return body


def watched(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
    """The site as shipped, which also tells how often each of its processes has asked Django for a petition's page."""
    if environ["PATH_INFO"] == WHAT_RENDERED:
        body = json.dumps([os.getpid(), site().renders]).encode()
        start_response("200 OK", [("Content-Length", str(len(body))), ("Connection", "close")])
        return (body,)
    return site().front(environ, start_response)


class Site:
    def __init__(self) -> None:
        import config.wsgi  # sets Django up
        from config.page_front.front import PageFront

        self.django, self.renders = config.wsgi.Application(), 0
        self.front = PageFront(self.render)

    def render(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        self.renders += 1
        return self.django(environ, start_response)


_sites: list[Site] = []


def site() -> Site:
    if not _sites:
        _sites.append(Site())
    return _sites[0]


def main() -> NoReturn:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    asked = parser.parse_args()
    with database():
        from django.core.management import call_command

        call_command("collectstatic", verbosity=0, interactive=False)
        paths = build()
        figures = [*truth(paths[0]), *speed(paths, asked.rounds, asked.seconds)]
    finish(figures)


def speed(paths: list[str], rounds: int, seconds: int) -> list[Figure]:
    """Requests a second of the site to those of the bare function, round by round."""
    with tempfile.TemporaryDirectory() as folder, gunicorn(workers=WORKERS) as site:
        warm(site, paths)
        file = Path(folder) / "bare"
        file.write_bytes(pickle.dumps(answer(site + paths[0])))
        turns = IN_TURNS % ", ".join(f'"{path}"' for path in paths)
        with gunicorn("benchmarks.page_front:bare", workers=WORKERS, env={BARE: str(file)}) as yardstick:

            def compare(name: str, script: str | None, target: float, stretch: float) -> Figure:
                loads: dict[str, Load] = {}

                def load(which: str, url: str) -> float:
                    loads[which] = wrk(url + paths[0], seconds=seconds, script=script)
                    if loads[which].errors:
                        raise RuntimeError(f"{which}: {loads[which].errors} errors")
                    return loads[which].requests_per_second

                measured = interleaved(
                    {"bare": lambda: load("bare", yardstick), "page": lambda: load("page", site)}, rounds
                )
                beside = (
                    f"{middle(measured['page']):,.0f} to {middle(measured['bare']):,.0f} a second; "
                    f"p99 {loads['page'].p99 * 1000:.0f} to {loads['bare'].p99 * 1000:.0f} ms"
                )
                return Figure.of(
                    name,
                    ratios(measured["page"], measured["bare"]),
                    target=target,
                    stretch=stretch,
                    beside=beside,
                )

            quiet = compare("petition page GET, gzip : bare WSGI function of equal bytes", None, 0.85, 0.95)
            with signatures_landing(paths[0]):
                busy = compare("the same while 80 signatures a second land on it", None, 0.75, 0.9)
            warm(site, paths)
            many = compare("the same over 200 petitions", turns, 0.6, 0.8)
    return [quiet, busy, many]


def truth(path: str) -> list[Figure]:
    """How old the shown count is, and what signatures make the site render."""
    with gunicorn("benchmarks.page_front:watched", workers=WORKERS) as site:
        tally_of(path).update(count=FIRST)
        settle(site, path)
        before = rendered(site)
        with changing(path) as commits:
            ages = [age(site + path, commits) for _ in until(SAMPLED, every=0.02)]
            caused = sum(rendered(site).values()) - sum(before.values())
            first = []
            for _ in range(2):
                time.sleep(IDLE)
                # Each on a connection of its own, at once: the workers share them.
                first += [age(site + path, commits) for _ in range(2 * WORKERS)]
    return [
        oldest("shown count: age at the origin, oldest seen", ages),
        oldest(f"the same from workers that were idle for {IDLE} s", first),
        Figure.of(
            "renders caused by signatures",
            [caused],
            unit="",
            target=0,
            at_most=True,
            beside=f"{len(commits)} changes of the count",
        ),
    ]


def oldest(name: str, ages: list[float]) -> Figure:
    beside = f"{len(ages)} looks, median {middle(ages):.2f} s"
    return Figure.of(name, [max(ages)], unit="s", target=2, stretch=1, at_most=True, beside=beside)


def middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def until(seconds: float, *, every: float) -> Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(every)


def warm(site: str, paths: list[str]) -> None:
    """Until all workers hold all pages: then reading them all is a matter of milliseconds."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        began = time.monotonic()
        for path in [*paths] * 2:
            answer(site + path)
        if time.monotonic() - began < 0.005 * len(paths) * 2:
            return
        time.sleep(1)
    raise RuntimeError("The pages were never held.")


def settle(site: str, path: str) -> None:
    """Until each worker holds the page: one that was not asked before would make it for its first visitor."""
    warm(site, [path])
    deadline = time.monotonic() + 60
    before: dict[int, int] = {}
    while time.monotonic() < deadline:
        now = rendered(site)
        if now == before and min(now.values()) > 0:
            return
        before = now
        for _ in range(20 * WORKERS):
            answer(site + path)
        time.sleep(2)
    raise RuntimeError("The page was never held by all workers.")


def rendered(site: str) -> dict[int, int]:
    """How often each process asked Django."""
    found: dict[int, int] = {}
    while len(found) < WORKERS:
        process, number = json.loads(answer(site + WHAT_RENDERED)[1][0])
        found[process] = number
    return found


def answer(url: str, *, encoding: str = "gzip") -> tuple[list[tuple[str, str]], tuple[bytes]]:
    """What a new connection gets: headers that are the application's own, and the body."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    try:
        connection.request("GET", parts.path, headers={"Accept-Encoding": encoding})
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    if response.status != 200:
        raise RuntimeError(f"{url} answers {response.status}")
    of_gunicorn = {"server", "date", "connection", "transfer-encoding"}
    return [(name, value) for name, value in response.getheaders() if name.lower() not in of_gunicorn], (
        body,
    )


def age(url: str, commits: list[float]) -> float:
    """Seconds since the count that is shown was no longer the latest. `commits` are the moments of 1, 2, 3, …"""
    asked = time.monotonic()
    found = ADDRESS.search(answer(url, encoding="identity")[1][0].decode())
    shown = int(found[1].replace(",", "")) if found else 0
    shown -= FIRST
    return max(0.0, asked - commits[shown]) if shown < len(commits) else 0.0


FIRST = 12_345


def tally_of(path: str) -> Any:
    from petitions.models import Tally

    return Tally.objects.filter(petition__slug=path.split("/")[2])


@contextmanager
def changing(path: str) -> Iterator[list[float]]:
    """Another process's part: the count grows by one ten times a second; when it did so is yielded."""
    from django.db.models import F

    tally = tally_of(path)
    commits: list[float] = []

    def change() -> None:
        tally.update(count=F("count") + 1)
        commits.append(time.monotonic())

    with in_background(change, every=CHANGED_EVERY):
        yield commits


@contextmanager
def signatures_landing(path: str) -> Iterator[None]:
    """What signing does to a count: a change for each signature, and once a second they are added up."""
    from django.utils import timezone

    from petitions.models import Petition
    from signers.counting import add_up
    from signers.models import CountChange

    petition = Petition.objects.get(slug=path.split("/")[2])
    calls = count(1)

    def sign() -> None:
        CountChange.objects.create(
            petition_id=petition.pk, supporter_id=next(calls), change=1, local_change=0
        )
        if next(calls) % SIGNATURES < 2:
            add_up(at=timezone.now())

    with in_background(sign, every=1 / SIGNATURES):
        yield


@contextmanager
def in_background(do: Callable[[], None], *, every: float) -> Iterator[None]:
    from django.db import connection

    enough = threading.Event()

    def work() -> None:
        due = time.monotonic()
        while not enough.wait(max(0.0, due - time.monotonic())):
            due += every
            do()
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()


def build() -> list[str]:
    """A campaign with so many live petitions; their addresses."""
    from django.utils import timezone

    from campaigns.models import Campaign, Organization, Place, Target
    from petitions.models import Letter, Petition, Tally, Version

    dice = random.Random(1)
    organization = Organization.objects.create(
        name="Readers’ Common", parent="from Lamp & Page", accent="#14596b", postal_address="1 Lantern Row"
    )
    campaign = Campaign.objects.create(organization=organization, slug="open-sundays", title="Open Sundays")
    texts = {"headline": "H", "lead_in": "L", "statement": "S", "call_to_action": "C", "body": "B"}
    letter = Letter.objects.create(campaign=campaign, kind="demand", **texts)
    live_at = timezone.now() - timedelta(days=1)
    for number in range(PETITIONS):
        place = Place.objects.create(name=f"Rivermouth {number}", region="Westmark")
        target = Target.objects.create(campaign=campaign, name=f"Ada Okafor {number}", place=place)
        petition = Petition.objects.create(letter=letter, target=target, slug=f"sundays-{number}")
        petition.current_version = Version.objects.create(
            petition=petition,
            number=1,
            published_at=live_at,
            digest=f"{number:064x}",
            kind="demand",
            addressee=target.title,
            place_name=place.name,
            headline=f"Open {place.name}’s library on Sundays",
            lead_in_html="The petition to Mayor Okafor reads:",
            statement_html="Open the library on Sundays.",
            statement="Open the library on Sundays.",
            letter_html=html(WORDS, dice),
            letter_text="Many ask for it.",
            notes_html=notes(12, dice),
            call_to_action="Tell your mayor: open up.",
            button="Sign the petition",
            share_title="Open the library on Sundays",
            share_text="Open the library on Sundays.",
        )
        petition.live_at = live_at
        petition.save()
        Tally.objects.create(petition=petition, count=FIRST + number, local=1_000 + number)
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    return [f"/petitions/sundays-{number}/" for number in range(PETITIONS)]


def html(words: int, dice: random.Random) -> str:
    paragraphs = [" ".join(word(dice) for _ in range(60)) for _ in range(words // 60)]
    return "".join(f"<p>{paragraph.capitalize()}.</p>" for paragraph in paragraphs)


def notes(number: int, dice: random.Random) -> str:
    lines = (
        f'<li id="note-{note}" role="doc-endnote">{" ".join(word(dice) for _ in range(14))},'
        f' <a href="https://{word(dice)}.example/{word(dice)}">{word(dice)}.example</a>'
        f' <a href="#ref-{note}" role="doc-backlink">back</a></li>'
        for note in range(1, number + 1)
    )
    return f'<section role="doc-endnotes"><ol>{"".join(lines)}</ol></section>'


def word(dice: random.Random) -> str:
    """Invented, and as hard to compress as words are: few of them make up most of a text."""
    syllables = [
        "ra",
        "ne",
        "to",
        "li",
        "sa",
        "mor",
        "den",
        "vi",
        "ka",
        "pel",
        "u",
        "an",
        "tri",
        "os",
        "bel",
        "go",
    ]
    return "".join(
        syllables[min(15, int(dice.expovariate(0.25)))] for _ in range(1 + int(dice.expovariate(0.7)))
    )


if __name__ == "__main__":
    sys.exit(main())

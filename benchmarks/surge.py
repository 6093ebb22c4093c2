"""A petition in the news: signatures by the second beside hundreds of page reads, then the same beside a mailing.

`python -m benchmarks.surge [--seconds 60] [--signers 33] [--readers 500] [--mailing 100000] [--nginx] [--alone]`.
gunicorn as shipped, one worker, a mail server that takes everything. Arrivals are fixed beforehand and times count from
the moment somebody wanted to arrive, so that waiting in front of a slow server is counted too.
"""

import argparse
import asyncio
import gc
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from benchmarks.figures import Figure, finish
from benchmarks.fold import NAMES
from benchmarks.killed_mailing import Sink, queue
from benchmarks.mailings import SYLLABLES
from benchmarks.servers import ROOT, database_environment, end, gunicorn
from benchmarks.throwaway import database

WORKERS = 4  # two for each of two cores, as gunicorn.conf.py says
P95 = 500  # milliseconds for a sign POST
EXACT_WITHIN = 10  # seconds after the last one
ANSWERED_WITHIN = 30  # seconds; later is never
DOMAINS = 2_000  # so many mail domains, and thousands of names: people, not a burst of one machine
SLUG = "rivermouth-0"


def main() -> list[Figure]:
    asked = arguments()
    if asked.generate:
        print(json.dumps(asyncio.run(generate(json.loads(sys.stdin.read())))))
        sys.exit(0)
    figures: list[Figure] = []
    with database() as vendor:
        petition = make_petition()
        for mailing in (0,) if asked.alone else (0, asked.mailing):
            figures += surge(asked, petition, mailing, vendor)
    return figures


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="surge")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--signers", type=int, default=33, help="sign posts a second")
    parser.add_argument("--readers", type=int, default=500, help="page reads a second")
    parser.add_argument("--mailing", type=int, default=100_000, help="copies queued in the second run")
    parser.add_argument("--alone", action="store_true", help="no second run beside a mailing")
    parser.add_argument("--nginx", action="store_true", help="behind nginx with deploy/nginx.conf")
    parser.add_argument("--generate", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def surge(asked: argparse.Namespace, petition: Any, mailing: int, vendor: str) -> list[Figure]:
    """One run, its figures printed and returned."""
    from django.core.management import call_command

    from benchmarks.sign_post import stamp_of

    call_command("collectstatic", verbosity=0, interactive=False)
    if mailing:
        queue(mailing)
    environment = {"TRUSTED_PROXIES": "127.0.0.1"}
    with ExitStack() as stack:
        sink = stack.enter_context(Sink())
        stack.enter_context(worker(sink.port))
        url = stack.enter_context(gunicorn(workers=WORKERS, env=environment))
        port = urlsplit(url).port or 80
        if asked.nginx:
            sys.path.append(str(ROOT / "scripts"))  # as pytest does for chaos
            from chaos.proxies import nginx

            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="undersigned-nginx-")))
            port = stack.enter_context(nginx(folder, port))
        load = {
            "port": port,
            "seconds": asked.seconds,
            "signers": asked.signers,
            "readers": asked.readers,
            "stamp": stamp_of(petition),
            "run": "beside" if mailing else "alone",
        }
        if mailing:
            sink.wait_for_a_mail()
        copies, work = len(sink.taken), worked()
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.surge", "--generate"],
            input=json.dumps(load),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            cwd=ROOT,
        )
        ended = time.monotonic()
        outcome = json.loads(done.stdout)
        acknowledged = [visit["email"] for visit in outcome["signs"] if visit["status"] == 303]
        exact_after = until_exact(petition, len(acknowledged), ended)
        mailed, work = len(sink.taken) - copies, worked() - work - outcome["worked"]
    found = ledger(petition, acknowledged) | {"mailed": mailed, "work": work}
    return told(asked, mailing, vendor, outcome, found, exact_after)


def make_petition() -> Any:
    """Open, counting at once, in a campaign of its own."""
    from benchmarks.fold import make_petitions
    from campaigns.models import Campaign

    petition = make_petitions()[0]
    Campaign.objects.filter(pk=petition.campaign.pk).update(confirmation=Campaign.Confirmation.AFTERWARDS)
    return petition


@contextmanager
def worker(mail_port: int) -> Iterator[None]:
    from benchmarks.throwaway import ENVIRONMENT

    environment = {**ENVIRONMENT, **database_environment(), "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}"}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "work"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=log,
            stderr=log,
        )
        try:
            yield
        finally:
            end(process)


# --- Visitors, in a process of their own -----------------------------------------------------------------------


class Visit(asyncio.Protocol):
    """Who came, and what came of it: seconds from when they wanted to arrive; status 0 where no whole answer came."""

    def __init__(self, due: float, request: bytes, email: str = "") -> None:
        self.due, self.request, self.email = due, request, email
        self.seconds, self.status = float(ANSWERED_WITHIN), 0
        self.began = b""

    async def make(self, port: int, began: float) -> None:
        loop = asyncio.get_running_loop()
        self.done = loop.create_future()
        connection = socket.socket()
        connection.setblocking(False)
        try:
            await loop.sock_connect(connection, ("127.0.0.1", port))
            await loop.create_connection(lambda: self, sock=connection)
            await self.done
        except OSError:
            connection.close()
            return
        self.seconds = loop.time() - began - self.due
        if self.began.startswith(b"HTTP/1.") and self.began[9:12].isdigit():
            self.status = int(self.began[9:12])

    def connection_made(self, transport: Any) -> None:
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        if len(self.began) < 12:
            self.began += data[:12]

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:
            self.began = b""
        self.done.set_result(None)


async def generate(load: dict[str, Any]) -> dict[str, Any]:
    """Sends what was fixed beforehand, whatever becomes of what was sent before."""
    visits = sorted([*signers(load), *readers(load)], key=lambda visit: visit.due)
    gc.disable()
    loop = asyncio.get_running_loop()
    began = loop.time() + 1
    late: list[float] = []
    under_way: set[asyncio.Task[None]] = set()
    for visit in visits:
        if (pause := began + visit.due - loop.time()) > 0:
            await asyncio.sleep(pause)
        elif len(late) % 20 == 0:
            await asyncio.sleep(0)
        late.append(max(0.0, loop.time() - began - visit.due))
        task = loop.create_task(visit.make(load["port"], began))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    if under_way:
        await asyncio.wait(under_way, timeout=ANSWERED_WITHIN)
    return {
        "signs": [
            {"email": visit.email, "status": visit.status, "seconds": visit.seconds}
            for visit in visits
            if visit.email
        ],
        "reads": [[visit.status, visit.seconds] for visit in visits if not visit.email],
        "started_late": sorted(late)[int(len(late) * 0.99)],
        "worked": time.process_time(),
    }


def arrivals(chance: random.Random, rate: float, seconds: float) -> Iterator[float]:
    """Moments at which people arrive who know nothing of each other."""
    moment = chance.expovariate(rate)
    while moment < seconds:
        yield moment
        moment += chance.expovariate(rate)


def signers(load: dict[str, Any]) -> Iterator[Visit]:
    chance = random.Random(11)
    for number, due in enumerate(arrivals(chance, load["signers"], load["seconds"])):
        first, last = chance.choice(NAMES.split()), "".join(chance.choices(SYLLABLES.split(), k=3)).title()
        plain = f"{first}.{last}".encode("ascii", "ignore").decode().lower()
        email = f"{plain}.{chance.getrandbits(24):x}.{number}.{load['run']}@mail{chance.randrange(DOMAINS)}.example"
        fields = {
            "first_name": first,
            "last_name": last,
            "email": email,
            "updates": chance.choice(("yes", "no")),
            "elapsed": str(chance.randint(8_000, 90_000)),
            "stamp": load["stamp"],
            "version": "1",
            "website": "",
        }
        body = "&".join(f"{name}={quote(value)}" for name, value in fields.items())
        head = (
            f"POST /petitions/{SLUG}/sign/ HTTP/1.1\r\nHost: testserver\r\nConnection: close\r\n"
            f"X-Forwarded-For: {address(chance)}\r\nSec-Fetch-Site: same-origin\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        yield Visit(due, (head + body).encode(), email)


def readers(load: dict[str, Any]) -> Iterator[Visit]:
    chance = random.Random(13)
    request = (
        f"GET /petitions/{SLUG}/ HTTP/1.1\r\nHost: testserver\r\nConnection: close\r\n"
        "Accept-Encoding: gzip, deflate, br\r\n\r\n"
    ).encode()
    return (Visit(due, request) for due in arrivals(chance, load["readers"], load["seconds"]))


def address(chance: random.Random) -> str:
    """Of visitors all over the world."""
    return ".".join(str(chance.randint(11, 99)) for _ in range(4))


# --- What came of it -------------------------------------------------------------------------------------------


def until_exact(petition: Any, acknowledged: int, ended: float) -> float:
    """Seconds until everything is folded and the number is that of the signatures that count; infinity: never."""
    while (waited := time.monotonic() - ended) < 6 * EXACT_WITHIN:
        said, counted, held, left = numbers(petition)
        if not left and said == counted and counted + held >= acknowledged:
            return waited
        time.sleep(0.1)
    return float("inf")


def numbers(petition: Any) -> tuple[int, int, int, int]:
    """What the page says, what counts, what is held back, and what still waits to be folded or added up."""
    from petitions.models import Tally
    from signers.models import CountChange, Signature, Submission

    left = Submission.objects.filter(petition_id=petition.pk).count()
    left += CountChange.objects.filter(petition_id=petition.pk).count()
    signatures = Signature.objects.filter(petition=petition)
    said = Tally.objects.filter(petition=petition).values_list("count", flat=True).first() or 0
    held = signatures.filter(held_at__isnull=False).count()
    return said, signatures.counted().count(), held, left


def ledger(petition: Any, acknowledged: list[str]) -> dict[str, int]:
    """Acknowledged signatures that are missing or there twice, and those held back."""
    from signers.models import Signature

    there = Counter(Signature.objects.filter(petition=petition).values_list("email", flat=True))
    return {
        "missing": sum(1 for email in acknowledged if not there[email]),
        "twice": sum(1 for email in acknowledged if there[email] > 1),
        "held": Signature.objects.filter(petition=petition, held_at__isnull=False).count(),
    }


def worked() -> float:
    """Seconds of processor time of everything we have started and of the database server, as Linux tells."""
    from django.db import connection

    connection.ensure_connection()
    parents, times = {}, {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # It has ended meanwhile.
        pid = int(file.parent.name)
        parents[pid], times[pid] = int(fields[1]), sum(map(int, fields[11:15]))
    server = (
        parents.get(connection.connection.info.backend_pid, 0) if connection.vendor == "postgresql" else 0
    )
    return sum(
        ticks for pid, ticks in times.items() if {os.getpid(), server} & set(ancestry(pid, parents))
    ) / os.sysconf("SC_CLK_TCK")


def ancestry(pid: int, parents: dict[int, int]) -> Iterator[int]:
    while pid:
        yield pid
        pid = parents.get(pid, 0)


def told(
    asked: argparse.Namespace,
    mailing: int,
    vendor: str,
    outcome: dict[str, Any],
    found: dict[str, Any],
    exact_after: float,
) -> list[Figure]:
    signs = sorted(visit["seconds"] * 1000 for visit in outcome["signs"])
    reads = sorted(seconds * 1000 for _status, seconds in outcome["reads"])
    statuses = Counter(visit["status"] for visit in outcome["signs"])
    read_statuses = Counter(status for status, _seconds in outcome["reads"])
    errors = sum(statuses.values()) - statuses[303] + sum(read_statuses.values()) - read_statuses[200]
    where = f" beside {mailing:,} copies" if mailing else ""
    rate = statuses[303] / asked.seconds
    print(
        f"{asked.signers} signatures and {asked.readers} reads a second for {asked.seconds} s{where}, {vendor},"
        f" {'nginx and ' if asked.nginx else ''}{WORKERS} workers: sign posts {dict(statuses)}, reads"
        f" {dict(read_statuses)}; {found['mailed']:,} mails left meanwhile; {found['held']:,} held; the generator"
        f" itself was late by {1000 * outcome['started_late']:.0f} ms at p99; the site and its database took"
        f" {found['work'] / asked.seconds:.2f} cores of {os.cpu_count()}",
        flush=True,
    )
    beside = f"p50 {at(signs, 0.5):.0f} ms, p99 {at(signs, 0.99):.0f} ms, slowest {signs[-1]:.0f} ms"

    def exactly(name: str, value: float, most: float, unit: str, beside: str = "") -> Figure:
        return Figure(name + where, value, value, value, unit, target=most, at_most=True, beside=beside)

    return [
        exactly("surge: sign p95", at(signs, 0.95), P95, "ms", f"{rate:.1f} accepted a second; {beside}"),
        exactly("surge: page read p95", at(reads, 0.95), P95, "ms", f"p99 {at(reads, 0.99):.0f} ms"),
        exactly("surge: errors", errors, 0, ""),
        exactly("surge: lost or doubled", found["missing"] + found["twice"], 0, ""),
        exactly("surge: count exact after", exact_after, EXACT_WITHIN, "s"),
    ]


def at(in_order: list[float], share: float) -> float:
    return in_order[min(len(in_order) - 1, int(len(in_order) * share))]


if __name__ == "__main__":
    finish(main())

"""Whether a petition with a million signatures is as quick as one with a thousand: pages, signing, the admin, counts.

`python -m benchmarks.flat [--up-to NUMBER] [--at-once] [--samples NUMBER] [--only TEXT,TEXT]`, on PostgreSQL; 1,000,000
and 100 samples without, 1,000 where p99 counts. Two databases beside each other, one of which grows, are asked in
turns, so that what else the machine does hits both. Beside the time stands the work: the processor time of the web
process and of its database session, which does not depend on what else the machine does.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlsplit, urlunsplit

from benchmarks.figures import Figure, finish
from benchmarks.throwaway import database

BASE = 20_000  # where "nothing" is measured: with fewer, lists are shorter to draw, and searches find nobody
LEVELS = (100_000, 1_000_000, 10_000_000)
SAMPLES, ROUNDS = 100, 10
# A hundredth of a hundred samples would be a single one, and chance.
P99_SAMPLES = 1000
# So many at once; each is a sample.
FOLDED, ADDED, WORKER_SAMPLES = 500, 500, 20
TARGET, TARGET_P99 = 1.20, 1.25
SLOWEST = ("petition page", "sign POST", "fold of 500")  # whose p99 counts too
PERSON = "first_name=Connie&last_name=Rivera&updates=yes&elapsed=21000&website="


# --- Both sides ----------------------------------------------------------------------------------------------


def main() -> list[Figure]:
    asked = arguments()
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        sys.exit("flat: set DATABASE_URL to a PostgreSQL, or run scripts/throwaway_postgres.py around it.")
    if asked.side:
        answer_orders(asked.side)
        sys.exit(0)
    figures: list[Figure] = []
    with side("small") as small, side("grown") as grown:
        small("seed", BASE)
        there = BASE
        grown("seed", BASE)
        names = [name for name in small("names", 0) if any(part in name for part in asked.only.split(","))]
        lower = [] if asked.at_once else [level for level in LEVELS if level < asked.up_to]
        for level in [*lower, asked.up_to]:
            seconds = grown("seed", level - there)
            print(f"{level:,} signatures, {(level - there) / seconds:,.0f} a second seeded", flush=True)
            there = level
            measured = [compare(name, small, grown, samples_of(name, asked, level), level) for name in names]
            figures = [figure for pair in measured for figure in pair]
    return figures


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="flat")
    parser.add_argument("--up-to", type=int, default=1_000_000)
    parser.add_argument("--at-once", action="store_true", help="measure at the end only")
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--only", default="", help="what has this in its name, or this,or this")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    return parser.parse_args()


def samples_of(name: str, asked: argparse.Namespace, level: int) -> int:
    decides = name in SLOWEST and level == asked.up_to
    return max(asked.samples, P99_SAMPLES) if decides else asked.samples


Ask = Callable[[str, int], Any]
Sample = tuple[float, float]  # seconds, and seconds of processor time


@contextmanager
def side(name: str) -> Iterator[Ask]:
    """A process with a database of its own; takes orders such as ("petition page", 10), answers with seconds."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    url = urlunsplit(parts._replace(path=f"{parts.path.rpartition('/')[0]}/flat_{name}"))
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.flat", "--side", name],
        env={**os.environ, "DATABASE_URL": url},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )

    def ask(order: str, times: int) -> Any:
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps([order, times]) + "\n")
        answer = process.stdout.readline()
        if not answer:
            raise RuntimeError(f"The side “{name}” has ended.")
        return json.loads(answer)

    try:
        yield ask
    finally:
        assert process.stdin
        process.stdin.close()
        process.wait()


def compare(name: str, small: Ask, grown: Ask, samples: int, level: int) -> list[Figure]:
    """What the grown side takes for the small side's time, told at once."""
    times = max(1, (max(WORKER_SAMPLES, samples // 10) if name in WORKER_DOES else samples) // ROUNDS)
    for ask in (small, grown):
        ask(name, min(times, 3))
    base: list[list[Sample]] = []
    more: list[list[Sample]] = []
    for round_ in range(ROUNDS):
        turns = [(small, base), (grown, more)]
        for ask, samples_ in turns[:: -1 if round_ % 2 else 1]:
            samples_.append(ask(name, times))
    ratios = [median_of(b, 0) / median_of(a, 0) for a, b in zip(base, more, strict=True)]
    work = statistics.median(median_of(b, 1) / median_of(a, 1) for a, b in zip(base, more, strict=True))
    all_base, all_more = (
        sorted(seconds for round_ in side for seconds, _work in round_) for side in (base, more)
    )
    beside = (
        f"work {work:.2f} ×; {shown(all_more, 0.5)} : {shown(all_base, 0.5)};"
        f" p99 {shown(all_more, 0.99)} : {shown(all_base, 0.99)}"
    )
    told = f"{name}, {level:,} : {BASE:,} signatures"
    figures = [Figure.of(told, ratios, target=TARGET, at_most=True, beside=beside)]
    if name in SLOWEST:
        slowest = at(all_more, 0.99) / at(all_base, 0.99)
        figures.append(Figure(f"p99 of {told}", slowest, slowest, slowest, target=TARGET_P99, at_most=True))
    print(f"  {name:36} {statistics.median(ratios):5.2f} ×  {beside}", flush=True)
    return figures


def median_of(samples: list[Sample], which: int) -> float:
    return statistics.median(sample[which] for sample in samples)


def at(in_order: list[float], share: float) -> float:
    return in_order[min(len(in_order) - 1, int(len(in_order) * share))]


def shown(in_order: list[float], share: float) -> str:
    return f"{1000 * at(in_order, share):,.1f} ms"


# --- One side ------------------------------------------------------------------------------------------------


def answer_orders(name: str) -> None:
    with database():
        from django.core.management import call_command

        call_command("collectstatic", verbosity=0, interactive=False)
        orders = Orders()
        for line in sys.stdin:
            order, times = json.loads(line)
            print(json.dumps(orders.answer(order, times)), flush=True)


def measured(do: Callable[[], Any]) -> tuple[Any, Sample]:
    """What it gives, and what it took."""
    work, start = worked(), time.perf_counter()
    result = do()
    return result, (time.perf_counter() - start, worked() - work)


def worked() -> float:
    """Seconds of processor time of this process and, as Linux tells, of its database session."""
    from django.db import connection

    connection.ensure_connection()
    session = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    return time.process_time() + int(session.read_text().split()[0]) / 1e9


class Orders:
    """What one side can be asked for; each measurement gives the seconds of so many samples."""

    def __init__(self) -> None:
        from django.test import Client

        from benchmarks.sign_post import stamp_of
        from petitions.models import Petition
        from staff.models import User

        self.chance = random.Random(7)
        make_petition()
        related = ("letter__campaign__organization", "target__place", "current_version")
        self.petition = Petition.objects.select_related(*related).get()
        self.visitor, self.staff = Client(), Client()
        self.staff.force_login(User.objects.create_superuser(username="ada"))
        self.stamp = stamp_of(self.petition)
        self.number = 0

    def answer(self, order: str, times: int) -> Any:
        if order == "names":
            return [*MEASURED, *WORKER_DOES]
        if order == "seed":
            return self.seed(times)
        return (MEASURED | WORKER_DOES)[order](self, times)

    def seed(self, number: int) -> float:
        from django.utils import timezone

        from signers.seeding import seed, tidy

        start = time.perf_counter()
        seed(petition=self.petition, number=number, at=timezone.now())
        seconds = time.perf_counter() - start
        tidy()
        self.analyze()
        return seconds

    def analyze(self) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
            cursor.execute("CHECKPOINT")

    def get(self, client: Any, url: str) -> Sample:
        answer, sample = measured(lambda: client.get(url))
        assert answer.status_code == 200, (url, answer.status_code)
        return sample

    def somebody(self) -> Any:
        """One of those who signed, a different one each time."""
        from signers.models import Signature

        # Not Signature.objects.count(), which grows.
        last = Signature.objects.order_by("-pk").values_list("pk", flat=True)[0]
        drawn = self.chance.randint(1, last)
        return Signature.objects.select_related("supporter").filter(pk__lte=drawn).order_by("-pk")[0]

    def submissions(self, number: int) -> None:
        from django.utils import timezone

        from benchmarks.fold import make_submission
        from signers.models import Submission

        now = timezone.now()
        Submission.objects.bulk_create([make_submission([self.petition], now) for _ in range(number)])

    # --- Visitors ---

    def page(self, url: str, times: int) -> list[Sample]:
        return [self.get(self.visitor, url) for _ in range(times)]

    def sign(self, times: int) -> list[Sample]:
        return [self.sign_once() for _ in range(times)]

    def sign_once(self) -> Sample:
        self.number += 1
        address = f"c{self.number}.{self.chance.getrandbits(48)}%40a.example"
        body = f"{PERSON}&version=1&stamp={quote(self.stamp)}&email={address}"
        answer, sample = measured(
            lambda: self.visitor.post(
                f"/petitions/{self.petition.slug}/sign/",
                body,
                content_type="application/x-www-form-urlencoded",
                headers={"sec-fetch-site": "same-origin"},
            )
        )
        assert answer.status_code == 303, answer.status_code
        return sample

    def confirm(self, times: int) -> list[Sample]:
        from django.utils import timezone

        from signers.folding import fold
        from signers.models import Signature
        from signers.tokens import confirm_link

        self.submissions(times)
        fold(at=timezone.now(), limit=10_000)
        pending = Signature.objects.filter(accepted_at=None).order_by("-pk")[:times]
        links = [urlsplit(confirm_link(signature, timezone.now())).path for signature in pending]
        assert len(links) == times
        found = [
            measured(partial(self.visitor.post, link, headers={"sec-fetch-site": "same-origin"}))[1]
            for link in links
        ]
        assert not Signature.objects.filter(pk__in=[row.pk for row in pending], confirmed_at=None).exists()
        return found

    def own_page(self, times: int) -> list[Sample]:
        from django.utils import timezone

        from signers.tokens import own_page_link

        people = [self.somebody().supporter for _ in range(times)]
        return [
            self.get(self.visitor, urlsplit(own_page_link(person, timezone.now())).path) for person in people
        ]

    # --- Staff ---

    def admin(self, url: str, times: int) -> list[Sample]:
        return [self.get(self.staff, url.format(petition=self.petition.pk)) for _ in range(times)]

    def search(self, model: str, term: Callable[[Any], str], times: int) -> list[Sample]:
        people = [self.somebody() for _ in range(times)]
        return [self.get(self.staff, f"/admin/signers/{model}/?q={quote(term(person))}") for person in people]

    # --- Worker ---

    def fold(self, times: int) -> list[Sample]:
        from django.utils import timezone

        from signers.folding import fold

        while fold(at=timezone.now(), limit=10_000):
            pass
        return [self.fold_once() for _ in range(times)]

    def fold_once(self) -> Sample:
        from django.utils import timezone

        from signers.folding import fold

        self.submissions(FOLDED)
        folded, sample = measured(lambda: fold(at=timezone.now(), limit=FOLDED))
        assert folded == FOLDED
        return sample

    def add_up(self, times: int) -> list[Sample]:
        return [self.add_up_once() for _ in range(times)]

    def add_up_once(self) -> Sample:
        """So many that were folded before are accepted, all at once."""
        from django.utils import timezone

        from signers.counting import add_up
        from signers.models import CountChange, Signature

        pending = list(Signature.objects.filter(accepted_at=None).order_by("-pk")[:ADDED])
        if len(pending) < ADDED:
            self.fold_once()
            pending = list(Signature.objects.filter(accepted_at=None).order_by("-pk")[:ADDED])
        now = timezone.now()
        Signature.objects.filter(pk__in=[row.pk for row in pending]).update(accepted_at=now)
        add_up(at=now)
        CountChange.objects.bulk_create(CountChange.of(row, 1) for row in pending)
        added, sample = measured(lambda: add_up(at=now))
        assert added == ADDED
        return sample

    def job(self, name: str, times: int) -> list[Sample]:
        from django.utils import timezone

        from petitions.league import rank_all
        from petitions.momentum import remember
        from signers.forgetting import forget_unconfirmed

        jobs: dict[str, Callable[[], Any]] = {
            "momentum": lambda: remember(at=timezone.now()),
            "league": lambda: rank_all(timezone.now()),
            "forget": lambda: forget_unconfirmed(at=timezone.now()),
        }
        return [measured(jobs[name])[1] for _ in range(times)]


Measure = Callable[[Orders, int], list[Sample]]
SIGNATURES, SUPPORTERS = "/admin/signers/signature/", "/admin/signers/supporter/"


def page(url: str) -> Measure:
    return lambda orders, times: orders.page(url, times)


def admin(url: str) -> Measure:
    return lambda orders, times: orders.admin(url, times)


def search(model: str, term: Callable[[Any], str]) -> Measure:
    return lambda orders, times: orders.search(model, term, times)


def job(name: str) -> Measure:
    return lambda orders, times: orders.job(name, times)


def whole_name(signature: Any) -> str:
    return f"{signature.first_name} {signature.last_name}"


def email(signature: Any) -> str:
    return cast(str, signature.email)


MEASURED: dict[str, Measure] = {
    "petition page": page("/petitions/rivermouth/"),
    "count.json": page("/petitions/rivermouth/count.json"),
    "campaign page": page("/campaigns/open-sundays/"),
    "home page": page("/"),
    "sign POST": Orders.sign,
    "confirm click": Orders.confirm,
    "own page": Orders.own_page,
    "admin’s first page": admin("/admin/"),
    "signatures": admin(SIGNATURES),
    "signatures, page 20": admin(f"{SIGNATURES}?p=20"),
    "signatures of the petition": admin(f"{SIGNATURES}?petition={{petition}}"),
    **{
        f"signatures, {state}": admin(f"{SIGNATURES}?state={state}")
        for state in ("confirmed", "accepted", "pending", "held", "removed")
    },
    "signatures of the petition, pending": admin(f"{SIGNATURES}?petition={{petition}}&state=pending"),
    "signatures of the petition, removed": admin(f"{SIGNATURES}?petition={{petition}}&state=removed"),
    "search by first and last name": search("signature", whole_name),
    # Beginnings that find more than a page on both sides: how long the drawn list is, is not what is asked here.
    "search by last name": search("signature", lambda signature: cast(str, signature.last_name[:2])),
    "search by e-mail address": search("signature", email),
    "search by postal code": search("signature", lambda signature: cast(str, signature.postal_code[:2])),
    "search by one letter": search("signature", lambda signature: cast(str, signature.last_name[0])),
    "search for nobody": search("signature", lambda _signature: "Nobody Atall"),
    "supporters": admin(SUPPORTERS),
    "supporter search by name": search("supporter", whole_name),
    "supporter search by address": search("supporter", email),
}
WORKER_DOES: dict[str, Measure] = {
    "fold of 500": Orders.fold,
    "adding up 500": Orders.add_up,
    "momentum": job("momentum"),
    "league": job("league"),
    "forgetting": job("forget"),
}


def make_petition() -> None:
    """One petition that has been open for a year."""
    from django.utils import timezone

    from campaigns.models import Campaign, Organization, Place, Target
    from petitions.models import Letter, Petition
    from petitions.publishing import publish

    organization = Organization.objects.create(name="Readers’ Common")
    campaign = Campaign.objects.create(
        organization=organization, slug="open-sundays", title="Open Sundays", asks_postal_code=False
    )
    letter = Letter.objects.create(
        campaign=campaign,
        headline="Open the library",
        lead_in="The petition reads:",
        statement="Open the library on Sundays.",
        call_to_action="Sign",
        body="Many ask for it. " * 100,
    )
    place = Place.objects.create(name="Rivermouth", postal_prefixes="90 85")
    target = Target.objects.create(campaign=campaign, place=place, name="Ada Okafor")
    Petition.objects.create(letter=letter, target=target, slug="rivermouth")
    publish(campaign=campaign, at=timezone.now() - timedelta(days=365))


if __name__ == "__main__":
    finish(main())

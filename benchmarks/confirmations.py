"""How soon a confirmation arrives while a mailing of 100,000 copies is queued and the mail server is slow."""

import statistics
import time
from typing import Any

from benchmarks.figures import Figure, finish
from benchmarks.killed_mailing import Sink, queue
from benchmarks.throwaway import database

COPIES = {"PostgreSQL": 100_000, "SQLite": 20_000}
PEOPLE, EVERY = 40, 0.7  # who sign meanwhile, and the seconds between two of them
TARGET = 10.0  # seconds, for 95 of 100
ARRIVES_WITHIN = 60


def main() -> list[Figure]:
    figures = []
    with database() as vendor:
        from fraud.rules import switch_all

        switch_all(on=False)  # eighty numbered addresses within minutes are what they are there for
        mailing = queue(COPIES[vendor])
        print(f"{COPIES[vendor]:,} copies queued, {PEOPLE} people sign meanwhile; {vendor}")
        for told, sink in (
            ("half a second a mail", Sink(answers_within=0.5)),
            ("the same, one conversation at a time", Sink(answers_within=0.5, at_a_time=1)),
        ):
            seconds = sorted(measure(sink, mailing, told))
            slowest_of_95 = seconds[int(len(seconds) * 0.95) - 1]
            print(
                f"{told}: median {statistics.median(seconds):.1f} s, 95 of 100 within {slowest_of_95:.1f} s,"
                f" all within {seconds[-1]:.1f} s; {len(sink.taken) - PEOPLE} copies of the mailing left meanwhile"
            )
            figures.append(
                Figure.of(
                    f"confirmation beside {COPIES[vendor]:,} queued copies, 95 of 100 within; {told}",
                    [slowest_of_95],
                    unit="s",
                    target=TARGET,
                    at_most=True,
                    beside=vendor,
                )
            )
    return figures


def measure(sink: Sink, mailing: Any, told: str) -> list[float]:
    """Seconds from each signer's post until the mail server has the mail that asks them to confirm."""
    from tests.processes import worker

    posted: dict[str, float] = {}
    with sink, worker(port=sink.port) as process:
        sink.wait_for_a_mail()
        for number in range(PEOPLE):
            email = f"signer-{len(told)}-{number}@example.org"
            post(mailing, email)
            posted[email] = time.monotonic()
            time.sleep(EVERY)
        deadline = time.monotonic() + ARRIVES_WITHIN
        while not posted.keys() <= sink.moments.keys() and time.monotonic() < deadline:
            time.sleep(0.1)
        process.terminate()
        process.wait()
    return [sink.moments.get(email, moment + ARRIVES_WITHIN) - moment for email, moment in posted.items()]


def post(mailing: Any, email: str) -> None:
    """What a visitor's press on the sign button writes down."""
    from django.utils import timezone

    from tests.factories import make_submission

    edition = mailing.editions.select_related("petition").get()
    make_submission(edition.petition, email=email, received_at=timezone.now())


if __name__ == "__main__":
    finish(main())

"""Folding what was typed into signatures, and adding up: submissions a second and worker."""

import os
import random
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from benchmarks.figures import Figure, finish
from benchmarks.processes import processor_time, sessions
from benchmarks.throwaway import database

BATCHES = (20, 100, 500)
ROUNDS = 5
SUBMISSIONS = 1_000  # a round
WAITING = 4_000  # for a worker
PETITIONS = 20
PENDING = 10_000  # changes for one adding up
TARGET = {"PostgreSQL": 3_000}  # a second, in batches of 500
STRETCH = {"PostgreSQL": 10_000}
NAMES = "Ada Bo Carla Dev Élif Femi Goro Hána Ines Jan Kofi Lena Milo Nour Olga Pía Quinn Rosa Sami Tove"
CHANCE = random.Random(7)
SURNAMES = "Okafor Lind Reed Quill Farrow van-der-Berg O’Hara Núñez Ek Cole Sørensen Abe Kaya Moss Vale"


def main() -> list[Figure]:
    with database() as vendor:
        petitions = make_petitions()
        # The first rounds of a process pay for what later ones find ready.
        seconds_to_fold(petitions, BATCHES[-1])
        rates = {
            batch: [SUBMISSIONS / seconds_to_fold(petitions, batch) for _ in range(ROUNDS)]
            for batch in BATCHES
        }
        largest = BATCHES[-1]
        by_work = [
            SUBMISSIONS / seconds_to_fold(petitions, largest, clock=processor_time_of_fold)
            for _ in range(ROUNDS)
        ]
        as_worker = [WAITING / seconds_to_fold_as_the_worker(petitions) for _ in range(ROUNDS)]
        seconds_to_add_up(1)
        added = [PENDING / seconds_to_add_up((-1, 1)[round_ % 2]) for round_ in range(ROUNDS)]
        figures = [
            Figure.of(
                f"fold, in batches of {batch}",
                rate,
                unit="/s",
                beside=f"new supporters on {PETITIONS} petitions, one batch at a time, {vendor}",
            )
            for batch, rate in rates.items()
        ]
        return [
            *figures,
            Figure.of(
                "fold, as one worker does it",
                as_worker,
                unit="/s",
                target=TARGET.get(vendor),
                stretch=STRETCH.get(vendor),
                beside=f"{WAITING:,} waiting; on PostgreSQL two batches of 500 at a time",
            ),
            Figure.of(
                f"fold, in batches of {largest}, by processor time",
                by_work,
                unit="/s",
                beside="of worker and database session together; holds on a busy machine too",
            ),
            Figure.of("adding up: changes of counts", added, unit="/s", beside=f"{PENDING:,} at once"),
        ]


def processor_time_of_fold() -> float:
    return processor_time([os.getpid(), *sessions()])


def seconds_to_fold(
    petitions: list[Any], batch: int, *, clock: Callable[[], float] = time.perf_counter
) -> float:
    from django.utils import timezone

    from fraud.judging import BurstJudge
    from signers.folding import fold
    from signers.models import Submission

    now = timezone.now()
    Submission.objects.bulk_create([make_submission(petitions, now) for _ in range(SUBMISSIONS)])
    start = clock()
    folded = 0
    while done := fold(at=now, limit=batch, judge=BurstJudge()):
        folded += done
    seconds = clock() - start
    assert folded == SUBMISSIONS
    return seconds


def seconds_to_fold_as_the_worker(petitions: list[Any]) -> float:
    """As `config.worker` does while much waits: in two threads on PostgreSQL, each on rows of its own."""
    from django.db import connections
    from django.utils import timezone

    from config.worker import fold_some, takes_turns_by_row
    from signers.models import Submission

    now = timezone.now()
    Submission.objects.bulk_create([make_submission(petitions, now) for _ in range(WAITING)])
    at_once = 2 if takes_turns_by_row() else 1
    ready = threading.Barrier(at_once + 1)

    def work() -> None:
        connections["default"].ensure_connection()
        ready.wait()
        while fold_some(now):
            pass
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    ready.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    assert not Submission.objects.exists()
    return seconds


def seconds_to_add_up(change: int) -> float:
    """Confirms so many signatures at once (1), or takes that back (-1)."""
    from django.utils import timezone

    from signers.counting import add_up
    from signers.models import CountChange, Signature

    now = timezone.now()
    signatures = list(Signature.objects.order_by("pk")[:PENDING])
    Signature.objects.filter(pk__lte=signatures[-1].pk).update(accepted_at=now if change > 0 else None)
    CountChange.objects.bulk_create(
        [CountChange.of(signature, change) for signature in signatures], batch_size=1_000
    )
    start = time.perf_counter()
    assert add_up(at=now) == PENDING
    return time.perf_counter() - start


def make_petitions() -> list[Any]:
    """Open petitions of one campaign, each in a place with postal codes of its own."""
    from django.utils import timezone

    from campaigns.models import Campaign, Organization, Place, Target
    from petitions.models import Letter, Petition
    from petitions.publishing import publish

    organization = Organization.objects.create(name="Readers’ Common")
    campaign = Campaign.objects.create(organization=organization, slug="open-sundays", title="Open Sundays")
    letter = Letter.objects.create(
        campaign=campaign,
        headline="Open the library",
        lead_in="The petition reads:",
        statement="Open the library on Sundays.",
        call_to_action="Sign",
        body="Many ask for it. " * 100,
    )
    for number in range(PETITIONS):
        place = Place.objects.create(
            name=f"Rivermouth {number}", postal_prefixes=f"9{number:02} 8{number:02}"
        )
        target = Target.objects.create(campaign=campaign, place=place, name="Ada Okafor")
        Petition.objects.create(letter=letter, target=target, slug=f"rivermouth-{number}")
    publish(campaign=campaign, at=timezone.now() - timedelta(days=1))
    return list(Petition.objects.all())


def make_submission(petitions: list[Any], at: Any) -> Any:
    from signers.models import Submission
    from signers.signing import new_referral_code

    petition = CHANCE.choice(petitions)
    first_name, last_name = CHANCE.choice(NAMES.split()), CHANCE.choice(SURNAMES.split())
    return Submission(
        petition_id=petition.pk,
        version_id=petition.current_version_id,
        received_at=at,
        first_name=first_name,
        last_name=last_name,
        email=f"{first_name}.{last_name}.{CHANCE.getrandbits(48):x}@example.org",
        postal_code=f"{CHANCE.choice('89')}{CHANCE.randrange(100):02}{CHANCE.randrange(100):02}",
        comment="Our children read there." if CHANCE.random() < 0.2 else "",
        updates=CHANCE.random() < 0.6,
        wording="May Readers’ Common write to you about this petition and what comes of it? Yes / No",
        referral_code=new_referral_code(),
        network=f"{CHANCE.getrandbits(96):024x}.{CHANCE.getrandbits(96):024x}",
    )


if __name__ == "__main__":
    finish(main())

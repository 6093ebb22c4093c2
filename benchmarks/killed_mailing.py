"""A mailing of 10,000 copies whose two workers are killed with -9 twenty times: who got it, and how often.

`python -m benchmarks.killed_mailing [COPIES [KILLS]]`
"""

import random
import re
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from benchmarks.figures import Figure, finish
from benchmarks.throwaway import database

COPIES, KILLS, WORKERS = 10_000, 20, 2
BEFORE_A_KILL = (0.05, 0.8)  # seconds from the first mail of a worker
ANSWERS_WITHIN = 0.02  # seconds the sink takes for a mail, at most
GIVEN_UP = 1_200  # seconds


def main() -> list[Figure]:
    copies, kills = ([int(said) for said in sys.argv[1:]] + [COPIES, KILLS][len(sys.argv) - 1 :])[:2]
    with database() as vendor:
        started = time.perf_counter()
        outcome = prove(copies=copies, kills=kills)
        print(f"{copies:,} copies, {WORKERS} workers, {outcome.kills} kills; {vendor}")
        print(f"taken by the sink {outcome.taken:,}, by state {outcome.states}")
        print(
            f"twice at the sink: {outcome.twice}; said to be sent, but not at the sink: {outcome.lost};"
            f" at the sink, but said to be neither sent nor in doubt: {outcome.unaccounted}"
        )
        print(f"in doubt: {outcome.in_doubt}, at most {outcome.kills} allowed")
        print(f"{time.perf_counter() - started:.0f} s")
        wrong = outcome.twice + outcome.lost + outcome.unaccounted
        return [
            Figure.of("kills of senders survived", [outcome.kills], unit="", target=kills, beside=vendor),
            Figure.of(
                "copies lost, sent twice or not accounted for", [wrong], unit="", target=0, at_most=True
            ),
            Figure.of("copies in doubt", [outcome.in_doubt], unit="", target=outcome.kills, at_most=True),
            Figure.of(
                "copies neither sent nor in doubt",
                [sum(n for state, n in outcome.states.items() if state not in {"sent", "in doubt"})],
                unit="",
                target=0,
                at_most=True,
            ),
        ]


@dataclass(frozen=True)
class Outcome:
    """What became of the copies, told by the database and by the mail server."""

    kills: int
    taken: int
    twice: int
    lost: int
    unaccounted: int
    states: dict[str, int]

    @property
    def in_doubt(self) -> int:
        return self.states.get("in doubt", 0)

    @property
    def is_as_promised(self) -> bool:
        everybody = set(self.states) <= {"sent", "in doubt"}
        # A worker hands over one copy of a mailing at a time.
        return everybody and not (self.twice or self.lost or self.unaccounted) and self.in_doubt <= self.kills


def prove(*, copies: int, kills: int, seed: int = 7) -> Outcome:
    """Sends a mailing while workers are killed; for a database that other processes can see."""
    from mailings.models import Recipient

    mailing = queue(copies)
    with Sink() as sink:
        done = kill_workers(sink, kills, random.Random(seed), lambda: waiting(mailing) > 0)
        send_the_rest(sink, mailing)
    addresses = dict(Recipient.objects.filter(mailing=mailing).values_list("supporter__email", "pk"))
    states = {copy.pk: copy.state for copy in Recipient.objects.filter(mailing=mailing)}
    taken = Counter(addresses[address] for address in sink.taken)
    return Outcome(
        kills=done,
        taken=len(sink.taken),
        twice=sum(1 for times in taken.values() if times > 1),
        lost=sum(1 for pk, state in states.items() if state == "sent" and not taken[pk]),
        unaccounted=sum(1 for pk in taken if states[pk] not in {"sent", "in doubt"}),
        states=dict(Counter(states.values())),
    )


def queue(copies: int) -> Any:
    """A mailing that began an hour ago, with nothing sent yet."""
    from django.utils import timezone

    from mailings.models import Recipient
    from signers.models import Subscription, Supporter
    from tests.factories import make_edition, make_mailing, make_petition

    now = timezone.now()
    petition = make_petition(at=now)
    mailing = make_mailing(petition.campaign, starts_at=now - timedelta(hours=1), per_minute=100_000)
    edition = make_edition(mailing, petition)
    emails = [f"reader-{number}@example.org" for number in range(copies)]
    people = Supporter.objects.bulk_create(
        [Supporter(email=email, mailbox=email, first_name="Connie", created_at=now) for email in emails],
        batch_size=2_000,
    )
    organization = petition.campaign.organization
    Subscription.objects.bulk_create(
        [Subscription(supporter=person, organization=organization, since=now) for person in people],
        batch_size=2_000,
    )
    Recipient.objects.bulk_create(
        [
            Recipient(mailing=mailing, edition=edition, supporter=person, due_at=mailing.starts_at)
            for person in people
        ],
        batch_size=2_000,
    )
    return mailing


def waiting(mailing: Any) -> int:
    """Copies that no sender holds. One that was killed leaves its claims behind for some minutes."""
    from mailings.models import Recipient

    return Recipient.objects.queued().filter(mailing=mailing, claimed_until=None).count()


def kill_workers(sink: "Sink", kills: int, chance: random.Random, goes_on: Callable[[], bool]) -> int:
    """Kills one worker after the other at a random moment of its sending, lets the last ones finish what no killed one
    holds, and returns how many kills there were."""
    from tests.processes import worker

    done = 0
    with ExitStack() as stack:
        workers = [stack.enter_context(worker(port=sink.port)) for _ in range(WORKERS)]
        while done < kills and goes_on():
            victim = done % WORKERS
            sink.wait_for_a_mail()
            time.sleep(chance.uniform(*BEFORE_A_KILL))
            workers[victim].kill()
            workers[victim].wait()
            done += 1
            if done < kills:
                workers[victim] = stack.enter_context(worker(port=sink.port))
        until(lambda: not goes_on())
        for process in workers:
            process.terminate()
            process.wait()
    return done


def send_the_rest(sink: "Sink", mailing: Any) -> None:
    """As if the claims of those that were killed were over."""
    from django.test import override_settings
    from django.utils import timezone

    from mailings.models import Recipient
    from mailings.sending import CLAIMED_FOR, send_some

    smtp = {"EMAIL_BACKEND": "toolkit.emails.SmtpBackend", "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": sink.port}
    left = Recipient.objects.queued().filter(mailing=mailing)
    with override_settings(**smtp):
        until(lambda: send_some(at=timezone.now() + CLAIMED_FOR) == 0 and not left.exists())


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + GIVEN_UP
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)


@dataclass
class Sink:
    """A mail server that takes everything, each conversation in a thread of its own, and notes for whom and when."""

    answers_within: float = ANSWERS_WITHIN  # seconds, at most
    at_a_time: int = 100  # conversations; more have to wait
    taken: list[str] = field(default_factory=list)
    moments: dict[str, float] = field(default_factory=dict)  # by recipient, of `time.monotonic`

    def __enter__(self) -> "Sink":
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.port = self._listening.getsockname()[1]
        self._arrived = threading.Event()
        self._free = threading.Semaphore(self.at_a_time)
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._listening.close()

    def wait_for_a_mail(self) -> None:
        self._arrived.clear()
        if not self._arrived.wait(60):
            raise RuntimeError("No mail comes any more.")

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._free.acquire()
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        chance = random.Random()
        recipient = ""
        try:
            with connection, connection.makefile("rwb") as lines:
                say(lines, "220 sink.example")
                while line := lines.readline():
                    verb = line[:4].upper()
                    if verb == b"QUIT":
                        say(lines, "221 Bye")
                        return
                    if verb == b"RCPT":
                        recipient = re.sub(r"^.*<|>.*$", "", line.decode().strip())
                    if verb != b"DATA":
                        say(lines, "250 OK")
                        continue
                    say(lines, "354 Go on")
                    while (line := lines.readline()) not in {b".\r\n", b""}:
                        pass
                    if line:
                        self.taken.append(recipient)
                        self.moments[recipient] = time.monotonic()
                        self._arrived.set()
                        time.sleep(chance.uniform(0, self.answers_within))
                        say(lines, "250 Taken")
        except OSError:
            pass
        finally:
            self._free.release()


def say(lines: Any, text: str) -> None:
    lines.write(f"{text}\r\n".encode())
    lines.flush()


if __name__ == "__main__":
    finish(main())

"""Visitors who sign until they are thanked, and the book of what they were promised."""

import itertools
import random
import threading
import time
from dataclasses import dataclass, field

from chaos.http import Answer, post
from chaos.postgres import Postgres
from chaos.site import SLUG

TRIES_AGAIN_AFTER = 0.3  # seconds
# A browser waits longer than anything here takes; whoever is cut off has to find out.
PATIENCE = 90

FIELDS = {"first_name": "Connie", "last_name": "Rivera", "updates": "no", "elapsed": "60000", "website": ""}


def sign(port: int, email: str, **typed: str) -> Answer:
    return post(port, f"/petitions/{SLUG}/sign/", {**FIELDS, "email": email, **typed}, timeout=PATIENCE)


@dataclass
class Ledger:
    """`acknowledged` are addresses that got their 303; `answers` counts all answers by status, 0 for none at all."""

    port: int
    visitors: int = 12
    gives_up: bool = False  # visitors press the button again unless this
    acknowledged: set[str] = field(default_factory=set)
    answers: dict[int, int] = field(default_factory=dict)
    slowest: float = 0.0
    label: str = "visitor"

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._enough = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> "Ledger":
        """Signs in the background until the block ends; then everybody finishes what they are at."""
        self._threads = [threading.Thread(target=self._visit) for _ in range(self.visitors)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._enough.set()
        for thread in self._threads:
            thread.join()

    def _visit(self) -> None:
        while not self._enough.is_set():
            self._sign_until_thanked(f"{self.label}-{next(self._numbers)}@load.example")

    def _sign_until_thanked(self, email: str) -> None:
        until = time.monotonic() + 120
        while time.monotonic() < until:
            answer = sign(self.port, email)
            with self._lock:
                self.answers[answer.status] = self.answers.get(answer.status, 0) + 1
                self.slowest = max(self.slowest, answer.seconds)
                if answer.status == 303:
                    self.acknowledged.add(email)
                    return
            if self.gives_up:
                return
            time.sleep(TRIES_AGAIN_AFTER * random.uniform(0.5, 1.5))

    def count(self) -> int:
        return len(self.acknowledged)

    def wait_for(self, signatures: int, *, within: float) -> None:
        """Until so many were acknowledged in all."""
        deadline = time.monotonic() + within
        while self.count() < signatures:
            assert time.monotonic() < deadline, f"only {self.count()} signatures; {self.answers}"
            time.sleep(0.02)

    def prove(self, postgres: Postgres, *, within: float = 120) -> str:
        """Waits for the worker, then compares with the database: nothing lost, nothing twice, the count exact."""
        postgres.wait_until(
            "SELECT NOT EXISTS (SELECT FROM signers_submission WHERE parked_at IS NULL)"
            " AND NOT EXISTS (SELECT FROM signers_countchange)",
            within=within,
        )
        like = f"{self.label}-%"
        rows = dict(
            postgres.query(
                "SELECT email, count(*) FROM signers_signature WHERE email LIKE %s GROUP BY 1", like
            )
        )
        parked = postgres.query("SELECT count(*) FROM signers_submission WHERE parked_at IS NOT NULL")[0][0]
        counted = postgres.query(
            "SELECT (SELECT sum(count) FROM petitions_tally), (SELECT count(*) FROM signers_signature"
            " WHERE accepted_at IS NOT NULL AND removed_at IS NULL AND held_at IS NULL)"
        )[0]
        lost = self.acknowledged - rows.keys()
        doubled = [email for email, number in rows.items() if number > 1]
        result = (
            f"{len(self.acknowledged)} acknowledged, {len(lost)} lost, {len(doubled)} doubled, {parked} parked, count"
            f" {counted[0]} of {counted[1]}; answers {dict(sorted(self.answers.items()))}, slowest {self.slowest:.1f} s"
        )
        assert not lost, result
        assert not doubled, result
        assert not parked, result
        assert counted[0] == counted[1], result
        assert 500 not in self.answers, result
        return result

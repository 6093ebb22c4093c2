"""kill -9 in mid-load: nothing acknowledged is lost, nothing happens twice, and the count is exact."""

import os
import random
import signal
import time
from collections.abc import Callable

import pytest

from chaos.ledger import Ledger
from chaos.postgres import Postgres
from chaos.site import Service, Site

KILLS = 5


def kill_a_web_worker(postgres: Postgres, web: Service, worker: Service) -> None:
    for pid in random.sample(web.children(), k=min(2, len(web.children()))):
        os.kill(pid, signal.SIGKILL)


def kill_the_master(postgres: Postgres, web: Service, worker: Service) -> None:
    web.signal(signal.SIGKILL)


def kill_the_worker(postgres: Postgres, web: Service, worker: Service) -> None:
    worker.signal(signal.SIGKILL)


def kill_postgres(postgres: Postgres, web: Service, worker: Service) -> None:
    postgres.kill()
    postgres.start()


def kill_a_backend(postgres: Postgres, web: Service, worker: Service) -> None:
    postgres.kill_a_backend()


FAULTS = [kill_a_web_worker, kill_the_master, kill_the_worker, kill_postgres, kill_a_backend]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_nothing_acknowledged_is_lost_or_doubled(
    fault: Callable[[Postgres, Service, Service], None],
    postgres: Postgres,
    site: Site,
    note: Callable[[str], None],
    pytestconfig: pytest.Config,
) -> None:
    wanted = pytestconfig.getoption("--signatures") // len(FAULTS)
    web, worker = site.start_web(), site.start_worker()
    pauses = 0.0

    with Ledger(site.port) as ledger:
        for kill in range(1, KILLS + 1):
            ledger.wait_for(wanted * kill // (KILLS + 1), within=300)
            time.sleep(random.uniform(0, 0.2))
            fault(postgres, web, worker)
            before, began = ledger.count(), time.monotonic()
            ledger.wait_for(before + 1, within=60)
            pauses = max(pauses, time.monotonic() - began)
        ledger.wait_for(wanted, within=300)

    note(f"{KILLS} kills, longest pause {pauses:.1f} s; {ledger.prove(postgres)}")

"""The drill: a million signatures are backed up, verified, restored into an empty database and over a full one."""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

from benchmarks.figures import Figure, finish
from benchmarks.throwaway import database

MINUTES = 60
Result = TypeVar("Result")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--signatures", type=int, default=1_000_000)
    number = parser.parse_args().signatures
    with database() as name, tempfile.TemporaryDirectory(prefix="undersigned-drill-") as folder:
        print(f"{number:,} signatures on {name}; load of the machine: {os.getloadavg()[0]:.1f}", flush=True)
        finish(list(drill(Path(folder), number)))


def drill(folder: Path, number: int) -> Iterator[Figure]:
    from django.utils import timezone

    from config.backups.making import backup
    from config.backups.restoring import restore, verify
    from signers.erasing import erase
    from signers.models import Signature, Supporter
    from signers.seeding import seed, tidy
    from tests.factories import make_petition

    seed(petition=make_petition(), number=number, at=timezone.now())
    tidy()
    made = Measured(lambda: backup(folder, at=timezone.now()))
    yield made.figure("backup made", f"{made.result.manifest.size / 1e6:,.0f} MB")
    path = made.result.path

    proven = Measured(lambda: verify(path))
    assert not proven.result[1], proven.result[1]
    yield proven.figure("backup verified: loaded elsewhere and compared", "every table equal", within=15)

    erased = list(Supporter.objects.order_by("pk").values_list("pk", flat=True)[:100])
    began = time.monotonic()
    for supporter in erased:
        erase(supporter_id=supporter, at=timezone.now())
    print(f"{len(erased)} erased in {time.monotonic() - began:.1f} s", flush=True)
    back = Measured(lambda: restore(path, replace=True, at=timezone.now()))
    assert back.result.again["erased"] == len(erased)
    yield back.figure("restored over a full database", "every table equal, 100 erased again", within=15)

    assert Signature.objects.count() == number - len(erased)
    with empty_database():
        fresh = Measured(lambda: restore(path, replace=False, at=timezone.now()))
        assert Signature.objects.count() == number - len(erased)
    yield fresh.figure("restored into an empty database", "every table equal, 100 erased again", within=15)


class Measured(Generic[Result]):
    """What a step returned, and how long it took."""

    def __init__(self, step: Callable[[], Result]) -> None:
        began = time.monotonic()
        self.result = step()
        self.seconds = time.monotonic() - began

    def figure(self, name: str, beside: str, *, within: float | None = None) -> Figure:
        print(f"{name}: {self.seconds:.1f} s ({beside})", flush=True)
        target = within * MINUTES if within else None
        return Figure.of(name, [self.seconds], unit="s", target=target, at_most=True, beside=beside)


@contextmanager
def empty_database() -> Iterator[None]:
    """Beside the other one, which it takes the place of meanwhile."""
    from django.db import connection

    from config.backups import postgresql

    own = connection.settings_dict["NAME"]
    with tempfile.TemporaryDirectory(prefix="undersigned-drill-") as folder:
        other = f"{own}_empty" if connection.vendor == "postgresql" else str(Path(folder) / "empty.sqlite3")
        if connection.vendor == "postgresql":
            postgresql.execute(f'CREATE DATABASE "{other}"')
        connection.close()
        connection.settings_dict["NAME"] = other
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict["NAME"] = own
            if connection.vendor == "postgresql":
                postgresql.execute(f'DROP DATABASE "{other}" WITH (FORCE)')


if __name__ == "__main__":
    main()

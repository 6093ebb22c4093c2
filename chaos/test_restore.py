"""kill -9 while a backup replaces the database: it is the one or the other, and the next try finishes it."""

import itertools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from chaos.postgres import Postgres
from chaos.site import ROOT, SLUG, Site

BACKED_UP, LATER, LEFT = 5000, 700, 1
# A run takes about three seconds, the first of them for Python to begin.
STEP = 0.1  # seconds

SEED = f"""
from django.utils import timezone
from petitions.models import Petition
from signers.seeding import seed
seed(petition=Petition.objects.get(slug={SLUG!r}), number=%d, at=timezone.now())
"""
SOMEBODY_LEAVES = """
from django.utils import timezone
from signers.erasing import erase
from signers.models import Supporter
erase(supporter_id=Supporter.objects.order_by("pk").first().pk, at=timezone.now())
"""
NOBODY_ELSE = """
    SELECT count(*) = 0 FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


def test_replaced_whole_or_not_at_all(
    postgres: Postgres, site: Site, folders: Callable[[], Path], note: Callable[[str], None]
) -> None:
    folder = folders()
    site.python(SEED % BACKED_UP)
    site.manage("backup", str(folder))
    (backup,) = folder.glob("*.dump")
    site.python(SOMEBODY_LEAVES)
    site.python(SEED % LATER)
    before, after = BACKED_UP + LATER - LEFT, BACKED_UP - LEFT
    found = []

    for patience in (number * STEP for number in itertools.count(8)):
        if finishes(site, backup, within=patience):
            break
        postgres.wait_until(NOBODY_ELSE)
        found.append(signatures(postgres))

    # Between the replacing and what follows from it, those who left are back; the next try is for them.
    assert set(found) <= {before, BACKED_UP, after}
    assert found[0] == before
    assert signatures(postgres) == after
    note(f"killed {len(found)} times, {found.count(before)} of them before it was replaced")


def finishes(site: Site, backup: Path, *, within: float) -> bool:
    """Whether it came to its end; else it is killed, and what it had started is left to itself."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "restore", str(backup), "--replace"],
        cwd=ROOT,
        env=site.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        _out, errors = process.communicate(timeout=within)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return False
    assert process.returncode == 0, errors.decode()
    return True


def signatures(postgres: Postgres) -> int:
    return int(postgres.query("SELECT count(*) FROM signers_signature")[0][0])

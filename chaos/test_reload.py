"""New code and new columns under load: no request fails."""

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from chaos.ledger import Ledger
from chaos.postgres import Postgres
from chaos.proxies import nginx
from chaos.site import Site
from chaos.waiting import eventually

RELOADS = 3
# What the operations page calls safe: a column with a default of the database's, and an index that locks nothing.
MIGRATION = """
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import connection, migrations, models
from django.db.migrations.state import ProjectState
from django.apps import apps
state = ProjectState.from_apps(apps)
for model in ("submission", "signature", "supporter", "outgoingmail"):
    changed = state.clone()
    column = migrations.AddField(model, "later", models.IntegerField(default=0, db_default=0))
    column.state_forwards("signers", changed)
    with connection.schema_editor() as editor:
        column.database_forwards("signers", editor, state, changed)
    indexed = changed.clone()
    index = AddIndexConcurrently(model, models.Index(fields=["later"], name=f"{model}_later"))
    index.state_forwards("signers", indexed)
    with connection.schema_editor(atomic=False) as editor:
        index.database_forwards("signers", editor, changed, indexed)
    state = indexed
"""


@pytest.mark.parametrize("in_front", ["gunicorn alone", "behind nginx"])
def test_reloading_fails_no_request(
    in_front: str, site: Site, postgres: Postgres, folders: Callable[[], Path], note: Callable[[str], None]
) -> None:
    web, worker = site.start_web(TRUSTED_PROXIES="127.0.0.1"), site.start_worker()
    with nginx(folders(), site.port) as proxy:
        ledger = Ledger(proxy if in_front == "behind nginx" else site.port)
        with ledger:
            ledger.wait_for(30, within=60)
            for _ in range(RELOADS):
                before = set(web.children())
                web.signal(signal.SIGHUP)
                worker.signal(signal.SIGTERM)
                eventually(lambda before=before: len(set(web.children()) - before) == len(before), within=60)
                eventually(lambda before=before: not set(web.children()) & before, within=60)
                ledger.wait_for(ledger.count() + 30, within=60)

    note(f"{RELOADS} reloads; {ledger.prove(postgres)}")
    assert set(ledger.answers) == {303}
    assert (web.starts, worker.starts) == (1, 1 + RELOADS)


def test_migrating_fails_no_request(
    site: Site, postgres: Postgres, folders: Callable[[], Path], note: Callable[[str], None]
) -> None:
    site.start_web(), site.start_worker()
    ledger = Ledger(site.port)

    with ledger:
        ledger.wait_for(30, within=60)
        began = time.monotonic()
        site.python(MIGRATION)
        site.manage("migrate", "--verbosity=0")
        took = time.monotonic() - began
        ledger.wait_for(ledger.count() + 30, within=60)

    note(f"four columns, four indexes in {took:.1f} s; {ledger.prove(postgres)}")
    assert set(ledger.answers) == {303}

"""SQLite, where transactions that write take turns. The tests look at the turns, whatever the suite runs on."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection

from config.sqlite import base
from config.sqlite.base import DatabaseWrapper, Turns

pytestmark = pytest.mark.django_db


@pytest.fixture
def wrapper(tmp_path: Path, settings: Any) -> Any:
    """A connection to a database of its own."""
    given = {**connection.settings_dict, "NAME": str(tmp_path / "site.sqlite3"), "ENGINE": "config.sqlite"}
    given["OPTIONS"] = {"transaction_mode": "IMMEDIATE"}
    made = DatabaseWrapper(given, alias="another")
    made.inc_thread_sharing()
    yield made
    made.close()


def is_free(wrapper: Any) -> bool:
    """Whether another process could begin."""
    other = Turns(f"{wrapper.settings_dict['NAME']}.turns")
    free = other._locked()
    if free:
        other._threads.acquire()
        other.end()
    return free


def test_transaction_has_its_turn_until_it_is_committed(wrapper: Any) -> None:
    wrapper.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    assert not is_free(wrapper)

    wrapper.commit()

    assert is_free(wrapper)


def test_turn_ends_with_a_rollback(wrapper: Any) -> None:
    wrapper.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)

    wrapper.rollback()

    assert is_free(wrapper)


def test_turn_ends_with_the_connection(wrapper: Any) -> None:
    wrapper.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)

    wrapper.close()

    assert is_free(wrapper)


def test_turn_ends_when_the_transaction_cannot_begin(wrapper: Any) -> None:
    wrapper.ensure_connection()
    stubborn = sqlite3.connect(wrapper.settings_dict["NAME"], timeout=0, isolation_level=None)
    stubborn.execute("BEGIN IMMEDIATE")
    wrapper.connection.execute("PRAGMA busy_timeout = 0")

    with pytest.raises(OperationalError, match="locked"):
        wrapper.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)

    stubborn.close()
    assert is_free(wrapper)


def test_who_waits_for_too_long_is_told(wrapper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "WAIT", 0.0)
    other = Turns(f"{wrapper.settings_dict['NAME']}.turns")
    other.take()

    with pytest.raises(OperationalError, match="locked"):
        wrapper.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)

    other.end()
    wrapper.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    assert not is_free(wrapper)


def test_where_no_file_can_be_made_sqlite_will_do(tmp_path: Path) -> None:
    assert base.turns_at(str(tmp_path / "nowhere" / "site.sqlite3"), 1) is None

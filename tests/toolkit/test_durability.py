"""What can be done again does not wait for the disk."""

import pytest
from django.db import connection, transaction

from signers.folding import HoldsNothing, fold
from tests.factories import NOW, make_petition, make_submission
from toolkit.durability import can_be_redone

on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="asks PostgreSQL how it commits")


def how_it_commits() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        return str(cursor.fetchone()[0])


@pytest.fixture
def waits_for_the_disk():
    """As PostgreSQL does unless told otherwise; the one of the tests is told otherwise."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET synchronous_commit")


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_only_this_transaction_does_not_wait(waits_for_the_disk):
    with transaction.atomic():
        can_be_redone()
        assert how_it_commits() == "off"

    assert how_it_commits() == "on"


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_fold_does_not_wait(waits_for_the_disk):
    seen = []

    class Looks(HoldsNothing):
        def reasons(self, submissions, *, at):
            seen.append(how_it_commits())
            return {}

    make_submission(make_petition())

    assert fold(at=NOW, judge=Looks()) == 1
    assert (seen, how_it_commits()) == (["off"], "on")

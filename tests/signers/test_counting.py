"""The number of each petition."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from petitions.models import Tally
from signers.confirming import confirm
from signers.counting import LOCK, Discrepancy, add_up, recount
from signers.models import CountChange
from signers.removing import remove
from tests.factories import NOW, make_petition, make_signature, make_staff
from tests.threads import in_parallel


def change(petition, *changes, local=False):
    CountChange.objects.bulk_create(
        CountChange(petition_id=petition.pk, change=number, local_change=number if local else 0)
        for number in changes
    )


def tally(petition):
    return Tally.objects.values_list("count", "local").get(petition=petition)


def test_changes_are_added_up_and_forgotten(db):
    petition, other = make_petition(), make_petition()
    change(petition, 1, 1, 1, -1)
    change(petition, 1, local=True)
    change(other, 1)

    added = add_up(at=NOW)

    assert added == 6
    assert (tally(petition), tally(other)) == ((3, 1), (1, 0))
    assert not CountChange.objects.exists()


def test_changes_are_added_to_what_was_there(db):
    petition = make_petition()
    Tally.objects.update(count=5, local=2)
    change(petition, -1, local=True)

    add_up(at=NOW)

    assert tally(petition) == (4, 1)


def test_missing_tally_is_made(db):
    petition = make_petition(live=False)
    change(petition, 1)

    add_up(at=NOW)

    assert tally(petition) == (1, 0)


def test_changes_of_a_deleted_petition_go(db):
    CountChange.objects.create(petition_id=10**12, change=1)

    add_up(at=NOW)

    assert not CountChange.objects.exists()


def test_idle_round_costs_one_query(db, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert add_up(at=NOW) == 0


def test_number_of_queries_does_not_depend_on_the_number_of_changes(db, django_assert_max_num_queries):
    petition = make_petition()
    change(petition, *[1] * 50)

    with django_assert_max_num_queries(10):
        add_up(at=NOW)


def test_change_that_would_make_a_count_negative_has_it_counted_again(db, caplog):
    wrong, right = make_petition(), make_petition()
    make_signature(wrong, confirmed=True)
    Tally.objects.filter(petition=wrong).update(count=0)
    change(wrong, -1)
    change(right, 1)
    make_signature(right, accepted_at=NOW)
    Tally.objects.filter(petition=right).update(count=0)

    add_up(at=NOW)
    add_up(at=NOW)

    assert (tally(wrong), tally(right)) == ((1, 0), (1, 0))
    assert "repaired" in caplog.text


def test_recount_finds_nothing_where_nothing_is_wrong(db):
    petition = make_petition()
    make_signature(petition, confirmed=True, is_local=True)
    make_signature(petition)
    make_signature(petition, accepted_at=NOW, removed_at=NOW, removal="staff")
    make_signature(petition, accepted_at=NOW, held_at=NOW)
    confirm(signature_id=make_signature(petition).pk, at=NOW)

    assert recount() == []
    assert tally(petition) == (1, 1)
    assert CountChange.objects.count() == 1


def test_recount_repairs_and_tells(db, caplog):
    petition, other = make_petition(), make_petition()
    make_signature(petition, confirmed=True)
    make_signature(petition, confirmed=True, is_local=True)
    Tally.objects.filter(petition=petition).update(count=7, local=0)
    change(petition, 1)

    found = recount()

    assert found == [Discrepancy(petition.pk, said=8, said_local=0, counted=2, counted_local=1)]
    assert (tally(petition), tally(other)) == ((2, 1), (0, 0))
    assert not CountChange.objects.exists()
    assert f"Petition {petition.pk} said 8" in caplog.text


def test_recount_of_some_leaves_the_others(db):
    petition, other = make_petition(), make_petition()
    Tally.objects.update(count=3)

    found = recount([petition.pk])

    assert [discrepancy.petition_id for discrepancy in found] == [petition.pk]
    assert (tally(petition), tally(other)) == ((0, 0), (3, 0))


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite knows no such limit")
def test_recount_may_take_its_time(db):
    """Stopped by the limit that is meant for visitors, it would be tried again for ever."""
    make_petition()

    with CaptureQueriesContext(connection) as asked:
        recount()

    assert any(query["sql"] == "SET LOCAL statement_timeout = 0" for query in asked.captured_queries)


def test_recount_makes_missing_tallies(db):
    petition = make_petition(live=False)

    assert recount() == []
    assert tally(petition) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_count_is_exact_while_everything_happens_at_once():
    petition, staff = make_petition(), make_staff()
    signatures = [make_signature(petition, is_local=number % 2 == 0) for number in range(24)]
    found = []

    def confirm_and_remove(part):
        for number, signature in enumerate(part):
            confirm(signature_id=signature.pk, at=NOW)
            if number % 3 == 0:
                remove(signature=signature, actor=staff, at=NOW, reason="Test")

    in_parallel(
        (lambda: confirm_and_remove(signatures[:12]), 1),
        (lambda: confirm_and_remove(signatures[12:]), 1),
        (lambda: [add_up(at=NOW) for _ in range(15)], 2),
        (lambda: [found.extend(recount()) for _ in range(10)], 1),
    )
    add_up(at=NOW)

    assert found == []
    assert tally(petition) == (16, 8)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_one_worker_adds_up_and_the_others_do_not_wait():
    petition = make_petition()
    change(petition, 1)
    added = []

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        in_parallel((lambda: added.append(add_up(at=NOW)), 1))

    assert added == [0]
    assert CountChange.objects.count() == 1

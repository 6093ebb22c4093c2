"""Searching uses the indexes made for it, so that it stays quick with millions of rows."""

import pytest
from django.db import connection

from signers import searching
from signers.admin.signatures import SignatureAdmin
from signers.models import Signature, Supporter
from signers.searching import some_signatures, some_supporters
from tests.admin_forms import client_of
from tests.factories import make_petition, make_signature, make_staff, make_supporter

pytestmark = pytest.mark.django_db
needs_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite looks through the rows"
)


def found(term: str, rows=None) -> list[int]:
    rows = Signature.objects.order_by("-id") if rows is None else rows
    return list(some_signatures(rows, term).values_list("pk", flat=True))


@needs_postgresql
@pytest.mark.parametrize(
    ("typed", "indexes"),
    [
        ("okafor", {"signature_upper_names", "signature_upper_first_name"}),
        ("ada okafor", {"signature_upper_names", "signature_upper_first_name"}),
        ("4021", {"signature_upper_postal_code"}),
        ("jdoe@gmail.com", {"signers_supporter_mailbox"}),
    ],
)
def test_each_way_to_mean_it_has_an_index(typed, indexes):
    plans = [plan_of(Signature.objects.filter(way)) for way in searching.ways_to_sign(typed)]

    assert all(any(index in plan for plan in plans) for index in indexes), plans
    assert not any("Seq Scan" in plan or "Sort" in plan for plan in plans), plans


@needs_postgresql
def test_supporters_are_found_through_indexes():
    plans = [plan_of(Supporter.objects.filter(way)) for way in searching.ways_to_support("okafor")]

    assert any("supporter_upper_names" in plan for plan in plans)
    assert not any("Seq Scan" in plan for plan in plans)


def plan_of(rows) -> str:
    with connection.cursor() as cursor:
        # The tables are empty here; this asks whether an index could be used at all.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    return rows.order_by()[: searching.MOST_FOUND].explain()


def test_nothing_typed_restricts_nothing():
    assert not searching.signatures_matching("  \0 ")


def test_nothing_typed_shows_all():
    signature = make_signature(make_petition())

    assert found("  \0 ") == [signature.pk]
    assert list(some_supporters(Supporter.objects.all(), "")) == [signature.supporter]


def test_newest_come_first_however_they_match():
    petition = make_petition()
    by_last_name = make_signature(petition, first_name="Bo", last_name="Adair")
    by_first_name = make_signature(petition, first_name="Adaeze", last_name="Quill")
    make_signature(petition, first_name="Milo", last_name="Vale")

    assert found("ada") == [by_first_name.pk, by_last_name.pk]


def test_of_very_many_some_are_shown(monkeypatch):
    monkeypatch.setattr(searching, "MOST_FOUND", 2)
    petition = make_petition()
    pks = [make_signature(petition, last_name="Okafor").pk for _ in range(3)]

    shown = found("okafor")

    assert len(shown) == 2
    assert set(shown) < set(pks)


def test_of_a_place_the_newest_are_shown(monkeypatch):
    monkeypatch.setattr(searching, "MOST_FOUND", 2)
    petition = make_petition()
    _first, second, third = [make_signature(petition).pk for _ in range(3)]

    assert found(petition.target.place.name) == [third, second]


def test_what_is_filtered_out_takes_nobodys_place(monkeypatch):
    monkeypatch.setattr(searching, "MOST_FOUND", 1)
    here, elsewhere = make_petition(), make_petition()
    wanted = make_signature(here, last_name="Okafor")
    make_signature(elsewhere, last_name="Okafor")

    assert found("okafor", Signature.objects.filter(petition=here)) == [wanted.pk]


def test_supporters_by_name_and_address():
    ada = make_supporter("ada@example.org", first_name="Ada", last_name="Okafor")
    make_supporter("bo@example.org", first_name="Bo", last_name="Lind")

    assert list(some_supporters(Supporter.objects.all(), "Okafor, Ada")) == [ada]
    assert list(some_supporters(Supporter.objects.all(), "ADA@example.org")) == [ada]


def test_list_says_that_more_may_match(monkeypatch):
    monkeypatch.setattr(SignatureAdmin, "most_found", 1)
    make_signature(make_petition(), last_name="Okafor")

    shown = (
        client_of(make_staff(is_superuser=True)).get("/admin/signers/signature/?q=okafor").content.decode()
    )

    assert "A search shows 1 at most." in shown

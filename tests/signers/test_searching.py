"""Searching uses the indexes made for it, so that it stays quick with millions of rows."""

import pytest
from django.db import connection

from signers.models import Signature, Supporter
from signers.searching import signatures_matching, supporters_matching

pytestmark = pytest.mark.django_db
needs_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite looks through the rows"
)


def plan_of(rows) -> str:
    with connection.cursor() as cursor:
        # The tables are empty here; this asks whether an index could be used at all.
        cursor.execute("SET LOCAL enable_seqscan = off")
    return rows.explain()


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
def test_signatures_are_found_through_indexes(typed, indexes):
    plan = plan_of(Signature.objects.filter(signatures_matching(typed)).order_by())

    assert all(index in plan for index in indexes), plan
    assert "Seq Scan" not in plan


@needs_postgresql
def test_supporters_are_found_through_indexes():
    plan = plan_of(Supporter.objects.filter(supporters_matching("okafor")).order_by())

    assert "supporter_upper_names" in plan
    assert "Seq Scan" not in plan


def test_nothing_typed_restricts_nothing():
    assert not signatures_matching("  \0 ")
    assert not supporters_matching("")

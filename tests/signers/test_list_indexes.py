"""What staff look for among all signatures is found through indexes, so that it stays quick with millions of them."""

import pytest
from django.db import connection

from signers.admin.signature_filters import in_state
from signers.models import Signature, Supporter
from signers.searching import MOST_FOUND, ways_to_sign, ways_to_support
from signers.seeding import seed
from tests.factories import NOW, make_petition

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite looks through the rows"),
]
SHOWN, COUNTED = 50, 1_000


@pytest.fixture
def petition():
    petition = make_petition()
    seed(petition=petition, number=2_000, at=NOW)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE signers_signature, signers_supporter")
    return petition


def test_no_list_of_a_state_looks_through_the_others(petition):
    indexes = {
        "accepted": "signature_unconfirmed",
        "pending": "signature_unaccepted",
        "held": "signature_held",
        "removed": "signature_removed",
    }
    of_petition = Signature.objects.filter(petition=petition).order_by("-signed_at")

    for state, index in indexes.items():
        for signatures in (Signature.objects.order_by("-id"), of_petition):
            assert index in plan_of(in_state(signatures, state)[:SHOWN]), state
        assert index in plan_of(in_state(Signature.objects.order_by(), state)[:COUNTED]), state


def test_the_newest_of_a_petition_are_read_from_the_end_of_its_index(petition):
    newest = Signature.objects.filter(petition=petition).order_by("-signed_at")[:SHOWN]

    plan = plan_of(newest)

    assert "Index Scan Backward using signature_by_petition" in plan
    assert "Sort" not in plan


def test_no_index_of_signers_only_repeats_how_another_begins():
    # Each costs every signature a write. Those with an operator class of their own are for beginnings of words.
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT shorter.indexrelid::regclass::text FROM pg_index AS shorter JOIN pg_index AS longer
            ON longer.indrelid = shorter.indrelid AND longer.indexrelid <> shorter.indexrelid
            AND (longer.indkey::text || ' ') LIKE (shorter.indkey::text || ' %')
            WHERE shorter.indrelid::regclass::text LIKE 'signers\\_%%' AND NOT shorter.indisunique
            AND shorter.indpred IS NULL AND longer.indpred IS NULL
            AND shorter.indexprs IS NULL AND longer.indexprs IS NULL
            AND shorter.indclass[0] = longer.indclass[0]
            """
        )
        assert cursor.fetchall() == []


def test_searching_finds_people_through_the_index_of_what_was_typed(petition):
    somebody = Signature.objects.filter(first_name__regex="^[A-Z][a-z]{5,}").first()
    whole_name = f"{somebody.first_name} {somebody.last_name}"
    searches = [
        (Signature, ways_to_sign(whole_name), {"signature_upper_names"}),
        (Signature, ways_to_sign(somebody.last_name), {"signature_upper_names"}),
        (Signature, ways_to_sign(somebody.email), {"supporter_mailbox", "signers_supporter_mailbox"}),
        (Signature, ways_to_sign("94703x"), {"signature_upper_postal_code"}),
        (Supporter, ways_to_support(whole_name), {"supporter_upper_names"}),
        (Supporter, ways_to_support(somebody.email), {"supporter_mailbox", "signers_supporter_mailbox"}),
    ]

    for model, ways, indexes in searches:
        plans = [plan_of(model.objects.filter(way).order_by()[:MOST_FOUND]) for way in ways]
        assert any(index in plan for index in indexes for plan in plans), plans


def test_both_names_are_looked_up_together(petition):
    """Two common names would else each be looked up alone, and millions of rows be read for the few that have both."""
    names = Signature.objects.order_by("pk").values_list("first_name", "last_name")[0]

    ways = ways_to_sign(" ".join(names))

    plans = [plan_of(Signature.objects.filter(way).order_by()[:MOST_FOUND]) for way in ways]
    assert any(
        names[0].upper() in line and names[1].upper() in line and " AND " in line
        for plan in plans
        for line in plan.splitlines()
        if "Index Cond" in line
    ), plans


def plan_of(rows) -> str:
    statement, parameters = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        # A few thousand rows are read in no time either way; this asks for the way that holds for millions.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {statement}", parameters)
        return "\n".join(line for (line,) in cursor.fetchall())

"""Many rows in one statement, the same as one by one."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import Error, IntegrityError, connection, transaction
from django.db.models import F
from django.forms import model_to_dict

from signers.models import OutgoingMail, Signature, Supporter
from tests.factories import NOW, make_petition, make_signature, make_supporter
from toolkit.bulk_inserts import insert_all, new_row

pytestmark = pytest.mark.django_db
UNIQUE = ["petition_id", "supporter_id"]


def supporter(mailbox, **fields):
    return Supporter(mailbox=mailbox, email=mailbox, **{"created_at": NOW} | fields)


def signature(petition, supporter, **fields):
    return Signature(
        **{
            "petition_id": petition.pk,
            "supporter_id": supporter.pk,
            "version_id": petition.current_version_id,
            "signed_at": NOW,
            "first_name": "Connie",
            "last_name": "Reed",
            "email": "connie@example.org",
            "referral_code": "abcdefghjk",
        }
        | fields
    )


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"first_name": "Zoë \"'\\ % %s {}", "last_name": "図書館 \u202eاسم", "comment": "two\nlines\t\\n"},
        {"evidence": ["typo", "too-fast", {"é": [1, None, True]}]},
        {
            "signed_at": datetime(2026, 5, 3, 12, 0, 0, 123456, tzinfo=UTC),
            "accepted_at": NOW,
            "is_local": True,
        },
        {"signed_at": datetime(2026, 5, 3, 23, 0, tzinfo=timezone(timedelta(hours=-7)))},
        {"comment": "x" * 100_000, "updates": True, "removed_at": NOW, "removal": "staff"},
    ],
)
def test_rows_hold_what_they_held_before(fields):
    row = signature(make_petition(), make_supporter(), **fields)

    insert_all([row], unique=UNIQUE, replaced=["version_id"])

    stored = Signature.objects.get()
    names = [field.attname for field in Signature._meta.concrete_fields if not field.primary_key]
    assert [getattr(stored, name) for name in names] == [getattr(row, name) for name in names]
    assert row.pk == stored.pk


def test_nothing_is_inserted_without_a_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        insert_all([])


def test_many_rows_are_one_statement(django_assert_num_queries):
    with django_assert_num_queries(1):
        insert_all([supporter(f"{number}@example.org") for number in range(60)])

    assert Supporter.objects.count() == 60


def test_row_that_is_there_stays_and_the_new_one_gets_no_key():
    there = make_supporter("there@example.org", first_name="Ada")
    rows = [supporter(there.mailbox, first_name="Eve"), supporter("new@example.org")]

    insert_all(rows, unique=["mailbox"])

    there.refresh_from_db()
    assert there.first_name == "Ada"
    assert rows[0].pk is None
    if connection.vendor == "postgresql":
        assert rows[1].pk == Supporter.objects.get(mailbox="new@example.org").pk


def test_row_that_is_there_takes_what_is_replaced_and_keeps_its_key():
    there = make_signature(first_name="Ada", last_name="Okafor")
    other = signature(there.petition, make_supporter())
    row = signature(there.petition, there.supporter, first_name="Eve", last_name="Lind")

    insert_all([other, row], unique=UNIQUE, replaced=["first_name"])

    there.refresh_from_db()
    assert (there.first_name, there.last_name) == ("Eve", "Okafor")
    assert (row.pk, other.pk) == (there.pk, Signature.objects.get(supporter=other.supporter_id).pk)


def test_conflict_that_was_not_expected_is_an_error():
    there = make_supporter("there@example.org")

    with pytest.raises(IntegrityError), transaction.atomic():
        insert_all([supporter(there.mailbox)])


@pytest.mark.parametrize("text", ["\0", "\ud800", "x" * 81])
def test_what_the_database_cannot_hold_is_an_error(text):
    if connection.vendor == "sqlite" and text != "\ud800":
        pytest.skip("SQLite holds it")

    with pytest.raises((Error, ValueError)), transaction.atomic():
        insert_all([supporter("a@example.org", first_name=text)])


@pytest.mark.skipif(connection.vendor != "postgresql", reason="Django computes such values itself")
def test_a_value_that_would_have_to_be_computed_is_refused():
    with pytest.raises(TypeError):
        insert_all([supporter("a@example.org", confirmed_at=F("created_at"))])


@pytest.mark.parametrize("model", [Signature, Supporter, OutgoingMail])
def test_new_row_is_what_the_model_makes(model):
    given = {field.attname: 7 for field in model._meta.concrete_fields if field.is_relation}

    assert model_to_dict(new_row(model, **given)) == model_to_dict(model(**given))
    assert new_row(model)._state.adding


def test_new_rows_share_nothing():
    one, other = new_row(Signature), new_row(Signature)

    one.evidence.append("typo")

    assert other.evidence == []
    assert new_row(Signature, evidence=["typo"]).evidence == ["typo"]

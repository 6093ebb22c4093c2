"""The queries over all mails use indexes, so that they stay quick with millions of them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from signers.forgetting import blank_old_addresses
from signers.models import OutgoingMail
from signers.sending import in_doubt, waiting
from signers.templatetags.signers_attention import STUCK
from tests.factories import NOW

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite looks through the rows"),
]


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (lambda: OutgoingMail.objects.filter(STUCK["failed"]).count(), "mail_unsent"),
        (lambda: OutgoingMail.objects.filter(STUCK["in doubt"]).count(), "mail_unsent"),
        (lambda: in_doubt(at=NOW).count(), "mail_unsent"),
        (lambda: waiting().filter(due_at__lte=NOW).order_by("due_at", "id").first(), "mail_waiting"),
        (lambda: blank_old_addresses(at=NOW), "mail_with_address"),
    ],
    ids=["failed", "in doubt", "in doubt for a while", "waiting", "old addresses"],
)
def test_no_question_looks_through_all_mails(ask, index):
    with CaptureQueriesContext(connection) as asked:
        ask()

    plan = plan_of(asked.captured_queries[-1]["sql"])

    assert index in plan
    assert "Seq Scan" not in plan


def plan_of(statement: str) -> str:
    with connection.cursor() as cursor:
        # The table is empty here; this asks whether an index could be used at all.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {statement}")
        return "\n".join(line for (line,) in cursor.fetchall())

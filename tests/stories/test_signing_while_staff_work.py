"""Staff hold petitions while they publish, close, move and import; whoever signs meanwhile does not wait."""

import pytest
from django.db import OperationalError, connection, transaction

from petitions import publishing
from petitions.closing import locked_all
from petitions.publishing import hold, not_closed, publish
from petitions.taking_a_stand import locked
from petitions.target_lists.comparing import compare
from tests.factories import NOW, make_petition
from tests.threads import in_parallel

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time"),
]
HOLDING = {
    "publishing": lambda petition: hold(not_closed(petition.campaign, None)),
    "closing": lambda petition: locked_all([petition]),
    "taking a stand": lambda petition: locked([petition]),
    "applying a list": lambda petition: compare(petition.campaign, [], lock=True),
}


def would_wait(strength, petition):
    """Whether somebody else would have to wait for a lock of this strength."""
    waits = []

    def lock():
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(
                    f"SELECT FROM petitions_petition WHERE id = %s FOR {strength} NOWAIT",
                    [petition.pk],
                )
        except OperationalError:
            waits.append(True)

    in_parallel((lock, 1))
    return bool(waits)


@pytest.mark.parametrize("activity", HOLDING)
def test_signing_goes_on_and_only_changes_wait(activity):
    petition = make_petition()

    with transaction.atomic():
        HOLDING[activity](petition)
        # What storing a signature takes, and what changing the petition takes.
        waits = [would_wait(strength, petition) for strength in ("KEY SHARE", "NO KEY UPDATE")]

    assert waits == [False, True]


def test_nobody_changes_a_petition_between_its_review_and_its_publishing(monkeypatch):
    petition = make_petition(live=False)
    during_review, review = [], publishing.review

    def slow_review(campaign, **given):
        during_review.append(would_wait("NO KEY UPDATE", petition))
        return review(campaign, **given)

    monkeypatch.setattr(publishing, "review", slow_review)

    publish(campaign=petition.campaign, at=NOW)

    assert during_review == [True]

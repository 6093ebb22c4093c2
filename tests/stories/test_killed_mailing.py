"""A mailing whose workers are killed again and again reaches everybody, and nobody twice."""

import pytest

from benchmarks.killed_mailing import prove


@pytest.mark.django_db(transaction=True)
def test_whose_workers_are_killed_again_and_again_a_mailing_reaches_everybody_and_nobody_twice():
    outcome = prove(copies=300, kills=3)

    assert outcome.kills == 3
    assert outcome.is_as_promised, outcome

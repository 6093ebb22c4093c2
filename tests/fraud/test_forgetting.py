"""After 30 days nothing links signatures any more."""

from datetime import timedelta

import pytest

from fraud.forgetting import forget
from fraud.models import Burst, Mark, Rule
from signers import networks
from signers.models import NetworkKey, Signature, Submission
from tests.factories import NOW, make_petition, make_submission
from tests.fraud.attacks import fold_and_watch, sign_in

SOON = NOW + timedelta(minutes=1)


@pytest.fixture
def attack(db):
    networks.key_of(networks.week_of(NOW))
    Rule.objects.exclude(kind="neighborhood").update(threshold=5)
    petition = make_petition(at=NOW - timedelta(days=1))
    sign_in(petition, 5, network="one.wide")
    fold_and_watch(SOON)
    make_submission(petition, network="near.wide", parked_at=NOW)


def test_within_the_week_everything_is_there(attack):
    forget(at=NOW + timedelta(days=7))

    assert (NetworkKey.objects.filter(week__lte=NOW).count(), Mark.objects.count()) == (1, 5)
    assert Burst.objects.get().key == "one"


def test_after_thirty_days_key_and_hashes_are_destroyed(attack):
    forget(at=NOW + timedelta(days=30))

    assert not NetworkKey.objects.filter(week__lte=NOW).exists()
    assert not Mark.objects.exists()
    assert set(Burst.objects.values_list("key", "label")) == {("", "")}
    assert set(Submission.objects.values_list("network", flat=True)) == {""}


def test_what_staff_decided_stays(attack):
    forget(at=NOW + timedelta(days=30))

    assert Burst.objects.get().members.count() == 5
    assert Signature.objects.filter(held_at__isnull=False).count() == 5


def test_next_weeks_key_is_there_before_anybody_asks(db):
    forget(at=NOW)

    assert NetworkKey.objects.filter(week=networks.week_of(NOW + timedelta(days=7))).exists()


def test_several_clusters_are_let_go_of_together(db):
    for number in range(2):
        Burst.objects.create(
            kind="network", key=f"key {number}", label="KQRXB", found_at=NOW, first_at=NOW, last_at=NOW
        )

    forget(at=NOW + timedelta(days=31))

    assert Burst.objects.filter(key="", label="", ended_at__isnull=False).count() == 2

"""Bursts are noticed, held, and left alone where they are people."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fraud.bursts import letters, watch
from fraud.models import AllowedDomain, Burst, Kind, Mark, Rule
from signers.confirming import confirm
from signers.counting import add_up, recount
from signers.folding import fold
from signers.models import CountChange, OutgoingMail, Signature
from tests.factories import NOW, make_petition
from tests.fraud.attacks import fold_all, fold_and_watch, sign_in, word

SOON = NOW + timedelta(minutes=1)
SIZES = {"network": 60, "neighborhood": 150, "domain": 80, "name": 30, "mailbox": 30, "speed": 60}
SMALL = dict.fromkeys(SIZES, 5) | {"neighborhood": 10}
COMMON = {
    "network": {"network": "one.wide"},
    "neighborhood": {"network": lambda number: f"near{number}.one"},
    "domain": {"email": lambda number: f"{word(number)}@fresh.example"},
    "name": {"first_name": "Tester", "last_name": lambda number: f"Nr {number}"},
    "mailbox": {"email": lambda number: f"signer{number}@gmail.com"},
    "speed": {"evidence": ["too-fast"]},
}


@pytest.fixture
def petition(db):
    return make_petition(at=NOW - timedelta(days=1))


@pytest.fixture
def small(db):
    """Bursts of five, which are as good as large ones and sooner made."""
    for kind, number in SMALL.items():
        Rule.objects.filter(kind=kind).update(threshold=number)


def held():
    return Signature.objects.filter(held_at__isnull=False).count()


@pytest.mark.parametrize("kind", Kind.values)
def test_a_burst_is_held_with_its_reason(petition, small, kind):
    sign_in(petition, SMALL[kind], **COMMON[kind])

    fold_and_watch(SOON)

    assert [burst.kind for burst in Burst.objects.all()] == [kind]
    assert held() == SMALL[kind]
    assert f"burst-{kind}" in Signature.objects.first().evidence


@pytest.mark.parametrize("kind", Kind.values)
def test_one_less_is_no_burst(petition, small, kind):
    sign_in(petition, SMALL[kind] - 1, **COMMON[kind])

    fold_and_watch(SOON)

    assert (Burst.objects.count(), held()) == (0, 0)


@pytest.mark.parametrize("kind", Kind.values)
def test_a_rule_that_is_off_holds_nothing(petition, small, kind):
    Rule.objects.filter(kind=kind).update(is_on=False)
    sign_in(petition, SMALL[kind], **COMMON[kind])

    fold_and_watch(SOON)

    assert held() == 0


def test_every_rule_begins_switched_on(db):
    assert {rule.kind: rule.threshold for rule in Rule.objects.filter(is_on=True)} == SIZES


def test_many_people_at_once_are_no_burst(petition, small):
    sign_in(petition, 40, every=timedelta(milliseconds=30))

    fold_and_watch(SOON)

    assert held() == 0


def test_many_over_a_long_time_are_no_burst(petition, small):
    sign_in(petition, 12, network="one.wide", every=timedelta(minutes=5))

    fold_and_watch(NOW + timedelta(hours=1))

    assert held() == 0


def test_a_burst_that_waited_for_the_worker_is_found(petition, small):
    sign_in(petition, 5, network="one.wide")

    fold_and_watch(NOW + timedelta(hours=5))

    assert held() == 5


def test_what_comes_next_is_held_by_the_fold(petition, small):
    sign_in(petition, 5, network="one.wide")
    fold_and_watch(SOON)
    sign_in(petition, 3, first=50, at=SOON, network="one.wide")

    fold_all(SOON)

    assert held() == 8
    assert Burst.objects.get().members.count() == 8


def test_others_go_on_meanwhile(petition, small):
    sign_in(petition, 5, network="one.wide")
    fold_and_watch(SOON)
    sign_in(petition, 3, first=50, at=SOON)

    fold_all(SOON)

    assert held() == 5


def test_what_counted_before_it_was_noticed_leaves_the_count(db, small):
    petition = make_petition(at=NOW - timedelta(days=1), confirmation="afterwards")
    sign_in(petition, 5, network="one.wide")
    fold_all(SOON)
    add_up(at=SOON)
    petition.tally.refresh_from_db()
    before = petition.tally.count

    watch(at=SOON)
    add_up(at=SOON)

    petition.tally.refresh_from_db()
    assert (before, petition.tally.count) == (5, 0)
    assert recount() == []


def test_mails_that_wait_are_dropped(petition, small):
    sign_in(petition, 5, network="one.wide")

    fold_and_watch(SOON)

    assert OutgoingMail.objects.filter(dropped_at=SOON).count() == 5


def test_proven_signatures_are_left_alone(petition, small):
    sign_in(petition, 5, network="one.wide")
    fold_all(SOON)
    proven = Signature.objects.first()
    confirm(signature_id=proven.pk, at=SOON)

    watch(at=SOON)

    assert held() == 4
    assert Burst.objects.get().members.filter(signature=proven).exists()


def test_networks_of_many_are_left_alone(petition, small):
    sign_in(petition, 6, network="shared")

    fold_and_watch(SOON)

    assert held() == 0


def test_domains_on_the_list_are_left_alone_with_all_below(petition, small):
    AllowedDomain.objects.create(domain="uni.example", note="The university.")
    sign_in(petition, 6, email=lambda number: f"{word(number)}@mail.uni.example")

    fold_and_watch(SOON)

    assert held() == 0


def test_domains_of_people_who_confirmed_before_are_left_alone(petition, small):
    company = {"email": lambda number: f"{word(number)}@firm.example"}
    sign_in(petition, 20, every=timedelta(minutes=20), at=NOW - timedelta(hours=20), **company)
    fold_all(NOW - timedelta(hours=10))
    Signature.objects.update(confirmed_at=NOW, accepted_at=NOW)
    sign_in(petition, 5, first=50, **company)

    fold_and_watch(SOON)

    assert held() == 0


def test_a_burst_ends_when_nothing_comes_any_more(petition, small):
    sign_in(petition, 5, network="one.wide")
    fold_and_watch(SOON)

    watch(at=SOON + timedelta(minutes=11))

    assert Burst.objects.get().ended_at
    assert held() == 5


def test_a_burst_lasts_as_long_as_it_comes(petition, small):
    sign_in(petition, 5, network="one.wide")
    fold_and_watch(SOON)
    later = NOW + timedelta(minutes=8)
    sign_in(petition, 2, first=50, at=later, network="one.wide")
    fold_all(later)

    watch(at=NOW + timedelta(minutes=12))

    assert Burst.objects.get().ended_at is None


def test_one_attack_is_one_cluster(petition, small):
    sign_in(petition, 12, **COMMON["network"] | COMMON["domain"] | COMMON["name"] | COMMON["speed"])

    fold_and_watch(SOON)

    assert [(burst.kind, burst.members.count()) for burst in Burst.objects.all()] == [("network", 12)]


def test_looking_again_changes_nothing(petition, small):
    sign_in(petition, 5, network="one.wide")
    fold_and_watch(SOON)
    changes = CountChange.objects.count()

    taken = watch(at=SOON)

    assert (taken, Burst.objects.count(), CountChange.objects.count()) == (0, 1, changes)


def test_who_signs_again_elsewhere_is_asked_to_confirm(petition, small):
    [first, *_others] = sign_in(petition, 5, network="one.wide")
    fold_and_watch(SOON)
    sign_in(petition, 1, at=SOON, email=first.email)

    fold_all(SOON)

    signature = Signature.objects.get(email=first.email)
    assert signature.state == "pending"
    assert signature.mails.filter(dropped_at=None).count() == 1


def test_who_signs_again_within_the_burst_stays_held(petition, small):
    [first, *_others] = sign_in(petition, 5, network="one.wide")
    fold_and_watch(SOON)
    sign_in(petition, 1, at=SOON, email=first.email, network="one.wide")

    fold_all(SOON)

    assert held() == 5


def test_a_held_signature_that_was_proven_is_not_replaced(petition, small):
    [first, *_others] = sign_in(petition, 5, network="one.wide")
    fold_and_watch(SOON)
    Signature.objects.update(confirmed_at=SOON, accepted_at=SOON)
    sign_in(petition, 1, at=SOON, email=first.email, first_name="Mallory")

    fold_all(SOON)

    signature = Signature.objects.get(email=first.email)
    assert (signature.state, signature.first_name) == ("held", first.first_name)


def test_the_number_of_queries_of_a_fold_does_not_grow(petition, small, django_assert_num_queries):
    sign_in(petition, 5, network="one.wide")
    fold_and_watch(SOON)
    sign_in(petition, 2, first=50, at=SOON, network="one.wide")
    with CaptureQueriesContext(connection) as few:
        fold_all(SOON)
    sign_in(petition, 20, first=80, at=SOON, network="one.wide")

    with django_assert_num_queries(len(few)):
        fold_all(SOON)


class FailingJudge:
    def reasons(self, submissions, *, at):
        raise ValueError("a mistake of ours")

    def remember(self, folded, *, at):
        raise ValueError("a mistake of ours")


def test_a_judge_in_trouble_keeps_nobody_from_signing(petition):
    sign_in(petition, 3)

    fold(at=SOON, judge=FailingJudge())

    assert Signature.objects.filter(held_at=None).count() == 3


def test_signing_again_keeps_one_mark(petition):
    [first] = sign_in(petition, 1)
    fold_all(SOON)
    sign_in(petition, 1, at=SOON, email=first.email, network="other.wide")

    fold_all(SOON)

    assert Mark.objects.get().network == "other"


def test_letters_tell_networks_apart():
    assert letters("one") == letters("one") != letters("two")
    assert letters("one").isalpha()

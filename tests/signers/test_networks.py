"""Where a signature came from: told apart for a few weeks, and known to nobody."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, connection
from django.test import Client

from signers import networks
from signers.models import NetworkKey, SharedNetwork, Submission
from signers.networks import SHARED, key_of, network_of, oldest_week, seen_from, week_of
from tests.factories import NOW, make_petition


@pytest.fixture
def fresh(db):
    """A process that knows nothing yet."""
    networks.known = networks.Known()


def near(address, at=NOW):
    return seen_from(address, at=at).partition(".")[0]


def wide(address, at=NOW):
    return seen_from(address, at=at).partition(".")[2]


@pytest.mark.parametrize(
    ("one", "other", "same_near", "same_wide"),
    [
        ("203.0.113.7", "203.0.113.7", True, True),
        ("203.0.113.7", "203.0.113.8", False, True),
        ("203.0.113.7", "203.0.112.7", False, False),
        ("2001:db8:1:2::7", "2001:db8:1:2:ffff::8", True, True),
        ("2001:db8:1:2::7", "2001:db8:1:3::7", False, True),
        ("2001:db8:1:2::7", "2001:db8:2:2::7", False, False),
    ],
)
def test_networks_are_told_apart(one, other, same_near, same_wide):
    assert (near(one) == near(other)) is same_near
    assert (wide(one) == wide(other)) is same_wide


def test_another_week_another_hash(fresh):
    assert near("203.0.113.7") != near("203.0.113.7", NOW + timedelta(days=7))


@pytest.mark.parametrize("address", ["", "unknown", "1.2.3", "\0", "9" * 5000, "\ud800", "fe80::1%", "::/0"])
def test_what_is_no_address_says_nothing(address):
    assert seen_from(address, at=NOW) == ""


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "192.168.0.9", "100.64.3.2", "::1", "fd00::1", "fe80::1"]
)
def test_addresses_of_proxies_are_nobodys(address):
    assert seen_from(address, at=NOW) == SHARED


def test_networks_on_the_list_are_shared(fresh):
    SharedNetwork.objects.create(addresses="203.0.113.0/24", note="A university.")

    assert (seen_from("203.0.113.7", at=NOW), near("203.0.112.7") == SHARED) == (SHARED, False)


def test_a_process_asks_once(fresh, django_assert_num_queries):
    seen_from("203.0.113.7", at=NOW)

    with django_assert_num_queries(0):
        seen_from("203.0.113.8", at=NOW)


def test_a_process_asks_twice_for_a_key_that_is_there(fresh, django_assert_num_queries):
    key_of(week_of(NOW))

    with django_assert_num_queries(2):
        seen_from("203.0.113.8", at=NOW)


def test_all_processes_have_the_same_key(fresh):
    first = seen_from("203.0.113.7", at=NOW)
    networks.known = networks.Known()

    assert seen_from("203.0.113.7", at=NOW) == first
    assert NetworkKey.objects.count() == 1


def test_without_a_database_signing_goes_on_without(fresh):
    def away(*_args):
        raise DatabaseError("read-only")

    with connection.execute_wrapper(away):
        found = seen_from("203.0.113.7", at=NOW)

    assert found == ""


def test_a_range_that_cannot_be_read_keeps_nobody_from_signing(fresh):
    SharedNetwork.objects.create(addresses="the university", note="Not by the form.")

    assert seen_from("203.0.113.7", at=NOW) == ""


def test_a_signature_knows_its_network_and_no_address(db):
    petition = make_petition(at=NOW - timedelta(days=1))
    typed = {"first_name": "Connie", "last_name": "Reed", "email": "connie@example.org", "updates": "no"}

    answer = Client().post(
        f"/petitions/{petition.slug}/sign/",
        typed,
        headers={"sec-fetch-site": "same-origin"},
        REMOTE_ADDR="203.0.113.7",
    )

    submission = Submission.objects.get()
    assert answer.status_code == 303
    assert len(submission.network) == 33
    assert "203.0.113.7" not in str(submission.__dict__)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("203.0.113.7", "203.0.113.7/32"),
        (" 203.0.113.7/24 ", "203.0.113.0/24"),
        ("2001:db8::1/32", "2001:db8::/32"),
        ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
    ],
)
def test_ranges_are_read_as_staff_type_them(typed, meant):
    assert str(network_of(typed)) == meant


@pytest.mark.parametrize("typed", ["", "university", "203.0.113.0/33", "\0", "9" * 5000])
def test_other_texts_are_refused_with_an_example(typed):
    with pytest.raises(ValueError, match="Enter a range such as"):
        network_of(typed)


def test_no_hash_lives_for_more_than_thirty_days():
    at = NOW.replace(day=31)

    assert week_of(at) == date(2026, 5, 25)
    assert networks.beginning(oldest_week(at)) > at - timedelta(days=30)
    assert networks.beginning(oldest_week(at)) - timedelta(days=7) <= at - timedelta(days=30)

"""Logging in to the admin, and how often one may try."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from staff import signing_in
from staff.models import SignInAttempt
from tests.factories import make_staff

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 3, 12, 0, tzinfo=UTC)
LOGIN = "/admin/login/"


def attempt(username="someone", address="192.0.2.7", at=NOW) -> bool:
    return signing_in.begin(username=username, address=address, at=at)


def test_the_right_password_logs_in():
    make_staff(username="robin", password="a-long-password-here")

    response = Client().post(
        LOGIN, {"username": "robin", "password": "a-long-password-here", "next": "/admin/"}
    )

    assert response.status_code == 302
    assert response.url == "/admin/"


def test_after_too_many_attempts_even_the_right_password_waits():
    make_staff(username="robin", password="a-long-password-here")
    client = Client()
    for _ in range(signing_in.PER_NAME_AND_NETWORK):
        client.post(LOGIN, {"username": "robin", "password": "wrong"})

    response = client.post(LOGIN, {"username": "Robin", "password": "a-long-password-here"})

    assert response.status_code == 200
    assert "too many attempts" in response.content.decode()


def test_a_name_nobody_has_is_limited_the_same():
    allowed = [attempt(username="nobody") for _ in range(signing_in.PER_NAME_AND_NETWORK + 1)]

    assert allowed == [True] * signing_in.PER_NAME_AND_NETWORK + [False]


def test_one_network_cannot_try_many_names():
    allowed = [
        attempt(username=f"name-{n}", address=f"192.0.2.{n}") for n in range(signing_in.PER_NETWORK + 1)
    ]

    assert allowed[-1] is False
    assert all(allowed[:-1])


def test_one_name_cannot_be_tried_from_many_networks():
    allowed = [attempt(address=f"198.51.{n}.1") for n in range(signing_in.PER_NAME + 1)]

    assert allowed[-1] is False
    assert all(allowed[:-1])


def test_others_are_not_locked_out():
    for _ in range(signing_in.PER_NAME_AND_NETWORK + 1):
        attempt()

    assert attempt(username="another", address="203.0.113.9")


def test_waiting_helps_even_when_somebody_kept_trying():
    for minute in range(14):
        for _ in range(signing_in.PER_NAME_AND_NETWORK):
            attempt(at=NOW + timedelta(minutes=minute))

    assert attempt(at=NOW + signing_in.WINDOW + timedelta(seconds=1))


def test_success_forgets_ones_own_slips():
    make_staff(username="robin", password="a-long-password-here")
    client = Client()
    for _ in range(signing_in.PER_NAME_AND_NETWORK - 1):
        client.post(LOGIN, {"username": "robin", "password": "wrong"})
    client.post(LOGIN, {"username": "robin", "password": "a-long-password-here"})

    response = Client().post(LOGIN, {"username": "robin", "password": "a-long-password-here"})

    assert response.status_code == 302


def test_neither_names_nor_addresses_are_stored():
    attempt(username="robin", address="192.0.2.7")

    stored = " ".join(SignInAttempt.objects.values_list("key", flat=True))
    assert "robin" not in stored
    assert "192.0.2" not in stored


@pytest.mark.parametrize("address", ["", "not an address", "::1", "2001:db8::1", "fe80::1%eth0"])
def test_any_address_can_be_counted(address):
    assert attempt(address=address)


@pytest.mark.parametrize("username", ["\0", "x" * 100_000, "\u202e", "' OR 1=1 --", "ﬀ"])
def test_odd_names_are_refused_quietly(username):
    response = Client().post(LOGIN, {"username": username, "password": "wrong"})

    assert response.status_code == 200


def test_old_attempts_are_deleted():
    attempt()
    attempt(at=NOW + timedelta(hours=1))

    assert not SignInAttempt.objects.filter(at=NOW).exists()

"""Unsubscribing is never refused and never forgotten, whatever state site and database are in."""

import os
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import OperationalError, ProgrammingError
from django.test import Client
from django.utils import timezone

from mailings import links, unsubscribing, unsubscribing_later
from mailings.models import Recipient
from mailings.unsubscribing_later import catch_up, file_here, note, something_waits
from signers.models import Consent, Subscription
from staff import site_state
from staff.site_state import Notice, State
from tests.factories import NOW, make_recipient

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def elsewhere(settings: Any, tmp_path: Any) -> None:
    settings.VAR_DIR = tmp_path / "var"


@pytest.fixture
def recipient() -> Recipient:
    return make_recipient()


def leave(client: Client, recipient: Recipient) -> Any:
    return client.post(urlsplit(links.unsubscribe_link(recipient, timezone.now())).path)


def off(state: State) -> None:
    site_state.remember(Notice(state), for_seconds=600)


@pytest.mark.parametrize("state", [State.READ_ONLY, State.MAINTENANCE])
def test_it_is_written_down_and_done_when_the_site_is_back(
    client: Client, recipient: Recipient, state: State
) -> None:
    off(state)

    answer = leave(client, recipient)

    assert answer.status_code == 200
    assert "You are unsubscribed" in answer.content.decode()
    assert Subscription.objects.exists()
    off(State.FULL)
    client.get("/")
    assert not Subscription.objects.exists()
    assert not something_waits()


def test_while_signing_is_paused_it_is_done_at_once(client: Client, recipient: Recipient) -> None:
    off(State.SIGNING_PAUSED)

    leave(client, recipient)

    assert not Subscription.objects.exists()


def test_maintenance_shows_the_button_without_the_database(
    client: Client, recipient: Recipient, django_assert_num_queries: Any
) -> None:
    off(State.MAINTENANCE)

    with django_assert_num_queries(0):
        page = client.get(urlsplit(links.unsubscribe_link(recipient, timezone.now())).path)

    assert page.status_code == 200
    assert "No more updates?" in page.content.decode()


def test_a_database_that_is_away_loses_nothing(
    client: Client, recipient: Recipient, monkeypatch: Any
) -> None:
    def fail(**_: Any) -> None:
        raise OperationalError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(unsubscribing, "unsubscribe", fail)
        answer = leave(client, recipient)

    assert answer.status_code == 200
    catch_up()
    assert not Subscription.objects.exists()


def test_nowhere_to_write_is_said_to_people_and_programs(client: Client, recipient: Recipient) -> None:
    off(State.READ_ONLY)
    file_here().mkdir(parents=True)

    answer = leave(client, recipient)

    assert answer.status_code == 503
    assert answer["Retry-After"] == "60"


def test_the_moment_is_that_of_the_wish(recipient: Recipient) -> None:
    note(recipient_id=recipient.pk, at=NOW + timedelta(minutes=5))

    assert catch_up() == 1
    assert Consent.objects.get(granted=False).at == NOW + timedelta(minutes=5)


def test_a_few_at_a_time_and_none_twice() -> None:
    for _ in range(3):
        note(recipient_id=make_recipient().pk, at=NOW)

    assert [catch_up(limit=2), catch_up(limit=2), catch_up(limit=2)] == [2, 1, 0]
    assert Consent.objects.filter(granted=False).count() == 3


@pytest.mark.parametrize("trouble", [OperationalError("gone"), ProgrammingError("no such column yet")])
def test_a_database_that_goes_away_again_leaves_the_rest(
    recipient: Recipient, monkeypatch: Any, trouble: Exception
) -> None:
    def fail(**_: Any) -> None:
        raise trouble

    note(recipient_id=recipient.pk, at=NOW)
    with monkeypatch.context() as patched:
        patched.setattr(unsubscribing_later, "unsubscribe", fail)
        with pytest.raises(OperationalError):
            catch_up()

    assert something_waits()
    assert catch_up() == 1


@pytest.mark.parametrize("garbage", [b"\xff\x00\n", b"12 2026-", b"9" * 5000 + b" x\n", b"1 2 3\n\n\n"])
def test_what_a_full_disk_left_behind_spoils_no_other_line(recipient: Recipient, garbage: bytes) -> None:
    file_here().parent.mkdir()
    file_here().write_bytes(garbage)
    note(recipient_id=recipient.pk, at=NOW)

    catch_up()

    assert not Subscription.objects.exists()
    assert not something_waits()


def test_another_process_that_is_at_it_is_left_to_it(recipient: Recipient) -> None:
    note(recipient_id=recipient.pk, at=NOW)

    with unsubscribing_later.locked(file_here().parent, os.O_RDONLY):
        assert catch_up() == 0

    assert catch_up() == 1


def test_what_is_written_down_while_another_is_at_it_waits_for_nobody_and_is_kept(
    recipient: Recipient, monkeypatch: Any
) -> None:
    later = make_recipient()

    def slow(**wish: Any) -> None:
        note(recipient_id=later.pk, at=NOW)
        unsubscribing.unsubscribe(**wish)

    note(recipient_id=recipient.pk, at=NOW)
    with monkeypatch.context() as patched:
        patched.setattr(unsubscribing_later, "unsubscribe", slow)
        assert catch_up() == 1

    assert something_waits()
    assert catch_up() == 1
    assert not something_waits()
    assert not Subscription.objects.exists()

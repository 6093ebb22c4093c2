"""`/healthz` says that the process is up, `/readyz` what is missing."""

from datetime import timedelta

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client
from django.utils import timezone

from config import health
from staff.heartbeat import beat
from staff.site_state import Notice, State, remember

pytestmark = pytest.mark.django_db


def test_healthz_needs_nothing(client: Client, django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        response = client.get("/healthz")

    assert response.status_code == 200
    assert response.json() == {"process": "ok"}


def test_healthz_answers_to_any_host(client: Client) -> None:
    assert client.get("/healthz", headers={"host": "10.1.2.3:8000"}).status_code == 200


def test_readyz_names_a_worker_that_never_ran(client: Client) -> None:
    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json() == {
        "database": "ok",
        "migrations": "ok",
        "worker": "has never run",
        "state": "full",
    }


def test_readyz_is_fine_with_a_worker(client: Client) -> None:
    beat(at=timezone.now())

    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json() == {"database": "ok", "migrations": "ok", "worker": "ok", "state": "full"}


def test_readyz_names_a_worker_that_fell_silent(client: Client) -> None:
    beat(at=timezone.now() - timedelta(minutes=5))

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["worker"].startswith("silent since")


@pytest.mark.parametrize("error", [OperationalError("gone"), InterfaceError("connection already closed")])
def test_readyz_names_a_database_that_is_away(
    client: Client, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_args: object) -> None:
        raise error

    monkeypatch.setattr(health, "MigrationExecutor", fail)

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["database"] == "does not answer"


def test_readyz_names_the_state_and_stays_ready(client: Client) -> None:
    beat(at=timezone.now())
    remember(Notice(State.SIGNING_PAUSED), for_seconds=60)

    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json()["state"] == "signing-paused"

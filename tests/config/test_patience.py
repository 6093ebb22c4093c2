"""Nobody waits long for a PostgreSQL that hangs."""

import socket
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import DataError, OperationalError, connection, connections
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from psycopg2.extensions import TRANSACTION_STATUS_ACTIVE

from config.middleware import PatienceMiddleware, UnavailableMiddleware
from config.postgresql import patience
from config.postgresql.base import DatabaseWrapper
from tests.processes import SOON

pytestmark = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has no server that could hang"
)


def in_a_thread(run: Any) -> Any:
    """What `run` returns, with a connection of its own to lose."""
    results: list[Any] = []

    def work() -> None:
        try:
            results.append(run())
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return results[0]


def knocks_until_it_answers() -> None:
    """Until then this process opens no connection, and so no test after this one either."""
    patience._threads["knocking"].join(SOON)
    assert not patience.is_hanging()


@pytest.mark.django_db(transaction=True)
def test_request_whose_database_hangs_gets_a_503(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.middleware.VISITORS_WAIT", 0.1)

    def hangs(_request: HttpRequest) -> HttpResponse:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(60)")
        return HttpResponse()

    answer = in_a_thread(
        lambda: PatienceMiddleware(UnavailableMiddleware(hangs))(RequestFactory().get("/petitions/riverton/"))
    )

    assert answer.status_code == 503
    knocks_until_it_answers()


@pytest.mark.django_db(transaction=True)
def test_request_that_waits_for_something_else_keeps_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = threading.Semaphore(0)

    def look() -> bool:
        done = connection_of_request[0].hang_up()
        looks.release()
        return bool(done)

    connection_of_request: list[Any] = []

    def busy_elsewhere() -> tuple[int]:
        connection_of_request.append(connections["default"])
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            with patience.limited(0, look):
                looks.acquire()
            cursor.execute("SELECT 2")
            return cursor.fetchone()

    assert in_a_thread(busy_elsewhere) == (2,)


@pytest.mark.django_db
def test_number_of_a_connection_that_was_closed_just_now_may_be_somebody_elses() -> None:
    ours, theirs = socket.socketpair()

    class ClosedJustNow:
        info = SimpleNamespace(transaction_status=TRANSACTION_STATUS_ACTIVE)
        closed = 0

        def fileno(self) -> int:
            self.closed = 1
            return ours.fileno()

    wrapper = DatabaseWrapper(connection.settings_dict)
    wrapper.connection = ClosedJustNow()

    ended = wrapper.hang_up()

    ours.sendall(b"still there")
    assert not ended
    assert theirs.recv(20) == b"still there"
    ours.close()
    theirs.close()


@pytest.mark.django_db
def test_while_it_hangs_nobody_else_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "is_hanging", lambda: True)

    def connects() -> str:
        with pytest.raises(OperationalError) as refusal:
            connection.ensure_connection()
        return str(refusal.value)

    assert "it hangs" in in_a_thread(connects)


@pytest.mark.django_db(transaction=True)
def test_database_that_only_reads_is_away() -> None:
    def writes() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = on")
            with pytest.raises(OperationalError):
                cursor.execute("CREATE TABLE never (made int)")

    in_a_thread(writes)


@pytest.mark.django_db
def test_row_that_is_too_large_is_to_blame_itself() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE large (words text PRIMARY KEY)")
        with pytest.raises(DataError):
            cursor.execute(
                "INSERT INTO large SELECT string_agg(md5(n::text), '') FROM generate_series(1, 9999) AS numbers(n)"
            )


@pytest.mark.django_db(transaction=True)
def test_when_it_answers_again_it_is_asked_again() -> None:
    patience.lost(connection.get_connection_params())
    knocks_until_it_answers()

    assert in_a_thread(lambda: connection.ensure_connection() or connection.is_usable())

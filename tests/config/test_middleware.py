"""Whom to believe about a visitor's address, and what to say when the database is away."""

import ipaddress
from typing import Any

import pytest
from django.core.handlers.exception import convert_exception_to_response
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.test import RequestFactory

from config.middleware import TrustedProxiesMiddleware, UnavailableMiddleware


@pytest.fixture(autouse=True)
def proxies(settings: Any) -> None:
    settings.TRUSTED_PROXIES = [ipaddress.ip_network("10.0.0.0/8")]


def seen(**headers: str) -> HttpRequest:
    """The request as it looks behind the middleware."""
    request = RequestFactory().get("/", **headers)
    TrustedProxiesMiddleware(lambda _request: HttpResponse())(request)
    return request


def test_a_stranger_cannot_choose_an_address() -> None:
    request = seen(
        REMOTE_ADDR="203.0.113.9", HTTP_X_FORWARDED_FOR="198.51.100.1", HTTP_X_FORWARDED_PROTO="https"
    )

    assert request.META["REMOTE_ADDR"] == "203.0.113.9"
    assert not request.is_secure()


def test_rightmost_untrusted_address_wins() -> None:
    request = seen(REMOTE_ADDR="10.0.0.2", HTTP_X_FORWARDED_FOR="192.0.2.66, 198.51.100.1, 10.0.0.7")

    assert request.META["REMOTE_ADDR"] == "198.51.100.1"


def test_an_address_written_the_way_of_ipv6_is_the_same_address() -> None:
    """As a socket for both kinds of addresses shows it."""
    request = seen(REMOTE_ADDR="::ffff:10.0.0.2", HTTP_X_FORWARDED_FOR="198.51.100.1, ::ffff:10.0.0.7")

    assert request.META["REMOTE_ADDR"] == "198.51.100.1"


def test_a_visitor_has_one_address_however_it_is_written() -> None:
    assert seen(REMOTE_ADDR="::ffff:203.0.113.9").META["REMOTE_ADDR"] == "203.0.113.9"


def test_a_trusted_proxy_says_that_it_was_https() -> None:
    assert seen(REMOTE_ADDR="10.0.0.2", HTTP_X_FORWARDED_PROTO="https").is_secure()


@pytest.mark.parametrize("forwarded", ["", ",", "nonsense", "1.2.3.4.5, x", "\x00"])
def test_nonsense_from_a_proxy_is_survived(forwarded: str) -> None:
    assert isinstance(seen(REMOTE_ADDR="10.0.0.2", HTTP_X_FORWARDED_FOR=forwarded), HttpRequest)


def test_database_away_is_a_503_that_says_when_to_come_back() -> None:
    def fail(_request: HttpRequest) -> HttpResponse:
        raise OperationalError("gone")

    response = UnavailableMiddleware(fail)(RequestFactory().get("/"))

    assert response.status_code == 503
    assert response["Retry-After"] == "10"
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("error", "status"),
    [(OperationalError("gone"), 503), (UnreadablePostError("gone"), 400), (ValueError("ours"), 500)],
)
def test_what_a_middleware_raises_is_told_apart_too(error: Exception, status: int) -> None:
    """Django turns it into an answer before any other middleware sees it."""

    def fail(_request: HttpRequest) -> HttpResponse:
        raise error

    assert convert_exception_to_response(fail)(RequestFactory().get("/")).status_code == status


def test_database_away_is_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    error = OperationalError("connection refused\n\tIs the server running?")

    UnavailableMiddleware(lambda _request: HttpResponse()).process_exception(RequestFactory().get("/"), error)

    (record,) = (record for record in caplog.records if record.name == "config.middleware")
    assert record.getMessage() == "The database did not answer: connection refused"
    assert record.exc_info is None

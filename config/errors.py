"""The pages shown when something is wrong; none of them needs the database."""

import sys

from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.shortcuts import render

from toolkit import meters
from toolkit.database_trouble import AWAY


def error_page(request: HttpRequest, status: int) -> HttpResponse:
    response = render(request, f"{status}.html", status=status)
    response["Cache-Control"] = "no-store"
    return response


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(request, 400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(request, 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return error_page(request, 403)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django calls this while it handles the error. One raised by a middleware, say when it stores a session, comes to
    nobody else.
    """
    error = sys.exception()
    if isinstance(error, AWAY):
        meters.DATABASE_ERRORS.labels("web").inc()
        return unavailable(request)
    if isinstance(error, UnreadablePostError):
        return bad_request(request)  # whoever sent it has gone
    return error_page(request, 500)


def unavailable(request: HttpRequest) -> HttpResponse:
    response = error_page(request, 503)
    response["Retry-After"] = "10"
    return response

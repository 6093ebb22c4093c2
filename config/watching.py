"""Watching requests: how long each took, and a line in the log for what was slow or went wrong."""

import logging
import time
from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import Histogram

from toolkit import meters

logger = logging.getLogger(__name__)

SLOW = 1.0  # seconds
METHODS = frozenset({"GET", "HEAD", "POST"})


class WatchingMiddleware:
    """Counts and times what Django answers, by the name of its route: a path would hold slugs and tokens."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        took = time.perf_counter() - began
        route, status = route_of(request), response.status_code
        method = request.method if request.method in METHODS else "other"
        meter(route, method, status // 100).observe(took)
        if route == "sign" and status == 303:
            meters.ACCEPTED.inc()
        if took > SLOW or status >= 500:
            tell(route, method, status, took)
        return response


def route_of(request: HttpRequest) -> str:
    """The name of the view; one for all pages of the admin, one for static files, and “none” where there is no page."""
    match = request.resolver_match
    if match is not None:
        return "admin" if match.app_name == "admin" else match.url_name or "unnamed"
    return "static" if request.path_info.startswith(settings.STATIC_URL) else "none"


@cache
def meter(route: str, method: str, hundreds: int) -> Histogram:
    # Finding the labels' own meter costs more than counting.
    return meters.REQUESTS.labels(route, method, f"{hundreds}xx")


def tell(route: str, method: str, status: int, took: float) -> None:
    milliseconds = round(took * 1000)
    logger.log(
        logging.ERROR if status >= 500 else logging.WARNING,
        "%s of the page “%s” was answered %d after %d ms",
        method,
        route,
        status,
        milliseconds,
        extra={"route": route, "method": method, "status": status, "milliseconds": milliseconds},
    )

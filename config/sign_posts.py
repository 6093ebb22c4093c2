"""Sign posts without mistakes, answered ahead of sessions and all else they do not need."""

import re
from functools import cache
from typing import Any

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.urls import ResolverMatch

from config.middleware import Handler, PermissionsPolicyMiddleware
from config.site_state_middleware import while_away
from signers.taking import taken
from signers.views import sign, try_again
from staff import site_state
from toolkit.database_trouble import AWAY

ADDRESS = re.compile(r"/petitions/([-a-zA-Z0-9_]+)/sign/", re.ASCII)
NEVER_STORED = "max-age=0, no-cache, no-store, must-revalidate, private"


class SignPostMiddleware:
    """Stands as far out as it can: right where REMOTE_ADDR is the visitor's. What is not plain goes on inward."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method == "POST" and (address := ADDRESS.fullmatch(request.path_info)):
            response = answer(request, slug=address[1])
            if response is not None:
                return response
        return self.get_response(request)


def answer(request: HttpRequest, *, slug: str) -> HttpResponse | None:
    """None for what has to go on, with nothing written."""
    if settings.SECURE_SSL_REDIRECT and not request.is_secure():
        return None
    request.get_host()  # refuses hosts that are not ours
    response = state_or_signature(request, slug)
    if response is None:
        return None
    for name, value in always_added(request.is_secure()):
        response[name] = value
    response["Cache-Control"] = NEVER_STORED
    # For those who count requests by route.
    request.resolver_match = ResolverMatch(sign, (), {"slug": slug}, "sign")
    return response


def state_or_signature(request: HttpRequest, slug: str) -> HttpResponse | None:
    try:
        if site_state.look().state is not site_state.State.FULL:
            return None
    except AWAY as error:
        return while_away(request, error)
    try:
        url = taken(request, slug)
    except AWAY:
        return try_again(request, slug)
    return HttpResponse(status=303, headers={"Location": url, "Content-Length": "0"}) if url else None


@cache
def always_added(is_secure: bool) -> tuple[tuple[str, str], ...]:
    """The headers that the middleware further in adds to every answer."""
    request = HttpRequest()
    if is_secure:
        name, value = settings.SECURE_PROXY_SSL_HEADER
        request.META[name] = value
    handler: Any = lambda _request: HttpResponse()  # noqa: E731
    for middleware in (
        XFrameOptionsMiddleware,
        PermissionsPolicyMiddleware,
        CSPMiddleware,
        SecurityMiddleware,
    ):
        handler = middleware(handler)
    return tuple((name, value) for name, value in handler(request).items() if name != "Content-Type")

"""Whether a post comes from our own page, told without a cookie so that the page can be the same for everybody."""

from enum import Enum

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware


class Verdict(Enum):
    SAME = "ours"
    CROSS = "somebody else's"
    UNKNOWN = "the browser does not say"


def verdict(request: HttpRequest) -> Verdict:
    """Judges by `Sec-Fetch-Site` and `Origin`, which a page of another site cannot forge.

    `same-origin` is ours; any other value needs an Origin of ours. Browsers that send neither header are asked for one
    more click, on a page that carries Django's classic token.
    """
    site = request.META.get("HTTP_SEC_FETCH_SITE")
    origin = request.META.get("HTTP_ORIGIN")
    if site == "same-origin":
        return Verdict.SAME
    if origin is not None:
        return Verdict.SAME if origin in own_origins(request) else Verdict.CROSS
    return Verdict.UNKNOWN if site is None else Verdict.CROSS


def own_origins(request: HttpRequest) -> set[str]:
    """SITE_URL, and the allowed host this very request was sent to."""
    return {settings.SITE_URL, f"{request.scheme}://{request.get_host()}"}


def carries_token(request: HttpRequest) -> bool:
    """Whether the post has Django's CSRF cookie and the token that goes with it."""
    check = CsrfViewMiddleware(lambda _request: HttpResponse())
    check.process_request(request)
    return check.process_view(request, lambda _request: HttpResponse(), (), {}) is None

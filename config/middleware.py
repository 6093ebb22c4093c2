"""What stands around every request: whom to believe, what to say when the database is away, and one more header."""

import ipaddress
import logging
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import connection
from django.http import HttpRequest, HttpResponse

from config.errors import unavailable
from config.postgresql import patience
from toolkit import meters
from toolkit.database_trouble import AWAY

Handler = Callable[[HttpRequest], HttpResponse]
logger = logging.getLogger(__name__)

# Seconds. Staff do what takes longer; gunicorn ends whatever takes 30.
VISITORS_WAIT, STAFF_WAIT = 3.5, 28


class PatienceMiddleware:
    """Ends a request's waiting for a PostgreSQL that hangs: the visitor gets an answer within five seconds."""

    def __init__(self, get_response: Handler) -> None:
        if connection.vendor != "postgresql":
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        seconds = STAFF_WAIT if request.path_info.startswith("/admin/") else VISITORS_WAIT
        with patience.within(seconds):
            return self.get_response(request)


def plain(address: str) -> str:
    """The address as IPv4 where it is one: a socket for both kinds shows 192.0.2.7 as ::ffff:192.0.2.7."""
    try:
        parsed = ipaddress.ip_address(address.strip())
    except ValueError:
        return address.strip()
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def is_trusted(address: str) -> bool:
    """Whether the plain `address` is one of TRUSTED_PROXIES."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in settings.TRUSTED_PROXIES)


class TrustedProxiesMiddleware:
    """Believes `X-Forwarded-*` from TRUSTED_PROXIES only, and puts the visitor's address into REMOTE_ADDR.

    The rightmost address that is not a trusted proxy wins: everything left of it was written by the visitor.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        meta = request.META
        meta["REMOTE_ADDR"] = plain(meta.get("REMOTE_ADDR", ""))
        if is_trusted(meta["REMOTE_ADDR"]):
            for address in map(plain, reversed(meta.get("HTTP_X_FORWARDED_FOR", "").split(","))):
                if not address:
                    continue
                meta["REMOTE_ADDR"] = address
                if not is_trusted(address):
                    break
        else:
            meta.pop("HTTP_X_FORWARDED_PROTO", None)
        meta.pop("HTTP_X_FORWARDED_FOR", None)
        meta.pop("HTTP_X_FORWARDED_HOST", None)
        return self.get_response(request)


class UnavailableMiddleware:
    """Answers 503 with a page of ours when the database cannot be reached, or takes nothing."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        except AWAY as error:
            return without_database(request, error)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, AWAY):
            return without_database(request, exception)
        return None


def without_database(request: HttpRequest, error: Exception) -> HttpResponse:
    # One line: while the database is away every request comes by here, and each traceback is the same.
    meters.DATABASE_ERRORS.labels("web").inc()
    logger.error("The database did not answer: %s", str(error).partition("\n")[0])
    return unavailable(request)


class PermissionsPolicyMiddleware:
    """Switches off what no page of ours uses."""

    POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Permissions-Policy", self.POLICY)
        return response


class PublicPagesWithoutCookiesMiddleware:
    """A page for everybody never carries a cookie: not even to replace a broken one.

    Stands right inside Django's CsrfViewMiddleware and takes back its wish to set one.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.get("Cache-Control", "").startswith("public"):
            request.META.pop("CSRF_COOKIE_NEEDS_UPDATE", None)
        return response

"""The WSGI application: answers petition pages that are held, and passes everything else on to Django."""

import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host
from django.utils.http import parse_etags

from config.middleware import is_trusted, plain
from config.page_front.held import Answers, Shelf
from config.page_front.keeping import PATH, Application, Keeper
from petitions.public_pages import accepts_gzip
from toolkit.meters import page_front_answer

REMEMBERED = 256  # hosts, proxies and encodings; there are a handful
# Asked with one of these, a page is not simply the page. Rare enough for Django.
ODD = ("HTTP_RANGE", "HTTP_IF_MATCH", "HTTP_IF_UNMODIFIED_SINCE")
Environ = dict[str, Any]
StartResponse = Callable[..., Any]


class PageFront:
    """Stands in front of `django`. Whatever the address's query says: no petition page looks at it.

    Without `in_background` pages are held and refreshed only when its `keeper` is told to.
    """

    def __init__(
        self,
        django: Application,
        *,
        in_background: bool = True,
        clock: Callable[[], float] = time.monotonic,
        shelf: Shelf | None = None,
    ) -> None:
        self.django, self.clock = django, clock
        self.shelf = Shelf() if shelf is None else shelf
        self.keeper = Keeper(django, self.shelf, clock)
        self._in_background = in_background
        self._pages = self.shelf.by_path
        # Of this very instance: the settings may differ between two.
        self._is_ours = lru_cache(REMEMBERED)(is_ours)
        self._is_trusted = lru_cache(REMEMBERED)(lambda address: is_trusted(plain(address)))
        self._takes_gzip = lru_cache(REMEMBERED)(accepts_gzip)
        self._needs_https = settings.SECURE_SSL_REDIRECT

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        page = self._pages.get(environ.get("PATH_INFO", ""))
        if page is None:
            return self._pass_on(environ, start_response)
        now = self.clock()
        page.asked = now
        method = environ["REQUEST_METHOD"]
        if now >= page.until or (method != "GET" and method != "HEAD") or not self._is_plain(environ):
            return self._pass_on(environ, start_response)
        answers = page.answers
        if "HTTP_IF_NONE_MATCH" in environ and has_it(answers, environ["HTTP_IF_NONE_MATCH"]):
            start_response("304 Not Modified", answers.unchanged[:])
            page_front_answer(304)
            return ()
        takes_gzip = self._takes_gzip(environ.get("HTTP_ACCEPT_ENCODING", ""))
        start_response("200 OK", (answers.gzipped if takes_gzip else answers.plain)[:])
        page_front_answer(200)
        if method == "HEAD":
            return ()
        return answers.body if takes_gzip else (b"".join(answers.parts),)

    def _is_plain(self, environ: Environ) -> bool:
        """Whether Django would answer this as it answers anybody."""
        if not self._is_ours(environ.get("HTTP_HOST", "")) or environ.get("SCRIPT_NAME"):
            return False
        if self._needs_https and not self._is_https(environ):
            return False
        return not any(name in environ for name in ODD)

    def _is_https(self, environ: Environ) -> bool:
        """The rule of TrustedProxiesMiddleware and SECURE_PROXY_SSL_HEADER; in doubt Django is asked."""
        forwarded = environ.get("HTTP_X_FORWARDED_PROTO")
        if forwarded is None:
            return bool(environ["wsgi.url_scheme"] == "https")
        return forwarded == "https" and self._is_trusted(environ.get("REMOTE_ADDR", ""))

    def _pass_on(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if environ["REQUEST_METHOD"] != "GET" or path in self._pages or not PATH.fullmatch(path):
            return self.django(environ, start_response)

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            if status == "200 OK":
                self.keeper.want(path, headers[:])
                if self._in_background:
                    self.keeper.start()
            return start_response(status, headers, *error)

        return self.django(environ, start)


def is_ours(host: str) -> bool:
    """Django's own check."""
    domain, _port = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def has_it(answers: Answers, said: str) -> bool:
    """RFC 9110 §13.1.2: weak tags are compared without their mark."""
    if said == answers.etag:
        return True
    bare = answers.etag.removeprefix("W/")
    return any(tag == "*" or tag.removeprefix("W/") == bare for tag in parse_etags(said))

"""Requests no well-meaning browser sends, made up by a seed: the same number is always the same request."""

import io
import random
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_from_bytes

TOKEN = "a" * 32  # what Django's check against forged posts compares: cookie and header

TEXTS = [
    b"",
    b" ",
    b"\x00",
    b"Connie\x00",
    b"\xed\xa0\x80",  # a lone surrogate
    b"\xed\xb0\x80\xed\xa0\x80",
    b"\xff\xfe\xfd",
    b"\xc0\x80",  # NUL, too long
    b"\xf4\x90\x80\x80",  # beyond Unicode
    b"\xef\xbf\xbe",
    "\u202e\u2066\u200f\u200b\ufeff".encode(),
    "e\u0301\u0301\u0301".encode() * 400,
    "👩‍👩‍👧‍👦𝒞".encode(),
    "²٣Ⅷ".encode(),
    b"9" * 5000,
    b"-" + b"9" * 4000,
    b"9223372036854775808",
    b"2147483648",
    b"-1",
    b"0",
    b"0.1",
    b"1e999",
    b"NaN",
    b"-Infinity",
    b"0x10",
    b"1_0",
    b"True",
    b"None",
    b"null",
    b"[" * 20_000,
    b'{"a":' * 5_000,
    b'["' + b"\\ud800" * 10 + b'"]',
    b"A" * 70_000,
    b"\r\nSet-Cookie: a=b\r\n\r\n",
    b"../../../../etc/passwd",
    b"..%2f..%5c",
    b"{{ 7|add:7 }}{% load x %}",
    b"{{ target.name }}[^nothing]",
    b"%s%n%x%(a)s{0}{a.b}",
    b"<script>alert(1)</script>\"'>",
    b"' OR 1=1 --",
    b"2026-02-30",
    b"0000-00-00 00:00",
    b"9999-12-31T23:59:60+99:99",
    b"yes",
    b"on",
    b"a@b@c",
    b"connie@\xff.example",
    b"connie@" + b"a." * 2000 + b"example",
    "connie@ex\u0130\u00df\u3002ample".encode(),
    b"xn--\x00",
    b"connie@xn--a.example",
    b"http://[::1",
    b"http://\x00@:99999999/?#",
    b"javascript:alert(1)",
    b"#ffffff",
    b"#ggg",
]
METHODS = [
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "FOO",
    "get",
    "",
    "P\x00ST",
    "G\xc9T",
    "A" * 5000,
]
HOSTS = [
    "",
    "evil.example",
    "testserver:99999",
    "testserver:abc",
    "testserver:",
    "[::1",
    "[::1]:8000",
    "testserver\x00",
    "testserver/admin",
    "testserver@evil.example",
    "testserver.",
    "TESTSERVER",
    "a" * 5000,
    "t\xe9stserver",
    " testserver",
    "test_server,evil.example",
    "localhost",
]
HEADERS = {
    "HTTP_ACCEPT_ENCODING": ["gzip;q=0", "*", "gzip;q=NaN", "\xff", "gzip" * 2000],
    "HTTP_ACCEPT_LANGUAGE": ["*", "en;q=2", "a-" * 3000, "\xff", "xx-XX,,,;q="],
    "HTTP_IF_NONE_MATCH": ["*", 'W/"', '"a","b', "\x00", '"' * 5000],
    "HTTP_IF_MATCH": ["*", '"nothing"', 'W/"x"', "\xff"],
    "HTTP_IF_MODIFIED_SINCE": [
        "yesterday",
        "Thu, 01 Jan 0000 00:00:00 GMT",
        "Fri, 99 Dec 99999 99:99:99 GMT",
        "9" * 5000,
    ],
    "HTTP_IF_UNMODIFIED_SINCE": ["Thu, 01 Jan 1970 00:00:00 GMT", "Sun, 31 Feb 2026 00:00:00 GMT"],
    "HTTP_RANGE": [
        "bytes=9-1",
        "bytes=-",
        "bytes=" + "9" * 5000 + "-",
        "bytes=-1,-2",
        "lines=1-2",
        "bytes=0-0\xff",
    ],
    "HTTP_REFERER": [
        "http://[bad",
        "\x00",
        "http://testserver/?r=" + "a" * 9000,
        "http://testserver/?r=%ED%A0%80",
        "//",
    ],
    "HTTP_ORIGIN": [
        "null",
        "",
        "http://testserver",
        "http://[bad",
        "\x00",
        "https://evil.example",
        "testserver",
    ],
    "HTTP_SEC_FETCH_SITE": ["same-origin", "cross-site", "", "same-origin\x00", "none"],
    "HTTP_X_FORWARDED_FOR": ["1.2.3.4, \x00", "," * 5000, "999.999.999.999", "::1%eth0", "unknown"],
    "HTTP_X_FORWARDED_PROTO": ["https", "https,http", "\xff"],
    "HTTP_X_FORWARDED_HOST": ["evil.example"],
    "HTTP_X_HTTP_METHOD_OVERRIDE": ["DELETE"],
    "HTTP_X_REQUESTED_WITH": ["XMLHttpRequest"],
    "HTTP_AUTHORIZATION": ["Basic \xff", "Bearer " + "a" * 9000, "Digest"],
    "HTTP_ACCEPT": ["application/json", "*/*;q=x", "text/html" * 500],
    "HTTP_USER_AGENT": ["", "\x00", "\xff" * 300, "() { :; }; x"],
    "HTTP_TRANSFER_ENCODING": ["chunked", "identity, chunked"],
    "HTTP_EXPECT": ["100-continue"],
    # Of these the server lets only numbers through.
    "CONTENT_LENGTH": ["", "0", "5", "9" * 18],
    "REMOTE_ADDR": ["", "not an address", "::1"],
}
COOKIES = [
    "csrf=; staff=",
    "staff=\x00",
    "staff=\xff\xfe; csrf=\xff",
    "staff=" + "a" * 5000,
    "staff=../../x",
    "csrf=" + "é" * 32,
    "csrf=" + "a" * 31,
    "csrf=" + "a" * 64,
    "messages=[[__json_message",
    'messages="' + "W1tb" * 300,
    "=;;=;a",
    "sessionid=x; $Version=1; a[b]=c",
    "a=b; " * 2000,
    '"\\"',
    "messages=Ilx1ZDgwMCI",
]
CONTENT_TYPES = [
    "",
    "application/x-www-form-urlencoded; charset=utf-16",
    "application/x-www-form-urlencoded; charset=nothing",
    "application/x-www-form-urlencoded; charset=\xff",
    "application/x-www-form-urlencoded; charset=idna",
    "application/json",
    "application/json; charset=utf-7",
    "text/xml",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=" + "b" * 5000,
    "multipart/form-data; boundary=\xff\x00",
    "multipart/form-data; boundary=x; charset=nothing",
    "multipart/mixed; boundary=x",
    "\x00/\x00;;;=",
    "a" * 5000,
    "text/plain; charset*=x''%ff",
]
MULTIPART = [
    b"",
    b"--x",
    b"--x--",
    b"--x\r\n\r\n--x--\r\n",
    b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--\r\n",
    b'--x\r\nContent-Disposition: form-data; name="first_name"\r\n\r\nno end',
    b'--x\r\nContent-Disposition: form-data; name="email"\r\nContent-Transfer-Encoding: base64\r\n\r\n*!\r\n--x--\r\n',
    b'--x\r\nContent-Disposition: form-data; name="logo_file"; filename="\x00../a\xff.png"\r\n'
    b"Content-Type: image/png\r\n\r\n\x89PNG\r\n\x1a\n\x00\r\n--x--\r\n",
    b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename*=utf-16''%ff%fe\r\n\r\na\r\n--x--\r\n",
    b"--x\r\n" + b"A: b\r\n" * 3000 + b"\r\na\r\n--x--\r\n",
    b'--x\r\nContent-Disposition: form-data; name="' + b"n" * 5000 + b'"\r\n\r\na\r\n--x--\r\n',
    b'--x\r\nContent-Disposition: form-data; name="a"\r\nContent-Type: text/plain; charset=nothing\r\n\r\n\xff\r\n--x--\r\n',
    b'--x\r\nContent-Disposition: form-data; name="\xed\xa0\x80"\r\n\r\n\xed\xa0\x80\r\n--x--\r\n',
]
QUERY_KEYS = [
    b"mail", b"ask", b"signature", b"done", b"r", b"utm_source", b"fbclid", b"next", b"q", b"o", b"p", b"e", b"all", b"id", b"id__exact", b"id__in",
    b"id__isnull", b"pk", b"_popup", b"_to_field", b"_changelist_filters", b"_changelist_sort", b"letter__campaign__id__exact",
    b"petition__id__exact", b"petition", b"campaign", b"kind", b"state", b"term", b"app_label", b"model_name", b"field_name",
    b"password__startswith", b"signed_at__gte", b"signed_at__year", b"action", b"\xed\xa0\x80", b"\x00", b"a" * 3000,
]  # fmt: skip
FIELDS = [
    b"city", b"first_name", b"last_name", b"email", b"updates", b"postal_code", b"country", b"comment", b"stamp", b"elapsed",
    b"version", b"website", b"csrfmiddlewaretoken", b"block", b"username", b"password", b"next", b"action", b"select_across",
    b"do", b"signature", b"which", b"stop_updates", b"index", b"_selected_action", b"_save", b"_continue", b"_popup", b"post", b"reason", b"note", b"reviewed", b"live_at",
    b"live_at_0", b"live_at_1", b"name", b"slug", b"title", b"organization", b"accent", b"sources-TOTAL_FORMS",
    b"sources-INITIAL_FORMS", b"sources-0-id", b"sources-0-key", b"sources-0-date", b"letters-TOTAL_FORMS",
    b"letters-INITIAL_FORMS", b"letters-0-body", b"targets-TOTAL_FORMS", b"form-TOTAL_FORMS", b"form-INITIAL_FORMS", b"form-0-id",
]  # fmt: skip
QUERIES = [
    b"%",
    b"%zz",
    b"%ED%A0%80=%00",
    b"&&&==&=",
    b"?" * 3000,
    b"a=b&" * 10_050,
    b"\xff=\xff",
    b"a[]=1&a[b][c]=2",
    b";",
]
LARGEST_BODY = 6 * 1024 * 1024


@dataclass
class BadRequest:
    """What went wrong with it is in its fields; `environ()` is what a server would hand to the application."""

    method: str
    path: bytes
    query: bytes = b""
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    def environ(self) -> dict[str, Any]:
        return {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": self.path.decode("latin-1"),
            "QUERY_STRING": self.query.decode("latin-1"),
            "SERVER_NAME": "testserver",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "testserver",
            "CONTENT_LENGTH": str(len(self.body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(self.body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            **self.headers,
        }

    def __str__(self) -> str:
        parts = [self.method, self.path, self.query, self.headers, self.body]
        return " ".join(repr(part)[:300] for part in parts)


class Maker:
    """Makes bad requests to `addresses`, paths in which `*` stands for a part that may be anything."""

    def __init__(self, addresses: list[str], *, known: list[str], session: str, seed: str) -> None:
        self.addresses = addresses
        self.known = known
        self.session = session
        self.chance = random.Random(seed)

    def make(self) -> BadRequest:
        request = BadRequest(self.chance.choice(["GET", "GET", "POST", "POST", "HEAD"]), self.path())
        self.sign_in(request)
        if request.method == "POST":
            self.fill_in(request)
        for spoil in self.chance.sample([self.method, self.query, self.header, self.host, self.cookie], k=2):
            if self.chance.random() < 0.45:
                spoil(request)
        return request

    def path(self) -> bytes:
        address = self.chance.choice(self.addresses)
        pieces = [self.piece() if piece == "*" else piece.encode() for piece in address.split("/")]
        path = b"/".join(pieces)
        return path + self.text() if self.chance.random() < 0.02 else path

    def piece(self) -> bytes:
        if self.chance.random() < 0.6:
            return self.chance.choice(self.known).encode()
        return self.text()[:5000]

    def text(self) -> bytes:
        return self.chance.choice(TEXTS)

    def sign_in(self, request: BadRequest) -> None:
        """As staff half of the time, with the token that posts of ours carry; else as our own page."""
        if self.chance.random() < 0.5:
            request.headers["HTTP_COOKIE"] = f"staff={self.session}; csrf={TOKEN}"
            request.headers["HTTP_X_CSRFTOKEN"] = TOKEN
        if self.chance.random() < 0.8:
            request.headers["HTTP_SEC_FETCH_SITE"] = "same-origin"

    def fill_in(self, request: BadRequest) -> None:
        kind = self.chance.random()
        if kind < 0.7:
            request.headers["CONTENT_TYPE"] = "application/x-www-form-urlencoded"
            request.body = b"&".join(self.pair(FIELDS) for _ in range(self.chance.randint(1, 12)))
        elif kind < 0.85:
            request.headers["CONTENT_TYPE"] = "multipart/form-data; boundary=x"
            request.body = self.chance.choice(MULTIPART)
        else:
            request.headers["CONTENT_TYPE"] = self.chance.choice(CONTENT_TYPES)
            request.body = self.chance.choice([self.text(), self.pair(FIELDS), self.chance.choice(MULTIPART)])
        if self.chance.random() < 0.002:
            request.body = b"comment=" + b"a" * LARGEST_BODY

    def pair(self, keys: list[bytes]) -> bytes:
        value = self.text()
        if self.chance.random() < 0.7:
            value = quote_from_bytes(value).encode()
        return self.chance.choice(keys) + b"=" + value

    def method(self, request: BadRequest) -> None:
        request.method = self.chance.choice(METHODS)

    def query(self, request: BadRequest) -> None:
        if self.chance.random() < 0.2:
            request.query = self.chance.choice(QUERIES)
        else:
            request.query = b"&".join(self.pair(QUERY_KEYS) for _ in range(self.chance.randint(1, 3)))

    def header(self, request: BadRequest) -> None:
        for name in self.chance.sample(sorted(HEADERS), k=self.chance.randint(1, 4)):
            request.headers[name] = self.chance.choice(HEADERS[name])

    def host(self, request: BadRequest) -> None:
        request.headers["HTTP_HOST"] = self.chance.choice(HOSTS)

    def cookie(self, request: BadRequest) -> None:
        request.headers["HTTP_COOKIE"] = self.chance.choice(COOKIES)

"""What no browser sends: never an error of ours, never a worker that hangs."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from chaos.http import HOST, ask, get
from chaos.ledger import sign
from chaos.proxies import nginx
from chaos.site import SLUG, Site
from chaos.waiting import eventually

PAGE = f"/petitions/{SLUG}/".encode()
HOSTS = f"Host: {HOST}\r\n".encode()
FORM = b"Content-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Site: same-origin\r\n"
PART = b"Content-Type: multipart/form-data; boundary=x\r\nSec-Fetch-Site: same-origin\r\n"
SIGN = b"POST " + PAGE + b"sign/ HTTP/1.1\r\n" + HOSTS

NASTY: dict[str, bytes] = {
    "nothing": b"",
    "empty lines": b"\r\n\r\n\r\n",
    "one byte": b"G",
    "no version": b"GET " + PAGE + b"\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n",
    "HTTP/1.0 without host": b"GET / HTTP/1.0\r\n\r\n",
    "HTTP/9.9": b"GET / HTTP/9.9\r\n" + HOSTS + b"\r\n",
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS hello": bytes.fromhex("16030100a5010000a10303") + bytes(160),
    "binary": bytes(range(256)) * 8,
    "NULs": bytes(4096),
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
    "SMTP": b"EHLO mail.example\r\n",
    "lower-case method": b"get / HTTP/1.1\r\n" + HOSTS + b"\r\n",
    "unknown method": b"BREW " + PAGE + b" HTTP/1.1\r\n" + HOSTS + b"\r\n",
    "long method": b"A" * 5000 + b" / HTTP/1.1\r\n" + HOSTS + b"\r\n",
    "TRACE": b"TRACE / HTTP/1.1\r\n" + HOSTS + b"\r\n",
    "CONNECT": b"CONNECT mail.example:25 HTTP/1.1\r\n" + HOSTS + b"\r\n",
    "asterisk": b"OPTIONS * HTTP/1.1\r\n" + HOSTS + b"\r\n",
    "absolute address": b"GET http://testserver" + PAGE + b" HTTP/1.1\r\n" + HOSTS + b"\r\n",
    "absolute address of others": b"GET http://mail.example/ HTTP/1.1\r\n" + HOSTS + b"\r\n",
    "address without slash": b"GET petitions HTTP/1.1\r\n" + HOSTS + b"\r\n",
    "dots": b"GET /static/../../etc/passwd HTTP/1.1\r\n" + HOSTS + b"\r\n",
    "encoded dots": b"GET /static/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n" + HOSTS + b"\r\n",
    "encoded NUL": b"GET /petitions/%00/ HTTP/1.1\r\n" + HOSTS + b"\r\n",
    "raw NUL": b"GET /petitions/\x00/ HTTP/1.1\r\n" + HOSTS + b"\r\n",
    "broken encoding": b"GET /petitions/%zz%/ HTTP/1.1\r\n" + HOSTS + b"\r\n",
    "not UTF-8": b"GET /petitions/%ff%fe/ HTTP/1.1\r\n" + HOSTS + b"\r\n",
    "raw bytes": b"GET /petitions/\xff\xfe/ HTTP/1.1\r\n" + HOSTS + b"\r\n",
    "surrogates": b"GET /petitions/%ed%a0%80/ HTTP/1.1\r\n" + HOSTS + b"\r\n",
    "long address": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + HOSTS + b"\r\n",
    "long query": b"GET /?" + b"a=b&" * 1000 + b" HTTP/1.1\r\n" + HOSTS + b"\r\n",
    "space in address": b"GET /a b HTTP/1.1\r\n" + HOSTS + b"\r\n",
    "tab in address": b"GET\t/\tHTTP/1.1\r\n" + HOSTS + b"\r\n",
    "fragment": b"GET /#x HTTP/1.1\r\n" + HOSTS + b"\r\n",
    "bare CR": b"GET / HTTP/1.1\rHost: testserver\r\r",
    "bare LF": b"GET / HTTP/1.1\nHost: testserver\n\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: testserver\r\nHost: mail.example\r\n\r\n",
    "another host": b"GET / HTTP/1.1\r\nHost: mail.example\r\n\r\n",
    "odd host": b"GET / HTTP/1.1\r\nHost: \xff\x00[::\r\n\r\n",
    "host with port": b"GET / HTTP/1.1\r\nHost: testserver:99999999999\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\n" + HOSTS + b"X-A: b\r\n" * 5000 + b"\r\n",
    "large header": b"GET / HTTP/1.1\r\n" + HOSTS + b"X-A: " + b"b" * 200_000 + b"\r\n\r\n",
    "folded header": b"GET / HTTP/1.1\r\n" + HOSTS + b"X-A: b\r\n c\r\n\r\n",
    "header without colon": b"GET / HTTP/1.1\r\n" + HOSTS + b"nonsense\r\n\r\n",
    "header without name": b"GET / HTTP/1.1\r\n" + HOSTS + b": b\r\n\r\n",
    "header with space": b"GET / HTTP/1.1\r\n" + HOSTS + b"Content-Length : 5\r\n\r\nhello",
    "header with NUL": b"GET / HTTP/1.1\r\n" + HOSTS + b"X-A: \x00\r\n\r\n",
    "header with bytes": b"GET / HTTP/1.1\r\n" + HOSTS + b"Referer: \xff\xfe\r\nCookie: \xff=\xfe\r\n\r\n",
    "underscored header": b"GET / HTTP/1.1\r\n" + HOSTS + b"X_Forwarded_For: 1.2.3.4\r\n\r\n",
    "negative length": SIGN + FORM + b"Content-Length: -1\r\n\r\nfirst_name=a",
    "length of words": SIGN + FORM + b"Content-Length: many\r\n\r\nfirst_name=a",
    "length with plus": SIGN + FORM + b"Content-Length: +5\r\n\r\nhello",
    "huge length": SIGN + FORM + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nhello",
    "two lengths": SIGN + FORM + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "length and chunks": SIGN + FORM + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "odd chunk": SIGN + FORM + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
    "negative chunk": SIGN + FORM + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
    "huge chunk": SIGN + FORM + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\nhello\r\n0\r\n\r\n",
    "chunk without end": SIGN + FORM + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n",
    "unknown coding": SIGN + FORM + b"Transfer-Encoding: magic\r\n\r\nhello",
    "chunked twice": SIGN + FORM + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "expect nonsense": SIGN + FORM + b"Expect: miracles\r\nContent-Length: 5\r\n\r\nhello",
    "fields with NULs": SIGN + FORM + b"Content-Length: 23\r\n\r\nfirst_name=%00&email=%00",
    "thousands of fields": SIGN + FORM + b"Content-Length: 60000\r\n\r\n" + b"a=b&c" * 12_000,
    "broken multipart": SIGN + PART + b"Content-Length: 9\r\n\r\n--x\r\nabc\n",
    "multipart without boundary": SIGN + b"Content-Type: multipart/form-data\r\nContent-Length: 5\r\n\r\nhello",
    "charset of our own": SIGN + b"Content-Type: text/plain; charset=zip\r\nContent-Length: 5\r\n\r\nhello",
    "compressed body": SIGN + FORM + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
    "smuggled": SIGN + FORM + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\nGET /admin/ HTTP/1.1\r\n\r\n",
    "odd range": b"GET /robots.txt HTTP/1.1\r\n" + HOSTS + b"Range: bytes=9-1,-,99999999999999999999-\r\n\r\n",
    "odd dates": b"GET / HTTP/1.1\r\n" + HOSTS + b"If-Modified-Since: the day before\r\nIf-None-Match: \"\xff\r\n\r\n",
    "odd encodings": b"GET / HTTP/1.1\r\n" + HOSTS + b"Accept-Encoding: gzip;q=nonsense, \xff\r\n\r\n",
    "websocket": b"GET / HTTP/1.1\r\n" + HOSTS + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 0\r\n\r\n",
    "proxy protocol": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET / HTTP/1.1\r\n" + HOSTS + b"\r\n",
}  # fmt: skip


def mutations(number: int) -> list[bytes]:
    """Good requests with a few bytes changed, left out or doubled; the same on every run."""
    chance = random.Random(7)
    good = [request for request in NASTY.values() if 40 < len(request) < 2000]
    made = []
    for _ in range(number):
        request = bytearray(chance.choice(good))
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(request))
            request[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
        made.append(bytes(request))
    return made


def survives(port: int) -> str:
    statuses: dict[int, int] = {}
    requests = [*NASTY.items(), *((f"mutation {number}", each) for number, each in enumerate(mutations(200)))]
    for name, request in requests:
        answer = ask(port, request, timeout=0.5)
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
        # 501 and 505 say that it is the client who asks for what does not exist.
        assert answer.status < 500 or answer.status in {501, 505}, (name, answer.text[:500])
    return f"{len(requests)} requests: {dict(sorted(statuses.items()))}, 0 for no answer"


@pytest.mark.parametrize("in_front", ["gunicorn alone", "behind nginx"])
def test_malformed_requests_break_nothing(
    in_front: str, site: Site, folders: Callable[[], Path], note: Callable[[str], None]
) -> None:
    web = site.start_web(TRUSTED_PROXIES="127.0.0.1")
    workers = web.children()

    if in_front == "behind nginx":
        with nginx(folders(), site.port) as port:
            seen = survives(port)
    else:
        seen = survives(site.port)
    eventually(lambda: sign(site.port, f"{len(seen)}@people.example").status == 303)
    answers = [get(site.port, f"/petitions/{SLUG}/", timeout=5) for _ in range(8)]

    note(seen)
    assert {answer.status for answer in answers} == {200}
    assert web.children() == workers
    assert "Internal Server Error" not in web.said()
    assert "Error handling request" not in web.said()

"""Four hundred clients that take their time: others are served all the same, behind the nginx we ship."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chaos.http import HOST, Answer, get
from chaos.ledger import sign
from chaos.proxies import nginx
from chaos.site import SLUG, Site
from chaos.waiting import eventually

CLIENTS = 400
SERVED_WITHIN = 1.0  # seconds
PAGE = f"/petitions/{SLUG}/"
POST = (
    f"POST {PAGE}sign/ HTTP/1.1\r\nHost: {HOST}\r\nSec-Fetch-Site: same-origin\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100000\r\n\r\nfirst_name="
)
SLOWLY: dict[str, tuple[bytes, bytes]] = {
    "slow header": (f"GET {PAGE} HTTP/1.1\r\nHost: {HOST}\r\nX-A: ".encode(), b"a"),
    "slow body": (POST.encode(), b"a"),
    # Asks for much, and takes none of it.
    "slow read": (f"GET {PAGE} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode() * 10, b""),
}


@contextlib.contextmanager
def slow_clients(port: int, kind: str, number: int = CLIENTS) -> Iterator[list[socket.socket]]:
    """Each connected, with a byte now and then; whoever is thrown out comes back."""
    first, more = SLOWLY[kind]
    over = threading.Event()
    clients: list[socket.socket] = []

    def connect() -> socket.socket:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        client.settimeout(0.5)
        with contextlib.suppress(OSError):
            client.connect(("127.0.0.1", port))
            client.sendall(first)
        return client

    def trickle() -> None:
        while not over.wait(2):
            for at, client in enumerate(clients):
                if over.is_set():
                    return
                try:
                    client.sendall(more)
                except OSError:
                    client.close()
                    clients[at] = connect()

    clients.extend(connect() for _ in range(number))
    thread = threading.Thread(target=trickle)
    thread.start()
    try:
        yield clients
    finally:
        over.set()
        thread.join()
        for client in clients:
            client.close()


def others(port: int, timeout: float) -> list[Answer]:
    """Ten readers, ten signers, one after the other."""
    answers = []
    for number in range(10):
        answers.append(get(port, f"{PAGE}?{number}", timeout=timeout))
        answers.append(sign(port, f"other-{number}-{time.monotonic_ns()}@people.example"))
    return answers


@pytest.fixture
def started(site: Site) -> Site:
    site.start_web(TRUSTED_PROXIES="127.0.0.1")
    site.start_worker()
    eventually(site.ready)
    return site


@pytest.mark.parametrize("kind", SLOWLY)
def test_behind_nginx_others_are_served(
    kind: str, started: Site, folders: Callable[[], Path], note: Callable[[str], None]
) -> None:
    with nginx(folders(), started.port) as port:
        others(port, 10)
        before = others(port, 10)
        with slow_clients(port, kind):
            time.sleep(3)
            during = others(port, 10)

    slowest = max(answer.seconds for answer in during)
    note(f"slowest of {len(during)}: {slowest:.2f} s (without them {max(a.seconds for a in before):.2f} s)")
    assert {answer.status for answer in during} == {200, 303}
    assert slowest < SERVED_WITHIN


@pytest.mark.parametrize("kind", SLOWLY)
def test_without_nginx_others_wait(kind: str, started: Site, note: Callable[[str], None]) -> None:
    """Why something has to stand in front of gunicorn. Passes whatever comes out: it is here for the figure."""
    with slow_clients(started.port, kind):
        time.sleep(1)
        answers = [get(started.port, PAGE, timeout=3) for _ in range(4)]

    served = [answer for answer in answers if answer.status == 200]
    note(f"gunicorn alone served {len(served)} of {len(answers)} within 3 s")
    eventually(lambda: get(started.port, PAGE, timeout=3).status == 200, within=90)

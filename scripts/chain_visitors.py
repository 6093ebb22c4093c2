"""Visitors of the chain: they sign and read without a pause, and a ledger keeps what each was told."""

import socket
import ssl
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlencode

from chain_site import HOST

PATIENCE = 20  # seconds until somebody gives up on an answer
PRESSES_AGAIN_AFTER = 0.5  # seconds
THINKS_FOR = 0.03  # seconds between two of one visitor
NO_ANSWER = 0  # in place of a status


@dataclass(frozen=True)
class Post:
    """One press of the button; moments are of `time.monotonic`."""

    email: str
    began: float
    ended: float
    status: int
    said: str  # the answer's body

    @property
    def acknowledged(self) -> bool:
        return self.status == 303

    @property
    def kept(self) -> bool:
        """What was typed is in the answer, with a button that sends it again."""
        return self.email in self.said


@dataclass
class Ledger:
    """What visitors were told. Appending is all that threads do here."""

    posts: list[Post] = field(default_factory=list)
    reads: list[tuple[float, int]] = field(default_factory=list)

    def acknowledged(self) -> set[str]:
        return {post.email for post in self.posts if post.acknowledged}

    def asked(self) -> Counter[str]:
        """How often each address was sent."""
        return Counter(post.email for post in self.posts)

    def within(self, begins: float, ends: float) -> list[Post]:
        return [post for post in self.posts if begins <= post.began < ends]

    def statuses(self, begins: float, ends: float) -> Counter[int]:
        return Counter(post.status for post in self.within(begins, ends))

    def read_statuses(self, begins: float, ends: float) -> Counter[int]:
        return Counter(status for moment, status in self.reads if begins <= moment < ends)

    def longest_wait(self, begins: float, ends: float) -> float:
        """The longest time in which nobody was told that they had signed."""
        moments = sorted(
            post.ended for post in self.posts if post.acknowledged and begins <= post.ended < ends
        )
        return max(
            (after - before for before, after in zip([begins, *moments], [*moments, ends], strict=True)),
            default=0,
        )


class Trusting:
    """A browser that knows our certificate, and finds the site on a port of this machine."""

    def __init__(self, port: int, certificate: Path) -> None:
        self.port = port
        self.context = ssl.create_default_context(cafile=str(certificate))
        self.connection: HTTPSConnection | None = None

    def ask(self, method: str, path: str, body: str | None = None) -> tuple[int, str]:
        """Status and body; `NO_ANSWER` where none came."""
        headers = {"Host": HOST, "Sec-Fetch-Site": "same-origin", "Accept-Encoding": "identity"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            if self.connection is None:
                self.connection = self.connect()
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        except (OSError, HTTPException):
            self.close()
            return NO_ANSWER, ""

    def connect(self) -> HTTPSConnection:
        connection = HTTPSConnection(HOST, self.port, timeout=PATIENCE, context=self.context)
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        connection.sock = self.context.wrap_socket(plain, server_hostname=HOST)
        return connection

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class Crowd:
    """Signers and readers, each a thread, until the end of the block."""

    def __init__(self, *, port: int, certificate: Path, path: str, signers: int, readers: int) -> None:
        self.ledger = Ledger()
        self.path = path
        self.browser = lambda: Trusting(port, certificate)
        self.leaving = threading.Event()
        self.threads = [
            *(threading.Thread(target=self.sign, args=(number,), daemon=True) for number in range(signers)),
            *(threading.Thread(target=self.read, daemon=True) for _ in range(readers)),
        ]

    def __enter__(self) -> Ledger:
        for thread in self.threads:
            thread.start()
        return self.ledger

    def __exit__(self, *error: object) -> None:
        self.leaving.set()
        for thread in self.threads:
            thread.join()

    def sign(self, number: int) -> None:
        browser = self.browser()
        signed = 0
        while not self.leaving.is_set():
            signed += 1
            email = f"signer-{number}-{signed}@people.example"
            # Somebody who was not told that it worked presses the button once more, and again.
            while not self.press(browser, email).acknowledged and not self.leaving.wait(PRESSES_AGAIN_AFTER):
                pass
            self.leaving.wait(THINKS_FOR)
        browser.close()

    def press(self, browser: Trusting, email: str) -> Post:
        typed = {"first_name": "Connie", "last_name": "Rivera", "email": email, "updates": "no"}
        began = time.monotonic()
        status, body = browser.ask("POST", f"{self.path}sign/", urlencode(typed))
        post = Post(email, began, time.monotonic(), status, said=body)
        self.ledger.posts.append(post)
        return post

    def read(self) -> None:
        browser = self.browser()
        while not self.leaving.is_set():
            status, _body = browser.ask("GET", self.path)
            self.ledger.reads.append((time.monotonic(), status))
            self.leaving.wait(THINKS_FOR)
        browser.close()

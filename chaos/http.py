"""Browsers, near enough: one request a connection, and what came of it with how long it took."""

import socket
import time
from dataclasses import dataclass
from urllib.parse import urlencode

HOST = "testserver"


@dataclass(frozen=True)
class Answer:
    status: int  # 0: none came
    text: str
    seconds: float


def get(port: int, path: str, *, timeout: float = 30) -> Answer:
    return ask(port, f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode(), timeout)


def post(port: int, path: str, fields: dict[str, str], *, timeout: float = 30) -> Answer:
    body = urlencode(fields)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\nSec-Fetch-Site: same-origin\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return ask(port, (head + body).encode(), timeout)


def ask(port: int, request: bytes, timeout: float = 30) -> Answer:
    """Sends `request` as it is and reads until the server hangs up."""
    began = time.monotonic()
    parts: list[bytes] = []
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
            connection.sendall(request)
            while part := connection.recv(65536):
                parts.append(part)
    except OSError:
        pass  # what has come so far tells
    text = b"".join(parts).decode("utf-8", "replace")
    status = text[9:12] if text.startswith("HTTP/1.") else ""
    return Answer(int(status) if status.isdigit() else 0, text, time.monotonic() - began)

"""Waiting for other processes."""

import socket
import time
from collections.abc import Callable

SOON = 60  # seconds in which something that takes one or two has to happen


def eventually(condition: Callable[[], object], *, within: float = SOON, every: float = 0.05) -> float:
    """Waits until `condition` holds, whatever it raises meanwhile; returns the seconds it took."""
    began = time.monotonic()
    trouble: object = "it never happened"
    while True:
        try:
            if condition():
                return time.monotonic() - began
        except Exception as error:  # noqa: BLE001 - what is away may raise anything
            trouble = error
        assert time.monotonic() - began < within, trouble
        time.sleep(every)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]

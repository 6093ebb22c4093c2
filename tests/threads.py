"""Doing things at the same time; for tests that are marked `django_db(transaction=True)`."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connections


def in_parallel(*given: tuple[Callable[[], Any], int]) -> None:
    """Runs each function in so many threads, all at once, and fails where one of them raised."""
    calls = [function for function, number in given for _ in range(number)]
    together = threading.Barrier(len(calls))
    errors = []

    def run(function: Callable[[], Any]) -> None:
        try:
            together.wait(timeout=30)
            function()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must hear of it
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(function,)) for function in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []

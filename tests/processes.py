"""Our programs run in earnest, each a process of its own, on the database of the test."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from django.db import connection

ROOT = Path(__file__).resolve().parents[1]
SOON = 30  # seconds in which something that takes one or two has to happen


@contextmanager
def running(*command, **environment):
    """A process that is killed at the end if it is still there."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": database_url(),
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@contextmanager
def worker(*command, port=9, **environment):
    """The worker, or `command`; its mail server listens on `port` of this machine."""
    command = command or (sys.executable, "manage.py", "work")
    with running(*command, **{"EMAIL_URL": f"smtp://127.0.0.1:{port}", **environment}) as process:
        yield process


@contextmanager
def web_server(*, processes, threads):
    """gunicorn; yields its port once it answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    size = {"WEB_CONCURRENCY": str(processes), "WEB_THREADS": str(threads)}
    with running(
        sys.executable, "-m", "gunicorn", "config.wsgi", HOST="127.0.0.1", PORT=str(port), **size
    ) as process:
        eventually(lambda: answers(port))
        yield port
        # Asked politely it takes its own processes along.
        process.send_signal(signal.SIGTERM)
        process.wait(SOON)


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def database_url():
    given = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{given['NAME']}"
    host = quote(given["HOST"], safe="/")
    port = f":{given['PORT']}" if given["PORT"] else ""
    user = f"{given['USER']}:{given['PASSWORD']}" if given["PASSWORD"] else given["USER"]
    return f"postgres://{user}@{host if host.strip('/') else ''}{port}/{given['NAME']}".replace(
        "@/", "@//", 1
    )


def eventually(condition):
    """Waits for another process; fails after `SOON`."""
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)

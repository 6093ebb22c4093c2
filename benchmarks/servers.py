"""gunicorn as shipped under wrk: starting it, loading it, and comparing in turns."""

import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[1]
STARTS_WITHIN = 60  # seconds
UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}
RATE = re.compile(r"^Requests/sec:\s+([\d.]+)", re.MULTILINE)
PERCENTILE = re.compile(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s|m)\s*$", re.MULTILINE)
ERRORS = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")
REFUSED = re.compile(r"Non-2xx or 3xx responses: (\d+)")


@dataclass(frozen=True)
class Load:
    """What came of a run of wrk. `p50` and `p99` are seconds; `errors` counts broken connections and bad answers."""

    requests_per_second: float
    p50: float
    p99: float
    errors: int


@contextmanager
def gunicorn(
    app: str = "config.wsgi", *, workers: int = 2, threads: int = 1, env: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Serves `app` on a free port of this machine until the block ends; yields the address without a last slash.

    Inside `throwaway.database()` it uses that database and what `collectstatic` has put beside it. Several may run.
    """
    port = free_port()
    environment = {
        **os.environ,
        **database_environment(),
        "ALLOWED_HOSTS": "127.0.0.1,testserver",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "WEB_CONCURRENCY": str(workers),
        "WEB_THREADS": str(threads),
        **(env or {}),
    }
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--log-level=warning", app],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            wait_until_answering(port, process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            end(process)


def database_environment() -> dict[str, str]:
    """What a process needs to work on the very database this one works on; nothing where Django is not set up."""
    from django.conf import settings
    from django.db import connection

    if not settings.configured:
        return {}
    given = connection.settings_dict
    environment = {
        "DJANGO_SETTINGS_MODULE": "benchmarks.served_settings",
        "BENCHMARK_STATIC_ROOT": str(settings.STATIC_ROOT),
    }
    if connection.vendor == "sqlite":
        return environment | {"DATABASE_URL": f"sqlite:///{given['NAME']}"}
    host, port = quote(given["HOST"], safe="/"), f":{given['PORT']}" if given["PORT"] else ""
    user = f"{given['USER']}:{quote(given['PASSWORD'])}" if given["PASSWORD"] else given["USER"]
    # A host that begins with a slash is the folder of a socket.
    folder = "/" if host.startswith("/") else ""
    return environment | {"DATABASE_URL": f"postgres://{user}@{folder}{host}{port}/{given['NAME']}"}


def wait_until_answering(port: int, process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
                if connection.recv(1):
                    return
        except OSError:
            pass  # not yet
        time.sleep(0.05)
    log.seek(0)
    raise RuntimeError(f"gunicorn did not start.\n{log.read().decode(errors='replace')}")


def end(process: subprocess.Popen[bytes]) -> None:
    """Politely, so that it takes its workers along."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wrk(url: str, *, seconds: float, connections: int = 16, script: str | None = None) -> Load:
    """Asks as fast as answers come, as a browser that takes gzip; `script` is Lua, as wrk takes it."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script or "")
        file.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{round(seconds)}s", "--latency", "--timeout", "10s"]
        command += ["-H", "Accept-Encoding: gzip, deflate, br", *(["-s", file.name] if script else []), url]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"wrk: {done.stdout}{done.stderr}")
    return read_report(done.stdout)


def read_report(text: str) -> Load:
    rate, times = RATE.search(text), {found[1]: seconds_of(found) for found in PERCENTILE.finditer(text)}
    if rate is None or not {"50", "99"} <= times.keys():
        raise RuntimeError(f"wrk said nothing of use:\n{text}")
    broken, refused = ERRORS.search(text), REFUSED.search(text)
    errors = sum(map(int, broken.groups())) if broken else 0
    return Load(float(rate[1]), times["50"], times["99"], errors + (int(refused[1]) if refused else 0))


def seconds_of(found: re.Match[str]) -> float:
    return float(found[2]) * UNITS[found[3]]


def interleaved(sides: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """What each gives, `rounds` times, in turns, so that what else the machine does hits all of them.

    Every second round goes backwards: whoever comes after another has no advantage of it.
    """
    results: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds):
        for name in list(sides)[:: -1 if number % 2 else 1]:
            results[name].append(sides[name]())
    return results


def ratios(one: list[float], other: list[float]) -> list[float]:
    """Round by round, `one` to `other`."""
    return [left / right for left, right in zip(one, other, strict=True)]


def shown(values: list[float]) -> str:
    """The median and the extremes, with as many digits as such a measurement can bear."""
    digits = 0 if statistics.median(values) >= 100 else 2
    low, middle, high = (
        f"{value:,.{digits}f}" for value in (min(values), statistics.median(values), max(values))
    )
    return f"{middle} ({low}–{high})"

"""Sets up the demo under var/, then runs the web server and the worker until Ctrl-C."""

import errno
import ipaddress
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType
from urllib.parse import quote

from end_with_parent import end_with_parent

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var"
DATABASE = VAR / "undersigned.sqlite3"
MAIL = VAR / "mail"
PASSWORD = VAR / "demo-password"
STAFF = ("owner", "publisher", "editor", "signatures")
ANSWERS_WITHIN = 60  # seconds
STOPS_WITHIN = 10  # seconds


class Stopped(Exception):
    """Somebody pressed Ctrl-C, or ended us politely in another way."""


def main() -> int:
    end_with_parent()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        host, port = address()
        environment = settings(host, port)
        set_up(environment)
        return serve(host, port, environment)
    except Stopped:
        print("\nStopped. The data stays in var/.")
        return 0


def stop(_number: int, _frame: FrameType | None) -> None:
    raise Stopped


def address() -> tuple[str, int]:
    """HOST and PORT, after making sure that they can be listened on."""
    host = os.environ.get("HOST") or "127.0.0.1"
    number = os.environ.get("PORT") or "8000"
    if not (number.isascii() and number.isdigit() and len(number) < 6 and 0 < int(number) < 65536):
        sys.exit(f"PORT must be a number from 1 to 65535, not {number!r}.")
    port = int(number)
    try:
        family, kind, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(where)
            listener.listen()
    except (OSError, UnicodeError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            sys.exit(
                f"Port {port} is in use. Stop what uses it, or take another: make demo PORT={port % 65535 + 1}"
            )
        sys.exit(f"Cannot listen on HOST={host} PORT={port}: {getattr(error, 'strerror', None) or error}.")
    return host, port


def settings(host: str, port: int) -> dict[str, str]:
    """The environment of the demo. Database and mail are always its own, whatever the shell or a .env file says."""
    VAR.mkdir(exist_ok=True)
    MAIL.mkdir(exist_ok=True)
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEBUG": "off",
        "SECRET_KEY": keep(VAR / "demo-secret-key", secrets.token_urlsafe(50)),
        "SECRET_KEY_FALLBACKS": "",
        "SITE_URL": os.environ.get("SITE_URL") or f"http://{visible(host)}:{port}",
        "ALLOWED_HOSTS": os.environ.get("ALLOWED_HOSTS") or ",".join(names_of(host)),
        "TRUSTED_PROXIES": "",
        "DATABASE_URL": f"sqlite:///{quote(str(DATABASE))}",
        "EMAIL_URL": f"filemail:///{quote(str(MAIL))}",
        "DEFAULT_FROM_EMAIL": "petitions@demo.example",
        "DEMO_PASSWORD": keep(PASSWORD, secrets.token_urlsafe(12)),
        "HOST": host,
        "PORT": str(port),
        # Browsers connect directly, so threads; SQLite gains nothing from more processes.
        "WEB_CONCURRENCY": "1",
        "WEB_THREADS": "8",
        "PYTHONUNBUFFERED": "1",
    }


def keep(file: Path, value: str) -> str:
    """What `file` holds; the first time, `value` is put there, readable by its owner only."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text().strip()
    with os.fdopen(descriptor, "w") as output:
        output.write(value + "\n")
    return value


def is_everywhere(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def visible(host: str) -> str:
    """`host` as it stands in an address: IPv6 in brackets, and a name instead of "all interfaces"."""
    if is_everywhere(host):
        return "localhost"
    return f"[{host}]" if ":" in host else host


def names_of(host: str) -> list[str]:
    """The names by which a browser may ask for the demo."""
    names = {visible(host), "localhost", "127.0.0.1"}
    if is_everywhere(host):
        here = socket.gethostname()
        names.add(here)
        try:
            names |= {visible(str(entry[4][0])) for entry in socket.getaddrinfo(here, None)}
        except OSError:
            pass  # a machine that does not know its own name is still reachable as localhost
    return sorted(names)


def set_up(environment: dict[str, str]) -> None:
    """Database, static files and sample campaign; each step changes nothing when there is nothing to do."""
    print("Setting up …" if not DATABASE.exists() else "Starting with the data in var/ …", flush=True)
    steps = (["migrate", "--no-input"], ["collectstatic", "--no-input"], ["load_postal_codes"], ["load_demo"])
    for command in steps:
        step = subprocess.run(
            [sys.executable, "manage.py", *command, "--verbosity=0"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if step.returncode:
            sys.exit(f"{step.stdout.rstrip()}\nSetting up stopped at: manage.py {command[0]}")


def serve(host: str, port: int, environment: dict[str, str]) -> int:
    """Runs both until one ends (1) or somebody stops us (`Stopped`); leaves neither behind."""
    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        running["web server"] = start(["-m", "gunicorn", "--log-level=warning", "config.wsgi"], environment)
        running["worker"] = start(["manage.py", "work"], environment)
        if not wait_until_it_answers(host, port, running):
            return 1
        print(welcome(environment), flush=True)
        while not report_ended(running):
            if make_was_interrupted():
                raise Stopped
            time.sleep(0.3)
        return 1
    finally:
        end(running)


def start(arguments: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        # In a session of its own Ctrl-C reaches only us, and we stop both in an orderly way.
        start_new_session=True,
        preexec_fn=end_with_parent,
    )


def wait_until_it_answers(host: str, port: int, running: dict[str, subprocess.Popen[bytes]]) -> bool:
    url = f"http://{visible(host)}:{port}/healthz"
    deadline = time.monotonic() + ANSWERS_WITHIN
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline:
        if report_ended(running):
            return False
        try:
            direct.open(url, timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
        else:
            return True
    print(f"The web server did not answer within {ANSWERS_WITHIN} seconds.", file=sys.stderr)
    return False


def report_ended(running: dict[str, subprocess.Popen[bytes]]) -> bool:
    """Whether one of them has ended, which it also says."""
    for name, process in running.items():
        if process.poll() is not None:
            print(f"The {name} has ended (status {process.returncode}); stopping the rest.", file=sys.stderr)
            return True
    return False


def make_was_interrupted() -> bool:
    """Whether make, our parent, got a SIGINT that we did not: it blocks the signal, waits for us, and tells nobody."""
    try:
        lines = Path(f"/proc/{os.getppid()}/status").read_text().splitlines()
    except OSError:
        return False
    state = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    blocked = int(state.get("SigBlk", "0"), 16)
    return state.get("Name") == "make" and bool(blocked >> (signal.SIGINT - 1) & 1)


def end(running: dict[str, subprocess.Popen[bytes]]) -> None:
    """Asks each to finish what it is doing, and kills with all its children what does not."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for process in running.values():
        process.terminate()
    deadline = time.monotonic() + STOPS_WITHIN
    for process in running.values():
        try:
            process.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # all of them have gone
        process.wait()


def welcome(environment: dict[str, str]) -> str:
    site = environment["SITE_URL"]
    return f"""
Undersigned is running, with a sample campaign about invented people.

  Petitions    {site}/
  Admin        {site}/admin/
  Staff login  {", ".join(STAFF)} (one per role), all with the password {environment["DEMO_PASSWORD"]}
  Mail         is not sent; each message becomes a file in {MAIL.relative_to(ROOT)}/

Ctrl-C stops it. The data stays in {VAR.relative_to(ROOT)}/ for the next time.
"""


if __name__ == "__main__":
    sys.exit(main())

"""Runs a command with DATABASE_URL pointing at a PostgreSQL made for it alone, and removes that afterwards.

Usage: throwaway_postgres.py [--durable] COMMAND [ARGUMENT ...]

With --durable it keeps what it has acknowledged and tidies up, as in earnest; else it is made for tests, and faster.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from end_with_parent import end_with_parent

OWNER = "undersigned"
STARTS_WITHIN = 60  # seconds
# Nothing here has to survive a power cut.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")
IN_EARNEST = ("shared_buffers=256MB", "max_wal_size=4GB")
# Tests that sign in a hundred threads at once, several at a time.
ROOMY = ("max_connections=400",)
# Not what TMPDIR says: a socket's path must be short, and the unprivileged user has to get there.
PLACE = "/tmp"


def main(command: list[str], *, durable: bool = False) -> int:
    """Runs `command`; its exit status is ours."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    with (
        tempfile.TemporaryDirectory(prefix="undersigned-", dir=PLACE, ignore_cleanup_errors=True) as folder,
        server(Path(folder), durable=durable) as url,
    ):
        return run(command, {**os.environ, "DATABASE_URL": url})


def run(command: list[str], environment: dict[str, str]) -> int:
    """Runs `command` to its end. On Ctrl-C the command has got the signal as well, and we wait for its farewell."""
    process = subprocess.Popen(command, env=environment)
    try:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait()


@contextmanager
def server(folder: Path, *, durable: bool = False) -> Iterator[str]:
    """A running PostgreSQL that lives in `folder` and listens on a socket there, and nowhere else; yields its URL."""
    programs = find_programs()
    data, log = folder / "data", folder / "log"
    who = unprivileged_user(folder)
    initdb = subprocess.run(
        [
            programs / "initdb",
            "-D",
            data,
            "-U",
            OWNER,
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        **who,
    )
    if initdb.returncode:
        sys.exit(f"PostgreSQL could not be set up.\n{initdb.stdout}{initdb.stderr}")
    settings = (
        *(IN_EARNEST if durable else FAST),
        *ROOMY,
        "listen_addresses=",
        f"unix_socket_directories={folder}",
    )
    with log.open("wb") as output:
        postgres = subprocess.Popen(
            [programs / "postgres", "-D", data, *(part for setting in settings for part in ("-c", setting))],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Ctrl-C is for the command; the server stops when the command has ended.
            start_new_session=True,
            preexec_fn=lambda: end_with_parent(signal.SIGQUIT),
            **who,
        )
    try:
        wait_until_ready(postgres, programs, folder, log)
        subprocess.run([programs / "createdb", "-h", folder, "-U", OWNER, OWNER], check=True)
        yield f"postgres://{OWNER}@/{quote(str(folder))}/{OWNER}"
    finally:
        postgres.send_signal(signal.SIGQUIT)
        postgres.wait()


def wait_until_ready(postgres: subprocess.Popen[bytes], programs: Path, folder: Path, log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while subprocess.run([programs / "pg_isready", "-q", "-h", folder], check=False).returncode:
        if postgres.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"PostgreSQL did not start.\n{log.read_text(errors='replace')}")
        time.sleep(0.1)


def find_programs() -> Path:
    """The folder of the newest PostgreSQL; Debian keeps initdb and postgres out of the PATH."""
    versions = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    if versions:
        return max(versions, key=lambda path: int(path.parent.name) if path.parent.name.isdigit() else 0)
    initdb = shutil.which("initdb")
    if not initdb:
        sys.exit("PostgreSQL is not installed. On Debian or Ubuntu: sudo apt-get install postgresql")
    return Path(initdb).resolve().parent


def unprivileged_user(folder: Path) -> dict[str, Any]:
    """Arguments for `subprocess` that run PostgreSQL as somebody else when we are root, which it refuses to serve."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = names.get("postgres") or names["nobody"]
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


if __name__ == "__main__":
    if not sys.argv[1:]:
        sys.exit(__doc__)
    durable_asked = sys.argv[1] == "--durable"
    sys.exit(main(sys.argv[2 if durable_asked else 1 :], durable=durable_asked))

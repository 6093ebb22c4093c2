"""PostgreSQL as in earnest, for the chain: a primary that keeps what it has said, and replicas that follow it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from end_with_parent import end_with_parent
from throwaway_postgres import find_programs, unprivileged_user

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
PASSWORD, REPLICATION_PASSWORD = "chain-site", "chain-replica"
STARTS_WITHIN = 60  # seconds
# fsync, synchronous_commit and full_page_writes stay as they come: on.
SETTINGS = ("max_connections=60", "wal_keep_size=256MB", "wal_log_hints=on", "listen_addresses=127.0.0.1")


@dataclass
class Server:
    """One PostgreSQL on a port of this machine, with everything it has in `folder`."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.programs = find_programs()
        self.data = self.folder / "data"
        self.folder.mkdir(exist_ok=True)
        self.who = unprivileged_user(self.folder)
        self.environment = {
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "PGDATA": str(self.data),
            "PGHOST": str(self.folder),
            "PGPORT": str(self.port),
            "PGUSER": "postgres",
            "PGDATABASE": "postgres",
            "LC_ALL": "C.UTF-8",
            "DATABASE_PASSWORD": PASSWORD,
            "REPLICATION_PASSWORD": REPLICATION_PASSWORD,
            "ROLE_FILE": str(DEPLOY / "postgresql-role.sql"),
        }

    @property
    def url(self) -> str:
        """Straight to it, without a pooler."""
        return f"postgres://undersigned:{PASSWORD}@127.0.0.1:{self.port}/undersigned"

    def begin(self) -> None:
        """An empty database, with the roles that deploy/database.sh makes."""
        self.run(
            "initdb", "--username=postgres", "--auth-local=trust", "--auth-host=scram-sha-256", "-E", "UTF8"
        )
        self.start("postgres", *self.options())
        self.run("sh", str(DEPLOY / "database.sh"))
        self.run("pg_ctl", "reload")

    def follow(self, primary: "Server") -> None:
        """A replica of `primary`, by deploy/replica.sh."""
        self.environment["PRIMARY"] = (
            f"host=127.0.0.1 port={primary.port} user=replicator application_name=replica"
        )
        self.start("sh", str(DEPLOY / "replica.sh"), *self.options())

    def options(self) -> list[str]:
        settings = (*SETTINGS, f"port={self.port}", f"unix_socket_directories={self.folder}")
        return [part for setting in settings for part in ("-c", setting)]

    def start(self, *command: str) -> None:
        log = self.folder / "log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=lambda: end_with_parent(signal.SIGQUIT),
                **self.who,
            )
        wait_until(self.is_ready, f"PostgreSQL did not start; its log ends with\n{tail(log)}")

    def is_ready(self) -> bool:
        done = subprocess.run(["pg_isready", "--quiet"], env=self.environment, check=False, **self.who)
        return done.returncode == 0

    def run(self, *command: str) -> str:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            **self.who,
        )
        if done.returncode:
            sys.exit(f"{command[0]} failed.\n{done.stdout}{done.stderr}")
        return done.stdout

    def ask(self, statement: str) -> str:
        return self.run("psql", "--quiet", "--no-align", "--tuples-only", f"--command={statement}").strip()

    def wait_for_the_replica(self) -> None:
        """From now on nothing is acknowledged that the replica has not written down as well."""
        self.ask("ALTER SYSTEM SET synchronous_standby_names = 'replica'")
        self.ask("SELECT pg_reload_conf()")
        wait_until(
            lambda: self.ask("SELECT sync_state FROM pg_stat_replication") == "sync",
            "The replica did not become synchronous.",
        )

    def processes(self) -> list[int]:
        """The server and all its children, each of which leads a group of its own."""
        if self.process is None:
            return []
        return family(self.process.pid)

    def signal_all(self, what: signal.Signals) -> None:
        for pid in self.processes():
            try:
                os.kill(pid, what)
            except ProcessLookupError:
                pass

    def kill(self) -> None:
        """As if the machine had lost its power: nobody gets to say goodbye."""
        self.signal_all(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def promote(self) -> None:
        """The replica becomes a primary; returns as soon as it takes writes."""
        self.run("pg_ctl", "promote", "--wait")

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.signal_all(signal.SIGCONT)
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()


def parents() -> dict[int, int]:
    """Each process of this machine with its parent."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name stands in brackets and may hold blanks and brackets.
            found[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
    return found


def family(pid: int) -> list[int]:
    """A process with all that descend from it."""
    children: dict[int, list[int]] = {}
    for child, parent in parents().items():
        children.setdefault(parent, []).append(child)
    found = [pid]
    for member in found:
        found.extend(children.get(member, ()))
    return found


def cpu_seconds(pids: list[int]) -> float:
    """What these processes have used up to now; those that are gone count as nothing."""
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])  # utime and stime, proc(5)
    return ticks / os.sysconf("SC_CLK_TCK")


def wait_until(condition: Callable[[], bool], otherwise: str, within: float = STARTS_WITHIN) -> None:
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(otherwise)
        time.sleep(0.05)


def tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-20:])

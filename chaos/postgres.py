"""A PostgreSQL of one's own that can be stopped, killed, frozen and brought back."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg2
from end_with_parent import end_with_parent
from throwaway_postgres import OWNER, find_programs, unprivileged_user

from chaos.waiting import eventually, free_port

STARTS_WITHIN = 60  # seconds, with a crash to recover from


class Postgres:
    """Listens on loopback only. What it has acknowledged is on the disk: no setting of durability is touched."""

    def __init__(self, folder: Path, *, like: "Postgres | None" = None) -> None:
        self.folder = folder
        self.data, self.log = folder / "data", folder / "postgres.log"
        self.programs = find_programs()
        self.who = unprivileged_user(folder)
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        if like is None:
            self.run("initdb", "-D", self.data, "-U", OWNER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        else:
            shutil.copytree(like.data, self.data, copy_function=shutil.copy2)
            subprocess.run(["chown", "-R", f"--reference={folder}", str(self.data)], check=True)

    def run(self, program: str, *arguments: object) -> None:
        subprocess.run(
            [self.programs / program, *map(str, arguments)],
            cwd=self.folder,
            check=True,
            capture_output=True,
            **self.who,
        )

    def url(self, port: int | None = None) -> str:
        return f"postgres://{OWNER}@127.0.0.1:{port or self.port}/{OWNER}"

    def start(self, **settings: object) -> None:
        """Returns when it takes connections. A killed one is waited for until its last process is gone."""
        deadline = time.monotonic() + STARTS_WITHIN
        while True:
            self.launch(**settings)
            while self.process is not None and self.process.poll() is None:
                if self.answers():
                    return
                assert time.monotonic() < deadline, self.log.read_text(errors="replace")[-3000:]
                time.sleep(0.05)
            assert time.monotonic() < deadline, self.log.read_text(errors="replace")[-3000:]
            time.sleep(0.2)

    def launch(self, **settings: object) -> None:
        given = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 60,
            **settings,
        }
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [
                    self.programs / "postgres",
                    "-D",
                    self.data,
                    *(part for name, value in given.items() for part in ("-c", f"{name}={value}")),
                ],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=lambda: end_with_parent(signal.SIGQUIT),
                **self.who,
            )

    def answers(self) -> bool:
        ready = [self.programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(ready, check=False).returncode == 0

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """SIGQUIT is what an impatient administrator does, SIGINT what a patient one does, SIGKILL what the kernel does."""
        if self.process is not None:
            self.thaw()
            self.process.send_signal(how)
            self.process.wait(STARTS_WITHIN)
            self.process = None

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def kill_a_backend(self) -> None:
        """The server then ends all others, recovers and goes on by itself."""
        try:
            rows = self.query("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'")
        except psycopg2.OperationalError:
            return
        for (pid,) in rows[:1]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it had just ended

    def freeze(self) -> None:
        """Connections stay open, the kernel goes on acknowledging, and nobody answers."""
        for pid in self.pids():
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        for pid in self.pids():
            os.kill(pid, signal.SIGCONT)

    def pids(self) -> list[int]:
        """The postmaster first: it could not start any other then."""
        if self.process is None or self.process.poll() is not None:
            return []
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [self.process.pid, *map(int, children)]

    def query(self, statement: str, *params: object) -> list[tuple]:
        """Runs one statement, in a connection that is none of the site's."""
        connection = psycopg2.connect(self.url(), connect_timeout=5)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, params or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def wait_until(self, statement: str, *params: object, within: float = 60) -> None:
        """Until `statement` says true."""
        eventually(lambda: self.query(statement, *params)[0][0], within=within)

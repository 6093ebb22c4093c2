"""The site as it runs in earnest: gunicorn as shipped and the worker, brought back by what stands for systemd."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from end_with_parent import end_with_parent

from chaos.http import get
from chaos.waiting import SOON, eventually, free_port

ROOT = Path(__file__).resolve().parents[1]
RESTARTED_AFTER = 2  # seconds, as deploy/*.service say
STARTS_WITHIN = 120  # also on a machine that has much else to do
SLUG = "riverton"


class Service:
    """A process that is started again whenever it ends, with nothing of it left behind (`KillMode=mixed`)."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str], log: Path) -> None:
        self.name, self.command, self.environment, self.log = name, command, environment, log
        self.starts = 0
        self._ending = threading.Event()
        self._start()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def _start(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=lambda: end_with_parent(signal.SIGTERM),
            )
        self.starts += 1

    def _watch(self) -> None:
        while not self._ending.is_set():
            self.process.wait()
            self.sweep()
            if self._ending.wait(RESTARTED_AFTER):
                return
            self._start()

    def sweep(self) -> None:
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def children(self) -> list[int]:
        try:
            text = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        except FileNotFoundError:
            return []
        return [int(pid) for pid in text.split()]

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> None:
        self._ending.set()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(SOON)
        except subprocess.TimeoutExpired:
            pass  # asked politely
        self.sweep()
        self._watcher.join(SOON)

    def said(self) -> str:
        return self.log.read_text(errors="replace")


class Site:
    """Web server and worker on one database. `environment` replaces single settings."""

    def __init__(self, folder: Path, database_url: str, *, smtp_port: int = 9, **environment: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": database_url,
            "EMAIL_URL": f"smtp://127.0.0.1:{smtp_port}",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "PYTHONUNBUFFERED": "1",
            **environment,
        }
        self.services: list[Service] = []

    def __enter__(self) -> "Site":
        return self

    def __exit__(self, *error: object) -> None:
        for service in self.services:
            service.end()

    def start_web(self, **environment: str) -> Service:
        command = [sys.executable, "-m", "gunicorn", "config.wsgi"]
        web = self._start("web", command, environment)
        eventually(lambda: get(self.port, "/healthz", timeout=5).status == 200, within=STARTS_WITHIN)
        return web

    def start_worker(self, *arguments: str, **environment: str) -> Service:
        return self._start("worker", [sys.executable, "manage.py", "work", *arguments], environment)

    def _start(self, name: str, command: list[str], environment: dict[str, str]) -> Service:
        log = self.folder / f"{name}.log"
        self.services.append(Service(name, command, {**self.environment, **environment}, log))
        return self.services[-1]

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def python(self, program: str) -> str:
        """Runs `program` with Django set up on the site's database."""
        done = subprocess.run(
            [sys.executable, "-c", "import django; django.setup()\n" + program],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ready(self) -> bool:
        return get(self.port, "/readyz", timeout=10).status == 200

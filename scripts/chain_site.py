"""Everything between a visitor and PostgreSQL, as deploy/ has it: nginx, two web servers, two workers, PgBouncer."""

import os
import re
import secrets
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chain_postgres import DEPLOY, PASSWORD, ROOT, Server, tail, wait_until
from end_with_parent import end_with_parent
from throwaway_postgres import unprivileged_user

HOST = "petitions.example.org"
PROCESSES = 2  # of each web server


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@dataclass
class Program:
    """Something that runs in a group of its own, with its log in `folder`; `who` are arguments for subprocess."""

    name: str
    folder: Path
    command: list[str]
    environment: dict[str, str]
    port: int = 0
    who: dict[str, Any] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        log = self.folder / f"{self.name}.log"
        # Each is a machine of its own.
        environment = self.environment | {"VAR_DIR": str(self.folder / f"{self.name}-var"), "METRICS_DIR": ""}
        with log.open("ab") as output:
            self.process = process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=end_with_parent,
                **self.who,
            )
        if self.port:
            wait_until(
                lambda: process.poll() is not None or listens(self.port),
                f"{self.name} did not start: {tail(log)}",
            )
        if process.poll() is not None:
            sys.exit(f"{self.name} ended at once: {tail(log)}")

    def kill(self) -> None:
        """The program and all its processes, without a farewell."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self.kill()


class Pooler(Program):
    """PgBouncer with the settings of deploy/pgbouncer.ini."""

    def __init__(self, folder: Path, primary: Server) -> None:
        folder.mkdir()
        port = free_port()
        self.ini = folder / "pgbouncer.ini"
        self.own_port = port
        self.home = folder
        (folder / "userlist.txt").write_text(f'"undersigned" "{PASSWORD}"\n')
        self.write(primary)
        super().__init__(
            "pgbouncer",
            folder,
            ["pgbouncer", str(self.ini)],
            dict(os.environ),
            port,
            unprivileged_user(folder),
        )

    @property
    def url(self) -> str:
        return f"postgres://undersigned:{PASSWORD}@127.0.0.1:{self.own_port}/undersigned"

    def write(self, primary: Server) -> None:
        """What has to be changed for this machine, and nothing else."""
        text = (DEPLOY / "pgbouncer.ini").read_text()
        for what, by in {
            r"^undersigned = host=\S+ port=\d+": f"undersigned = host=127.0.0.1 port={primary.port}",
            r"^listen_addr = .*": "listen_addr = 127.0.0.1",
            r"^listen_port = .*": f"listen_port = {self.own_port}",
            r"^unix_socket_dir = .*": f"unix_socket_dir = {self.home}",
            r"^auth_file = .*": f"auth_file = {self.home / 'userlist.txt'}",
        }.items():
            text, replaced = re.subn(what, by, text, flags=re.MULTILINE)
            if replaced != 1:
                sys.exit(f"deploy/pgbouncer.ini has changed: {what} is there {replaced} times.")
        self.ini.write_text(text)

    def lead_to(self, primary: Server) -> None:
        """What an operator does after a failover: another host in the file, and a reload."""
        self.write(primary)
        if self.process is not None:
            self.process.send_signal(signal.SIGHUP)


def site_environment(database_url: str, *, mail_port: int, pooled: bool = True) -> dict[str, str]:
    """A production site behind nginx on this machine."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": str(ROOT),
        "DEBUG": "off",
        "SECRET_KEY": "a-key-for-the-chain-only-which-is-long-enough-to-be-accepted",
        "SITE_URL": f"https://{HOST}",
        "ALLOWED_HOSTS": HOST,
        "TRUSTED_PROXIES": "127.0.0.1",
        "DATABASE_URL": database_url,
        "DATABASE_POOLER": "transaction" if pooled else "",
        "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}",
        "EMAIL_PROVIDER": "",
        "BOUNCE_ADDRESS": "",
        "BOUNCE_MAILBOX": "",
        "TIME_ZONE": "UTC",
        "HOST": "127.0.0.1",
        "WEB_CONCURRENCY": str(PROCESSES),
        "WEB_THREADS": "1",
    }


def manage(environment: dict[str, str], *command: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"manage.py {command[0]} failed.\n{done.stdout}{done.stderr}")


def web_server(name: str, folder: Path, environment: dict[str, str]) -> Program:
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "config.wsgi"]
    return Program(name, folder, command, environment | {"PORT": str(port)}, port)


def worker(name: str, folder: Path, environment: dict[str, str]) -> Program:
    return Program(name, folder, [sys.executable, "manage.py", "work"], environment)


def front(folder: Path, hosts: tuple[Program, Program]) -> Program:
    """nginx with deploy/nginx.conf and the two hosts of deploy/nginx-two-hosts.conf."""
    folder.mkdir()
    make_certificate(folder)
    port = free_port()
    site = subprocess.run(
        ["sh", DEPLOY / "front.sh", HOST], capture_output=True, text=True, check=True
    ).stdout
    for address, host in zip(("10.87.0.11:8000", "10.87.0.12:8000"), hosts, strict=True):
        site = site.replace(address, f"127.0.0.1:{host.port}")
    site = re.sub(r"(?m)^\s*listen \[::\].*$", "", site)
    site = re.sub(r"listen 80\b", f"listen 127.0.0.1:{free_port()}", site)
    site = re.sub(r"listen 443\b", f"listen 127.0.0.1:{port}", site)
    for place in ("/etc/ssl/undersigned", "/var/cache/nginx/undersigned", "/var/log/nginx"):
        site = site.replace(place, str(folder))
    site = site.replace("/srv/undersigned/", f"{ROOT}/")
    # As Debian's own nginx.conf does around the sites.
    temporary = "".join(
        f"    {kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"{'user root;' if os.geteuid() == 0 else ''}\n"
        f"worker_processes 2;\npid {folder}/nginx.pid;\nevents {{ worker_connections 768; }}\n"
        f"http {{\n    include /etc/nginx/mime.types;\n{temporary}{site}}}\n"
    )
    command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
    return Program("nginx", folder, command, dict(os.environ), port)


def make_certificate(folder: Path) -> None:
    made = subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2",
            "-subj", f"/CN={HOST}", "-set_serial", str(secrets.randbits(60)),
            "-addext", f"subjectAltName=DNS:{HOST}",
            "-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem",
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode:
        sys.exit(f"openssl made no certificate.\n{made.stderr}")

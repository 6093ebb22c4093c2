"""What stands between two programs: a line that can go dead, and nginx as we ship it."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from chaos.http import get
from chaos.site import ROOT
from chaos.waiting import eventually, free_port

# Debian keeps nginx out of the path of an ordinary user.
PATHS = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}


class Line:
    """Passes TCP connections on to `port`, until it is `dead`: then it takes bytes, and nothing comes of them."""

    def __init__(self, port: int) -> None:
        self.to = port
        self.alive = threading.Event()
        self.alive.set()
        self._listen(0)

    def _listen(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=256)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *error: object) -> None:
        self.alive.set()
        self.refuses()

    def refuses(self) -> None:
        """Nobody listens."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes who waits for a connection
        self._listener.close()

    def takes_again(self) -> None:
        if self._listener.fileno() == -1:
            self._listen(self.port)

    def dies(self) -> None:
        self.alive.clear()

    def comes_back(self) -> None:
        self.alive.set()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                here, _ = listener.accept()
                threading.Thread(target=self._connect, args=(here,), daemon=True).start()

    def _connect(self, here: socket.socket) -> None:
        self.alive.wait()
        try:
            there = socket.create_connection(("127.0.0.1", self.to))
        except OSError:
            here.close()
            return
        with here, there:
            other_way = threading.Thread(target=self._pass_on, args=(here, there), daemon=True)
            other_way.start()
            self._pass_on(there, here)
            other_way.join()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self.alive.wait()
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def nginx(folder: Path, upstream: int) -> Iterator[int]:
    """nginx with deploy/nginx.conf, on plain http and without the redirect to https; yields its port."""
    port = free_port()
    shipped = (ROOT / "deploy/nginx.conf").read_text()
    shipped = shipped.replace("/var/cache/nginx/undersigned", str(folder / "cache"))
    shipped = shipped.replace("127.0.0.1:8000", f"127.0.0.1:{upstream}").replace("$scheme", "http")
    # The first server only leads to https.
    before, _redirect, after = re.split(r"(?m)^server \{", shipped, maxsplit=2)
    after = re.sub(r"(?m)^    listen 443 .*$", f"    listen 127.0.0.1:{port} backlog=1024;", after)
    after = re.sub(r"(?m)^    (listen \[::\]:443|ssl_\w+|http2) .*\n", "", after)
    after = after.replace("petitions.example.org", "testserver")
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; worker_processes 2;\n"
        f"{'user root;' if os.geteuid() == 0 else ''}\n"
        f"events {{ worker_connections 2048; }}\nhttp {{\n"
        f"client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;\n"
        f"uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n{before}server {{{after}\n}}\n"
    )
    process = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(configuration)], env=PATHS)
    try:
        eventually(lambda: get(port, "/healthz").status == 200)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)

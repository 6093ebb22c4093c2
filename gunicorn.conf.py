"""How gunicorn serves: `gunicorn config.wsgi` needs no options."""

import logging
import multiprocessing
from pathlib import Path
from typing import Any

import environ

env = environ.Env()
environ.Env.read_env(Path(__file__).with_name(".env"))

_host = env.str("HOST", default="127.0.0.1")
_port = env.int("PORT", default=8000)
bind = f"[{_host}]:{_port}" if ":" in _host else f"{_host}:{_port}"

# Behind a buffering proxy: sync workers, two a core. Facing visitors directly, where a slow one would hold a whole
# worker, threads: WEB_THREADS above 1 makes gunicorn take its threaded worker.
workers = env.int("WEB_CONCURRENCY", default=2 * multiprocessing.cpu_count())
threads = env.int("WEB_THREADS", default=1)
timeout = 30
graceful_timeout = 20
keepalive = 5
# The heartbeats of workers must not wait for a disk.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 (gunicorn makes an unlinked file there)

# Ours are far below these; what is above is no visitor of ours.
limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190

# Headers of proxies are judged in one place, config.middleware. Left to itself gunicorn would believe some of them
# from loopback, and all of them on a Unix socket.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""

# No access log: our addresses hold tokens that act for a person. The proxy in front can count requests.
accesslog = None
errorlog = "-"

# gunicorn 27 opens a socket for remote control in the home directory; nothing here uses it.
control_socket_disable = True


def on_starting(server: Any) -> None:
    """Keeps tokens and addresses out of gunicorn's own messages too; workers inherit this."""
    from toolkit.log_privacy import JsonLines, WithoutSecrets

    server.log.error_log.addFilter(WithoutSecrets())
    if env.str("LOG_FORMAT", default="text").strip().lower() == "json":
        for handler in server.log.error_log.handlers:
            handler.setFormatter(JsonLines())
    # Django answers HEAD with a body and leaves it to the server to drop that; not worth a warning each time.
    logging.getLogger("gunicorn.http.wsgi").setLevel(logging.ERROR)

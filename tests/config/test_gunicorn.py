"""The web server's defaults."""

import runpy
from pathlib import Path

import pytest
from gunicorn.config import Config

FILE = Path(__file__).resolve().parents[2] / "gunicorn.conf.py"


@pytest.fixture
def configured(monkeypatch):
    """`configured(HOST="::1")` is gunicorn's configuration, read in that environment."""

    def configure(**environment):
        for name in ("HOST", "PORT", "WEB_CONCURRENCY", "WEB_THREADS"):
            monkeypatch.setenv(name, environment.get(name, ""))
            if name not in environment:
                monkeypatch.delenv(name)
        config = Config()
        for name, value in runpy.run_path(str(FILE)).items():
            if name in config.settings:
                config.set(name, value)
        return config

    return configure


def test_gunicorn_knows_every_setting():
    ours = {name for name, value in runpy.run_path(str(FILE)).items() if not name.startswith("_")}

    assert ours - set(Config().settings) == {"Any", "Path", "env", "environ", "logging", "multiprocessing"}


def test_headers_of_proxies_are_left_to_the_application(configured):
    config = configured()

    assert config.settings["forwarded_allow_ips"].get() == []
    assert config.settings["secure_scheme_headers"].get() == {}
    assert config.settings["forwarder_headers"].get() == []


def test_requests_are_not_logged_since_addresses_hold_tokens(configured):
    assert configured().accesslog is None


def test_no_socket_for_remote_control(configured):
    assert configured().control_socket_disable is True


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({}, ("127.0.0.1", 8000)),
        ({"HOST": "0.0.0.0", "PORT": "9000"}, ("0.0.0.0", 9000)),
        ({"HOST": "::1"}, ("::1", 8000)),
    ],
)
def test_listens_where_host_and_port_say(configured, environment, address):
    assert configured(**environment).address == [address]


@pytest.mark.parametrize(("threads", "worker"), [("1", "sync"), ("8", "gthread")])
def test_threads_choose_the_threaded_worker(configured, threads, worker):
    assert configured(WEB_THREADS=threads).worker_class_str == worker

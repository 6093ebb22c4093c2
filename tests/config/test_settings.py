"""A wrong setting stops the start with one line that names the variable."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GOOD = {
    "SECRET_KEY": "invented-for-this-test-and-long-enough-to-pass-0123456789",
    "SITE_URL": "https://petitions.example.org",
    "ALLOWED_HOSTS": "petitions.example.org",
    "DATABASE_URL": "sqlite://:memory:",
    "EMAIL_URL": "smtp://mail.example.org:25",
}


def start(**changes: str | None) -> subprocess.CompletedProcess[str]:
    """Runs `check --deploy` in a process of its own, with the environment of a documented production site."""
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    environment |= {name: value for name, value in (GOOD | changes).items() if value is not None}
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_documented_production_settings_are_silent() -> None:
    run = start()

    assert run.returncode == 0, run.stderr
    assert "no issues (0 silenced)" in run.stdout


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", None),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "change-me-change-me-change-me-change-me-change-me"),
        ("SITE_URL", None),
        ("SITE_URL", "petitions.example.org"),
        ("SITE_URL", "https://petitions.example.org/path"),
        ("ALLOWED_HOSTS", "*"),
        ("ALLOWED_HOSTS", "petitions.example.org,*"),
        ("DATABASE_URL", "mysql://root@localhost/x"),
        ("DATABASE_URL", "nonsense"),
        ("EMAIL_URL", "carrier-pigeon://home"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,everybody"),
        ("DEBUG", "perhaps"),
        ("TIME_ZONE", "Mars/Olympus"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_line(name: str, value: str | None) -> None:
    run = start(**{name: value})

    assert run.returncode != 0
    lines = run.stderr.strip().splitlines()
    assert len(lines) == 1, run.stderr
    assert name in lines[0]
    if value:
        assert "invented-for-this-test" not in run.stderr

"""What every fault is played on: a PostgreSQL with one open petition, and the site on it."""

import itertools
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from throwaway_postgres import OWNER

from chaos.postgres import Postgres
from chaos.site import SLUG, Site

SEED = f"""
from datetime import timedelta
from django.utils import timezone
from tests.factories import make_petition
from fraud.rules import switch_all
make_petition(at=timezone.now() - timedelta(days=2), slug={SLUG!r}, confirmation="afterwards")
# Hundreds of one name, domain and network within a minute: that is what the rules about bursts are there for.
switch_all(on=False)
"""

figures: list[str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--signatures", type=int, default=2000, help="how many the killing takes in all (20000)")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if figures:
        terminalreporter.section("figures")
        for line in figures:
            terminalreporter.write_line(line)


@pytest.fixture
def note(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Keeps a figure for the end of the run."""
    return lambda line: figures.append(f"{request.node.name}: {line}")


@pytest.fixture(scope="session")
def folders() -> Iterator[Callable[[], Path]]:
    """Makes short folders that an unprivileged user can reach."""
    root = Path(tempfile.mkdtemp(prefix="undersigned-chaos-", dir="/tmp"))
    root.chmod(0o755)
    numbers = itertools.count()

    def make() -> Path:
        folder = root / str(next(numbers))
        folder.mkdir()
        return folder

    yield make
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="session")
def template(folders: Callable[[], Path]) -> Postgres:
    """A stopped server with everything in it, for copying."""
    postgres = Postgres(folders())
    postgres.start()
    postgres.run("createdb", "-h", "127.0.0.1", "-p", postgres.port, "-U", OWNER, OWNER)
    with Site(folders(), postgres.url()) as site:
        site.manage("migrate", "--verbosity=0")
        site.manage("collectstatic", "--no-input", "--verbosity=0")
        site.python(SEED)
    postgres.stop(signal.SIGINT)
    return postgres


@pytest.fixture
def postgres(folders: Callable[[], Path], template: Postgres) -> Iterator[Postgres]:
    server = Postgres(folders(), like=template)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(server.folder, ignore_errors=True)


@pytest.fixture
def site(folders: Callable[[], Path], postgres: Postgres) -> Iterator[Site]:
    """Nothing of it runs yet."""
    with Site(folders(), postgres.url()) as site:
        yield site


@pytest.fixture
def small_disk(folders: Callable[[], Path]) -> Iterator[Path]:
    """A disk of 200 MB."""
    folder = folders()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200m,mode=0755", "tmpfs", str(folder)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)

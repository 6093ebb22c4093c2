"""Fixtures and safeguards for every test."""

import math
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings as django_settings

# No deadline: how long an example takes says something about the machine. The same examples on every run.
hypothesis.settings.register_profile("suite", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("suite")


def pytest_configure() -> None:
    # Hashing passwords slowly protects real ones; these are only in the way.
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Most tests do without collecting static files first; the browser's do collect them.
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    django_settings.STORAGES = {**django_settings.STORAGES, "staticfiles": plain}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)
    if django_settings.DATABASES["default"]["ENGINE"].endswith("postgresql"):
        # What asks no database has been seen on SQLite.
        asking = [item for item in items if asks_database(item)]
        config.hook.pytest_deselected(items=[item for item in items if not asks_database(item)])
        items[:] = asking


def asks_database(item: pytest.Item) -> bool:
    """Whether another database may answer it differently."""
    if item.get_closest_marker("one_database") is not None:
        return False
    names = set(getattr(item, "fixturenames", ()))
    return item.get_closest_marker("django_db") is not None or not names.isdisjoint(
        {"db", "transactional_db", "django_db_setup", "live_server", "admin_client"}
    )


@pytest.fixture(scope="session", autouse=True)
def static_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder, since WhiteNoise warns about a missing one. Other files of the site go elsewhere, too."""
    django_settings.VAR_DIR = tmp_path_factory.mktemp("var")
    django_settings.STATIC_ROOT = tmp_path_factory.mktemp("static")
    return Path(django_settings.STATIC_ROOT)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """SQLite in a file, as it is used in earnest: a database in memory knows neither WAL nor several connections."""
    database = django_settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite"):
        database.setdefault("TEST", {})["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(autouse=True)
def everything_is_on() -> None:
    """A process asks for the site's state once a second: a query that must not turn up in whatever test is running."""
    from staff import site_state  # settings must be ready first

    site_state.remember(site_state.Notice(), for_seconds=math.inf)


@pytest.fixture(autouse=True)
def networks_have_keys() -> None:
    """The same for the keys with which visitors' networks are hashed, asked for once a minute."""
    from django.utils import timezone

    from signers import networks
    from tests.factories import NOW

    weeks = {networks.week_of(NOW), networks.week_of(timezone.now())}
    networks.known = networks.Known(keys=dict.fromkeys(weeks, b"a key for tests"), good_until=math.inf)


@pytest.fixture(autouse=True)
def rows_are_numbered_from_one() -> None:
    """A number that comes from another test's rows could be the very one a test must not find."""
    from tests import factories  # settings must be ready first

    factories.number_anew()


@pytest.fixture(autouse=True)
def nothing_is_remembered() -> None:
    """A process remembers for a second what a petition asks for; each test has petitions of its own."""
    from signers import taking  # settings must be ready first

    taking.forget()

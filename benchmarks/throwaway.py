"""A database of its own for a benchmark: made for it, migrated, and gone afterwards."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Like tests.environment: what a shell or a .env file says must not change what is measured, but for the database.
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "DEBUG": "off",
    "SECRET_KEY": "a-key-for-benchmarks-only-which-is-long-enough-to-be-accepted",
    "SITE_URL": "http://testserver",
    "ALLOWED_HOSTS": "testserver",
    "EMAIL_URL": "memorymail://",
    "TIME_ZONE": "UTC",
}


@contextmanager
def database() -> Iterator[str]:
    """Sets Django up with an empty, migrated database beside the one of DATABASE_URL (SQLite without it).

    Import models only inside it. Yields the database's name for people. A benchmark that renders pages calls
    `collectstatic` first.
    """
    with tempfile.TemporaryDirectory(prefix="undersigned-bench-") as folder:
        file = Path(folder) / "bench.sqlite3"
        url = os.environ.get("DATABASE_URL") or f"sqlite:///{file}"
        os.environ.update(ENVIRONMENT, DATABASE_URL=url)
        import django
        from django.conf import settings
        from django.db import connection

        django.setup()
        settings.STATIC_ROOT = Path(folder) / "static"
        if connection.vendor == "sqlite":
            # A file, as in earnest; a database in memory is another thing.
            connection.settings_dict["TEST"]["NAME"] = str(file)
        own = connection.settings_dict["NAME"]
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            yield {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(connection.vendor, connection.vendor)
        finally:
            connection.creation.destroy_test_db(own, verbosity=0)

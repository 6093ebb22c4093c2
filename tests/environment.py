"""The environment of the tests: loaded as a pytest plugin, before anything reads the settings.

What a shell or a .env file says must not change what is tested; only DATABASE_URL chooses the database.
"""

import os
import tempfile
from pathlib import Path

os.environ.update(
    DEBUG="off",
    SECRET_KEY="a-key-for-tests-only-which-is-long-enough-to-be-accepted",
    SECRET_KEY_FALLBACKS="",
    SITE_URL="http://testserver",
    ALLOWED_HOSTS="testserver,localhost,127.0.0.1",
    TRUSTED_PROXIES="",
    EMAIL_URL="memorymail://",
    DEFAULT_FROM_EMAIL="petitions@testserver.example",
    EMAIL_PROVIDER="",
    ALERTS_TO="",
    BOUNCE_ADDRESS="",
    BOUNCE_MAILBOX="",
    TIME_ZONE="UTC",
    PAGE_FRONT="on",
    METRICS_TOKEN="",
    METRICS_DIR="",
    WORKER_METRICS="",
    LOG_FORMAT="text",
    SENTRY_DSN="",
    # Set by `scripts/throwaway_postgres.py`. Without it SQLite; `tests/conftest.py` puts the file elsewhere.
    DATABASE_URL=os.environ.get("DATABASE_URL")
    or f"sqlite:///{Path(tempfile.gettempdir()) / 'never-made.sqlite3'}",
)

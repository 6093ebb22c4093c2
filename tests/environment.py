"""The environment of the tests: loaded as a pytest plugin, before anything reads the settings.

What a shell or a .env file says must not change what is tested; only DATABASE_URL chooses the database.
"""

import os

os.environ.update(
    DEBUG="off",
    SECRET_KEY="a-key-for-tests-only-which-is-long-enough-to-be-accepted",
    SECRET_KEY_FALLBACKS="",
    SITE_URL="http://testserver",
    ALLOWED_HOSTS="testserver,localhost,127.0.0.1",
    TRUSTED_PROXIES="",
    EMAIL_URL="memorymail://",
    DEFAULT_FROM_EMAIL="petitions@testserver.example",
    TIME_ZONE="UTC",
    # Set by `scripts/throwaway_postgres.py`; without it, SQLite in a file that `tests/conftest.py` chooses.
    DATABASE_URL=os.environ.get("DATABASE_URL") or "sqlite://:memory:",
)

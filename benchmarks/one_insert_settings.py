"""The site's settings, for a project that has one view."""

from benchmarks.served_settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.one_insert"

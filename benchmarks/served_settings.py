"""The settings of web servers that benchmarks start: as shipped, with static files where they were collected."""

import os
from pathlib import Path

from config.settings import *  # noqa: F403 (nothing but one setting differs)

STATIC_ROOT = Path(os.environ["BENCHMARK_STATIC_ROOT"])

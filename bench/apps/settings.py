"""The project's settings and middleware, unchanged, with the addresses of the benchmark."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "bench.apps.urls"

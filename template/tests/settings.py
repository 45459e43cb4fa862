"""The project's settings, for tests: they run with nothing set in the environment."""

import os

os.environ["DEBUG"] = "true"

from config.settings import *  # noqa: E402, F403

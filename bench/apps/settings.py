"""The project's settings and middleware, unchanged, with the addresses of the benchmark.

Without the fast path Channels' own layer is taken, so that it is all Django's and Channels' own way.
"""

from config import settings
from config.settings import *  # noqa: F403

ROOT_URLCONF = "bench.apps.urls"
if not getattr(settings, "FASTPATH", True) and settings.CHANNEL_LAYER == "core":
    settings.CHANNEL_LAYERS["default"]["BACKEND"] = "channels_redis.core.RedisChannelLayer"

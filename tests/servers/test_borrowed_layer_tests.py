"""The tests that channels_redis has of its layers pass with ours in their place."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fastpath.conftest import source_of
from tests.servers.processes import Redis
from tests.servers.table import ASGI, Row


def borrow(project: Path, redis: Redis, file: Path, theirs: str, ours: str) -> None:
    """Write a file of those tests to `file`, with our class where they test theirs, for this Redis."""
    text = (source_of(project, "channels_redis") / "tests" / file.name).read_text()
    text = re.sub(rf"from channels_redis\.\w+ import (.*, )?{theirs}\n", rf"from config.layers import {ours}\n", text)
    text = re.sub(rf"\b{theirs}\((?!\s*hosts)", f"{ours}(hosts=TEST_HOSTS, ", text)
    text = text.replace(f"{theirs}(", f"{ours}(").replace("localhost:6379", f"127.0.0.1:{redis.port}")
    text = re.sub(r"\bChannelFull\b", "channels.exceptions.ChannelFull", text)
    # asyncio has by now what an old Python took from elsewhere.
    text = text.replace("import async_timeout\n", "import channels.exceptions\n").replace("async_timeout.", "asyncio.")
    file.write_text(text)


# The file of those tests, the class that they test, ours, and what is not so with ours.
LAYERS = {
    "core": (
        "RedisChannelLayer",
        "CoreLayer",
        [
            # A channel of another process is refused with another exception: ValueError.
            "test_reject_bad_client_prefix",
            # They want what is over capacity to be dropped in silence; ours tells whoever missed it.
            "test_group_send_capacity",
            "test_group_send_capacity_multiple_channels",
        ],
    ),
    # It wants a consumer to go on after Redis was lost, and to miss what was said meanwhile.
    "pubsub": ("RedisPubSubChannelLayer", "PubSubLayer", ["test_auto_reconnect"]),
}


@pytest.mark.parametrize("name", LAYERS)
def test_channels_redis_own_tests_pass(
    projects: Callable[[Row], Path], redis: Redis, tmp_path: Path, name: str
) -> None:
    project, file = projects(ASGI[0]), tmp_path / f"test_{name}.py"
    theirs, ours, other = LAYERS[name]
    borrow(project, redis, file, theirs, ours)
    options = ["-q", "-p", "no:django", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto", "-c", "/dev/null"]
    done = subprocess.run(
        [project / ".venv/bin/python", "-m", "pytest", *options, "--rootdir", tmp_path, file],
        cwd=tmp_path, env={"PYTHONPATH": str(project)}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert re.findall(r"^(?:FAILED|ERROR) \S+::(\w+)", done.stdout, re.MULTILINE) == other, done.stdout
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed, done.stdout
    assert int(passed[1]) >= 16

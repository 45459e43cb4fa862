"""The tests that channels_redis has of its layers pass with ours."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fastpath.conftest import source_of
from tests.servers.processes import Redis
from tests.servers.table import ASGI, Row

# Of whom, the class that is tested there, and ours.
LAYERS = [("core", "RedisChannelLayer", "CoreLayer"), ("pubsub", "RedisPubSubChannelLayer", "PubSubLayer")]
# What is not so with ours, and why it need not be.
OTHER = {
    "core": {
        # It reads a buffer that ours has not: what waits for a consumer is in its Inbox, where it is told of what it missed.
        "test_receive_buffer_respects_capacity",
    },
    "pubsub": set(),
}


@pytest.fixture
def folder(projects: Callable[[Row], Path], tmp_path: Path, redis: Redis) -> Callable[[str, str, str], Path]:
    """Copy a file of those tests, for this test's Redis, with another class in the place of the one it tests."""

    def copy(name: str, theirs: str, ours: str) -> Path:
        source = source_of(projects(ASGI[0]), "channels_redis") / "tests" / f"test_{name}.py"
        text = source.read_text().replace("localhost:6379", f"127.0.0.1:{redis.port}")
        text = re.sub(rf"{theirs}\((?!hosts)", f"{theirs}(hosts=TEST_HOSTS, ", text)
        # For an old Python; asyncio has the same.
        text = text.replace("import async_timeout\n", "").replace("async_timeout.timeout", "asyncio.timeout")
        if ours != theirs:
            text = text.replace("import asyncio\n", f"import asyncio\nfrom config.layers import {ours} as {theirs}\n", 1)
            text = re.sub(rf"(from channels_redis\.\w+ import .*?),? ?\b{theirs}\b", r"\1", text)
            text = re.sub(r"from channels_redis\.\w+ import *\n", "", text)
        (tmp_path / f"test_{ours}.py").write_text(text)
        return tmp_path / f"test_{ours}.py"

    return copy


def outcomes(project: Path, file: Path) -> dict[str, str]:
    """What became of each test of a file, by its name: passed, failed or skipped."""
    report = file.with_suffix(".xml")
    command = [project / ".venv/bin/python", "-m", "pytest", "-q", "-p", "no:django", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "-c", "/dev/null", "--rootdir", file.parent, f"--junit-xml={report}", file],
        cwd=file.parent, env={"PYTHONPATH": str(project), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    found = re.findall(r'<testcase [^>]*name="([^"]+)"[^>]*?(/>|>\s*<(?:failure|error|skipped))', report.read_text())
    assert found, done.stdout
    return {name: {"/>": "passed"}.get(end, end.rpartition("<")[2]) for name, end in found}


@pytest.mark.parametrize(("name", "theirs", "ours"), LAYERS, ids=[name for name, *_ in LAYERS])
def test_channels_redis_own_tests_pass(
    projects: Callable[[Row], Path], folder: Callable, name: str, theirs: str, ours: str
) -> None:
    project = projects(ASGI[0])
    before, after = (outcomes(project, folder(name, theirs, one)) for one in (theirs, ours))
    other = {test: after.get(test) for test in before if after.get(test) not in (before[test], "passed")}
    assert other.keys() <= OTHER[name], json.dumps(other, indent=1)
    assert list(after.values()).count("passed") >= 15

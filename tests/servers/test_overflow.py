"""Where Redis has no room for a message, or it waits for too long, both ends are told."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from textwrap import indent

import pytest

from tests.servers.processes import Redis
from tests.servers.table import ASGI, Row

# The sender and a process that does not read: two layers are as far apart as two processes.
SCRIPT = """
import asyncio, json, logging, sys, time
from config.layers import CoreLayer

logs = []
logging.getLogger("config.layers").addFilter(lambda record: logs.append(record.getMessage()))

async def main():
    near, far = (CoreLayer(hosts=[sys.argv[1]], capacity=5, expiry=%d) for _ in range(2))
    hears = await far.new_channel()
    await near.group_add("room", hears)
    async def send():
        await near.group_send("room", {"type": "text"})
    async def hear():
        return (await asyncio.wait_for(far.receive(hears), 10))["type"]
%s

asyncio.run(main())
"""


@pytest.fixture
def play(projects: Callable[[Row], Path], redis: Redis) -> Callable[..., dict]:
    """Run some lines between a sender and a listener; return what they print, as JSON."""

    def run(lines: str, expiry: int = 60) -> dict:
        project = projects(ASGI[0])
        done = subprocess.run(
            [project / ".venv/bin/python", "-c", SCRIPT % (expiry, indent(lines, "    ")), redis.url()],
            cwd=project, env={"PYTHONPATH": str(project)}, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_what_is_refused_is_counted_by_the_sender_and_told_to_whoever_missed_it(play: Callable[..., dict]) -> None:
    found = play("""
for _ in range(8):
    await send()
refused, heard = logs[:], []
while not heard or heard[-1] == "text":
    heard.append(await hear())
await send()  # there is room again
print(json.dumps({"refused": refused, "count": near.refused, "heard": heard}))
""")
    assert found["count"] == 3, found
    assert [line.rpartition("number ")[2] for line in found["refused"]] == ["1"], found  # one line a minute
    assert found["heard"][-1] in ("layer.lost", "layer.full"), found


def test_a_full_redis_refuses_messages_to_a_group(play: Callable[..., dict]) -> None:
    found = play("""
redis = near.connection(0)
await send()
await redis.config_set("maxmemory", 1)
try:
    await send()
    error = ""
except Exception as raised:
    error = type(raised).__name__
finally:
    await redis.config_set("maxmemory", 0)
await send()
print(json.dumps({"error": error, "heard": [await hear(), await hear()]}))
""")
    assert found == {"error": "OutOfMemoryError", "heard": ["text", "text"]}


def test_who_stood_still_until_messages_expired_is_told(play: Callable[..., dict]) -> None:
    found = play("""
await send()
heard = [await hear()]
time.sleep(1.5)  # the whole process, as under a debugger, or in a machine that is moved
await send()
while heard[-1] == "text":
    heard.append(await hear())
print(json.dumps({"heard": heard, "logs": logs}))
""", expiry=1)  # fmt: skip
    assert found["heard"][-1] == "layer.lost"
    assert "stood still" in found["logs"][0]

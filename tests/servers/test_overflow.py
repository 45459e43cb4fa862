"""Where more waits in Redis for a process than "capacity", both ends say so: nothing is lost in silence."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.servers.processes import Redis
from tests.servers.table import ASGI, Row

# The sender and a process that does not read: two layers are as far apart as two processes.
SCRIPT = """
import asyncio, json, logging, sys
from config.layers import CoreLayer

logs = []
logging.getLogger("config.layers").addFilter(lambda record: logs.append(record.getMessage()))

async def main():
    near, far = (CoreLayer(hosts=[sys.argv[1]], capacity=5) for _ in range(2))
    hears = await far.new_channel()
    await near.group_add("room", hears)
    for _ in range(8):
        await near.group_send("room", {"type": "text"})
    refused = logs[:]
    heard = []
    while not heard or heard[-1] == "text":
        heard.append((await far.receive(hears))["type"])
    await near.group_send("room", {"type": "text"})
    print(json.dumps({"refused": refused, "heard": heard, "then": logs[len(refused):]}))

asyncio.run(asyncio.wait_for(main(), 20))
"""


def test_refused_messages_are_counted_by_the_sender_and_told_to_whoever_missed_them(
    projects: Callable[[Row], Path], redis: Redis
) -> None:
    project = projects(ASGI[0])
    done = subprocess.run(
        [project / ".venv/bin/python", "-c", SCRIPT, f"redis://127.0.0.1:{redis.port}/3"],
        cwd=project, env={"PYTHONPATH": str(project)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [line.rpartition("number ")[2] for line in found["refused"]] == ["1", "2", "3"], found
    assert found["heard"][-1] in ("layer.lost", "layer.full"), found
    assert not any("refused a message" in line for line in found["then"]), found  # there is room again

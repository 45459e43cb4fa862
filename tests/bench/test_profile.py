"""A profile counts each look at a worker for the part whose code was running."""

import re
import subprocess

import pytest

from bench import profile
from tests.bench.projects import ROOT, install, render

STACKS = """\
main (asyncio/runners.py:1);handle (django/core/x.py:2);send (hypercorn/y.py:3);write (asyncio/streams.py:4) 60
main (asyncio/runners.py:1);handle (django/core/x.py:2);hear (fastpath/consumers.py:3) 20
main (asyncio/runners.py:1) 10
main (asyncio/runners.py:1);handle (django/core/x.py:2);home (chat/views.py:3);dumps (json/y.py:4) 5
 5
main (threading.py:1);_worker (concurrent/futures/thread.py:9) 1000
always_pong (uvicorn/x.py:1);_recv (multiprocessing/connection.py:9) 1000
"""


def test_the_innermost_part_has_the_time_and_who_waits_has_none():
    found = profile.parts(STACKS, ["chat", "config"])
    assert found == {"server": 0.65, "fast path": 0.2, "Python": 0.1, "project": 0.05}


def test_stacks_are_kept_by_their_functions():
    assert (
        profile.merged("main (a.py:1);send (b.py:2) 3\nmain (a.py:9);send (b.py:7) 4\n")
        == "main (a.py);send (b.py) 7\n"
    )
    assert profile.parts(profile.merged(STACKS), ["chat"]) == profile.parts(STACKS, ["chat"])


@pytest.mark.slow
def test_a_worker_is_looked_at_while_it_is_measured(tmp_path):
    project = tmp_path / "site"
    render(project, {"interface": "asgi", "server": "hypercorn"})
    install(project)
    command = ["bin/uv", "run", "--quiet", "--project", "bench", "--group", "profile", "python", "-m", "bench.profile"]
    done = subprocess.run(
        [*command, "--out", tmp_path / "kept", project, "hello"],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    if "root may" in done.stderr:  # the kernel lets a developer's own account look at no process
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    shares = [int(share) for share in re.findall(r"(\d+)%", done.stdout)]
    assert 98 <= sum(shares[:-1]) <= 102, done.stdout  # rounded
    assert "django/core/handlers" in (tmp_path / "kept/asgi-hypercorn.hello.txt").read_text()

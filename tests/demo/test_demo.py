"""`make demo` from a fresh clone: the first thing that a newcomer runs."""

import os
import re
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@contextmanager
def demo(clone: Path, *arguments: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run `make demo` until it says its address; give address and process, and press Ctrl-C at the end."""
    process = subprocess.Popen(
        ["make", "demo", *arguments],
        cwd=clone,
        # Settings of another project in the shell must not reach the demo.
        env=os.environ | {"WEB_CONCURRENCY": "4", "DATABASE_URL": "postgres://nobody@127.0.0.1:9/nothing"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # So that Ctrl-C reaches all of it, as in a terminal.
    )
    said = ""
    try:
        for line in process.stdout:
            said += line
            if ready := re.search(r"ready: (http://127\.0\.0\.1:\d+)/", line):
                yield ready[1], process
                break
        else:
            pytest.fail(f"make demo ended with {process.wait()}:\n{said}")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=40)


def read(url: str) -> str:
    """The text at a URL, which must be answered with 200."""
    with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 (the demo's own address)
        return response.read().decode()


def test_demo_serves_the_chat_until_ctrl_c_and_leaves_only_its_folder(clone: Path) -> None:
    before = subprocess.check_output(["git", "status", "--porcelain"], cwd=clone, text=True)
    with demo(clone) as (address, process):
        assert "ok" in read(f"{address}/readyz")
        assert 'id="messages"' in read(f"{address}/chat/harbour/")
        stylesheet = re.search(r'href="(/static/[^"]+\.css)"', read(f"{address}/"))[1]
        assert "{" in read(address + stylesheet)
    assert process.returncode is not None
    with pytest.raises(OSError, match="refused"):
        read(f"{address}/livez")
    assert subprocess.check_output(["git", "status", "--porcelain"], cwd=clone, text=True) == before


def test_demo_runs_again_on_the_port_that_is_asked_for(clone: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with demo(clone, f"PORT={port}") as (address, _):
        assert address.endswith(f":{port}")
        assert "ok" in read(f"{address}/readyz")


def test_demo_refuses_a_port_that_is_taken_and_names_it(clone: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            ["make", "demo", f"PORT={port}"], cwd=clone, capture_output=True, text=True, timeout=300, check=False
        )
    assert done.returncode != 0
    assert f"port {port} cannot be used" in done.stderr

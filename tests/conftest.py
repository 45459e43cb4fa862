"""Fixtures of several folders."""

import subprocess
from itertools import zip_longest
from pathlib import Path

import pytest
from xdist.scheduler import LoadFileScheduling

from tests.snapshot import ROOT, snapshot


class OneBuilder(LoadFileScheduling):
    """A file stays on one worker; so do all files that build images.

    Where two builds come to the same step, the builder of Docker Engine 26 may crash, and the engine with it
    (moby/buildkit#5606).
    """

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return "images" if "compose" in file else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadFileScheduling | None:
    """Have `--dist loadfile` keep the builds apart."""
    return OneBuilder(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let files that mostly wait, for servers and browsers, run beside those that keep the processor busy: hosts."""
    files = list(dict.fromkeys(item.path for item in items))
    hosts = [file for file in files if file.parent.name == "deploy"]
    others = [file for file in files if file.parent.name != "deploy"]
    mixed = [file for pair in zip_longest(hosts, others) for file in pair if file]
    order = {file: place for place, file in enumerate(mixed)}
    items.sort(key=lambda item: order[item.path])


@pytest.fixture(scope="session")
def images() -> str:
    """The images that compose/ names are there; what tests/images/build says of their origin."""
    lock = Path("/tmp/slipway-images.lock")  # noqa: S108 - several workers of one run wait for one of them
    done = subprocess.run(
        ["flock", lock, ROOT / "tests/images/build"], capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template of the working tree, from which projects can be updated."""
    return snapshot(tmp_path_factory.mktemp("template"))

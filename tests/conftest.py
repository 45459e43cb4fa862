"""Fixtures of several folders."""

import subprocess
from pathlib import Path

import pytest

from tests.snapshot import ROOT, snapshot


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

"""Fixtures of the container tests: a generated project whose own commands bring it up, and nothing left behind."""

import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.compose.stack import ROOT, Stack
from tests.hosts import Project
from tests.snapshot import snapshot

ENGINE = pytest.mark.engine


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All but the comparison of files needs a container engine."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and item.path.stem != "test_proxy":
            item.add_marker(ENGINE)


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
    """The template of the working tree."""
    return snapshot(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="module")
def new_stack(images: str, tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[Callable[..., Stack]]:
    """Generate a project with the given answers, whose containers carry a name of their own; all go at the end."""
    stacks: list[Stack] = []

    def generate(**answers: object) -> Stack:
        folder = tmp_path_factory.mktemp("compose") / f"site{secrets.token_hex(3)}"
        stacks.append(Stack(Project(folder, None, template, domain="site.test", **answers).generate()))
        return stacks[-1]

    yield generate
    if not os.environ.get("SLIPWAY_KEEP_HOSTS"):
        for stack in stacks:
            stack.remove()

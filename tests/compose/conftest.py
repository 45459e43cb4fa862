"""Fixtures of the container tests: a generated project whose own commands bring it up, and nothing left behind."""

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.compose.stack import Stack
from tests.hosts import Project

ENGINE = pytest.mark.engine


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All but the comparison of files needs a container engine."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and item.path.stem != "test_proxy":
            item.add_marker(ENGINE)


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

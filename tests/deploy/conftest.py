"""Fixtures of the host tests: hosts are shared by the tests of one file, and nothing is left behind."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.deploy.site import Site
from tests.hosts import Host, Project
from tests.hosts.host import make_key


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a container engine."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.engine)


@pytest.fixture(scope="session")
def ansible(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One Ansible installation for all the projects of this run, instead of one each."""
    return tmp_path_factory.mktemp("ansible") / "venv"


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A private SSH key that may log in to every test host."""
    return make_key(tmp_path_factory.mktemp("key"))


@pytest.fixture(scope="module")
def new_host(key: Path) -> Iterator[Callable[..., Host]]:
    """Start a bare host (arguments as Host's); it is removed after the file's last test.

    SLIPWAY_KEEP_HOSTS=1 keeps the hosts, to look at them after a red test.
    """
    with ExitStack() as stack:

        def start(debian: int = 13, **options: object) -> Host:
            host = Host(f"slipway-{secrets.token_hex(4)}", key, debian=debian, **options)
            if not os.environ.get("SLIPWAY_KEEP_HOSTS"):
                stack.callback(host.remove)
            return host.start()

        yield start


@pytest.fixture(scope="module")
def new_project(tmp_path_factory: pytest.TempPathFactory, ansible: Path, template: Path) -> Callable[..., Project]:
    """Generate a project with the given answers."""

    def generate(**answers: object) -> Project:
        return Project(tmp_path_factory.mktemp("project") / "mysite", ansible, template, **answers).generate()

    return generate


@pytest.fixture(scope="module")
def new_site(new_host: Callable[..., Host], new_project: Callable[..., Project]) -> Callable[..., Site]:
    """Deploy a project with the given answers to one bare host of its own."""

    def deploy(debian: int = 13, variables: dict[str, object] | None = None, **answers: str) -> Site:
        host = new_host(debian)
        project = new_project(domain="site.test", **answers)
        database = [] if answers.get("database") == "sqlite" else [host]
        project.place(variables, web=[host], database=database, redis=[host])
        return Site(project, host, project.deploy().ok())

    return deploy

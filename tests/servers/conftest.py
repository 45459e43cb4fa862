"""Fixtures of the server tests: generated projects, each rendered and installed once, and a Redis."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers.processes import Redis, Site
from tests.servers.table import Row
from tests.template.conftest import no_settings_of_the_developer, template  # noqa: F401 (fixtures)
from tests.template.rendering import SHARED, Template, run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is slow, and all but test_postgres.py needs no container engine."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def projects(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:  # noqa: F811
    """The folder of a row's generated project, with its dependencies installed."""
    folders: dict[tuple[Row, str], Path] = {}

    def project(row: Row, database: str = "sqlite") -> Path:
        if (row, database) not in folders:
            folder = tmp_path_factory.mktemp(str(row)) / "mysite"
            template.render(folder, SHARED, interface=row.interface, server=row.server, database=database)
            run("uv", "sync", "--quiet", cwd=folder)
            folders[row, database] = folder
        return folders[row, database]

    return project


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    server = Redis(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def serve(
    projects: Callable[..., Path], redis: Redis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Site]]:
    """Start a row's project, with the environment given; it is stopped after the file's last test."""
    sites: list[Site] = []

    def start(row: Row, **environment: str) -> Site:
        if sites:
            sites[-1].stop()  # one at a time: the tests of a row are run together
        sites.append(Site(projects(row), tmp_path_factory.mktemp("site") / "data", redis, **environment))
        return sites[-1].start()

    yield start
    for site in sites:
        site.stop()

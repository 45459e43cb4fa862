"""Half of the servers on a Debian 13 host, with the default Django; the other half is on Debian 12.

The tests share one host and run in order: each server is deployed over the one before, without a failed request.
"""

from collections.abc import Callable

import pytest

from tests.deploy.every_server import ON_DEBIAN_13, Stop, Walk


@pytest.fixture(scope="module")
def walk(new_host: Callable, new_project: Callable) -> Walk:
    """A bare host, and a project of the first server."""
    project = new_project(domain="site.test", **ON_DEBIAN_13[0].answers)
    return Walk(project, new_host(13))


@pytest.mark.parametrize("stop", ON_DEBIAN_13, ids=str)
def test_server_serves_where_another_one_did(walk: Walk, stop: Stop) -> None:
    walk.go(stop)

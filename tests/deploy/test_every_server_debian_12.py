"""Every server on a Debian 12 host with Django 5.2 and Python 3.11; what each is deployed with is swapped on Debian 13.

The tests share one host and run in order: each server is deployed over the one before, without a failed request.
"""

from collections.abc import Callable

import pytest

from tests.deploy.every_server import ON_DEBIAN_12, Stop, Walk


@pytest.fixture(scope="module")
def walk(new_host: Callable, new_project: Callable) -> Walk:
    """A bare host, and a project of the first server."""
    project = new_project(domain="site.test", django_version="5.2", python_version="3.11", **ON_DEBIAN_12[0].answers)
    return Walk(project, new_host(12))


@pytest.mark.parametrize("stop", ON_DEBIAN_12, ids=str)
def test_server_serves_where_another_one_did(walk: Walk, stop: Stop) -> None:
    walk.go(stop)

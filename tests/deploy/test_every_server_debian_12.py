"""Half of the servers on a Debian 12 host with Django 5.2 and Python 3.11; the other half is on Debian 13.

The tests share one host and run in order: each server is deployed over the one before, without a failed request. The
last ones look at what is Debian 12's own: the oldest Python that is supported.
"""

from collections.abc import Callable

import pytest

from tests.deploy.every_server import ON_DEBIAN_12, Stop, Walk
from tests.deploy.site import Site


@pytest.fixture(scope="module")
def walk(new_host: Callable, new_project: Callable) -> Walk:
    """A bare host, and a project of the first server."""
    project = new_project(domain="site.test", django_version="5.2", python_version="3.11", **ON_DEBIAN_12[0].answers)
    return Walk(project, new_host(12))


@pytest.fixture
def site(walk: Walk) -> Site:
    """The site as the last server has left it."""
    return walk.site


@pytest.mark.parametrize("stop", ON_DEBIAN_12, ids=str)
def test_server_serves_where_another_one_did(walk: Walk, stop: Stop) -> None:
    walk.go(stop)


def test_release_runs_on_debians_own_python(site: Site) -> None:
    assert site.host.run("/srv/mysite/live/.venv/bin/python --version").startswith("Python 3.11")


def test_second_deploy_changes_nothing(site: Site) -> None:
    run = site.project.deploy().ok()
    assert run.changed == 0, run.output


def test_project_that_needs_a_newer_python_is_refused(site: Site) -> None:
    release = site.release
    site.project.edit("pyproject.toml", ">=3.11", ">=3.13")
    site.project.command("uv", "lock", "--quiet")
    site.project.commit("Ask for Python 3.13")
    run = site.project.deploy()
    assert run.status != 0, run.output
    assert run.changed == 0
    assert "3.13" in run.output, run.output
    assert "3.11" in run.output, run.output
    assert site.release == release


def test_unsupported_system_is_refused(site: Site) -> None:
    site.host.run(
        "cp /etc/os-release /root/; sed -i 's/12/11/g; s/bookworm/bullseye/g' /usr/lib/os-release /etc/debian_version"
    )
    run = site.project.deploy()
    site.host.run("cp /root/os-release /usr/lib/os-release; sed -i 's/11/12/g' /etc/debian_version")
    assert run.status != 0, run.output
    assert run.changed == 0
    assert "only Debian 12 and 13 are supported" in run.output, run.output

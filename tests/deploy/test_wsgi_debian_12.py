"""A WSGI project (gunicorn, PostgreSQL) on Debian 12, whose Python is 3.11: the oldest host that is supported."""

from collections.abc import Callable

import pytest

from tests.deploy.site import Site


@pytest.fixture(scope="module")
def site(new_site: Callable[..., Site]) -> Site:
    """A WSGI project for Python 3.11 on a bare Debian 12 host."""
    return new_site(12, interface="wsgi", server="gunicorn", django_version="5.2", python_version="3.11")


def test_first_deploy_serves_the_committed_release(site: Site) -> None:
    assert site.get("/")[0] == 200
    assert site.release == site.project.release
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

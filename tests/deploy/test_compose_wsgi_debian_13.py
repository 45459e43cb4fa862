"""A WSGI project (gunicorn, SQLite) as containers on a bare Debian 13 host, and what a deployment refuses there.

The tests share one host and run in order: each says what the owner does next.
"""

from collections.abc import Callable

import pytest

from tests.compose.stack import AUTHORITIES
from tests.deploy.browser import chat_with_each_other
from tests.deploy.site import Site
from tests.hosts import Host


@pytest.fixture(scope="module")
def site(images: str, new_host: Callable[..., Host], new_project: Callable) -> Site:
    """The project and a bare host, where it is still to be deployed."""
    host = new_host()
    project = new_project(domain="site.test", interface="wsgi", server="gunicorn", database="sqlite")
    secrets = {"release_build_secrets": {"ca": str(AUTHORITIES)}} if AUTHORITIES.is_file() else {}
    project.place({"deploy_target": "compose", **secrets}, web=[host])
    return Site(project, host)


def test_port_that_something_else_has_is_refused(site: Site) -> None:
    site.host.run("systemd-run --quiet --unit=other python3 -m http.server 80")
    run = site.project.deploy()
    site.host.run("systemctl stop other")
    assert run.status != 0, run.output
    assert run.changed == 0
    assert "port 80: python3" in run.output, run.output


def test_groups_of_systemd_hosts_are_refused(site: Site) -> None:
    before = (site.project.folder / "deploy/inventory/production/hosts.yml").read_text()
    site.project.place({"deploy_target": "compose"}, web=[site.host], redis=[site.host])
    run = site.project.deploy()
    (site.project.folder / "deploy/inventory/production/hosts.yml").write_text(before)
    site.project.commit("Empty the group again")
    assert run.status != 0, run.output
    assert run.changed == 0
    assert "none with deploy_target compose" in run.output, run.output


def test_first_deploy_serves_and_the_whole_smoke_suite_passes(site: Site) -> None:
    site.project.deploy().ok()
    assert site.get("/")[0] == 200


def test_second_deploy_changes_nothing(site: Site) -> None:
    run = site.project.deploy().ok()
    assert run.changed == 0, run.output


def test_two_browsers_chat_by_long_polling(site: Site) -> None:
    chat_with_each_other(site)


def test_data_outlives_the_next_release(site: Site) -> None:
    count = "from chat.models import Message; print(Message.objects.count())"
    before = site.host.run(f'mysite-manage shell --verbosity=0 -c "{count}"')
    site.project.edit("config/urls.py", "urlpatterns =", "# One more edition.\nurlpatterns =")
    site.project.commit("One more edition")
    with site.visited() as failures:
        site.project.deploy().ok()
    assert failures == []
    assert site.host.run(f'mysite-manage shell --verbosity=0 -c "{count}"') == before == "2"

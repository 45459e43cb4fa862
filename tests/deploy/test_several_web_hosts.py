"""Two web hosts that share a database and Redis: both go over to a release, or neither."""

from collections.abc import Callable

import pytest

from tests.deploy.site import Site
from tests.hosts import Host


@pytest.fixture(scope="module")
def sites(new_host: Callable[..., Host], new_project: Callable) -> list[Site]:
    """The default project on two web hosts, seen on each; the smoke suite has sent a message from one to the other."""
    first, second = new_host(), new_host()
    project = new_project(domain="site.test").place(web=[first, second], database=[first], redis=[first])
    run = project.deploy().ok()
    return [Site(project, first, run), Site(project, second, run)]


def test_both_hosts_serve_the_release(sites: list[Site]) -> None:
    assert [site.get("/")[0] for site in sites] == [200, 200]
    assert {site.release for site in sites} == {sites[0].project.release}


def test_second_deploy_changes_nothing(sites: list[Site]) -> None:
    run = sites[0].project.deploy().ok()
    assert run.changed == 0, run.output


def test_no_host_switches_when_one_is_not_ready(sites: list[Site]) -> None:
    before = [(site.live_slot, site.release) for site in sites]
    drop_in = "/etc/systemd/system/mysite-web@green.service.d"
    sites[1].host.run(
        f"mkdir {drop_in} && printf '[Service]\nExecStart=\nExecStart=/bin/false\n' >{drop_in}/break.conf"
    )
    sites[0].project.commit("A commit to deploy")
    run = sites[0].project.deploy()
    sites[1].host.run(f"rm -r {drop_in} && systemctl daemon-reload")
    assert run.status != 0, run.output
    assert [(site.live_slot, site.release) for site in sites] == before
    assert [site.get("/")[0] for site in sites] == [200, 200]


def test_next_deploy_brings_both_over(sites: list[Site]) -> None:
    sites[0].project.deploy().ok()
    assert {site.release for site in sites} == {sites[0].project.release}

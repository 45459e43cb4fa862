"""A WSGI project (gunicorn, SQLite) as containers on a bare Debian 13 host, and what a deployment refuses there.

The tests share one host and run in order: each says what the owner does next.
"""

import json
import socket
import subprocess
from collections.abc import Callable, Iterator

import pytest
import requests

from tests.browser import chat_with_each_other
from tests.compose.stack import AUTHORITIES
from tests.deploy.site import Site
from tests.hosts import Host
from tests.hosts.host import docker, wait_for
from tests.ports import free_port

SECRETS = {"release_build_secrets": {"ca": str(AUTHORITIES)}} if AUTHORITIES.is_file() else {}
COMPOSE = {"deploy_target": "compose", **SECRETS}


@pytest.fixture(scope="module")
def site(images: str, new_host: Callable[..., Host], new_project: Callable) -> Site:
    """The project and a bare host, where it is still to be deployed."""
    host = new_host()
    project = new_project(domain="site.test", interface="wsgi", server="gunicorn", database="sqlite")
    return Site(project.place(COMPOSE, web=[host]), host)


def test_port_that_something_else_has_is_refused(site: Site) -> None:
    site.host.run("systemd-run --quiet --unit=other python3 -m http.server 80")
    run = site.project.deploy()
    site.host.run("systemctl stop other")
    assert run.status != 0, run.output
    assert run.changed == 0
    assert "port 80: python3" in run.output, run.output


def test_groups_of_systemd_hosts_are_refused(site: Site) -> None:
    site.project.place(COMPOSE, web=[site.host], redis=[site.host])
    run = site.project.deploy()
    site.project.place(COMPOSE, web=[site.host])
    assert run.status != 0, run.output
    assert run.changed == 0
    assert "none with deploy_target compose" in run.output, run.output


def test_first_deploy_serves_and_the_whole_smoke_suite_passes(site: Site) -> None:
    site.project.deploy().ok()
    assert site.get("/")[0] == 200


def test_second_deploy_changes_nothing(site: Site) -> None:
    run = site.project.deploy().ok()
    assert run.changed == 0, run.output


def test_image_that_cannot_be_built_is_refused_in_its_own_words(site: Site) -> None:
    site.project.edit("Dockerfile", "manage.py collectstatic", "manage.py collect_nothing")
    site.project.commit("Break the build")
    run = site.project.deploy()
    site.project.edit("Dockerfile", "manage.py collect_nothing", "manage.py collectstatic")
    site.project.commit("Mend it")
    assert run.status != 0, run.output
    assert "Unknown command: 'collect_nothing'" in run.output, run.output
    # The last word is what broke, and not what undoing it broke in turn.
    assert 'Build the image on this machine" failed' in run.output, run.output
    assert site.get("/")[0] == 200


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


def test_without_tls_only_http_is_published(site: Site) -> None:
    """Another proxy ends TLS; this test is that proxy."""
    plain = {"tls": "off", "nginx_trusted_proxies": ["172.16.0.0/12"]}
    # What it asks as a visitor would need that proxy to stay: the host itself remains, with what listens on it.
    host_alone = {"verify_options": ["smoke/test_host.py", "smoke/test_units.py"]}
    site.project.place(COMPOSE | plain | host_alone, web=[site.host])
    site.project.deploy().ok()
    answer = requests.get(
        f"http://{site.host.address}/", headers={"Host": site.domain, "X-Forwarded-Proto": "https"}, timeout=10
    )
    assert answer.status_code == 200
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((site.host.address, 443), timeout=10)


@pytest.fixture
def registry(site: Site) -> Iterator[str]:
    """A registry at 127.0.0.1 of the host, where it runs, and through a tunnel of this machine: no TLS is needed."""
    port = free_port()
    site.host.run("DEBIAN_FRONTEND=noninteractive apt-get install -y -qq docker-registry >/dev/null 2>&1", timeout=300)
    configuration = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": "/var/lib/docker-registry"}},
        "http": {"addr": f"127.0.0.1:{port}"},
    }
    site.host.run(f"echo '{json.dumps(configuration)}' >/etc/docker/registry/config.yml")
    site.host.run("systemctl restart docker-registry")
    known = site.host.inventory()
    tunnel = subprocess.Popen(
        [
            *("ssh", "-N", "-o", "ExitOnForwardFailure=yes", "-i", str(site.host.key)),
            *known["ansible_ssh_common_args"].split(),
            *("-L", f"127.0.0.1:{port}:127.0.0.1:{port}", f"{site.host.user}@{site.host.address}"),
        ]
    )
    wait_for(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, "the tunnel to the registry")
    yield f"127.0.0.1:{port}"
    tunnel.terminate()
    tunnel.wait()


def test_image_comes_through_a_registry(site: Site, registry: str) -> None:
    # What listens for it is this test's, and expected.
    site.project.place(COMPOSE | {"release_registry": registry, "verify_ports": [int(registry[10:])]}, web=[site.host])
    run = site.project.deploy().ok()
    image = site.host.run(f"docker inspect -f '{{{{.Config.Image}}}}' mysite-web-{site.live_slot}-1")
    assert image == f"{registry}/mysite:{site.project.release}"
    assert "Pack the layers" not in run.output
    docker("image", "rm", "--force", image)

"""The default project as containers on a bare Debian 13 host, which reaches no registry and no package index.

The tests share one host and run in order: each says what the owner does next.
"""

import json
import re
import shlex
from collections.abc import Callable
from secrets import token_hex

import pytest

from tests.browser import chat_with_each_other
from tests.compose.stack import AUTHORITIES
from tests.deploy.site import UPLOAD, Site
from tests.hosts import Host, Network
from tests.hosts.host import docker, wait_for

SECRETS = {"release_build_secrets": {"ca": str(AUTHORITIES)}} if AUTHORITIES.is_file() else {}
COMPOSE = {"deploy_target": "compose", **SECRETS}


@pytest.fixture(scope="module")
def site(images: str, new_host: Callable[..., Host], new_project: Callable) -> Site:
    """The default answers, deployed to a bare Debian 13 host."""
    host = new_host()
    project = new_project(domain="site.test").place(COMPOSE, web=[host])
    return Site(project, host, project.deploy().ok())


def test_first_deploy_serves_the_committed_release(site: Site) -> None:
    assert site.get("/")[0] == 200
    assert release(site) == site.project.release


def ready(site: Site) -> dict:
    """What the live slot's own /readyz reports; fails when it is not ready."""
    return json.loads(site.host.run(f"docker exec mysite-web-{site.live_slot}-1 python bin/healthcheck /readyz"))


def release(site: Site) -> str:
    """The release that the live slot's own /readyz reports."""
    return ready(site)["release"]


def test_second_deploy_changes_nothing_and_restarts_nothing(site: Site) -> None:
    started = "docker inspect -f '{{.Name}} {{.State.StartedAt}}' $(docker ps -q)"
    before = site.host.run(started)
    run = site.project.deploy().ok()
    assert run.changed == 0, run.output
    assert site.host.run(started) == before


def test_only_what_changed_travels_to_the_host(site: Site) -> None:
    """A change of code is a layer of some megabytes; the base and the dependencies are there."""
    slot, before = site.live_slot, release(site)
    site.project.edit("templates/base.html", "</main>", "<p>Second edition</p></main>")
    site.project.commit("Change the home page")
    with site.visited() as failures:
        run = site.project.deploy("-v").ok()
    assert failures == []
    assert site.live_slot != slot
    assert release(site) == site.project.release != before
    assert b"Second edition" in site.get("/")[2]
    (size,) = {int(number) for number in re.findall(r"\bbytes: (\d+)", run.output)}
    assert 0 < size < 10_000_000, run.output


def test_old_slot_is_gone(site: Site) -> None:
    names = site.host.run("docker ps --all --format '{{.Names}}'").split()
    assert [name for name in names if "-web-" in name] == [f"mysite-web-{site.live_slot}-1"]


def test_two_browsers_chat_through_the_proxy(site: Site) -> None:
    chat_with_each_other(site)


def test_release_that_cannot_start_is_refused_and_the_old_one_serves(site: Site) -> None:
    slot, before = site.live_slot, release(site)
    path = site.project.folder / "config/asgi.py"
    text = path.read_text()
    path.write_text("import nothing_of_this_name\n" + text)
    site.project.commit("Break it")
    with site.visited() as failures:
        run = site.project.deploy_broken()
    path.write_text(text)
    site.project.commit("Mend it")
    assert run.status != 0, run.output
    assert "nothing_of_this_name" in run.output, run.output
    assert failures == []
    assert (site.live_slot, release(site)) == (slot, before)


def test_rollback_serves_the_previous_release_again(site: Site) -> None:
    slot, before = site.live_slot, release(site)
    with site.visited() as failures:
        site.project.playbook("rollback").ok()
    assert failures == []
    assert site.live_slot != slot
    assert release(site) != before
    assert b"Second edition" not in site.get("/")[2]


def test_manage_runs_in_the_live_release(site: Site) -> None:
    assert "no issues" in site.host.run("mysite-manage check")


def test_uploads_are_served_by_nginx(site: Site) -> None:
    site.host.run(f'mysite-manage shell --command "{UPLOAD}"')
    site.expect_uploads()


def test_secrets_are_readable_by_root_alone(site: Site) -> None:
    assert site.host.run("stat -c '%a %U' /srv/mysite/secrets") == "700 root"


def passwords(text: str) -> dict[str, str]:
    """An inventory's words for other passwords of the database and of Redis."""
    return {f"app_{name}_password": f"{text} {name}" for name in ("database", "postgres", "redis")}


def lets_in(site: Site, role: str, password: str) -> bool:
    """Whether PostgreSQL knows the role by this password."""
    variable = shlex.quote(f"PGPASSWORD={password}")
    ask = f"docker exec -e {variable} mysite-database-1 psql -w -h 127.0.0.1 -U {role} -d app -c ''"
    return site.host.run(f"{ask} 2>&1 && echo let in", check=False).endswith("let in")


def test_changed_passwords_are_carried_into_what_runs(site: Site) -> None:
    changed = passwords("it's new: %/\\")
    site.project.place(COMPOSE | changed, web=[site.host])
    with site.visited() as failures:
        site.project.deploy().ok()
    assert failures == []
    assert lets_in(site, "app", changed["app_database_password"])
    assert lets_in(site, "postgres", changed["app_postgres_password"])
    assert not lets_in(site, "app", changed["app_postgres_password"])
    assert set(ready(site)["checks"].values()) == {"ok"}


def test_slot_that_goes_on_serving_gets_the_changed_passwords(site: Site) -> None:
    """They come with a release that cannot start: the old one has to go on with the new passwords."""
    before = release(site)
    site.project.edit("config/asgi.py", "import os\n", "import os\nimport nothing_of_this_name\n")
    site.project.place(COMPOSE | passwords("newer"), web=[site.host])
    run = site.project.deploy_broken()
    site.project.edit("config/asgi.py", "import nothing_of_this_name\n", "")
    site.project.commit("Mend it")
    assert run.status != 0, run.output
    assert lets_in(site, "app", "newer database")
    ask = f"docker exec mysite-web-{site.live_slot}-1 python bin/healthcheck /readyz"
    wait_for(lambda: '"status": "ok"' in site.host.run(ask, check=False), "the old release to be ready")
    assert release(site) == before


def test_hanging_container_is_replaced(site: Site) -> None:
    name = f"mysite-web-{site.live_slot}-1"
    began = site.host.run(f"docker inspect -f '{{{{.State.StartedAt}}}}' {name}")
    site.host.run(
        f'docker exec {name} python -c "import os, signal; [os.kill(int(p), signal.SIGSTOP)'
        " for p in os.listdir('/proc') if p.isdigit() and int(p) not in (1, os.getpid())]\""
    )
    wait_for(lambda: site.host.run(f"docker inspect -f '{{{{.State.StartedAt}}}}' {name}") != began, "a new start", 120)
    wait_for(site.answers, "the site to answer again")


def test_restart_of_the_engine_leaves_the_containers_alone(site: Site) -> None:
    started = "docker inspect -f '{{.Name}} {{.State.StartedAt}}' $(docker ps -q)"
    before = site.host.run(started)
    site.host.run("systemctl restart docker")
    wait_for(site.answers, "the site to answer")
    assert site.host.run(started) == before


def test_reboot_brings_the_same_release_back(site: Site) -> None:
    slot, before, address = site.live_slot, release(site), site.host.address
    docker("restart", "--time=60", site.host.name)
    if site.host.address != address:  # another host's, which has gone meanwhile
        site.project.edit("deploy/inventory/production/hosts.yml", address, site.host.address)
    wait_for(lambda: site.host.run("systemctl is-active docker", check=False) == "active", "the engine", 120)
    wait_for(site.answers, "the site", 120)
    assert (site.live_slot, release(site)) == (slot, before)
    site.project.playbook("verify").ok()


# Prints the doors, ADDRESS PORT, that open; asks all of them at once.
KNOCK = """
import socket, sys
from concurrent.futures import ThreadPoolExecutor

def opens(door):
    try:
        socket.create_connection(door, timeout=3).close()
    except OSError:
        return False
    return True

doors = list(zip(sys.argv[1::2], sys.argv[2::2]))
with ThreadPoolExecutor(len(doors)) as pool:
    for door, opened in zip(doors, pool.map(opens, doors)):
        if opened:
            print(*door)
"""
# What an owner would never do: lets everything pass through to the containers, and something listen beside them.
OPEN_ALL = """
iptables -I FORWARD -j ACCEPT
iptables -t nat -I POSTROUTING -j MASQUERADE
systemd-run --quiet --unit=beside python3 -m http.server 8000 --bind ::
"""
CLOSE_AGAIN = """
iptables -D FORWARD -j ACCEPT
iptables -t nat -D POSTROUTING -j MASQUERADE
systemctl stop beside
"""


def test_neighbour_reaches_the_proxy_alone(site: Site, new_host: Callable[..., Host]) -> None:
    """Nothing that a container publishes or listens on is open to another host, but HTTP, HTTPS and SSH.

    The last test: a second network leaves something behind that listens on the host.
    """
    host, neighbour = site.host, new_host()
    seen = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.GlobalIPv6Address}} {{end}}"
    inside = host.run(f"docker inspect -f '{seen}' $(docker ps -q)").split()
    # None of them has an IPv6 address of its own: over IPv6, there is the host alone.
    assert [address for address in inside if ":" in address] == []
    neighbour.run(f"ip route add 172.16.0.0/12 via {host.address}")
    with Network(f"{host.name}-ipv6", ipv6=f"fd{token_hex(1)}:{token_hex(2)}::/64") as network:
        outside = [host.address, host.join(network)]
        neighbour.join(network)
        doors = [f"{address} {port}" for address in outside for port in (22, 80, 443, 2375, 2376, 5432, 6379, 8000)]
        doors += [f"{address} {port}" for address in inside for port in (5432, 6379, 8000)]

        def opened() -> set[str]:
            return set(neighbour.run(f"python3 -c '{KNOCK}' {' '.join(doors)}").splitlines())

        wait_for(lambda: f"{outside[1]} 22" in opened(), "the hosts to meet over IPv6")
        assert opened() == {f"{address} {port}" for address in outside for port in (22, 80, 443)}
        # The same look can see what is open.
        database = host.run(f"docker inspect -f '{seen}' mysite-database-1").strip()
        host.run(OPEN_ALL)
        try:
            wanted = {f"{database} 5432", *(f"{address} 8000" for address in outside)}
            wait_for(lambda: wanted <= opened(), f"{wanted} to open")
        finally:
            host.run(CLOSE_AGAIN)

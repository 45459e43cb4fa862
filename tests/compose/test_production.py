"""The production files by themselves: built, started and asked through the proxy, as services/README.md says."""

import json
from collections.abc import Callable

import pytest
import urllib3
import yaml

from tests.browser import chat_with_each_other
from tests.compose.stack import PRODUCTION, Stack
from tests.compose.test_image import build
from tests.deploy.site import visited
from tests.hosts.host import docker, wait_for
from tests.ports import free_port

ANSWERS = {
    "asgi": {},
    "wsgi": {"interface": "wsgi", "server": "gunicorn", "database": "sqlite"},
}
# The smoke suite's looks through the proxy; what it looks at on a systemd host is not here.
OUTSIDE = ["http", "tls", "static", "stream", "chat", "websocket"]


@pytest.fixture(scope="module", params=ANSWERS)
def stack(new_stack: Callable[..., Stack], request: pytest.FixtureRequest) -> Stack:
    """A project whose production containers run."""
    answers = ANSWERS[request.param]
    stack = new_stack(**answers)
    stack.files = PRODUCTION
    stack.domain = "site.test"
    services = ["blue"] if request.param == "wsgi" else ["postgres", "channels", "blue"]
    stack.set(
        COMPOSE_PROFILES=",".join(services),
        IMAGE=build(stack, "1"),
        ALLOWED_HOSTS=stack.domain,
        HTTP_PORT=str(free_port()),
        HTTPS_PORT=str(free_port()),
    )
    stack.run("services/setup", stack.domain)
    stack.run("services/preflight", "production")
    stack.compose("run", "--rm", "migrate")
    stack.compose("up", "--detach", "--wait")
    return stack


def test_smoke_suite_passes_through_the_proxy(stack: Stack) -> None:
    project, interface = stack.project, stack.project.answers.get("interface", "asgi")
    inventory = yaml.safe_load((project.folder / "deploy/inventory/production/hosts.yml").read_text())
    host = {
        "ansible_connection": "local",
        "ansible_become": False,
        "verify_address": stack.address,
        "verify_authority": str(project.folder / "secrets/tls/tls.crt"),
        "app_interface": interface,
    }
    inventory["all"] = {"hosts": {"proxy": host}, "children": {"web": {"hosts": {"proxy": None}}}}
    (project.folder / "deploy/inventory/production/hosts.yml").write_text(yaml.safe_dump(inventory))
    files = [f"smoke/test_{name}.py" for name in OUTSIDE]
    project.command("uv", "lock", "--quiet", cwd="deploy")
    done = project.command("uv", "run", "--quiet", "pytest", "--quiet", *files, cwd="deploy", check=False)
    assert done.returncode == 0, done.stdout


def test_release_answers_to_the_proxys_side_alone(stack: Stack) -> None:
    seen = json.loads(stack.compose("exec", "web-blue", "python", "bin/healthcheck", "/readyz"))
    assert seen["release"] == "1"
    assert set(seen["checks"].values()) == {"ok"}


def test_two_browsers_chat_through_the_proxy(stack: Stack) -> None:
    chat_with_each_other(stack)


def services(stack: Stack) -> list[str]:
    return stack.compose("ps", "--services").split()


def test_running_containers_are_closed(stack: Stack) -> None:
    assert len(services(stack)) >= 3
    for service in services(stack):
        seen = stack.inspect(service)
        host = seen["HostConfig"]
        assert host["ReadonlyRootfs"], service
        assert host["CapDrop"] == ["ALL"], service
        assert host["CapAdd"] is None, service
        assert "no-new-privileges:true" in host["SecurityOpt"], service
        assert not host["Privileged"], service
        assert host["Memory"] > 0, service
        assert host["PidsLimit"] > 0, service
        assert host["RestartPolicy"]["Name"] == "unless-stopped", service
        assert host["LogConfig"]["Config"]["max-size"] == "10m", service
        assert seen["State"]["Health"]["Status"] == "healthy", service
        assert [mount["Source"] for mount in seen["Mounts"] if "docker.sock" in mount["Source"]] == [], service
        pids = docker("top", seen["Id"], "-eo", "pid,uid").splitlines()[1:]
        assert [line for line in pids if line.split()[1] == "0"] == [], service


def test_only_the_proxy_is_published(stack: Stack) -> None:
    published = {service: stack.inspect(service)["NetworkSettings"]["Ports"] or {} for service in services(stack)}
    assert {service for service, ports in published.items() if any(ports.values())} == {"proxy"}


def test_secrets_are_in_no_environment_and_no_command(stack: Stack) -> None:
    secrets = [file.read_text().strip() for file in (stack.project.folder / "secrets").iterdir() if file.is_file()]
    seen = "".join(json.dumps(stack.inspect(service)) for service in services(stack))
    assert len(secrets) >= 8
    assert [secret for secret in secrets if secret in seen] == []


def test_site_reaches_nothing_outside(stack: Stack) -> None:
    # The engine's own gateway answers to whoever has a way out.
    code = "import socket; socket.create_connection(('192.0.2.1', 80), 3)"
    said = stack.compose("exec", "web-blue", "python", "-c", code, check=False)
    assert "Network is unreachable" in said


def test_redis_asks_for_a_password(stack: Stack) -> None:
    assert "NOAUTH" in stack.compose("exec", "cache", "redis-cli", "get", "x", check=False)


def test_site_is_no_superuser_of_its_database(stack: Stack) -> None:
    if stack.project.answers.get("database") == "sqlite":
        assert "database" not in services(stack)
        return
    ask = "select rolsuper or rolcreatedb or rolcreaterole from pg_roles where rolname = 'app'"
    seen = stack.compose("exec", "database", "psql", "-U", "postgres", "-h", "/var/run/postgresql", "-Atc", ask)
    assert seen.strip() == "f"


def test_slots_change_without_a_failed_request(stack: Stack) -> None:
    """As services/README.md says: the next image into green, visitors over to it, blue stops."""
    stack.project.edit("templates/base.html", "</main>", "<p>Second edition</p></main>")
    stack.set(BLUE_IMAGE=f"{stack.name}:1", IMAGE=build(stack, "2"))
    with visited(lambda: visit(stack)[0]) as failures:
        stack.compose("run", "--rm", "migrate")
        stack.compose("up", "--detach", "--wait", "web-green")
        stack.run("services/switch", "green")
        assert b"Second edition" in visit(stack)[1]
    assert failures == []
    assert "web-blue" not in services(stack)


def test_environment_follows_the_switch(stack: Stack) -> None:
    """Who starts everything anew gets what serves now, and nothing else."""
    before = {service: stack.inspect(service)["Id"] for service in services(stack)}
    stack.compose("up", "--detach", "--wait")
    assert {service: stack.inspect(service)["Id"] for service in services(stack)} == before
    assert "web-green" in before


def test_switch_to_a_slot_that_is_not_ready_is_refused(stack: Stack) -> None:
    done = stack.run("services/switch", "blue", check=False)
    assert done.returncode != 0
    assert "visitors stay with web-green" in done.stdout
    assert b"Second edition" in visit(stack)[1]


def visit(stack: Stack) -> tuple[int, bytes]:
    """The home page through the proxy: status and text."""
    options = {"cert_reqs": "CERT_REQUIRED", "ca_certs": str(stack.project.folder / "secrets/tls/tls.crt")}
    names = {"server_hostname": stack.domain, "assert_hostname": stack.domain}
    with urllib3.HTTPSConnectionPool(stack.address, 443, **options, **names) as pool:
        answer = pool.request("GET", "/", headers={"Host": stack.domain}, timeout=10, retries=False)
        return answer.status, answer.data


def test_service_whose_process_dies_comes_back(stack: Stack) -> None:
    # Whatever it is that the engine's init started; to kill the container itself would be an order to stop.
    code = "import os; os.kill(int(open('/proc/1/task/1/children').read().split()[0]), 9)"
    stack.compose("exec", "web-green", "python", "-c", code, check=False)

    def back() -> bool:
        seen = stack.inspect("web-green")
        return seen["RestartCount"] == 1 and seen["State"].get("Health", {}).get("Status") == "healthy"

    wait_for(back, "web-green to be healthy again")
    assert b"Second edition" in visit(stack)[1]

"""What cannot work is refused before anything is started, by name and with the remedy."""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.compose.stack import PRODUCTION, ROOT, Stack
from tests.ports import free_port

# One that is there; nothing is started from it.
ANY_IMAGE = yaml.safe_load((ROOT / "compose/compose.yaml").read_text())["services"]["cache"]["image"]
# Answers instead of docker where the arguments begin so; everything else goes to the real one.
SHIM = """#!/bin/sh
case "$*" in
  "{arguments}"*) echo '{answer}'; exit {status} ;;
esac
exec {docker} "$@"
"""


@pytest.fixture(scope="module")
def project(new_stack: Callable[..., Stack]) -> Stack:
    """A project with all that production needs; nothing of it is started."""
    stack = new_stack()
    stack.files = PRODUCTION
    stack.variables |= {"WEB_PORT": str(free_port()), "MAIL_PORT": str(free_port())}
    stack.set(IMAGE=ANY_IMAGE, ALLOWED_HOSTS="site.test", HTTP_PORT=str(free_port()), HTTPS_PORT=str(free_port()))
    stack.set(COMPOSE_PROFILES="postgres,channels,blue")
    stack.run("services/setup", "site.test")
    stack.run("services/preflight", "production")
    return stack


@pytest.fixture
def stack(project: Stack) -> Iterator[Stack]:
    """The same for each test: what a test changes is put back, and nothing may have been started."""
    folder, variables = project.project.folder, dict(project.variables)
    saved = {path: path.read_bytes() for path in [folder / ".env", *(folder / "secrets").rglob("*")] if path.is_file()}
    yield project
    project.variables = variables
    for path, content in saved.items():
        path.write_bytes(content)
    assert project.compose("--profile=*", "ps", "--all", "--quiet").strip() == ""


def refusal(stack: Stack, *command: str) -> str:
    """What the preflight of production, or another command, says when it refuses."""
    done = stack.run(*(command or ("services/preflight", "production")), check=False)
    assert done.returncode != 0, done.stdout
    return done.stdout


def pretend(stack: Stack, folder: Path, arguments: str, answer: str, status: int = 0) -> None:
    """Put a docker on PATH that answers so to these arguments."""
    shim = folder / "docker"
    shim.write_text(SHIM.format(arguments=arguments, answer=answer, status=status, docker=shutil.which("docker")))
    shim.chmod(0o755)
    stack.variables["PATH"] = f"{folder}:{os.environ['PATH']}"


@pytest.mark.parametrize("name", ["IMAGE", "ALLOWED_HOSTS"])
def test_missing_value_is_named(stack: Stack, name: str) -> None:
    stack.set(**{name: ""})
    assert f"Set {name} in .env" in refusal(stack)


def test_image_that_is_not_there_is_named(stack: Stack) -> None:
    stack.set(IMAGE="site:no-such")
    assert "site:no-such for web-blue is not there: build it" in refusal(stack)


def test_production_without_a_slot_is_refused(stack: Stack) -> None:
    stack.set(COMPOSE_PROFILES="postgres,channels")
    assert "add blue (or green) to COMPOSE_PROFILES" in refusal(stack)


def test_two_names_need_names_for_nginx(stack: Stack) -> None:
    stack.set(ALLOWED_HOSTS="site.test,www.site.test")
    assert 'Put SERVER_NAMES="site.test www.site.test" into .env' in refusal(stack)
    stack.set(SERVER_NAMES='"site.test www.site.test"')
    stack.run("services/preflight", "production")


def test_service_that_the_site_needs_is_not_forgotten(stack: Stack) -> None:
    """As in a .env that is older than the project's interface."""
    stack.set(COMPOSE_PROFILES="postgres")
    said = refusal(stack, "make", "up")
    assert "channels is not started, but the site needs it" in said
    assert "COMPOSE_PROFILES=postgres,channels" in said


def test_secrets_may_be_elsewhere(stack: Stack, tmp_path: Path) -> None:
    stack.set(SECRETS=str(tmp_path / "elsewhere"))
    assert f"{tmp_path}/elsewhere/secret_key is missing" in refusal(stack)
    stack.run("services/setup", "site.test")
    stack.run("services/preflight", "production")


def test_own_key_is_not_overwritten(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls/tls.key").write_text("my own")
    stack.variables["SECRETS"] = str(tmp_path)
    stack.run("services/setup", "site.test")
    assert (tmp_path / "tls/tls.key").read_text() == "my own"


def test_name_that_is_none_is_refused_in_words(stack: Stack, tmp_path: Path) -> None:
    stack.variables["SECRETS"] = str(tmp_path)
    done = stack.run("services/setup", "www/exam", check=False)
    assert done.returncode != 0
    assert "setup: openssl made no certificate for www/exam" in done.stdout
    assert not (tmp_path / "tls/tls.key").exists()


@pytest.mark.parametrize("name", ["secret_key", "database_url", "redis_acl", "tls/tls.key"])
def test_missing_secret_is_named(stack: Stack, name: str) -> None:
    (stack.project.folder / "secrets" / name).unlink()
    said = refusal(stack)
    assert f"secrets/{name} is missing" in said
    assert "services/setup" in said


def test_empty_secret_is_named(stack: Stack) -> None:
    (stack.project.folder / "secrets/secret_key").write_text("")
    said = refusal(stack)
    assert "secrets/secret_key is empty" in said
    assert "services/setup" in said


def test_secrets_that_are_there_stay(stack: Stack) -> None:
    folder = stack.project.folder / "secrets"
    before = {file: file.read_text() for file in folder.rglob("*") if file.is_file()}
    stack.run("services/setup", "site.test")
    assert {file: file.read_text() for file in folder.rglob("*") if file.is_file()} == before
    assert folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("command", [("services/preflight", "production"), ("make", "up")], ids=["production", "up"])
def test_taken_port_is_named(stack: Stack, command: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        stack.set(HTTPS_PORT=port)
        stack.variables["WEB_PORT"] = port
        said = refusal(stack, *command)
    assert f"port {port}" in said
    assert "is taken" in said
    assert ".env" in said


@pytest.mark.parametrize(
    ("pretended", "words"),
    [
        (("version --format", "20.10.24"), ["Docker Engine 20.10.24 is too old", "25.0"]),
        (("compose version", "v2.19.1"), ["Docker Compose v2.19.1 is too old", "2.24"]),
        (("info --format", "/proc"), ["/proc has 0.0 GiB free", "docker system prune"]),
    ],
    ids=["engine", "compose", "disk"],
)
@pytest.mark.parametrize("command", [("services/preflight", "production"), ("make", "up")], ids=["production", "up"])
def test_engine_that_will_not_do_is_named(
    stack: Stack, tmp_path: Path, command: tuple[str, ...], pretended: tuple[str, str], words: list[str]
) -> None:
    pretend(stack, tmp_path, *pretended)
    said = refusal(stack, *command)
    assert [word for word in words if word not in said] == [], said


def test_engine_that_does_not_answer_is_named(stack: Stack, tmp_path: Path) -> None:
    pretend(stack, tmp_path, "version --format", "Cannot connect to the Docker daemon", 1)
    said = refusal(stack, "make", "up")
    assert "no container engine answers" in said
    assert "systemctl start docker" in said


def test_missing_plugin_is_named(stack: Stack, tmp_path: Path) -> None:
    pretend(stack, tmp_path, "compose version", "", 1)
    assert "Docker Compose is missing" in refusal(stack, "make", "up")

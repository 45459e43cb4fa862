"""A Django project that Slipway did not generate takes compose/ as docs/any-django-project.md says, word for word."""

import os
import re
import secrets
import textwrap
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import expect

from tests.browser import two_visitors
from tests.compose.stack import AUTHORITIES, PRODUCTION, ROOT, Stack
from tests.hosts import Project
from tests.ports import free_port

PAGE = (ROOT / "docs/any-django-project.md").read_text()
# A block of commands or of a file's text: what is indented.
BLOCK = r"((?:    .*\n|\n)+)"


def commands() -> str:
    """The page's shell commands, for a clone of Slipway at its usual place."""
    return textwrap.dedent(re.search(r"\n\n" + BLOCK, PAGE)[1]).replace("~/slipway", str(ROOT))


def files() -> dict[str, str]:
    """The text that the page gives for each file of the project's own."""
    return {path: textwrap.dedent(text) for path, text in re.findall(rf"(?m)^`([^`]+)`(?:.+\n)+\n{BLOCK}", PAGE)}


@pytest.fixture(scope="module")
def project(images: str, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Django's own first project, and what the page adds to it."""
    project = Project(tmp_path_factory.mktemp("foreign") / f"foreign{secrets.token_hex(3)}")
    project.folder.mkdir()
    project.command("uvx", "--quiet", "--from", "django", "django-admin", "startproject", "mysite", ".")
    project.command("sh", "-euc", commands())
    for path, text in files().items():
        with (project.folder / path).open("a") as file:
            file.write(text)
    (project.folder / "bin/serve").chmod(0o755)
    return project


@pytest.fixture(scope="module")
def production(project: Project) -> Iterator[Stack]:
    """Its production, brought up as services/README.md says."""
    stack = Stack(project, PRODUCTION)
    example, mark, lines = (project.folder / "services/.env.example").read_text().partition("# Production")
    # As the owner would: the lines for production lose their mark and get the site's own values.
    (project.folder / ".env").write_text(example + mark + re.sub(r"(?m)^# (?=[A-Z_]+=)", "", lines))
    stack.set(
        IMAGE=f"{stack.name}:1.0", ALLOWED_HOSTS=stack.domain, HTTP_PORT=str(free_port()), HTTPS_PORT=str(free_port())
    )
    authorities = [f"--secret=id=ca,src={AUTHORITIES}"] if AUTHORITIES.is_file() else []
    stack.run("docker", "build", "--quiet", *authorities, "--build-arg=VERSION=1.0", f"--tag={stack.name}:1.0", ".")
    try:
        stack.run("services/setup", stack.domain)
        stack.run("services/preflight", "production")
        stack.compose("run", "--rm", "migrate")
        stack.compose("up", "--detach", "--wait")
        yield stack
    finally:
        stack.remove()


def test_owner_logs_in_to_the_admin_through_the_proxy(production: Stack) -> None:
    """Its database, its sessions, its cookies and the check of where a form comes from: all of them are in this."""
    user = ["--env=DJANGO_SUPERUSER_PASSWORD=harbour", "web-blue", "python", "manage.py", "createsuperuser"]
    production.compose("exec", *user, "--no-input", "--username=owner", "--email=owner@example.com")
    with two_visitors(production) as (page, _):
        page.goto(f"{production.url}/admin/")
        page.fill("[name=username]", "owner")
        page.fill("[name=password]", "harbour")
        page.press("[name=password]", "Enter")
        expect(page.locator("#user-tools")).to_contain_text("owner", timeout=30_000)


def test_proxy_serves_the_static_files(production: Stack) -> None:
    with two_visitors(production) as (page, _):
        answer = page.goto(f"{production.url}/static/admin/css/base.css")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/css")


def test_readyz_tells_of_a_database_that_is_away(production: Stack) -> None:
    ask = ("exec", "web-blue", "python", "bin/healthcheck", "/readyz")
    assert production.compose(*ask).strip() == "ok"
    production.compose("stop", "database")
    try:
        assert production.run("docker", "compose", *PRODUCTION, *ask, check=False).returncode != 0
    finally:
        production.compose("start", "database")


def test_development_shows_djangos_first_page(project: Project) -> None:
    stack = Stack(project)
    stack.name += "-development"  # beside production, which may run
    stack.variables |= {
        "COMPOSE_PROJECT_NAME": stack.name,
        "COMPOSE_PROFILES": "postgres",
        "WEB_PORT": str(free_port()),
        "MAIL_PORT": str(free_port()),
        "UID": str(os.getuid()),
        "GID": str(os.getgid()),
    }
    try:
        stack.compose("up", "--build", "--detach", "--wait")
        assert "The install worked successfully" in requests.get(stack.url, timeout=10).text
    finally:
        stack.remove()

"""Every template renders with the defaults, and what it renders to parses."""

import configparser
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from tests.roles.conftest import ROLES


def test_every_template_renders(rendered: Path) -> None:
    names = {f"{file.parents[1].name}-{file.stem}" for file in ROLES.glob("*/templates/*.j2")}
    assert {name for name in names if not (rendered / name).is_file()} == set()


def unit(rendered: Path) -> configparser.RawConfigParser:
    """The service, as an INI file; of a key that stands more than once, the last."""
    parser = configparser.RawConfigParser(strict=False, delimiters="=", comment_prefixes="#")
    parser.optionxform = str
    parser.read(rendered / "release-web.service")
    return parser


def test_the_unit_parses(rendered: Path) -> None:
    assert unit(rendered).sections() == ["Unit", "Service", "Install"]


def test_the_unit_holds_no_secret(rendered: Path) -> None:
    text = (rendered / "release-web.service").read_text() + (rendered / "release-env").read_text()
    secrets = [file.read_text().strip() for file in (rendered / "secrets").iterdir()]
    assert len(secrets) >= 2
    assert [secret for secret in secrets if secret in text] == []


def test_nginx_blocks_are_closed(rendered: Path) -> None:
    for file in rendered.glob("nginx-*.conf"):
        text = re.sub(r'"[^"]*"|\'[^\']*\'|#.*', "", file.read_text())
        assert text.count("{") == text.count("}"), file.name
        assert [line for line in text.splitlines() if line.strip() and line.strip()[-1] not in ";{}'"] == [] or (
            "log_format" in text
        ), file.name


def test_nginx_sets_the_headers_of_each_location(rendered: Path) -> None:
    # An add_header of its own makes a location forget the inherited ones.
    for location in re.findall(r"location [^{]*{[^}]*}", (rendered / "nginx-site.conf").read_text()):
        assert "add_header" not in location or "-headers.conf;" in location, location


def test_the_upstream_file_defines_what_changes_with_the_slot(rendered: Path) -> None:
    # It changes with the slot, so that the live release keeps its WebSockets until the switch.
    for role in ("nginx", "release"):
        text = (rendered / f"{role}-upstream.conf").read_text()
        assert set(re.findall(r"map \S+ (\$\w+)", text)) == {
            *("$mysite_slot", "$mysite_upgrade", "$mysite_connection")
        }, role
    used = re.findall(r"(?:Upgrade|Connection) (\S+);", (rendered / "nginx-proxy.conf").read_text())
    assert used == ["$mysite_upgrade", "$mysite_connection"]
    assert "/slots/$mysite_slot/" in (rendered / "nginx-site.conf").read_text()


def test_wsgi_passes_no_upgrade_on(rendered: Path) -> None:
    asgi = "REDIS_URL" in (rendered / "release-web.service").read_text()
    assert ("$http_upgrade" in (rendered / "release-upstream.conf").read_text()) == asgi


def test_shell_parses(rendered: Path) -> None:
    for file in rendered.glob("*.sh"):
        done = subprocess.run(["/bin/sh", "-n", file], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{file.name}: {done.stderr}"


def test_the_environment_is_quoted(rendered: Path) -> None:
    lines = (rendered / "release-env").read_text().splitlines()[1:]
    assert [line for line in lines if not re.fullmatch(r'[A-Z_]+=".*"', line)] == []


def test_redis_stores_no_password(rendered: Path) -> None:
    password = (rendered / "secrets/app_redis_password").read_text().strip()
    assert password not in (rendered / "redis-redis.conf").read_text()


def test_the_maintenance_page_is_closed(rendered: Path) -> None:
    class Page(HTMLParser):
        title = False

        def handle_endtag(self, tag: str) -> None:
            self.title = self.title or tag == "title"

    page = Page()
    page.feed((rendered / "nginx-maintenance.html").read_text())
    assert page.title


def test_hosts_are_asked_in_yaml(rendered: Path) -> None:
    done = subprocess.run(["/bin/sh", rendered / "release-state.sh"], capture_output=True, text=True, check=False)
    assert set(yaml.safe_load(done.stdout)) == {"live", "slots", "user", "uv", "releases"}


@pytest.mark.parametrize(
    ("files", "fits"),
    [
        ({"config/asgi.py": "", "uv.lock": '[[package]]\nname = "psycopg"\n'}, {"asgi", "postgres", "sqlite"}),
        ({"config/wsgi.py": "", "uv.lock": '[[package]]\nname = "django"\n'}, {"wsgi", "sqlite"}),
    ],
    ids=["asgi-postgres", "wsgi-sqlite"],
)
def test_a_commit_is_asked_what_it_can_run_as(rendered: Path, tmp_path: Path, files: dict, fits: set) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    git = ["git", "-C", tmp_path, "-c", "user.name=Tests", "-c", "user.email=tests@example.com"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message=Start"]):
        subprocess.run([*git, *command], check=True)
    done = subprocess.run(
        ["/bin/sh", rendered / "release-project.sh"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert set(yaml.safe_load(done.stdout)["fits"]) == fits, done.stdout

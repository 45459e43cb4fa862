"""A page that is left open while a deployment changes the interface: it loads itself again."""

import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route

from tests.browser import chromium, online
from tests.ports import free_port
from tests.servers.processes import Site
from tests.servers.table import ROWS, Row

WSGI, ASGI = (next(row for row in ROWS if str(row) == name) for name in ("wsgi-gunicorn", "asgi-uvicorn"))


@pytest.fixture
def deploy(projects: Callable[[Row], Path], serve: Callable[..., Site], tmp_path: Path) -> Callable[[Row], Site]:
    """Serve a row without DEBUG, so that each script's name tells its content, in place of the one before."""
    port = str(free_port())
    production = {
        "DEBUG": "false",
        "SECRET_KEY": secrets.token_hex(32),
        "ALLOWED_HOSTS": "127.0.0.1",
        "CSRF_TRUSTED_ORIGINS": f"http://127.0.0.1:{port}",
        "SECURE_SSL_REDIRECT": "false",
        "PORT": port,
    }

    def deploy(row: Row) -> Site:
        environment = production | {"STATIC_ROOT": str(tmp_path / str(row))}
        subprocess.run(
            [projects(row) / ".venv/bin/python", "manage.py", "collectstatic", "--noinput", "--verbosity=0"],
            cwd=projects(row),
            env={"PATH": os.environ["PATH"]} | environment,
            check=True,
        )
        return serve(row, **environment)

    return deploy


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    """A page that gets the static files of both deployments, as nginx keeps them."""

    def static(route: Route) -> None:
        name = route.request.url.split("/static/")[1]
        (found, *_) = [path for path in tmp_path.glob(f"*/{name}") if path.is_file()]
        route.fulfill(path=found)

    with chromium() as browser:
        page = browser.new_page()
        page.route("**/static/**", static)
        yield page


@pytest.mark.parametrize(("before", "after"), [(WSGI, ASGI), (ASGI, WSGI)], ids=["to-asgi", "to-wsgi"])
def test_open_page_follows_a_change_of_the_interface_once_and_keeps_what_is_typed(
    deploy: Callable[[Row], Site], page: Page, before: Row, after: Row
) -> None:
    page.goto(f"{deploy(before).url}/chat/harbour/")
    online(page)
    loaded = []
    page.on("load", lambda: loaded.append(page.url))
    script = page.get_attribute("script[src*=chat]", "src")
    page.fill("#text", "Typed before.")
    deploy(after)
    online(page)
    assert page.get_attribute("script[src*=chat]", "src") != script
    assert page.input_value("#text") == "Typed before."
    page.wait_for_timeout(2000)
    assert len(loaded) == 1

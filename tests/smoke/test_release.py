"""The release: the expected one is live, ready, and nobody but root can change it."""

import json

import pytest

from .expect import expect, expect_equal
from .inventory import Machine
from .web import Site

pytestmark = pytest.mark.journal("web")


@pytest.fixture
def ready(web: Machine) -> dict:
    """What /readyz tells the proxy's own side."""
    status, body = web.seen("own_answers")["/readyz"]
    expect(status in (200, 503) and body.startswith("{"), "JSON from the live slot's /readyz", f"{status} {body[:200]}")
    return json.loads(body)


def test_expected_release_is_live(web: Machine, release: str) -> None:
    expect_equal(web.seen("slots")["folder"], release, f"the release in the live slot of {web.name}")


def test_release_folder_holds_that_release(web: Machine) -> None:
    slots = web.seen("slots")
    expect_equal(slots["release"], slots["folder"], "the id in the release's RELEASE file")


def test_running_process_is_of_that_release(ready: dict, release: str) -> None:
    expect_equal(ready.get("release"), release, "the release that the live slot's /readyz reports")


def test_process_is_alive(web: Machine) -> None:
    expect_equal(web.seen("own_answers")["/livez"], [200, "ok"], "the live slot's own answer to /livez")


@pytest.mark.parametrize("check", ["database", "migrations", "cache"])
def test_application_is_ready(ready: dict, check: str) -> None:
    expect_equal(ready.get("checks", {}).get(check), "ok", f"/readyz: {check}")


@pytest.mark.only("asgi")
def test_channel_layer_is_ready(ready: dict) -> None:
    expect_equal(ready.get("checks", {}).get("channel_layer"), "ok", "/readyz: channel_layer")


def test_strangers_see_no_release(site: Site) -> None:
    answer = site.get("/readyz")
    expect_equal((answer.status, answer.json()), (200, {"status": "ok"}), "/readyz through the public proxy")


def test_forged_headers_reveal_no_release(site: Site) -> None:
    seen = site.get("/readyz", X_Forwarded_For="127.0.0.1", X_Real_IP="127.0.0.1").json()
    expect_equal(seen, {"status": "ok"}, "/readyz to a stranger who claims to be local")


def test_release_belongs_to_root_alone(web: Machine) -> None:
    seen = web.seen("foreign_files")
    expect(not seen, "every file of the release owned by root and writable by root alone", "\n".join(seen))

"""The default project (ASGI, uvicorn, PostgreSQL) on a bare Debian 13 host, over SSH, from first deploy to rollback.

The tests share one host and run in order: each says what the owner does next.
"""

import json
from collections.abc import Callable

import pytest

from tests.browser import chat_with_each_other
from tests.deploy.site import UPLOAD, Site
from tests.hosts import Run


@pytest.fixture(scope="module")
def site(new_site: Callable[..., Site]) -> Site:
    """The default answers, deployed to a bare Debian 13 host."""
    return new_site()


def test_first_deploy_serves_the_committed_release(site: Site) -> None:
    status, _, body = site.get("/")
    assert status == 200
    assert b"My Site" in body
    assert site.release == site.project.release


def test_smoke_report_is_left_with_the_operator(site: Site) -> None:
    reports = site.project.folder / "deploy/reports/production"
    assert 'failures="0"' in (reports / "smoke.xml").read_text()
    assert site.project.release in (reports / "smoke.html").read_text()


def test_strangers_learn_nothing_from_readyz(site: Site) -> None:
    status, _, body = site.get("/readyz")
    assert (status, json.loads(body)) == (200, {"status": "ok"})


def test_second_deploy_changes_nothing_and_restarts_nothing(site: Site) -> None:
    started = "systemctl show -p ActiveEnterTimestampMonotonic nginx postgresql@* redis-server@* mysite-web@*"
    before = site.host.run(started)
    run = site.project.deploy().ok()
    assert run.changed == 0, run.output
    assert site.host.run(started) == before


def test_check_mode_changes_nothing_on_a_deployed_host(site: Site) -> None:
    before = site.host.run("readlink /srv/mysite/live; ls /srv/mysite/releases")
    site.project.edit("config/urls.py", "urlpatterns", "# A new comment.\nurlpatterns")
    site.project.commit("Change a comment")
    site.project.deploy("--check", "--diff").ok()
    assert site.host.run("readlink /srv/mysite/live; ls /srv/mysite/releases") == before


def test_code_only_deploy_switches_to_the_other_slot_without_a_failed_request(site: Site) -> None:
    slot, release = site.live_slot, site.release
    site.project.edit("templates/base.html", "</main>", "<p>Second edition</p></main>")
    site.project.commit("Change the home page")
    with site.visited() as failures:
        site.project.deploy().ok()
    assert failures == []
    assert site.live_slot != slot
    assert site.release == site.project.release != release
    assert b"Second edition" in site.get("/")[2]
    assert site.host.run(f"systemctl is-active mysite-web@{slot}", check=False) == "inactive"


def test_rollback_serves_the_previous_release_again(site: Site) -> None:
    slot, release = site.live_slot, site.release
    with site.visited() as failures:
        site.project.playbook("rollback").ok()
    assert failures == []
    assert site.live_slot != slot
    assert site.release != release
    assert b"Second edition" not in site.get("/")[2]


@pytest.mark.parametrize(
    ("file", "break_it", "expected"),
    [
        ("config/urls.py", "import nothing_of_this_name\n", "nothing_of_this_name"),
        ("chat/models.py", "raise RuntimeError('broken on purpose')\n", "broken on purpose"),
    ],
)
def test_release_that_cannot_start_is_refused_and_the_old_one_serves(
    site: Site, file: str, break_it: str, expected: str
) -> None:
    slot, release = site.live_slot, site.release
    path = site.project.folder / file
    text = path.read_text()
    path.write_text(break_it + text)
    site.project.commit("Break it")
    with site.visited() as failures:
        run = site.project.deploy_broken()
    path.write_text(text)
    site.project.commit("Mend it")
    assert run.status != 0, run.output
    assert expected in run.output, run.output
    assert failures == []
    assert (site.live_slot, site.release) == (slot, release)


def test_release_is_owned_by_root_and_not_writable_by_the_service(site: Site) -> None:
    tree = f"/srv/mysite/releases/{site.release}"
    assert site.host.run(f"find {tree} ! -user root -o -perm /022 ! -type l | head -5") == ""
    assert site.host.run(f"setpriv --reuid mysite --clear-groups touch {tree}/x", check=False) == ""
    assert site.host.run(f"test ! -e {tree}/x && echo absent") == "absent"


def test_uploads_are_served_by_nginx(site: Site) -> None:
    site.host.run(f'mysite-manage shell --command "{UPLOAD}"')
    site.expect_uploads()


def test_service_is_sandboxed_and_its_secrets_are_not_in_its_environment(site: Site) -> None:
    unit = f"mysite-web@{site.live_slot}"
    exposure = site.host.run(f"systemd-analyze security --json=short --threshold=5 {unit}; true")
    overall = site.host.run(f"systemd-analyze security {unit} | tail -1")
    assert float(overall.split(": ")[1].split()[0]) <= 0.5, exposure
    folder = site.project.folder / "deploy/inventory/production/secrets"
    secrets = [file.read_text().strip() for file in folder.glob("app_*")]
    pid = site.host.run(f"systemctl show -p MainPID --value {unit}")
    seen = site.host.run(f"systemctl show {unit}; tr '\\0' '\\n' </proc/{pid}/environ; ps axww -o args")
    assert len(secrets) == 3
    assert not [secret for secret in secrets if secret in seen]


def deploy_an_edition(site: Site) -> Run:
    site.project.edit("config/urls.py", "urlpatterns =", "# One more edition.\nurlpatterns =")
    site.project.commit("One more edition")
    return site.project.deploy()


@pytest.fixture
def six_older_releases(site: Site) -> str:
    """Copies of the live release, a year old; gives the folder of one of them."""
    releases = "/srv/mysite/releases"
    site.host.run(f"for n in 1 2 3 4 5 6; do cp -a {releases}/../live/. {releases}/00000000000$n; done")
    site.host.run(f"touch -d '1 year ago' {releases}/00000000000?")
    return f"{releases}/000000000006"  # the first to be pruned


def test_failure_after_the_switch_leaves_the_new_release_serving(site: Site, six_older_releases: str) -> None:
    site.host.run(f"mount -t tmpfs none {six_older_releases}/chat")  # It cannot be removed now.
    run = deploy_an_edition(site)
    site.host.run(f"umount {six_older_releases}/chat")
    assert run.status != 0, run.output
    assert site.release == site.project.release
    assert site.get("/")[0] == 200


@pytest.mark.usefixtures("six_older_releases")
def test_only_five_releases_are_kept(site: Site) -> None:
    before = site.release
    deploy_an_edition(site).ok()
    kept = site.host.run("ls /srv/mysite/releases").split()
    assert len(kept) == 5
    assert {before, site.project.release} <= set(kept)


def test_two_browsers_chat_through_the_proxy(site: Site) -> None:
    chat_with_each_other(site)

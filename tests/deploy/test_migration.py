"""A living site changes its interface: WSGI to ASGI and back, with its owner's own work and its visitors' words.

The tests share one host and run in order: each says what the owner does next.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page

from tests import owner
from tests.browser import SENTENCES, chat_with_each_other, enter, expect_to_read, online, talk, two_visitors
from tests.deploy.site import Site
from tests.hosts import Run
from tests.hosts.host import wait_for

WSGI = {"interface": "wsgi", "server": "gunicorn"}
ASGI = {"interface": "asgi", "server": "uvicorn"}


@pytest.fixture(scope="module")
def site(new_host: Callable, new_project: Callable) -> Site:
    """A WSGI project that its owner has changed, deployed to a bare Debian 13 host; two visitors have spoken there."""
    host, project = new_host(), new_project(domain="site.test", **WSGI)
    owner.change(project.folder)
    project.command("uv", "lock", "--quiet")
    project.place(web=[host], database=[host], redis=[host])
    site = Site(project, host, project.deploy().ok())
    site.host.run("mysite-manage shell -c \"from news.models import Item; Item.objects.create(text='**Anna** is in')\"")
    chat_with_each_other(site)
    return site


@pytest.fixture
def pages(site: Site) -> Iterator[tuple[Page, Page]]:
    """Two visitors; the first has the room `harbour` open all the while."""
    with two_visitors(site) as visitors:
        enter(site, visitors[0], "harbour")
        yield visitors


def migrate(site: Site, answers: dict[str, str]) -> Run:
    """Do what the README says: update, lock, commit, deploy; not one of the requests meanwhile may fail."""
    site.project.update(**answers)
    with site.visited() as failures:
        run = site.project.deploy().ok()
    assert failures == []
    assert site.release == site.project.release
    return run


def expect_all_data(site: Site, page: Page) -> None:
    """The page that was open is back by itself, with all that was said; the owner's news are on theirs."""
    online(page, 60_000)
    expect_to_read(page, *SENTENCES)
    assert b"<strong>Anna</strong> is in" in site.get("/news/")[2]


def fail_to_migrate(site: Site, answers: dict[str, str]) -> None:
    """Deploy a release of the other interface that cannot start; the live slot must be as it was, and restart so."""
    slot, release, before = site.live_slot, site.release, site.project.release
    site.project.update(**answers)
    entry = site.project.folder / f"config/{answers['interface']}.py"
    entry.write_text("import nothing_of_this_name\n" + entry.read_text())
    site.project.commit("Break it")
    with site.visited() as failures:
        run = site.project.deploy_broken()
    site.project.command("git", "reset", "--quiet", "--hard", before)
    assert run.status != 0, run.output
    assert "nothing_of_this_name" in run.output, run.output
    assert failures == []
    # As after a crash or a reboot.
    site.host.run(f"systemctl daemon-reload && systemctl restart mysite-web@{slot}")
    wait_for(site.answers, "the live slot after a restart", 30)
    assert (site.live_slot, site.release) == (slot, release)


def test_asgi_release_that_cannot_start_leaves_wsgi_as_it_was(site: Site) -> None:
    fail_to_migrate(site, ASGI)


def test_to_asgi_without_a_failed_request(site: Site, pages: tuple[Page, Page]) -> None:
    migrate(site, ASGI)
    expect_all_data(site, pages[0])
    talk(site, pages, "as-asgi")


def test_second_deploy_as_asgi_changes_nothing(site: Site) -> None:
    run = site.project.deploy().ok()
    assert run.changed == 0, run.output


def test_asgi_release_has_nothing_of_wsgi(site: Site) -> None:
    assert site.host.run("ls /srv/mysite/live/config/wsgi.py /srv/mysite/live/.venv/bin/gunicorn", check=False) == ""


def test_rollback_to_the_other_interface_is_refused_with_the_way_out(site: Site) -> None:
    before = site.live_slot, site.release
    run = site.project.playbook("rollback")
    assert run.status != 0, run.output
    assert run.changed == 0
    assert "does not run as asgi" in run.output, run.output
    assert "git revert" in run.output, run.output
    assert "ansible-playbook deploy.yml" in run.output, run.output
    assert (site.live_slot, site.release) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-e", "revision=HEAD~1"], ["app_interface: asgi", "config/asgi.py", "revert"]),
        (["-e", "app_interface=wsgi"], ["app_interface: wsgi", "config/wsgi.py", "copier update -d interface=wsgi"]),
    ],
    ids=["revision", "inventory"],
)
def test_release_that_is_not_what_the_inventory_says_is_refused(
    site: Site, arguments: list[str], words: list[str]
) -> None:
    before = site.live_slot, site.release
    run = site.project.deploy(*arguments)
    assert run.status != 0, run.output
    assert run.changed == 0
    assert [word for word in words if word not in run.output] == [], run.output
    assert (site.live_slot, site.release) == before


def test_wsgi_release_that_cannot_start_leaves_asgi_and_its_websockets_as_they_were(site: Site) -> None:
    fail_to_migrate(site, WSGI)
    with two_visitors(site) as pages:
        talk(site, pages, "still-asgi")


def test_back_to_wsgi_without_a_failed_request(site: Site, pages: tuple[Page, Page]) -> None:
    migrate(site, WSGI)
    expect_all_data(site, pages[0])
    talk(site, pages, "as-wsgi")


def test_second_deploy_as_wsgi_changes_nothing(site: Site) -> None:
    run = site.project.deploy().ok()
    assert run.changed == 0, run.output


@pytest.mark.parametrize(
    "look",
    [
        "ls /etc/redis/redis-channels.conf /run/redis-channels",
        "systemctl list-units --all --plain --no-legend 'redis-server@channels*'",
        "find /etc/systemd -name '*channels*'",
        "find /etc/mysite -name REDIS_URL",
        "grep -rl REDIS_URL /etc/systemd/system /etc/mysite",
        "nginx -T 2>/dev/null | grep -i http_upgrade",
        "ls /srv/mysite/live/config/asgi.py /srv/mysite/live/.venv/bin/uvicorn",
        "ls -d /srv/mysite/live/.venv/lib/*/site-packages/channels*",
    ],
)
def test_nothing_of_asgi_is_left(site: Site, look: str) -> None:
    assert site.host.run(look, check=False) == ""


def test_slot_that_is_not_live_keeps_no_secret(site: Site) -> None:
    slot = {"blue": "green", "green": "blue"}[site.live_slot]
    left = f"find /etc/mysite -path '*{slot}*' -type f; ls /etc/systemd/system/mysite-web@{slot}.service"
    assert site.host.run(left, check=False) == ""
    assert site.host.run(f"mysite-manage --slot {slot} check 2>&1", check=False).endswith("is not in use")

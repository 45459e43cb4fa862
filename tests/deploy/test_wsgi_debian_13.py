"""A WSGI project (gunicorn, SQLite, Django 5.2) on a bare Debian 13 host, and what a deployment refuses.

Every refusal leaves the site as it was: the old release serves, and the message names the key and the remedy.
"""

from collections.abc import Callable, Iterator

import pytest
import yaml

from tests.browser import chat_with_each_other
from tests.deploy.site import Site


@pytest.fixture(scope="module")
def site(new_site: Callable[..., Site]) -> Site:
    """A WSGI project, its slots on TCP, deployed to a bare Debian 13 host."""
    return new_site(
        variables={"app_listen": "tcp"}, interface="wsgi", server="gunicorn", database="sqlite", django_version="5.2"
    )


@pytest.fixture
def unharmed(site: Site) -> Iterator[None]:
    """Whatever the test tries, the same release serves afterwards from the same slot."""
    before = site.live_slot, site.release
    yield
    assert (site.live_slot, site.release) == before
    assert site.get("/")[0] == 200


def test_first_deploy_serves_the_committed_release(site: Site) -> None:
    assert site.get("/")[0] == 200
    assert site.release == site.project.release


def test_second_deploy_changes_nothing(site: Site) -> None:
    run = site.project.deploy().ok()
    assert run.changed == 0, run.output


def test_two_browsers_chat_by_long_polling(site: Site) -> None:
    chat_with_each_other(site)


def test_tcp_slot_is_sandboxed(site: Site) -> None:
    overall = site.host.run(f"systemd-analyze security mysite-web@{site.live_slot} | tail -1")
    assert float(overall.split(": ")[1].split()[0]) <= 1.0, overall


@pytest.mark.usefixtures("unharmed")
@pytest.mark.parametrize(
    ("variables", "names"),
    [
        ({"app_wokers": 3}, ["app_wokers"]),
        ({"nginx_client_max_bodysize": "1m"}, ["nginx_client_max_bodysize"]),
        ({"app_domain": ""}, ["app_domain"]),
        ({"app_domain": "https://site.test/"}, ["app_domain", "https://site.test/"]),
        ({"tls": "sometimes"}, ["tls", "sometimes"]),
        ({"tls": "provided"}, ["tls", ".crt"]),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_bad_inventory_is_refused_by_name(site: Site, variables: dict[str, object], names: list[str]) -> None:
    inventory = site.project.folder / "deploy/inventory/production/hosts.yml"
    good = inventory.read_text()
    hosts = yaml.safe_load(good)
    hosts["all"]["hosts"][site.host.name].update(variables)
    inventory.write_text(yaml.safe_dump(hosts))
    run = site.project.deploy()
    inventory.write_text(good)
    assert run.status != 0, run.output
    assert run.changed == 0
    assert all(name in run.output for name in names), run.output


@pytest.mark.usefixtures("unharmed")
def test_unreachable_host_is_named(site: Site) -> None:
    run = site.project.deploy("-e", "ansible_host=192.0.2.1", "-e", "ansible_timeout=2")
    assert run.status != 0, run.output
    assert site.host.name in run.output, run.output


@pytest.mark.usefixtures("unharmed")
def test_dirty_tree_is_refused_with_the_way_out(site: Site) -> None:
    site.project.edit("config/urls.py", "urlpatterns", "# Not committed.\nurlpatterns")
    run = site.project.deploy()
    site.project.command("git", "checkout", "--quiet", ".")
    assert run.status != 0, run.output
    assert "config/urls.py" in run.output, run.output
    assert "git commit" in run.output, run.output


@pytest.mark.usefixtures("unharmed")
def test_missing_lock_is_refused_with_the_command(site: Site) -> None:
    site.project.command("git", "rm", "--quiet", "uv.lock")
    site.project.commit("Remove the lock")
    run = site.project.deploy()
    site.project.command("git", "reset", "--quiet", "--hard", "HEAD~1")
    assert run.status != 0, run.output
    assert "uv lock" in run.output, run.output


@pytest.mark.usefixtures("unharmed")
def test_unknown_revision_is_refused(site: Site) -> None:
    run = site.project.deploy("-e", "revision=no-such-branch")
    assert run.status != 0, run.output
    assert "no-such-branch" in run.output, run.output


@pytest.mark.usefixtures("unharmed")
@pytest.mark.parametrize(("options", "word"), [("size=8m", "disk"), ("size=4g,nr_inodes=50", "inodes")])
def test_host_without_room_is_refused_before_anything_changes(site: Site, options: str, word: str) -> None:
    site.project.commit("A commit to deploy")
    site.host.run(f"mount -t tmpfs -o {options} none /srv/mysite/releases")
    run = site.project.deploy()
    site.host.run("umount /srv/mysite/releases")
    site.project.command("git", "reset", "--quiet", "--hard", "HEAD~1")
    assert run.status != 0, run.output
    assert word in run.output.lower(), run.output


def test_check_mode_works_on_a_fresh_host(new_host: Callable, new_project: Callable) -> None:
    host = new_host()
    project = new_project(domain="site.test").place(web=[host], database=[host], redis=[host])
    project.deploy("--check", "--diff").ok()
    assert host.run("ls /srv; id mysite", check=False) == ""

"""Web, database and Redis on three hosts: what is one host's secret stays off the network's open doors.

nginx keeps pages there, and everything else goes on as without.
"""

import re
from collections.abc import Callable

import psycopg
import pytest

from tests.browser import chat_with_each_other
from tests.deploy.site import Site
from tests.hosts import Host


@pytest.fixture(scope="module")
def hosts(new_host: Callable[..., Host]) -> dict[str, Host]:
    """Three bare hosts, one for each group."""
    return {group: new_host() for group in ("web", "database", "redis")}


@pytest.fixture(scope="module")
def site(hosts: dict[str, Host], new_project: Callable) -> Site:
    """The default project on the three hosts, its pages kept for a while."""
    groups = {group: [host] for group, host in hosts.items()}
    project = new_project(domain="site.test").place({"nginx_cache_seconds": 10}, **groups)
    return Site(project, hosts["web"], project.deploy().ok())


def test_site_answers(site: Site) -> None:
    assert site.get("/")[0] == 200
    assert site.release == site.project.release


def test_second_deploy_changes_nothing(site: Site) -> None:
    run = site.project.deploy().ok()
    assert run.changed == 0, run.output


def test_each_host_runs_its_own_services_only(site: Site, hosts: dict[str, Host]) -> None:
    running = {
        group: host.run("systemctl list-units --plain --no-legend --state=running '*.service' | cut -d' ' -f1")
        for group, host in hosts.items()
    }
    homes = {"postgresql@": "database", "redis-server@": "redis", "nginx": "web", "mysite-web@": "web"}
    for word, home in homes.items():
        assert [group for group, units in running.items() if word in units] == [home], word


def test_database_lets_in_the_web_hosts_alone(site: Site, hosts: dict[str, Host]) -> None:
    password = (site.project.folder / "deploy/inventory/production/secrets/app_database_password").read_text().strip()
    with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry"):
        psycopg.connect(
            host=hosts["database"].address, user="mysite", password=password, dbname="mysite", sslmode="require"
        )


def test_password_that_was_changed_behind_the_inventory_is_put_right(site: Site, hosts: dict[str, Host]) -> None:
    hosts["database"].run("""runuser -u postgres -- psql -c "ALTER ROLE mysite PASSWORD 'not-the-inventorys'" """)
    site.project.deploy().ok()
    assert site.get("/readyz")[0] == 200


def test_strangers_share_a_page_but_no_form(site: Site) -> None:
    home = [site.get("/")[1]["X-Cache"] for _ in range(2)]
    assert home[1] == "HIT", home
    forms = [site.get("/login/") for _ in range(2)]
    assert [headers["X-Cache"] for _, headers, _ in forms] == ["MISS", "MISS"]
    assert forms[0][2] != forms[1][2]  # each has a token of its own


SIGN_IN = """
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
client = Client()
client.force_login(get_user_model().objects.create_user('ada'))
print('session', client.cookies[settings.SESSION_COOKIE_NAME].output(header=''))
"""


def test_page_of_a_signed_in_visitor_is_nobody_elses(site: Site) -> None:
    said = site.host.run(f'mysite-manage shell --verbosity=0 -c "{SIGN_IN}"')
    cookie = re.search(r"session\s+([^;]+)", said)[1]
    stranger = site.get("/")[2]
    _, headers, page = site.get("/", {"Cookie": cookie})
    assert headers["X-Cache"] == "BYPASS"
    assert b"Sign out" in page
    assert b"Sign out" not in stranger
    assert b"Sign out" not in site.get("/")[2]


def test_two_browsers_chat_over_the_other_hosts_redis(site: Site) -> None:
    chat_with_each_other(site)

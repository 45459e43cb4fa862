"""A site on a PostgreSQL under load that is restarted: its connections are few, and none stays broken."""

import http
import http.client
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import psycopg
import pytest

from tests.hosts.host import docker
from tests.ports import free_port
from tests.servers.processes import PATIENCE, Redis, Site, until
from tests.servers.table import ROWS, Row
from tests.template.rendering import ROOT, run

pytestmark = pytest.mark.engine

CLIENTS = 16
MOST = 8  # connections that the site may have: two workers, each with half of them
PAGE = "/chat/"  # asks the database which rooms are lively
# Seconds. A pool that doubles its pauses tries after 1, 3, 7 and 15 seconds: then it would pause for 16.
OUTAGE = {"wsgi": 0, "asgi": 16}
BACK = 10  # seconds in which a page must come then: what the pool may still pause, 4, and as much on a busy machine
# By interface. WSGI: one for each thread. ASGI: a pool, whatever the number of threads, with which both slots of a
# deployment stay within DATABASE_CONNECTIONS.
LIMITS = {"wsgi": {"THREADS": "4"}, "asgi": {"THREADS": "8", "DATABASE_CONNECTIONS": "16"}}


class Postgres:
    """The server that compose/ names, in a container, which keeps its data when it is stopped."""

    def __init__(self) -> None:
        self.port, self.password = free_port(), secrets.token_hex(8)
        (image,) = re.findall(r"image: (postgres:\S+)", (ROOT / "compose/compose.yaml").read_text())
        options = ("--user", "999:999", "--publish", f"127.0.0.1:{self.port}:5432")
        password = ("--env", f"POSTGRES_PASSWORD={self.password}")
        # Hardly more than a site may have, so that one connection too many is refused.
        server = ("postgres", "-c", "max_connections=15", "-c", "fsync=off")
        self.container = docker("run", "--detach", *options, *password, image, *server)

    def url(self, database: str = "postgres") -> str:
        return f"postgres://postgres:{self.password}@127.0.0.1:{self.port}/{database}"

    def ask(self, statement: str, *values: str) -> list[tuple]:
        with closing(psycopg.connect(self.url(), autocommit=True, connect_timeout=30)) as connection:
            cursor = connection.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def answers(self) -> bool:
        with suppress(psycopg.Error):
            return bool(self.ask("SELECT 1"))
        return False

    def connections_to(self, database: str) -> set[int]:
        """The process numbers of the server's ends of all connections to a database."""
        return {pid for (pid,) in self.ask("SELECT pid FROM pg_stat_activity WHERE datname = %s", database)}

    def stop(self) -> None:
        docker("stop", self.container)

    def start(self) -> None:
        docker("start", self.container)
        until(self.answers, "PostgreSQL answers")


class Load:
    """CLIENTS visitors who load a page again and again, each over one connection as long as it is kept open.

    `results`: of each request when it began, how long it took, and the status, or the error instead of it.
    """

    def __init__(self, site: Site) -> None:
        self.site, self.results, self.over = site, [], threading.Event()
        self.threads = [threading.Thread(target=self.visit) for _ in range(CLIENTS)]

    def __enter__(self) -> "Load":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()

    def visit(self) -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=PATIENCE)) as connection:
            while not self.over.is_set():
                began = time.monotonic()
                try:
                    connection.request("GET", PAGE)
                    response = connection.getresponse()
                    response.read()
                    result = response.status
                except (OSError, http.client.HTTPException) as error:
                    connection.close()
                    result = error
                self.results.append((began, time.monotonic() - began, result))

    def failures(self, since: float = 0) -> list[tuple[float, float, object]]:
        """Those requests of `results` that began after `since` and gave no page."""
        return [each for each in list(self.results) if each[0] > since and each[2] != http.HTTPStatus.OK]

    def served(self, since: float = 0) -> int:
        return sum(began > since and result == http.HTTPStatus.OK for began, _, result in list(self.results))


@pytest.fixture(scope="module")
def postgres(images: str) -> Iterator[Postgres]:
    postgres = Postgres()
    try:
        until(postgres.answers, "PostgreSQL answers", 60)
        yield postgres
    finally:
        docker("rm", "--force", "--volumes", postgres.container)


@pytest.fixture(scope="module", params=[row for row in ROWS if str(row) in ("asgi-uvicorn", "wsgi-gunicorn")], ids=str)
def row(request: pytest.FixtureRequest) -> Row:
    return request.param


@pytest.fixture(scope="module")
def site(
    row: Row,
    projects: Callable[..., Path],
    postgres: Postgres,
    redis: Redis,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    project, folder = projects(row, "postgres"), tmp_path_factory.mktemp("site")
    postgres.ask(f'CREATE DATABASE "{row}"')
    environment = {
        # As in production: the error pages of DEBUG ask the database themselves.
        "DEBUG": "false",
        "SECRET_KEY": secrets.token_hex(32),
        "ALLOWED_HOSTS": "127.0.0.1",
        "SECURE_SSL_REDIRECT": "false",
        "STATIC_ROOT": str(folder / "static"),
        "DATABASE_URL": postgres.url(str(row)),
        **LIMITS[row.interface],
    }
    for command in ("migrate", "collectstatic --no-input"):
        run(project / ".venv/bin/python", "manage.py", *command.split(), "--verbosity=0", cwd=project, **environment)
    site = Site(project, folder / "data", redis, **environment)
    try:
        yield site.start()
    finally:
        site.stop()


def processes(site: Site) -> list[str]:
    """The process numbers of the workers, and of what else bin/serve has started."""
    pid = site.process.pid
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_connections_are_kept_and_few(site: Site, row: Row, postgres: Postgres) -> None:
    seen: set[int] = set()
    most = 0
    with Load(site) as load:
        while load.served() < 500:
            now = postgres.connections_to(str(row))
            most = max(most, len(now))
            seen |= now
    assert load.failures() == []
    assert 2 < most <= MOST
    assert len(seen) <= MOST  # used again and again, none is replaced


def test_a_restart_under_load_is_over_when_the_database_is_back(site: Site, row: Row, postgres: Postgres) -> None:
    before = processes(site)
    with Load(site) as load:
        until(lambda: load.served() > 100, "pages before")
        stopped = time.monotonic()
        postgres.stop()
        try:
            end = stopped + OUTAGE[row.interface]
            until(lambda: load.failures() and time.monotonic() > end, "pages that fail, for so long")
        finally:
            postgres.start()
        back = time.monotonic()
        until(lambda: load.served(since=back), "a page afterwards", BACK)
        until(lambda: load.served(since=back) > 500, "pages afterwards")
    assert load.failures(since=back) == []
    assert processes(site) == before


def test_nothing_fails_after_a_restart_that_nobody_noticed(site: Site, postgres: Postgres) -> None:
    with Load(site) as load:
        until(lambda: load.served() > 100, "pages before, over every connection")
    postgres.stop()
    postgres.start()
    with Load(site) as load:
        until(lambda: len(load.results) > 100, "pages afterwards")
    assert load.failures() == []

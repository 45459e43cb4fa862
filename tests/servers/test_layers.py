"""What clients of different workers see of each other, and of Redis and workers that go away: never deaf."""

import http
import os
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection

from tests.servers.clients import CLIENTS, Visitors, close_code, read, read_until, say, worker_of
from tests.servers.processes import Redis, Site, until
from tests.servers.table import ASGI, Row

BACK = 15  # seconds in which a client is told, or is back


@pytest.fixture(scope="module", params=["core", "pubsub"])
def layer(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module", params=ASGI, ids=str)
def row(request: pytest.FixtureRequest) -> Row:
    return request.param


@pytest.fixture(scope="module")
def site(serve: Callable[..., Site], row: Row, layer: str) -> Site:
    return serve(row, CHANNEL_LAYER=layer)


@pytest.fixture(autouse=True)
def both_are_up(site: Site, redis: Redis) -> Iterator[None]:
    """Whatever a test took away is back before the next one."""
    yield
    if redis.process.poll() is not None:
        redis.start()
    site.workers()


@pytest.fixture
def room() -> str:
    return f"room-{secrets.token_hex(4)}"


@pytest.fixture
def visitors(site: Site) -> Iterator[Visitors]:
    with Visitors(site) as visitors:
        yield visitors


def hear_each_other(clients: list[ClientConnection]) -> None:
    """The first client says something, and all of them hear it."""
    text = secrets.token_hex(8)
    say(clients[0], text)
    for client in clients:
        assert read_until(client, type="message")["text"] == text


def here(page: ClientConnection, count: int) -> list[str]:
    """Who is here, as soon as a page is told of so many."""
    while len(names := read_until(page, type="here")["names"]) != count:
        pass
    return names


def entered(visitors: Visitors, room: str, query: str = "") -> tuple[ClientConnection, list] | None:
    """A connection and its history; None where the site does not let us in."""
    with suppress(WebSocketException, OSError, EOFError):
        client = visitors.enter(room, query)
        return client, read(client)["messages"]
    return None


def test_clients_of_both_workers_hear_each_other(visitors: Visitors, room: str) -> None:
    clients = visitors.crowd(room)
    hear_each_other(clients)
    hear_each_other(clients[::-1])


def test_who_is_here_is_the_same_for_both_workers(visitors: Visitors, room: str) -> None:
    pages = visitors.crowd(room, keys=True)
    everybody = {tuple(here(page, CLIENTS)) for page in pages}
    assert len(everybody) == 1
    pages.pop().close()
    others = {tuple(here(page, CLIENTS - 1)) for page in pages}
    assert len(others) == 1
    assert set(*others) < set(*everybody)


def test_all_clients_are_told_when_redis_restarts(visitors: Visitors, room: str, redis: Redis) -> None:
    clients = visitors.crowd(room)
    hear_each_other(clients)
    redis.stop()
    redis.start()
    assert [close_code(client, BACK) for client in clients] == [1012] * CLIENTS
    hear_each_other(visitors.crowd(room))


def test_all_clients_are_told_when_redis_goes_and_nothing_is_missed(
    site: Site, visitors: Visitors, room: str, redis: Redis
) -> None:
    clients = visitors.crowd(room)
    say(clients[0], "before")
    last = read_until(clients[0], type="message")["id"]
    redis.stop()
    assert [close_code(client, BACK) for client in clients] == [1012] * CLIENTS
    site.write(room, "meanwhile")
    for _ in range(10):
        assert site.status("/") == site.status(f"/chat/{room}/") == http.HTTPStatus.OK
        assert entered(visitors, room) is None
    redis.start()
    client, history = until(lambda: entered(visitors, room, f"?after={last}"), "a client is back", BACK)
    assert [message["text"] for message in history] == ["meanwhile"]
    hear_each_other([*visitors.crowd(room), client])


def test_nothing_fails_once_redis_is_back_though_nobody_was_there_to_notice(
    site: Site, visitors: Visitors, room: str, redis: Redis
) -> None:
    for client in visitors.crowd(room):
        client.close()
    for _ in range(10):
        site.get("/readyz")  # connects both workers
    redis.stop()
    redis.start()
    for _ in range(10):
        status, answer = site.get("/readyz")
        assert status == http.HTTPStatus.OK, answer
    hear_each_other(visitors.crowd(room))


def test_clients_of_a_killed_worker_are_back(site: Site, visitors: Visitors, room: str) -> None:
    clients = visitors.crowd(room)
    victim = worker_of(clients[0], site)
    lost = [client for client in clients if worker_of(client, site) == victim]
    os.kill(victim, signal.SIGKILL)
    killed = time.monotonic()
    for client in lost:
        assert close_code(client, BACK) is not None
    client, _ = until(lambda: entered(visitors, room), "a client is back", BACK)
    assert time.monotonic() - killed < BACK
    hear_each_other([client, *(client for client in clients if client not in lost)])


def test_too_large_a_message_is_refused(visitors: Visitors, room: str) -> None:
    client = visitors.enter(room)
    client.send("x" * 65537)
    assert close_code(client) == 1009

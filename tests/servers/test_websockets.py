"""How each ASGI server, as bin/serve starts it, treats WebSockets."""

import asyncio
import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed
from websockets.frames import Opcode
from websockets.sync.client import ClientConnection, connect

from tests.servers.processes import PATIENCE, Site, until
from tests.servers.table import ASGI, Row

WARM, IDLE = 100, 500  # WebSockets
# KiB for each of them: twice as many with compression. What granian takes cannot be set.
LITTLE, MUCH = 48, 200


@pytest.fixture(scope="module", params=ASGI, ids=str)
def row(request: pytest.FixtureRequest) -> Row:
    return request.param


@pytest.fixture(scope="module")
def site(serve: Callable[..., Site], row: Row) -> Site:
    return serve(row)


@pytest.fixture
def client(site: Site) -> Iterator[ClientConnection]:
    """A page's connection to a room that stores nothing, past the history; it offers compression as browsers do."""
    url = f"{site.url.replace('http', 'ws')}/ws/chat/smoke-servers/"
    with connect(url, origin=site.url, compression="deflate", open_timeout=PATIENCE, ping_interval=None) as client:
        client.recv(timeout=PATIENCE)
        yield client


def resident(site: Site) -> int:
    """KiB of memory that the workers hold."""
    return sum(int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) for pid in site.pids)


# First of all: memory that others leave behind would be used again.
def test_idle_websockets_take_little_memory(site: Site, row: Row) -> None:
    async def grown() -> float:
        async with contextlib.AsyncExitStack() as stack:

            async def enter(count: int) -> None:
                for _ in range(count):
                    # It offers compression, as browsers do.
                    opened = connect_async(url, origin=site.url, open_timeout=PATIENCE, ping_interval=None)
                    client = await stack.enter_async_context(opened)
                    await client.send("Ahoy")
                    await client.recv()

            await enter(WARM)
            before = resident(site)
            await enter(IDLE)
            return (resident(site) - before) / IDLE

    url = f"{site.url.replace('http', 'ws')}/ws/echo/"
    kib = asyncio.run(grown())
    assert kib < (MUCH if row.server == "granian" else LITTLE)


def test_compression_is_not_agreed_to(client: ClientConnection) -> None:
    assert not client.protocol.extensions


def test_a_message_over_the_limit_closes_with_1009(client: ClientConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        client.send("x" * 65537)
        client.recv(timeout=PATIENCE)
    assert client.close_code == 1009


def test_a_message_below_the_limit_is_answered(client: ClientConnection) -> None:
    client.send("x" * 65536)
    assert "error" in client.recv(timeout=PATIENCE)


def test_idle_websockets_are_pinged_where_the_table_says_so(client: ClientConnection, row: Row) -> None:
    pinged = []
    receive = client.protocol.recv_frame

    def note(frame: object) -> None:
        pinged.append(frame.opcode is Opcode.PING)
        receive(frame)

    client.protocol.recv_frame = note

    def hears_nothing(seconds: float) -> bool:
        with pytest.raises(TimeoutError):
            client.recv(timeout=seconds)
        return True

    if row.pings:  # Every 20 seconds or so; nginx gives up after 75.
        until(lambda: hears_nothing(1) and any(pinged), "a ping", 60)
    else:
        assert hears_nothing(22)
        assert not any(pinged)


def test_the_stop_tells_clients_to_come_back(site: Site, client: ClientConnection, row: Row) -> None:
    site.process.terminate()
    with pytest.raises(ConnectionClosed) as closed:
        client.recv(timeout=PATIENCE)
    assert (closed.value.rcvd and closed.value.rcvd.code) == row.goodbye
    assert site.process.wait(timeout=PATIENCE) == 0
    site.start()

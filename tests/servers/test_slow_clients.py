"""A client that does not read what it is sent: it is closed, and nobody else waits for it."""

import re
import secrets
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.servers.clients import Visitors, close_code, read, read_until
from tests.servers.processes import PATIENCE, Site, until
from tests.servers.table import ASGI, Row

SLOW = 200
MESSAGES, BYTES = 150, 50_000  # more than the buffers of kernel and server hold
EACH = 512  # KiB of memory that a slow client may cost: a server's buffer, and the message on its way
SAID = "a WebSocket's client is too slow: closed"

# Speaks in a room as another host would.
SPEAKER = """
import asyncio
from channels.layers import get_channel_layer

async def main(room, count, size):
    for number in range(count):
        message = {"id": number, "author": "Ada", "text": "x" * size, "created": ""}
        await get_channel_layer().group_send(f"chat.{room}", {"type": "chat.message", "message": message})
        await asyncio.sleep(0.002)

asyncio.run(main(%r, %d, %d))
"""


@pytest.fixture(scope="module", params=ASGI, ids=str)
def row(request: pytest.FixtureRequest) -> Row:
    return request.param


@pytest.fixture(scope="module")
def site(serve: Callable[..., Site], row: Row) -> Site:
    return serve(row)


def speak(site: Site, room: str, count: int) -> None:
    """Have something say `count` numbered messages in the room, without a limit."""
    code = SPEAKER % (room, count, BYTES)
    subprocess.run(
        [site.project / ".venv/bin/python", "manage.py", "shell", "--no-imports", "-c", code],
        cwd=site.project, env=site.environment, check=True, capture_output=True, timeout=2 * PATIENCE,
    )  # fmt: skip


@contextmanager
def sleepers(site: Site, room: str) -> Iterator[list[ClientConnection]]:
    """SLOW clients with a small window, who read nothing after the history."""
    url = f"{site.url.replace('http', 'ws')}/ws/chat/{room}/"
    with ExitStack() as stack:
        clients = []
        for _ in range(SLOW):
            small = stack.enter_context(socket.socket())
            small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            small.connect(("127.0.0.1", site.port))
            options = {"max_queue": 1, "ping_interval": None, "open_timeout": PATIENCE, "close_timeout": 1}
            clients.append(stack.enter_context(connect(url, sock=small, origin=site.url, **options)))
            assert read(clients[-1])["type"] == "history"
        stack.callback(hang_up, clients)
        yield clients


def hang_up(clients: list[ClientConnection]) -> None:
    """End the connections at once; closing each that has not read would wait for a second."""
    for client in clients:
        with suppress(OSError):  # one that is closed has no connection to end
            client.socket.shutdown(socket.SHUT_RDWR)


def told(client: ClientConnection) -> int | None:
    """The code with which a client that reads at last finds itself closed."""
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)  # else what waits takes seconds to read
    return close_code(client)


def memory(pid: int) -> int:
    """KiB of a process's resident memory."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])


def test_slow_clients_are_closed_with_1013_and_nobody_waits_for_them(site: Site) -> None:
    room = f"room-{secrets.token_hex(4)}"
    with Visitors(site) as visitors, sleepers(site, room) as slow:
        reader = visitors.enter(room)
        read(reader)
        workers = site.workers()
        before = sum(map(memory, workers))
        speak(site, room, MESSAGES)
        heard = [read_until(reader, type="message")["id"] for _ in range(MESSAGES)]
        assert heard == list(range(MESSAGES))
        assert SAID not in site.log.read_text(), "the reader had to wait until others were closed"
        grown = sum(map(memory, workers)) - before
        assert grown < SLOW * EACH, f"{SLOW} slow clients cost {grown} KiB"
        until(lambda: site.log.read_text().count(SAID) == SLOW, "the slow clients are closed")
        # All at the same time: a server need not wait for more than 10 seconds until they read it.
        with ThreadPoolExecutor(SLOW) as pool:
            assert set(pool.map(told, slow)) == {1013}
        speak(site, room, 1)
        assert read_until(reader, type="message")["id"] == 0

"""WebSocket clients of the chat, as a page opens them, but in the hands of a test."""

import json
import secrets
import time
from contextlib import ExitStack, suppress

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.servers.processes import PATIENCE, Site

CLIENTS = 12


class Visitors:
    """Opens connections to the chat of a site; leaving the `with` block closes every one."""

    def __init__(self, site: Site) -> None:
        self.site, self.stack = site, ExitStack()

    def __enter__(self) -> "Visitors":
        return self

    def __exit__(self, *error: object) -> None:
        self.stack.close()

    def enter(self, room: str, query: str = "") -> ClientConnection:
        """Enter a room; the history is still to be read."""
        url = f"{self.site.url.replace('http', 'ws')}/ws/chat/{room}/{query}"
        return self.stack.enter_context(connect(url, origin=self.site.url, open_timeout=PATIENCE))

    def crowd(self, room: str, keys: bool = False) -> list[ClientConnection]:
        """CLIENTS connections in a room, on both workers, past their history; with `keys` as pages are."""
        clients: list[ClientConnection] = []
        # An idle machine may give one worker all that comes.
        for _ in range(10 * CLIENTS):
            clients.append(self.enter(room, f"?client={secrets.token_hex(16)}" if keys else ""))
            assert read(clients[-1])["type"] == "history"
            if len(clients) > CLIENTS:
                clients.pop(0).close()
            if len(clients) == CLIENTS and len({worker_of(client, self.site) for client in clients}) == 2:
                return clients
        raise AssertionError("one worker takes every connection")


def say(client: ClientConnection, text: str) -> None:
    client.send(json.dumps({"type": "message", "text": text}))


def read(client: ClientConnection, seconds: float = PATIENCE) -> dict:
    """The next that the server says."""
    return json.loads(client.recv(timeout=seconds))


def read_until(client: ClientConnection, **wanted: object) -> dict:
    """The first of what the server says in which all of `wanted` is so."""
    end = time.monotonic() + PATIENCE
    while True:
        said = read(client, max(0, end - time.monotonic()))
        if said | wanted == said:
            return said


def close_code(client: ClientConnection, seconds: float = PATIENCE) -> int | None:
    """The code with which the server closes, after whatever else it says; None where it does not."""
    end = time.monotonic() + seconds
    with suppress(ConnectionClosed, TimeoutError):
        while True:
            client.recv(timeout=max(0, end - time.monotonic()))
    return client.close_code


def worker_of(client: ClientConnection, site: Site) -> int:
    """The process id of the worker that holds the other end of the connection."""
    return site.connections()[client.socket.getsockname()[1]]

"""WebSockets through the proxy: they open, reach every worker through Redis, and keep strangers and giants out."""

import json
import secrets
import struct
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress

import pytest
from websockets.exceptions import InvalidStatus

from .expect import expect, expect_equal
from .inventory import Inventory
from .web import PATIENT, Site, WebSocket

pytestmark = [pytest.mark.only("asgi"), pytest.mark.journal("web", "nginx")]
CLIENTS = 12  # on two workers, all on the same one by chance: once in 2000 runs
REFUSALS = 10  # in a row: a server may leave one of a new worker's first without an answer
FRAME_LIMIT = 65536  # bytes


def test_echo_comes_back(site: Site) -> None:
    text = secrets.token_hex(8)
    with site.websocket("/ws/echo/") as client:
        client.send(text)
        expect_equal(json.loads(client.recv()).get("echo"), text, "the echo")


def test_several_workers_answer(site: Site) -> None:
    wanted = min(site.machine["app_workers"], 2)
    pids: set[int] = set()
    # All at once: an idle worker may take every one of those that come one after the other.
    with ThreadPoolExecutor(CLIENTS) as pool:
        for _ in range(5):
            pids.update(pool.map(process_behind, [site] * CLIENTS))
            if len(pids) >= wanted:
                break
    expect(len(pids) >= wanted, f"answers of {wanted} worker processes", f"of {len(pids)} in {5 * CLIENTS} connections")


def process_behind(site: Site) -> int:
    """The process that serves a new WebSocket."""
    with site.websocket("/ws/echo/") as client:
        client.send("who?")
        return json.loads(client.recv())["pid"]


def test_message_reaches_the_clients_of_every_worker(site: Site) -> None:
    with room([site] * CLIENTS) as clients:
        expect_delivery(clients, "through Redis to clients of all workers")


@pytest.mark.only("several")
def test_message_reaches_the_clients_of_every_web_host(inventory: Inventory) -> None:
    with room([Site(machine) for machine in inventory.group("web")]) as clients:
        expect_delivery(clients, "through Redis to clients of all web hosts")


def test_stream_sends_events(site: Site) -> None:
    with site.websocket("/ws/stream/") as client:
        numbers = [json.loads(client.recv())["id"] for _ in range(2)]
    expect(numbers[1] == numbers[0] + 1, "two events with consecutive numbers", numbers)


@pytest.mark.parametrize("origin", ["https://elsewhere.invalid", "http://{domain}", "https://{domain}:444", "null"])
def test_page_of_another_origin_is_refused(site: Site, origin: str) -> None:
    origin = origin.format(domain=site.domain)
    for _ in range(REFUSALS):
        try:
            site.websocket("/ws/echo/", origin=origin).close()
            seen = "a connection"
        except InvalidStatus as refusal:
            seen = refusal.response.status_code
        expect_equal(seen, 403, f"the answer to Origin: {origin}")


def test_oversize_message_is_closed(site: Site) -> None:
    size = FRAME_LIMIT + 1
    with site.websocket("/ws/echo/") as client:
        # The head of a binary frame, masked with zeros: our answer to a ping may come to stand in it, and is no text.
        # Most servers refuse at its sight; bytes under way meanwhile would make them reset the connection, and the
        # close code might get lost. Others wait for the whole.
        client.socket.sendall(struct.pack("!BBQI", 0x82, 0x80 | 127, size, 0))
        with suppress(ConnectionError, TimeoutError):
            client.recv(5)
        if client.close_code is None:
            with suppress(OSError):  # what closes while it is written to is seen below
                client.socket.sendall(b"x" * size)
                client.recv()
    expect_equal(client.close_code, 1009, f"the close code after a message of {size} bytes")


@contextmanager
def room(sites: list[Site]) -> Iterator[list[WebSocket]]:
    """A client of each site in one chat room, which the application neither stores nor lists."""
    name = f"smoke-{secrets.token_hex(6)}"
    with ExitStack() as stack:
        clients = [stack.enter_context(site.websocket(f"/ws/chat/{name}/")) for site in sites]
        for client in clients:
            first = json.loads(client.recv())
            expect_equal(first, {"type": "history", "messages": []}, "the history of a new room")
        yield clients


def expect_delivery(clients: list[WebSocket], how: str) -> None:
    """The first client says something; all of them hear it."""
    text = secrets.token_hex(8)
    clients[0].send(json.dumps({"type": "message", "text": text}))
    deadline, heard = time.monotonic() + PATIENT, 0
    for client in clients:
        try:
            heard += json.loads(client.recv(max(deadline - time.monotonic(), 0)))["text"] == text
        except TimeoutError:
            continue
    expect(heard == len(clients), f"a message delivered {how}: {len(clients)} of {len(clients)}", f"{heard} heard it")

"""The browser of the tests is not disturbed by what other tests do to this machine."""

import secrets
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.browser import chromium
from tests.hosts.host import Network, wait_for

CONNECTIONS = 6  # that Chromium makes to one site at a time, over HTTP/1.1


class Held(ThreadingHTTPServer):
    """Answers `/`; every other request waits in `held` until `answer` is set."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.held: list[str] = []
        self.answer = threading.Event()


class Handler(BaseHTTPRequestHandler):
    server: Held

    def do_GET(self) -> None:
        if self.path != "/":
            self.server.held.append(self.path)
            self.server.answer.wait()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Held]:
    with Held() as server:
        threading.Thread(target=server.serve_forever).start()
        yield server
        server.answer.set()
        server.shutdown()


@pytest.mark.engine
def test_requests_outlive_an_interface_that_comes_and_goes(server: Held) -> None:
    """Also those that still wait for a connection: the others are not given up over HTTP/1.1."""
    with chromium() as browser:
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        asked = [f"/{number}" for number in range(2 * CONNECTIONS)]
        page.evaluate("asked => { answers = Promise.allSettled(asked.map((path) => fetch(path))) }", asked)
        wait_for(lambda: len(server.held) == CONNECTIONS, "a request on each connection", 30)
        with Network(f"slipway-{secrets.token_hex(4)}"):
            pass
        server.answer.set()
        assert page.evaluate("async () => (await answers).map(({ status }) => status)") == ["fulfilled"] * len(asked)

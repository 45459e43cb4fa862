"""The site as a visitor meets it: HTTP, TLS and WebSockets through one web host's public proxy.

The host is addressed directly, under the site's name, so that neither public DNS nor another host can hide a fault.
"""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import cached_property
from pathlib import Path

import urllib3
from websockets.client import ClientProtocol
from websockets.frames import Opcode
from websockets.protocol import CLOSED, OPEN
from websockets.uri import parse_uri

from .inventory import Machine

PATIENT, IMPATIENT = 15, 2  # seconds to wait for an answer, and once one has not come


class Site:
    """The site behind the proxy of one web host.

    With `tls: off` another proxy stands in front: the site is then visited there, over HTTPS, at
    `verify_address` or where public DNS says.
    """

    def __init__(self, machine: Machine):
        self.machine = machine
        self.domain: str = machine["app_domain"]
        self.timeout = PATIENT
        self.plain = machine["tls"] in ("off", False)
        self.address = (machine.get("verify_address") or self.domain) if self.plain else machine.address

    def __str__(self) -> str:
        return self.machine.name

    @cached_property
    def context(self) -> ssl.SSLContext:
        """What a visitor trusts."""
        return self._trust()

    def _trust(self) -> ssl.SSLContext:
        """The project's own authority where there is one, else the machine's."""
        if self.machine["tls"] != "internal":
            return ssl.create_default_context()
        own = Path(self.machine["inventory_dir"]) / "secrets/tls/ca.crt"
        return ssl.create_default_context(cafile=self.machine.get("verify_authority") or own)

    @contextmanager
    def _patience(self) -> Iterator[None]:
        """After a first answer that did not come, wait less for the others: a dead site is to be told of soon."""
        try:
            yield
        except (TimeoutError, urllib3.exceptions.TimeoutError):
            self.timeout = IMPATIENT
            raise

    @cached_property
    def _pools(self) -> dict[str, urllib3.HTTPConnectionPool]:
        options = {"retries": False, "maxsize": 2}
        names = {"server_hostname": self.domain, "assert_hostname": self.domain}
        return {
            "http": urllib3.HTTPConnectionPool(self.address, 80, **options),
            "https": urllib3.HTTPSConnectionPool(self.address, 443, ssl_context=self.context, **names, **options),
        }

    def get(self, path: str, scheme: str = "https", **headers: str) -> urllib3.BaseHTTPResponse:
        """GET a path, following nothing; `Accept_Encoding="gzip"` is sent as Accept-Encoding."""
        headers = {"Host": self.domain} | {name.replace("_", "-"): value for name, value in headers.items()}
        options = {"redirect": False, "decode_content": False, "timeout": self.timeout}
        with self._patience():
            return self._pools[scheme].request("GET", path, headers=headers, **options)

    @contextmanager
    def stream(self, path: str, **headers: str) -> Iterator[urllib3.BaseHTTPResponse]:
        """GET a path whose answer does not end; it is read as it comes, and closed."""
        headers = {"Host": self.domain} | headers
        with (
            self._patience(),
            closing(
                self._pools["https"].request("GET", path, headers=headers, preload_content=False, timeout=self.timeout)
            ) as response,
        ):
            yield response

    def connect(self, port: int) -> socket.socket:
        """A bare TCP connection to the proxy."""
        return socket.create_connection((self.address, port), timeout=self.timeout)

    def handshake(self, name: str | None = None, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
        """A TLS connection under the given name (the site's own by default)."""
        return (context or self.context).wrap_socket(self.connect(443), server_hostname=name or self.domain)

    def websocket(self, path: str, origin: str | None = None) -> "WebSocket":
        """Open a WebSocket as a page of the site does, or of another `origin`; raise InvalidStatus where refused."""
        with self._patience():
            return WebSocket(self.handshake(), f"wss://{self.domain}{path}", origin or f"https://{self.domain}")


class WebSocket:
    """A WebSocket client that reads and writes in one thread.

    The ready-made client reads in a thread of its own. OpenSSL's connections are not made for two threads at
    a time: under load, a request or a close code got lost now and then.
    """

    def __init__(self, connection: ssl.SSLSocket, url: str, origin: str):
        self.socket = connection
        self.protocol = ClientProtocol(parse_uri(url), origin=origin)
        self._events: list[object] = []
        try:
            self.protocol.send_request(self.protocol.connect())
            self._flush()
            deadline = time.monotonic() + PATIENT
            while not self._events and not self.protocol.handshake_exc:
                self._receive(deadline)
            if self.protocol.handshake_exc:
                raise self.protocol.handshake_exc
        except BaseException:
            connection.close()
            raise
        self._events.pop(0)  # the answer to the request

    def __enter__(self) -> "WebSocket":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def close_code(self) -> int | None:
        """The code with which the server has closed the connection; 1006 if it did so without one; None while open."""
        if self.protocol.close_rcvd:
            return self.protocol.close_rcvd.code
        return 1006 if self.protocol.state is CLOSED else None

    def send(self, text: str) -> None:
        """Send a text message."""
        self.protocol.send_text(text.encode())
        self._flush()

    def recv(self, seconds: float = PATIENT) -> str:
        """Give the next text message; raise TimeoutError after some seconds, ConnectionError when there is no more."""
        deadline = time.monotonic() + seconds
        while True:
            while not self._events:
                if self.close_code is not None:
                    raise ConnectionError(f"the server closed the connection with code {self.close_code}")
                self._receive(deadline)
            frame = self._events.pop(0)
            if frame.opcode is Opcode.TEXT:
                return bytes(frame.data).decode()

    def close(self) -> None:
        """Say goodbye and close the connection; a server that is gone already does not matter."""
        with suppress(OSError):
            if self.protocol.state is OPEN:
                self.protocol.send_close(1000)
                self._flush()
            self.socket.close()

    def _receive(self, deadline: float) -> None:
        """Wait for bytes until the deadline, and answer what the protocol answers by itself."""
        self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            data = self.socket.recv(65536)
        except (ConnectionError, ssl.SSLEOFError):
            data = b""
        if data:
            self.protocol.receive_data(data)
        else:
            self.protocol.receive_eof()
        self._events += self.protocol.events_received()
        with suppress(OSError):  # an answer to one who is gone
            self._flush()

    def _flush(self) -> None:
        self.socket.settimeout(PATIENT)
        for data in self.protocol.data_to_send():
            if data:
                self.socket.sendall(data)

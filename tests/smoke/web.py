"""The site as a visitor meets it: HTTP, TLS and WebSockets through one web host's public proxy.

The host is addressed directly, under the site's name, so that neither public DNS nor another host can hide a fault.
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path

import urllib3
from websockets.sync.client import ClientConnection, connect

from .inventory import Machine

PATIENT, IMPATIENT = 10, 2  # seconds to wait for an answer, and once one has not come


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

    @cached_property
    def _websocket_context(self) -> ssl.SSLContext:
        # The client reads in one thread and writes in another. With TLS 1.3, session tickets arrive after the
        # handshake, and OpenSSL now and then loses the request that is written at that moment (seen under load).
        context = self._trust()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        return context

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

    def websocket(self, path: str, origin: str | None = None) -> ClientConnection:
        """Open a WebSocket as a page of the site does, or as one of another `origin`."""
        with self._patience():
            return connect(
                f"wss://{self.domain}{path}",
                sock=self.connect(443),
                ssl=self._websocket_context,
                server_hostname=self.domain,
                origin=origin or f"https://{self.domain}",
                proxy=None,
                open_timeout=self.timeout,
                close_timeout=1,
            )

"""Ports of this machine for what tests start."""

import secrets
import socket
from contextlib import suppress

# Below those that Linux gives to whoever asks for any port: so nobody else gets one before its test has used it.
PORTS = range(20_000, 32_768)


def free_port() -> int:
    """Give a TCP port of 127.0.0.1 that nothing listens on."""
    while True:
        port = secrets.choice(PORTS)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port

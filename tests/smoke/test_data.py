"""PostgreSQL and Redis: the application gets in, and nobody else."""

import contextlib
import socket
import ssl
import struct

import pytest

from . import expected
from .expect import expect
from .inventory import Machine


@pytest.mark.only("postgres")
@pytest.mark.journal("postgresql")
def test_database_refuses_strangers_on_the_network(database: Machine) -> None:
    seen = _postgres_door(database.address, database["app_name"])
    refused = seen == "closed" or "no pg_hba.conf entry" in seen
    expect(refused, f"PostgreSQL of {database.name} closed to this machine", seen)


@pytest.mark.journal("redis")
def test_redis_refuses_strangers_on_the_network(redis: Machine) -> None:
    for instance in expected.redis_instances(redis):
        seen = _redis_door(redis.address, expected.REDIS_PORTS[instance])
        refused = seen == "closed" or seen.startswith(("-NOAUTH", "-DENIED"))
        expect(refused, f"Redis ({instance}) of {redis.name} closed to this machine", seen)


@pytest.mark.journal("postgresql", "redis")
def test_local_users_need_a_password(keeper: Machine) -> None:
    refusals = ("no password supplied", "Peer authentication failed", "NOAUTH")
    seen = keeper.seen("strangers")
    let_in = {door: answer for door, answer in seen.items() if not any(word in answer for word in refusals)}
    expect(seen and not let_in, f"every local user of {keeper.name} asked for a password", let_in or "no answer")


def _postgres_door(address: str, name: str) -> str:
    """What PostgreSQL says to a stranger who asks, over TLS where it is offered, for the application's database."""
    try:
        with socket.create_connection((address, 5432), timeout=2) as door:
            door.sendall(struct.pack("!ii", 8, 80877103))  # SSLRequest
            if door.recv(1) == b"S":
                blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
                door = blind.wrap_socket(door)  # noqa: PLW2901
            start = struct.pack("!i", 196608) + f"user\0{name}\0database\0{name}\0\0".encode()
            door.sendall(struct.pack("!i", len(start) + 4) + start)
            return door.recv(1000).decode(errors="replace").replace("\0", " ")
    except OSError:
        return "closed"


def _redis_door(address: str, port: int) -> str:
    """What Redis says to a stranger."""
    with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=2) as door:
        door.sendall(b"PING\r\n")
        return door.recv(200).decode(errors="replace")
    return "closed"

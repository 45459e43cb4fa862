"""What each server can, by looking at it: behind every cell of the table in docs/servers.md stands a test."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.servers.processes import PATIENCE, Site, free_port, until
from tests.servers.table import ROWS, Row

BARE = """
import pathlib


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        pathlib.Path(__file__).with_name("lifespan").touch()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
    else:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Length", "0")])
    return [b""]
"""


@pytest.fixture(scope="module", params=ROWS, ids=str)
def row(request: pytest.FixtureRequest) -> Row:
    return request.param


@pytest.fixture(scope="module")
def site(serve: Callable[..., Site], row: Row) -> Site:
    return serve(row, KEEP_ALIVE="1", GRACEFUL_TIMEOUT="5")


@contextlib.contextmanager
def bare(folder: Path, command: list[str | Path], log: Path, **environment: str) -> Iterator[None]:
    """Run a command with the bare application in its folder, until it is no longer needed."""
    (folder / "app.py").write_text(BARE)
    (folder / "lifespan").unlink(missing_ok=True)
    port = int(environment["PORT"])
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), **environment},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        until(lambda: answers(port) or process.poll() is not None, f"{command[0]} answers")
        assert process.poll() is None, log.read_text()
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def answers(port: int) -> bool:
    with contextlib.suppress(OSError, http.client.HTTPException):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/")
        return connection.getresponse().status == http.HTTPStatus.OK
    return False


def speaks_http2(port: int) -> bool:
    """Whether the preface of HTTP/2 is answered with a SETTINGS frame (type 4), its first frame by RFC 9113."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
        with contextlib.suppress(OSError):
            return client.recv(9)[3:4] == b"\4"
    return False


def test_its_own_command_can_what_the_table_says(row: Row, projects: Callable[[Row], Path], tmp_path: Path) -> None:
    port = free_port()
    program, *arguments = row.alone.format(port=port).split()
    command = [projects(row) / ".venv/bin" / program, *arguments]
    with bare(tmp_path, command, tmp_path / "log", PORT=str(port)):
        assert speaks_http2(port) == row.http2
        assert (tmp_path / "lifespan").exists() == row.lifespan
        if row.interface == "asgi":
            with connect(f"ws://127.0.0.1:{port}/", compression="deflate", open_timeout=PATIENCE) as client:
                assert bool(client.protocol.extensions) == row.deflate


def test_bin_serve_asks_for_no_lifespan(row: Row, projects: Callable[[Row], Path], tmp_path: Path) -> None:
    application = "app:app" if row.interface == "asgi" else "app:wsgi"
    project, port = projects(row), str(free_port())
    environment = {"PORT": port, "APPLICATION": application, "WEB_CONCURRENCY": "1", "DEBUG": "true"}
    with bare(project, [project / "bin/serve"], tmp_path / "log", **environment):
        # hypercorn cannot be told.
        assert (project / "lifespan").exists() == (row.server == "hypercorn")


def test_websockets_are_carried_by_asgi_alone(site: Site, row: Row) -> None:
    url = f"{site.url.replace('http', 'ws')}/ws/echo/"
    if row.interface == "asgi":
        with connect(url, origin=site.url, open_timeout=PATIENCE) as client:
            client.send("Ahoy")
            assert "Ahoy" in client.recv(timeout=PATIENCE)
    else:
        with pytest.raises(InvalidStatus, match="404"), connect(url, origin=site.url, open_timeout=PATIENCE):
            pass


def test_http2_is_left_to_the_proxy(site: Site, row: Row) -> None:
    # hypercorn cannot be told; the others are.
    assert speaks_http2(site.port) == (row.server == "hypercorn")


def test_no_version_is_told(site: Site) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=10)
    connection.request("GET", "/livez")
    server = connection.getresponse().headers.get("Server", "")
    assert not any(character.isdigit() for character in server), server


def test_a_crowd_may_wait_to_be_accepted(site: Site) -> None:
    listening = subprocess.check_output(["ss", "-Hltn", f"sport = :{site.port}"], text=True)
    limit = min(4096, int(Path("/proc/sys/net/core/somaxconn").read_text()))
    assert {int(line.split()[2]) for line in listening.splitlines()} == {limit}


def test_an_idle_connection_is_closed_after_keep_alive(site: Site) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE)
    connection.request("GET", "/livez")
    connection.getresponse().read()
    assert connection.sock, "the connection was not kept alive at all"
    assert connection.sock.recv(1) == b"", "closed within 30 seconds, not after the default of 60"


@contextlib.contextmanager
def visited(site: Site) -> Iterator[list[object]]:
    """Visit the site again and again meanwhile, each time anew; give what was not a 200."""
    failures: list[object] = []
    stop = threading.Event()

    def visit() -> None:
        while not stop.wait(0.02):
            try:
                status = site.get("/livez")[0]
            except (OSError, http.client.HTTPException) as error:
                failures.append(error)
            else:
                if status != http.HTTPStatus.OK:
                    failures.append(status)

    visitor = threading.Thread(target=visit)
    visitor.start()
    try:
        yield failures
    finally:
        stop.set()
        visitor.join()


def test_hup_renews_every_worker_without_a_failed_request(site: Site) -> None:
    before = set(site.workers())
    with visited(site) as failures:
        site.process.send_signal(signal.SIGHUP)
        until(lambda: not before & set(site.workers()), "two new workers", 60)
    assert failures == []


def test_a_killed_worker_is_replaced(site: Site) -> None:
    killed, other = site.workers()
    os.kill(killed, signal.SIGKILL)
    assert other in until(lambda: (now := site.workers()) and killed not in now and now, "another worker")


def test_the_stop_is_bounded(site: Site) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE)
    connection.request("GET", "/stream/events/")
    assert connection.getresponse().status == http.HTTPStatus.OK
    site.process.terminate()
    site.process.wait(timeout=13)  # more than its GRACEFUL_TIMEOUT (5), less than the stream lasts by itself (15)
    site.start()

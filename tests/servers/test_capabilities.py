"""What each server can, by looking at it: behind every cell of the table in docs/servers.md stands a test.

And what a server does wrong unless it is told better: whatever its own defaults are, bin/serve's do it right.
"""

import asyncio
import contextlib
import ctypes
import http.client
import os
import re
import resource
import signal
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.ports import free_port
from tests.servers.clients import close_code
from tests.servers.processes import PATIENCE, PID, Redis, Site, until
from tests.servers.table import ROWS, Row
from tests.template.rendering import ROOT

CROWD = 5000
FILES = 8192  # more than a crowd needs
BACKLOG = 4096  # as in bin/serve
KEPT = 1200  # requests over one connection; hypercorn's own limit is 1000
DELAYED = 0.04  # seconds after which the kernel acknowledges what nothing follows
PIDFD_GETFD = 438  # the system call's number, the same on every processor

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


@pytest.fixture(scope="module", autouse=True)
def many_files() -> Iterator[None]:
    """Let this process, and the servers that it starts, open as many files as a crowd takes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module", params=ROWS, ids=str)
def row(request: pytest.FixtureRequest) -> Row:
    return request.param


@pytest.fixture(scope="module")
def site(serve: Callable[..., Site], row: Row) -> Site:
    return serve(row, KEEP_ALIVE="5", GRACEFUL_TIMEOUT="5")


@contextlib.contextmanager
def bare(folder: Path, command: list[str | Path], log: Path, **environment: str) -> Iterator[None]:
    """Run a command with the bare application in its folder, until it is no longer needed; then kill it."""
    (folder / "app.py").write_text(BARE)
    (folder / "lifespan").unlink(missing_ok=True)
    address = environment.get("SOCKET") or int(environment["PORT"])
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), **environment},
            stdout=output,
            stderr=output,
            start_new_session=True,
            umask=0o077,  # as a deployed service has it
        )
    try:
        until(lambda: answers(address) or process.poll() is not None, f"{command[0]} answers")
        assert process.poll() is None, log.read_text()
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def answers(address: int | str) -> bool:
    """Whether a server on a port, or on a UNIX socket, answers."""
    unix = isinstance(address, str)
    with contextlib.suppress(OSError, http.client.HTTPException):
        connection = http.client.HTTPConnection("127.0.0.1", None if unix else address, timeout=5)
        if unix:
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(5)
            connection.sock.connect(address)
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
    limit = min(BACKLOG, int(Path("/proc/sys/net/core/somaxconn").read_text()))
    assert {int(line.split()[2]) for line in listening.splitlines()} == {limit}


def test_a_crowd_that_comes_while_all_are_busy_is_served(site: Site) -> None:
    """The kernel lets in as many as may wait, though no worker accepts; the others try again a second later."""
    waiting = min(BACKLOG, int(Path("/proc/sys/net/core/somaxconn").read_text()))
    connected = answered = 0

    async def visit() -> None:
        nonlocal connected, answered
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        connected += 1
        writer.write(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        status = await reader.readline()
        answered += status.split()[1] == b"200"
        writer.close()

    async def crowd() -> None:
        visits = [asyncio.create_task(visit()) for _ in range(CROWD)]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while connected < waiting:
                    await asyncio.sleep(0.02)
        assert connected >= waiting
        os.killpg(site.process.pid, signal.SIGCONT)
        await asyncio.wait(visits, timeout=2 * PATIENCE)

    os.killpg(site.process.pid, signal.SIGSTOP)
    try:
        asyncio.run(crowd())
    finally:
        os.killpg(site.process.pid, signal.SIGCONT)
    assert answered == CROWD


def test_small_answers_leave_at_once(site: Site) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE)
    connection.request("GET", "/livez")
    connection.getresponse().read()
    with contextlib.closing(connection), accepted(site, connection.sock) as other_end:
        assert other_end.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@contextlib.contextmanager
def accepted(site: Site, client: socket.socket) -> Iterator[socket.socket]:
    """The server's socket at the other end of a connection, borrowed from the worker that holds it."""
    worker = site.connections()[client.getsockname()[1]]
    process = os.pidfd_open(worker)
    borrow = ctypes.CDLL(None, use_errno=True).syscall
    try:
        for descriptor in Path(f"/proc/{worker}/fd").iterdir():
            with contextlib.suppress(OSError):
                if not str(descriptor.readlink()).startswith("socket:"):
                    continue
                number = borrow(PIDFD_GETFD, process, int(descriptor.name), 0)
                assert number >= 0, os.strerror(ctypes.get_errno())
                with socket.socket(fileno=number) as found:
                    if found.family == socket.AF_INET and found.getpeername() == client.getsockname():
                        yield found
                        return
    finally:
        os.close(process)
    raise AssertionError("the worker holds no such socket")


def test_one_connection_carries_many_requests_without_waiting(site: Site) -> None:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE)) as connection:
        connection.connect()
        kept = connection.sock
        began = time.monotonic()
        for number in range(KEPT):
            connection.request("GET", "/livez")
            assert connection.getresponse().read()
            assert connection.sock is kept, f"closed after {number + 1} requests"
    assert time.monotonic() - began < KEPT * DELAYED / 2


def test_an_idle_connection_is_closed_after_keep_alive(site: Site) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE)
    connection.request("GET", "/livez")
    connection.getresponse().read()
    assert connection.sock, "the connection was not kept alive at all"
    assert connection.sock.recv(1) == b"", "closed within 30 seconds, not after the default of 60"


def test_the_proxy_lets_go_of_an_idle_connection_before_the_server_does() -> None:
    (kept,) = re.findall(r"^number KEEP_ALIVE (\d+)", (ROOT / "template/bin/serve.jinja").read_text(), re.MULTILINE)
    for file in ("roles/release/templates/upstream.conf.j2", "compose/services/proxy/upstream.conf"):
        (proxy,) = re.findall(r"^ +keepalive_timeout (\d+)s;", (ROOT / file).read_text(), re.MULTILINE)
        assert int(proxy) < int(kept), file


@contextlib.contextmanager
def visited(site: Site, attempts: int) -> Iterator[list[object]]:
    """Visit the site again and again meanwhile, each time anew; give what was not a 200.

    attempts: how often a visitor tries whose connection is accepted, and breaks before an answer comes.
    """
    failures: list[object] = []
    stop = threading.Event()

    def visit() -> None:
        while not stop.wait(0.02):
            for attempt in range(attempts):
                try:
                    status = site.get("/livez")[0]
                except ConnectionResetError as error:
                    if attempt == attempts - 1:
                        failures.append(error)
                except (OSError, http.client.HTTPException) as error:
                    failures.append(error)
                    break
                else:
                    if status != http.HTTPStatus.OK:
                        failures.append(status)
                    break

    visitor = threading.Thread(target=visit)
    visitor.start()
    try:
        yield failures
    finally:
        stop.set()
        visitor.join()


def test_hup_renews_every_worker_without_a_failed_request(site: Site, row: Row) -> None:
    before = set(site.workers())
    # The others cut off who was just accepted, as docs/servers.md says.
    attempts = 1 if row.server in ("gunicorn", "uvicorn") else 2
    with visited(site, attempts) as failures:
        site.process.send_signal(signal.SIGHUP)
        until(lambda: not before & set(site.workers()), "two new workers", 60)
    assert failures == []


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.server == "uvicorn"], ids=str, indirect=True, scope="module"
)
@pytest.mark.parametrize("path", ["/livez", "/ws/echo/"])
def test_a_connection_accepted_before_the_stop_may_still_bring_its_request(site: Site, path: str) -> None:
    """uvicorn by itself cuts it off."""
    site.workers()
    with socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE) as visitor:
        worker = until(lambda: site.connections().get(visitor.getsockname()[1]), "a worker that has accepted it")
        before = site.log.read_text().count("Shutting down")
        os.kill(worker, signal.SIGTERM)
        until(lambda: site.log.read_text().count("Shutting down") > before, "a worker that stops")
        if path == "/livez":
            visitor.sendall(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            answer = visitor.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert b"connection: close" in answer
        else:
            with connect(f"ws://127.0.0.1:{site.port}{path}", sock=visitor, origin=site.url) as client:
                assert close_code(client) == 1012
    until(lambda: worker not in site.workers(), "another worker")


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


# bin/serve of the others refuses MAX_REQUESTS.
@pytest.mark.parametrize("row", [row for row in ROWS if row.max_requests], ids=str, indirect=True, scope="module")
def test_workers_are_renewed_without_a_failed_request(serve: Callable[..., Site], row: Row) -> None:
    site = serve(row, MAX_REQUESTS="100")
    answered: set[int] = set()
    failures: list[object] = []
    over = threading.Event()

    def visit() -> None:
        while not over.is_set():
            try:
                status, page = site.get("/about/stack/")
            except (OSError, http.client.HTTPException) as error:
                failures.append(error)
            else:
                if status == http.HTTPStatus.OK:
                    answered.add(int(re.search(PID, page)[1]))
                else:
                    failures.append(status)

    visitors = [threading.Thread(target=visit) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    try:
        until(lambda: len(answered) >= 6, "each worker is renewed twice", 4 * PATIENCE)
    finally:
        over.set()
        for visitor in visitors:
            visitor.join()
    assert failures == []


def test_a_unix_socket_lets_the_proxy_in_and_a_stale_one_is_replaced(
    row: Row, projects: Callable[..., Path], redis: Redis, tmp_path: Path
) -> None:
    project, path = projects(row), tmp_path / "site.sock"
    environment = {
        "SOCKET": str(path),
        "APPLICATION": "app:app" if row.interface == "asgi" else "app:wsgi",
        "WEB_CONCURRENCY": "2",
        "REDIS_URL": redis.url(),
        "DEBUG": "true",
    }
    for _ in range(2):
        with bare(project, [project / "bin/serve"], tmp_path / "log", **environment):
            mode = path.stat().st_mode
            assert stat.S_ISSOCK(mode)
            assert stat.S_IMODE(mode) | 0o111 == 0o777, oct(mode)
        assert path.exists(), "who is killed leaves the socket behind"

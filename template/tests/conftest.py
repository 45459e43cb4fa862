"""What several tests share: bin/serve as a real process."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent


class Server:
    """bin/serve, started with `environment` added to a laptop's defaults.

    It listens on a free port, or on `environment["SOCKET"]`; its output goes to `log`.
    """

    def __init__(self, log, **environment):
        self.log = log
        self.socket = environment.get("SOCKET")
        if not self.socket:
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.port = free.getsockname()[1]
            environment["PORT"] = str(self.port)
        self.process = subprocess.Popen(
            [PROJECT / "bin" / "serve"],
            env=clean_environment(**environment),
            stdout=log.open("w"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def connect(self):
        """Return a connection to the server, as http.client has it."""
        connection = HTTPConnection("127.0.0.1", None if self.socket else self.port, timeout=10)
        if self.socket:
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(10)
            connection.sock.connect(self.socket)
        return connection

    def get(self, path, **headers):
        """Return the response to GET `path`, with its body as `text`."""
        with contextlib.closing(self.connect()) as connection:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            response.text = response.read().decode()
            return response

    def wait(self, seconds=20):
        """Return when the server answers; fail with its log when it has not after `seconds`."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError):
                if self.get("/livez").status == 200:
                    return self
            time.sleep(0.1)
        pytest.fail(f"bin/serve does not answer:\n{self.log.read_text()}")

    def stop(self):
        """Send SIGTERM and return after how many seconds the server had ended."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        return time.monotonic() - started

    def kill(self):
        """Leave nothing behind, whatever happened."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def clean_environment(**variables):
    """Return the environment of a laptop that sets nothing but `variables`."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    return kept | {"DEBUG": "true"} | variables


@pytest.fixture(scope="session")
def database_url(tmp_path_factory):
    """Return the URL of a migrated SQLite database for the servers of this session."""
    url = f"sqlite:///{tmp_path_factory.mktemp('database') / 'db.sqlite3'}"
    subprocess.run(
        [sys.executable, PROJECT / "manage.py", "migrate", "--verbosity=0"],
        env=clean_environment(DATABASE_URL=url),
        check=True,
    )
    return url


@pytest.fixture
def serve(tmp_path, database_url):
    """Return a function that starts bin/serve with the variables given, and waits for it."""
    servers = []

    def start(**environment):
        log = tmp_path / f"serve-{len(servers)}.log"
        servers.append(Server(log, DATABASE_URL=database_url, **environment))
        return servers[-1].wait()

    yield start
    for server in servers:
        server.kill()

"""The processes that the tests of this folder start: bin/serve of a generated project, and a Redis."""

import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.ports import free_port

PID = r"Process of this answer</dt>\s*<dd>\s*(\d+)"
ESTABLISHED = "01"  # in /proc/net/tcp
PATIENCE = 30  # seconds for what takes a moment on an idle machine


def until[T](condition: Callable[[], T], what: str, seconds: float = PATIENCE) -> T:
    """Return the first true value of `condition`; fail, naming `what` was awaited, after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds} seconds"
        time.sleep(0.05)
    return value


class Redis:
    """A redis-server of our own, which forgets everything when it is stopped."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self.process = folder, free_port(), None
        self.start()

    def url(self, number: int = 0) -> str:
        return f"redis://127.0.0.1:{self.port}/{number}"

    def start(self) -> None:
        """Start it, or start it again on the same port."""
        command = f"redis-server --port {self.port} --bind 127.0.0.1 --appendonly no --dir {self.folder} --save"
        with (self.folder / "redis.log").open("a") as log:
            self.process = subprocess.Popen([*command.split(), ""], stdout=log, stderr=log)
        until(self.answers, "Redis answers")

    def answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(7) == b"+PONG\r\n"
        return False

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


class Site:
    """A generated project, served by its bin/serve with two workers, on a database of its own unless one is given."""

    def __init__(self, project: Path, folder: Path, redis: Redis, **environment: str) -> None:
        self.project, self.log = project, folder / "serve.log"
        self.port = int(environment.get("PORT") or free_port())
        self.database = folder / "db.sqlite3"
        folder.mkdir()
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.environment = kept | {
            "DEBUG": "true",
            "PORT": str(self.port),
            "DATABASE_URL": f"sqlite:///{self.database}",
            "REDIS_URL": redis.url(0),
            "CACHE_URL": redis.url(1),
            "WEB_CONCURRENCY": "2",
            "GRACEFUL_TIMEOUT": "5",  # no longer than a test likes to wait
            **environment,
        }
        self.process = None
        if "DATABASE_URL" not in environment:
            shutil.copy(migrated(project), self.database)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Site":
        """Start bin/serve, or start it again on the same port."""
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [self.project / "bin/serve"],
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until(lambda: self.process.poll() is not None or self.status("/readyz") == 200, "/readyz")
        assert self.process.poll() is None, f"bin/serve ended:\n{self.log.read_text()[-4000:]}"
        if self.environment["DEBUG"] == "true":  # else /about/stack/ does not tell
            self.workers()
        return self

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Send bin/serve a signal, wait for its end, and see that none of its processes is left."""
        if self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(timeout=60)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def get(self, path: str) -> tuple[int, str]:
        """GET a path over a new connection; give status and text."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()

    def status(self, path: str) -> int | None:
        """The status of a path; None where nothing answers."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.get(path)[0]
        return None

    def write(self, room: str, text: str) -> None:
        """Store a message as another host would, without telling this one."""
        values = (room, "Ada", text, datetime.now(UTC).replace(tzinfo=None).isoformat(" "))
        with contextlib.closing(sqlite3.connect(self.database, timeout=10)) as connection, connection:
            connection.execute("INSERT INTO chat_message (room, author, text, created) VALUES (?, ?, ?, ?)", values)

    def workers(self) -> list[int]:
        """Wait until two workers answer; return their process ids, as `pids` has them from then on."""
        found: set[int] = set()

        def both() -> bool:
            with contextlib.suppress(OSError, http.client.HTTPException):
                found.add(int(re.search(PID, self.get("/about/stack/")[1])[1]))
            return len(found) == 2

        # uvicorn may find out only after 30 seconds that a worker has died: docs/servers.md.
        until(both, "answers of two workers", 2 * PATIENCE)
        self.pids = sorted(found)
        return self.pids

    def connections(self) -> dict[int, int]:
        """The workers that hold connections to us, by the port of the other side."""
        holders = {socket: pid for pid in self.pids for socket in sockets(pid)}
        found = {}
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            _, local, remote, state, *_, inode = line.split()[:10]
            if state == ESTABLISHED and int(local.split(":")[1], 16) == self.port and inode in holders:
                found[int(remote.split(":")[1], 16)] = holders[inode]
        return found


def sockets(pid: int) -> Iterator[str]:
    """The inodes of a process's sockets."""
    with contextlib.suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                if found := re.fullmatch(r"socket:\[(\d+)\]", str(descriptor.readlink())):
                    yield found[1]


def migrated(project: Path) -> Path:
    """A migrated SQLite database to copy, made once for each project."""
    database = project.parent / "migrated.sqlite3"
    if not database.exists():
        subprocess.run(
            [project / ".venv/bin/python", "manage.py", "migrate", "--verbosity=0"],
            cwd=project,
            env={"PATH": os.environ["PATH"], "DEBUG": "true", "DATABASE_URL": f"sqlite:///{database}"},
            check=True,
        )
        # A copy of the one file must be all of it, without the write-ahead log beside it.
        assert not Path(f"{database}-wal").exists()
    return database

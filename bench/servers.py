"""The servers of a run: what starts them, and what an expert would type instead."""

import contextlib
import http.client
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from bench.machine import Refused, processes
from bench.services import free_port

PATIENCE = 30  # seconds that a server may take to start
OURS, TUNED, STOCK, BARE, PUBSUB = "bin/serve", "hand-tuned", "stock Django", "bare", "pubsub"

# What gives most requests a second, whatever else it costs. sh runs it in the project.
HAND_TUNED = {
    "wsgi-gunicorn": "exec gunicorn --workers $WORKERS --worker-class gthread --threads 4 --backlog 4096"
    " --keep-alive 75 --no-control-socket --log-level warning --bind 127.0.0.1:$PORT $APPLICATION",
    "wsgi-granian": "exec granian --interface wsgi --workers $WORKERS --blocking-threads 4 --runtime-threads 1"
    " --http 1 --no-ws --backlog 4096 --log-level warning --host 127.0.0.1 --port $PORT $APPLICATION",
    "asgi-uvicorn": "exec uvicorn --workers $WORKERS --loop uvloop --http httptools --lifespan off --backlog 4096"
    " --no-access-log --no-proxy-headers --no-server-header --no-date-header --log-level warning"
    " --host 127.0.0.1 --port $PORT $APPLICATION",
    # Daphne has no workers: each process takes connections from the same socket, which the benchmark opens.
    "asgi-daphne": "for worker in $(seq $WORKERS); do daphne --verbosity 0 --no-server-name --fd $LISTENING"
    " $APPLICATION & done; wait",
    "asgi-hypercorn": "exec hypercorn --workers $WORKERS --worker-class uvloop --backlog 4096 --log-level warning"
    " --bind 127.0.0.1:$PORT $APPLICATION",
    "asgi-granian": "exec granian --interface asginl --workers $WORKERS --loop uvloop --runtime-threads 1 --http 1"
    " --backlog 4096 --log-level warning --host 127.0.0.1 --port $PORT $APPLICATION",
    "asgi-gunicorn": "exec gunicorn --workers $WORKERS --worker-class asgi --asgi-loop uvloop --asgi-lifespan off"
    " --backlog 4096 --keep-alive 75 --no-control-socket --log-level warning --bind 127.0.0.1:$PORT $APPLICATION",
}


@dataclass
class Stack:
    """A project with its interface and its server. `environment` is what all its processes get."""

    folder: Path
    interface: str
    server: str
    environment: dict

    @classmethod
    def of(cls, folder):
        """Read what the project in `folder` has answered."""
        answers = folder / ".copier-answers.yml"
        if not answers.exists():
            raise Refused(f"{folder} is no project: it has no .copier-answers.yml")
        if not (folder / ".venv/bin/python").exists():
            raise Refused(f"{folder} has no environment: run `uv sync` in it")
        found = dict(re.findall(r"^(interface|server): *(\w+)$", answers.read_text(), re.MULTILINE))
        return cls(folder, found["interface"], found["server"], {})

    @property
    def name(self):
        return f"{self.interface}-{self.server}"

    @property
    def variants(self):
        """How it is served: by bin/serve and by hand, Django's own way, no Django at all, the other channel layer."""
        by_hand = [TUNED] if self.name in HAND_TUNED else []
        other_layer = [PUBSUB] if self.interface == "asgi" and (self.folder / "config/layers.py").exists() else []
        stock = [STOCK] if (self.folder / "fastpath").exists() else []
        return [OURS, *by_hand, *stock, BARE, *other_layer]

    def prepare(self, workers, redis_url, database_url, migrate):
        """Make the environment, as on a host; the log is written to a file instead of the journal."""
        self.environment = {
            "PATH": f"{self.folder}/.venv/bin:{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder),
            "HOME": os.environ.get("HOME", "/"),
            "LANG": "C.UTF-8",
            "DJANGO_SETTINGS_MODULE": "bench.apps.settings",
            "DEBUG": "false",
            "SECRET_KEY": secrets.token_hex(32),
            "ALLOWED_HOSTS": "127.0.0.1",
            "SECURE_SSL_REDIRECT": "false",  # the load speaks plain HTTP
            "DATABASE_URL": database_url,
            "WEB_CONCURRENCY": str(workers),
        }
        if redis_url:
            self.environment["REDIS_URL"] = redis_url
        if migrate:
            self.run("python", "manage.py", "migrate", "--verbosity=0")

    def run(self, *command):
        """Run a command in the project; return what it printed."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise Refused(f"{' '.join(command)} failed in {self.folder}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def versions(self):
        """Return the versions of Python and of what serves the project."""
        names = ("django", "asgiref", "channels", "channels-redis", "redis", "psycopg", self.server)
        names += ("uvloop", "httptools", "websockets", "h11", "twisted", "wsproto")
        listed = self.run(
            "python", "-c",
            "import importlib.metadata as m, json, platform\n"
            "found = {d.name.lower(): d.version for d in m.distributions()}\n"
            "print(json.dumps({'python': platform.python_version()} | found))",
        )  # fmt: skip
        found = json.loads(listed)
        return {name: found[name] for name in ("python", *names) if name in found}


class Server:
    """A stack while it serves, in one of its variants. Use it in a `with` statement."""

    def __init__(self, stack, variant, log):
        self.stack, self.variant, self.log = stack, variant, log
        self.port = free_port()
        self.workers = int(stack.environment["WEB_CONCURRENCY"])

    @property
    def application(self):
        """What is served: with WebSockets of the benchmark under ASGI."""
        if self.variant == BARE:
            return f"bench.apps.bare:{self.stack.interface}"
        return "bench.apps.site:application" if self.stack.interface == "asgi" else "config.wsgi:application"

    @property
    def extra(self):
        """The environment that this variant adds."""
        if self.variant == TUNED:
            return {"PORT": str(self.port), "WORKERS": str(self.workers), "APPLICATION": self.application}
        own = {PUBSUB: {"CHANNEL_LAYER": "pubsub"}, STOCK: {"FASTPATH": "off"}}.get(self.variant, {})
        return {"PORT": str(self.port), "APPLICATION": self.application, **own}

    @property
    def session(self):
        """The number of the session that holds every process of the server."""
        return self.process.pid

    def command(self):
        """Return the command line that the server really has, as a reader would type it."""
        if self.variant == TUNED:
            return HAND_TUNED[self.stack.name].replace("exec ", "")
        words = Path(f"/proc/{self.session}/cmdline").read_bytes().decode().rstrip("\0").split("\0")
        folder = f"{self.stack.folder}/"
        words = [word.removeprefix(folder).removeprefix(".venv/bin/") for word in words]
        line = " ".join(words[1:] if words[0].startswith("python") else words)
        layer = "CHANNEL_LAYER=pubsub " if self.variant == PUBSUB else ""
        return layer + line.replace(str(self.port), "$PORT")

    def __enter__(self):
        origin = {"CSRF_TRUSTED_ORIGINS": f"http://127.0.0.1:{self.port}"}
        began = time.monotonic()
        with contextlib.ExitStack() as stack:
            output = stack.enter_context(self.log.open("w"))
            environment, inherited = self.stack.environment | origin | self.extra, ()
            command = [self.stack.folder / "bin/serve"]
            if self.variant == TUNED:
                command = ["sh", "-c", HAND_TUNED[self.stack.name]]
                if "$LISTENING" in command[-1]:
                    listening = stack.enter_context(socket.create_server(("127.0.0.1", self.port), backlog=4096))
                    inherited = (listening.fileno(),)
                    environment["LISTENING"] = str(listening.fileno())
            self.process = subprocess.Popen(
                command,
                cwd=self.stack.folder,
                env=environment,
                pass_fds=inherited,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self.wait(began + PATIENCE)
        except BaseException:
            self.__exit__()
            raise
        self.start = time.monotonic() - began
        return self

    def wait(self, deadline):
        """Return when it answers; refuse with its log when it does not."""
        while time.monotonic() < deadline and self.process.poll() is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
                connection.request("GET", "/hello/")
                if connection.getresponse().status == 200:
                    return
            time.sleep(0.01)
        log = self.log.read_text()[-3000:]
        raise Refused(f"{self.stack.name} ({self.variant}) does not answer on port {self.port}:\n{log}")

    def __exit__(self, *error):
        # Nothing of it is kept, so it need not end gently.
        while left := processes(self.session):
            for number in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)
            time.sleep(0.01)
        self.process.wait()

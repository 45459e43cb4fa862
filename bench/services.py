"""The database, the Redis and the proxy of a run, on free ports of 127.0.0.1, gone afterwards."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from bench.machine import Refused


def free_port():
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_for_port(port, process, seconds=20):
    """Return when somebody listens on `port`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise Refused(f"{process.args[0]} does not listen on port {port}")


@contextlib.contextmanager
def redis():
    """Run a Redis that keeps nothing; give its URL and its version."""
    if not shutil.which("redis-server"):
        raise Refused("redis-server is missing: run `apt install redis-server`")
    port = free_port()
    with (
        tempfile.TemporaryDirectory() as folder,
        _running("redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder) as process,
    ):
        wait_for_port(port, process)
        shown = subprocess.run(["redis-server", "--version"], capture_output=True, text=True, check=True).stdout
        yield f"redis://127.0.0.1:{port}/0", shown.split("v=")[1].split()[0]


@contextlib.contextmanager
def databases():
    """Give a function that makes a database and returns its URL, and what kind of database that is.

    DATABASE_URL, which must be migrated, where it is set; else a PostgreSQL of its own where this machine has the
    programs; else SQLite.
    """
    given, folder = os.environ.get("DATABASE_URL"), _postgresql_programs()
    if given:
        yield lambda name: given, "the one in DATABASE_URL"
    elif folder:
        with _postgresql(folder) as port:

            def create(name):
                url = f"postgres://postgres@127.0.0.1:{port}"
                subprocess.run(
                    [folder / "psql", "--quiet", f"{url}/postgres", "-c", f'CREATE DATABASE "{name}"'], check=True
                )
                return f"{url}/{name}"

            shown = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True)
            yield create, "PostgreSQL " + shown.stdout.split()[2]
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield lambda name: f"sqlite:///{folder}/{name}.sqlite3", "SQLite"


# Kept connections, headers and a line in the log as roles/nginx has them; without TLS, limits and headers of its own.
NGINX = """
worker_processes {workers}; worker_rlimit_nofile 16384; pid {folder}/pid; error_log stderr; daemon off;
events {{ worker_connections 8192; }}
http {{
    {paths}
    log_format json escape=json '{{"time":"$time_iso8601","request_id":"$request_id","client":"$remote_addr",'
        '"host":"$host","method":"$request_method","path":"$uri","status":$status,"bytes":$body_bytes_sent,'
        '"seconds":$request_time,"upstream":"$upstream_addr","upstream_seconds":"$upstream_response_time"}}';
    access_log {folder}/access.log json;
    keepalive_requests 1000000;
    upstream site {{ server 127.0.0.1:{upstream} max_fails=0; keepalive 64; keepalive_timeout 50s; }}
    map $http_upgrade $hop {{ default upgrade; "" ""; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_http_version 1.1;
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Request-ID $request_id;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $hop;
            proxy_pass http://site;
        }}
    }}
}}
"""


@contextlib.contextmanager
def nginx(upstream, workers):
    """Run an nginx before the server on port `upstream`; give its port and its session. Ask `nginx_version` first."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        paths = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
        configuration = Path(folder, "nginx.conf")
        configuration.write_text(
            NGINX.format(workers=workers, folder=folder, paths=paths, upstream=upstream, port=port)
        )
        with _running(_nginx(), "-c", configuration, "-p", folder, "-e", "stderr") as process:
            wait_for_port(port, process)
            yield port, process.pid


def _nginx():
    """Return the program, or None; Debian keeps it out of a user's PATH."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def nginx_version():
    """Return the version of this machine's nginx, or None where it has none: then no proxy is measured."""
    if not _nginx():
        return None
    shown = subprocess.run([_nginx(), "-v"], capture_output=True, text=True, check=True).stderr
    return shown.split("/")[1].split()[0]


def _postgresql_programs():
    """Return the folder of initdb and postgres, or None; Debian keeps them out of PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else found[-1].parent if found else None


@contextlib.contextmanager
def _postgresql(programs):
    """Run a new PostgreSQL with its default settings; give its port."""
    port = free_port()
    # PostgreSQL refuses to run as root.
    user = pwd.getpwnam("postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name)
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, user.pw_uid, user.pw_gid)
        identity = {"user": user.pw_uid, "group": user.pw_gid} if os.geteuid() == 0 else {}
        subprocess.run(
            [programs / "initdb", "--auth=trust", "--username=postgres", "--no-sync", "-D", folder],
            check=True, stdout=subprocess.DEVNULL, cwd=folder, **identity,
        )  # fmt: skip
        options = ("-p", str(port), "-h", "127.0.0.1", "-k", folder)
        with _running(programs / "postgres", "-D", folder, *options, cwd=folder, **identity) as process:
            wait_for_port(port, process)
            yield port


@contextlib.contextmanager
def _running(*command, **options):
    """Run a program that is stopped at the end; Ctrl-C does not reach it before its clients are gone."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, **options
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()

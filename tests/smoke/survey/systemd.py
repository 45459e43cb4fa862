"""What a host shows of itself where the site runs as units of systemd; see common.py."""

import http.client
import os
import re
import socket
import stat
import time
from pathlib import Path

from .common import APP, ASKED, address, disks, listeners, output, processes, show

HOME = Path("/srv", APP)
SECRETS = Path("/etc", APP, "secrets")
PORTS = {"blue": 8001, "green": 8002}


def live_slot():
    return Path(os.readlink(HOME / "live")).name


def units():
    """{unit: its systemd properties} of what Slipway installs: every unit that may be here, running or not."""
    names = ["nginx", *(f"{APP}-web@{slot}" for slot in PORTS), "redis-server@cache", "redis-server@channels"]
    # A cluster's folder is /etc/postgresql/<version>/<name>.
    names += [f"postgresql@{path.parent.name}-{path.name}" for path in Path("/etc/postgresql").glob("*/*")]
    wanted = "Id,LoadState,ActiveState,SubState,UnitFileState,Result,NRestarts,ActiveEnterTimestampMonotonic"
    blocks = output("systemctl", "show", f"--property={wanted}", *names).strip().split("\n\n")
    found = [dict(line.split("=", 1) for line in block.splitlines()) for block in blocks if block]
    for unit in found:
        entered = int(unit["ActiveEnterTimestampMonotonic"] or 0) / 1e6
        unit["seconds"] = round(time.clock_gettime(time.CLOCK_MONOTONIC) - entered)
    return {unit["Id"].removesuffix(".service"): unit for unit in found}


def slots():
    """The live slot, its release by the folder and by the file in it, and the slot that nginx sends visitors to."""
    live = live_slot()
    upstream = Path("/etc/nginx/upstreams", f"{APP}.conf").read_text()
    return {
        "live": live,
        "folder": (HOME / "live").resolve().name,
        "release": (HOME / "live" / "RELEASE").read_text().strip(),
        "proxied": [slot for slot in PORTS if f"/{slot}.sock" in upstream or f":{PORTS[slot]}" in upstream],
    }


def ask_slot(path):
    """[status, body] of the live slot itself, past the proxy; status None where no answer comes."""
    connection = http.client.HTTPConnection("127.0.0.1", PORTS[live_slot()], timeout=12)
    try:
        if ASKED["listen"] == "socket":
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(12)
            connection.sock.connect(f"/run/{APP}/{live_slot()}.sock")
        connection.request("GET", path, headers={"Host": "localhost", "Connection": "close"})
        answer = connection.getresponse()
        return [answer.status, answer.read().decode(errors="replace")]
    except (OSError, http.client.HTTPException) as error:
        return [None, f"{type(error).__name__}: {error}"]
    finally:
        connection.close()


def own_answers():
    """The live slot's own answers, by path."""
    return {path: ask_slot(path) for path in ("/livez", "/readyz")}


def foreign_files():
    """The first paths of the live release that others than root own or may write."""
    release = str((HOME / "live").resolve())
    wrong = ["(", "-not", "-user", "root", "-o", "-not", "-type", "l", "-perm", "/022", ")"]
    return output("sh", "-c", 'find "$@" | head -n 5', "sh", release, *wrong, "-printf", "%u %m %p\\n").splitlines()


def modes():
    """{path: [octal mode, owner, group]} of what must not be open to all."""
    paths = [Path("/run", APP), SECRETS, *sorted(SECRETS.rglob("*"))]
    found = {}
    for path in paths:
        if path.exists():
            seen = path.stat()
            found[str(path)] = [oct(stat.S_IMODE(seen.st_mode))[2:], path.owner(), path.group()]
    return found


def leaks():
    """Where a secret of the application can be read by its neighbours: [name of the secret, where]."""
    secrets = {path.name: path.read_text().strip() for path in (SECRETS / live_slot()).iterdir()}
    unit = f"{APP}-web@{live_slot()}.service"
    places = {f"systemctl show {unit}": output("systemctl", "show", unit)}
    group = output("systemctl", "show", "--property=ControlGroup", "--value", unit).strip()
    places |= processes(Path(f"/sys/fs/cgroup{group}/cgroup.procs").read_text().split())
    return [
        [name, where] for name, value in secrets.items() for where, text in places.items() if value and value in text
    ]


def exposure():
    """What `systemd-analyze security` says of the live slot: 0 is shut, 10 is open."""
    said = output("systemd-analyze", "security", "--no-pager", f"{APP}-web@{live_slot()}.service")
    return float(re.search(r"exposure level for .*: ([0-9.]+)", said)[1])


def strangers():
    """{door: answer} to a local user who has no password."""
    found = {}
    if "database" in ASKED["groups"]:
        knock = ("psql", "-w", "-h", "/var/run/postgresql", "-d", APP, "-c", "select 'let in'", "-At", "-U")
        for user in (APP, "postgres"):
            found[f"PostgreSQL as {user}"] = output(*knock, user, user="nobody", cwd="/").strip()
    if "redis" in ASKED["groups"]:
        for path in sorted(Path("/run").glob("redis-*/*.sock")):
            with socket.socket(socket.AF_UNIX) as redis:
                redis.settimeout(12)
                redis.connect(str(path))
                redis.sendall(b"PING\r\n")
                found[f"Redis at {path}"] = redis.recv(200).decode(errors="replace").strip()
    return found


SECTIONS = [address, units, listeners, disks, modes, strangers]
if "web" in ASKED["groups"]:
    SECTIONS += [slots, own_answers, foreign_files, leaks, exposure]
show(SECTIONS)

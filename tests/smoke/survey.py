"""What a host shows of itself, as one JSON object; this file is sent to the host and runs there as root.

It only looks. One look for each host, instead of one SSH command for each check, keeps the suite fast.
Takes one argument, a JSON object: app (short name), listen (socket or tcp), groups (of this host).
Needs Python 3.11 and nothing else.
"""

import http.client
import json
import os
import re
import socket
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ASKED = json.loads(sys.argv[1])
APP = ASKED["app"]
HOME = Path("/srv", APP)
SECRETS = Path("/etc", APP, "secrets")
PORTS = {"blue": 8001, "green": 8002}


def output(*command, **options):
    """What a command prints, its errors included."""
    options |= {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "timeout": 10}
    return subprocess.run(command, check=False, **options).stdout


def live_slot():
    return Path(os.readlink(HOME / "live")).name


def address():
    """The host's own address towards the outside (nothing is sent)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return probe.getsockname()[0]


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


def listeners():
    """[address, port, program] of each listening TCP socket."""
    found = []
    for line in output("ss", "-Hltnp").splitlines():
        where, _, port = line.split()[3].rpartition(":")
        program = re.search(r'users:\(\("([^"]+)', line)
        found.append([where.strip("[]").split("%")[0], int(port), program[1] if program else "?"])
    return found


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
    for pid in Path(f"/sys/fs/cgroup{group}/cgroup.procs").read_text().split():
        for name in ("environ", "cmdline"):
            places[f"/proc/{pid}/{name}"] = Path("/proc", pid, name).read_bytes().decode(errors="replace")
    return [
        [name, where] for name, value in secrets.items() for where, text in places.items() if value and value in text
    ]


def exposure():
    """What `systemd-analyze security` says of the live slot: 0 is shut, 10 is open."""
    said = output("systemd-analyze", "security", "--no-pager", f"{APP}-web@{live_slot()}.service")
    return float(re.search(r"exposure level for .*: ([0-9.]+)", said)[1])


def disks():
    """{path: free and all bytes and inodes} of the file systems that the site writes to, each one once."""
    found, devices = {}, set()
    for path in ("/", "/srv", f"/var/lib/{APP}", "/var/lib/postgresql", "/var/lib/redis", "/var/log"):
        if not os.path.exists(path) or os.stat(path).st_dev in devices:
            continue
        devices.add(os.stat(path).st_dev)
        seen = os.statvfs(path)
        found[path] = {
            "bytes": [seen.f_bavail * seen.f_frsize, seen.f_blocks * seen.f_frsize],
            "inodes": [seen.f_favail, seen.f_files],
        }
    return found


def clock():
    """Seconds since 1970, and whether a time service keeps them right."""
    synchronized = output("timedatectl", "show", "--property=NTPSynchronized", "--value").strip()
    return {"time": time.time(), "synchronized": synchronized == "yes"}


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
                redis.settimeout(3)
                redis.connect(str(path))
                redis.sendall(b"PING\r\n")
                found[f"Redis at {path}"] = redis.recv(200).decode(errors="replace").strip()
    return found


def answer(section):
    """What a section finds, or why it finds nothing."""
    try:
        return {"found": section()}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


SECTIONS = [address, units, listeners, disks, modes, strangers]
if "web" in ASKED["groups"]:
    SECTIONS += [slots, own_answers, foreign_files, leaks, exposure]

with ThreadPoolExecutor(4) as pool:
    results = list(pool.map(answer, SECTIONS))
results = {section.__name__: result for section, result in zip(SECTIONS, results, strict=True)}
# Last, because it is compared with the operator's clock at the answer.
json.dump(results | {"clock": answer(clock)}, sys.stdout)

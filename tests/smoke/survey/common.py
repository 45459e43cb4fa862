"""What a host shows of itself, as one JSON object: the part that is the same on every deploy_target.

It is sent to the host with systemd.py or compose.py behind it, and runs there as root. It only looks. One look for
each host, instead of one SSH command for each check, keeps the suite fast.
Takes one argument, a JSON object: app (short name), listen (socket or tcp), groups (of this host).
Needs Python 3.11 and nothing else.
"""

import json
import os
import re
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

ASKED = json.loads(sys.argv[1])
APP = ASKED["app"]


def output(*command, **options):
    """What a command prints, its errors included."""
    options |= {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "timeout": 30}
    return subprocess.run(command, check=False, **options).stdout


def address():
    """The host's own address towards the outside (nothing is sent)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return probe.getsockname()[0]


def listeners():
    """[address, port, program] of each listening TCP socket."""
    found = []
    for line in output("ss", "-Hltnp").splitlines():
        where, _, port = line.split()[3].rpartition(":")
        program = re.search(r'users:\(\("([^"]+)', line)
        found.append([where.strip("[]").split("%")[0], int(port), program[1] if program else "?"])
    return found


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


def processes(pids):
    """{file: text} of the environment and command line of processes, by their ids as text; some may end meanwhile."""
    found = {}
    for file in (Path("/proc", pid, name) for pid in pids for name in ("environ", "cmdline")):
        with suppress(FileNotFoundError, ProcessLookupError):
            found[str(file)] = file.read_bytes().decode(errors="replace")
    if not found:
        raise ProcessLookupError(f"none of the processes {' '.join(pids)} is there")
    return found


def answer(section):
    """What a section finds, or why it finds nothing."""
    try:
        return {"found": section()}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def show(sections):
    """Print what each section finds."""
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(answer, sections))
    results = {section.__name__: result for section, result in zip(sections, results, strict=True)}
    # Last, because it is compared with the operator's clock at the answer.
    json.dump(results | {"clock": answer(clock)}, sys.stdout)

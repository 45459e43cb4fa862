"""What this machine is, and what its processes hold."""

import os
import platform
import resource
from pathlib import Path


class Refused(Exception):
    """Something is missing; the message names the command that brings it."""


def describe():
    """Return what a reader must know of this machine to judge the figures."""
    if not Path("/proc/self/smaps_rollup").exists():
        raise Refused("this machine has no /proc that tells the memory of processes: measure on Linux")
    processors = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    kilobytes = int(Path("/proc/meminfo").read_text().split()[1])
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": processors[0] if processors else platform.machine(),
        "memory_gib": round(kilobytes / 2**20, 1),
        "system": platform.freedesktop_os_release()["PRETTY_NAME"],
        "kernel": platform.release(),
        "somaxconn": int(Path("/proc/sys/net/core/somaxconn").read_text()),
    }


def allow_files(needed):
    """Let this process and what it starts open `needed` files; refuse where the system forbids it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise Refused(
            f"{needed} open files are needed and {hard} are allowed: "
            f"run `ulimit -n {needed}` as root in this shell, or use QUICK=1"
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def processes(session):
    """Return the numbers of the processes of a session: a server with all its workers."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                # After the name, which may hold anything: state, parent, group, session.
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it has just ended
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(folder.name))
    return found


def processor_seconds(session):
    """Return how long the processes of a session have kept a core busy."""
    return sum(sum(ticks(number)) for number in processes(session)) / os.sysconf("SC_CLK_TCK")


def ticks(number):
    """Return how long a process has kept a core busy, by itself and in the kernel; nothing if it has ended."""
    try:
        fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0, 0
    return int(fields[11]), int(fields[12])


def memory(session):
    """Return the bytes that a session holds: its PSS, where what n processes share counts 1/n for each."""
    total = 0
    for number in processes(session):
        try:
            lines = Path(f"/proc/{number}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total

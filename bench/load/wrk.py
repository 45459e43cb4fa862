"""Requests over kept connections, by wrk."""

import re
import shutil
import subprocess

from bench.machine import Refused

CONNECTIONS = 64
UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}


def version():
    """Return wrk's version; refuse where it is missing."""
    if not shutil.which("wrk"):
        raise Refused("wrk is missing: run `apt install wrk`")
    shown = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout
    return shown.split("[")[0].removeprefix("wrk ").strip()


def run(url, seconds, threads):
    """Ask for `url` for some seconds; return rate, p50, p99 (seconds) and the number of failures."""
    command = ["wrk", "--latency", f"-t{threads}", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", url]
    return parse(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def parse(output):
    """Take what wrk printed; return the figures in it."""
    latencies = {
        percent: float(number) * UNITS[unit]
        for percent, number, unit in re.findall(r"^ +(50|99)% +([\d.]+)(us|ms|s|m|h) *$", output, re.MULTILINE)
    }
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    return {
        "rate": float(re.search(r"Requests/sec: +([\d.]+)", output)[1]),
        "p50": latencies["50"],
        "p99": latencies["99"],
        "failed": sum(map(int, errors.groups() if errors else ())) + int(refused[1] if refused else 0),
    }

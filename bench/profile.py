"""`python -m bench.profile PROJECT SCENARIO`: where the time of one worker goes while it is measured.

py-spy looks at the worker a hundred times a second, for which it must be root. Each look counts for the part whose
code was running: the innermost one on the stack, so that a system call counts for whoever made it. All stacks are
kept, in the form that flame graphs are drawn from.
"""

import argparse
import contextlib
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from bench import machine, services
from bench.load.processes import Loaders
from bench.scenarios import FULL, Measurements
from bench.servers import OURS, STOCK, Server, Stack

SECONDS = 8
# Whose code it is, by a piece of the file's path; the first that fits. The project is what else has packages.
PARTS = {
    "server": r"\b(uvicorn|daphne|twisted|autobahn|hypercorn|h11|wsproto|websockets|granian|gunicorn)/|config/worker",
    "Redis": r"\b(redis|channels_redis|msgpack)/|config/layers",
    "Channels": r"\bchannels/",
    "Django": r"\b(django|asgiref|csp)/",
    "fast path": r"\bfastpath/",
    "project": None,
}
IDLERS = ("start", "memory", "idle")  # scenarios
# Threads that wait for work.
IDLE = re.compile(r"(_worker \(concurrent/futures/thread\.py|_recv \(multiprocessing/connection\.py)[^;]*$")


def main():
    """Take the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__.splitlines()[0])
    parser.add_argument("project", type=Path, metavar="PROJECT")
    parser.add_argument("scenario", metavar="SCENARIO", help="for example hello, room or 'crowd 1000'")
    parser.add_argument("--stock", action="store_true", help="without the fast path")
    parser.add_argument("--out", type=Path, default=Path("build/bench/profiles"), help="where the stacks are kept")
    options = parser.parse_args()
    if not shutil.which("py-spy"):
        print("profile: py-spy is missing: `uv run --project bench --group profile` brings it", file=sys.stderr)
        return 1
    stack, variant = Stack.of(options.project.resolve()), STOCK if options.stock else OURS
    options.out.mkdir(parents=True, exist_ok=True)
    kept = options.out / f"{stack.name}.{options.scenario}{'.stock' if options.stock else ''}.txt".replace(" ", "-")
    try:
        kernel = record(stack, variant, options.scenario, kept)
    except machine.Refused as refused:
        print(f"profile: {refused}", file=sys.stderr)
        return 1
    shares = parts(kept.read_text(), [package.parent.name for package in options.project.glob("*/__init__.py")])
    print(f"| {stack.name} {variant} | {options.scenario} | {row(shares)} | {kernel:.0%} |")
    return 0


def record(stack, variant, scenario, kept):
    """Write the stacks of the busiest worker to `kept`; return the kernel's share of its time."""
    plan = replace(FULL, seconds=SECONDS, brief=SECONDS)
    machine.allow_files(plan.files)
    workers = machine.describe()["cores"]
    with contextlib.ExitStack() as running:
        redis_url, _ = running.enter_context(services.redis()) if stack.interface == "asgi" else ("", None)
        create, _ = running.enter_context(services.databases())
        load = running.enter_context(Loaders(workers))
        stack.prepare(workers, redis_url, create(stack.name), migrate=True)
        server = running.enter_context(Server(stack, variant, kept.with_suffix(".log")))
        measure = Measurements(server, load, plan).all().get(scenario)
        if measure is None or scenario in IDLERS:
            raise machine.Refused(f"a worker of {stack.name} ({variant}) has no work in a scenario {scenario!r}")
        measure()
        with ThreadPoolExecutor(1) as pool:
            busy = pool.submit(repeat, measure)
            before = {number: machine.ticks(number) for number in machine.processes(server.session)}
            time.sleep(SECONDS / 4)
            worker = max(before, key=lambda number: sum(machine.ticks(number)) - sum(before[number]))
            began = machine.ticks(worker)
            options = ("--format=raw", f"--duration={SECONDS // 2}", f"--pid={worker}", "--output", kept)
            looked = subprocess.run(["py-spy", "record", *options], capture_output=True, text=True, check=False)
            if looked.returncode:
                raise machine.Refused(f"py-spy may not look at a worker; root may: {looked.stderr.strip()}")
            user, kernel = (after - before for after, before in zip(machine.ticks(worker), began, strict=True))
            busy.result()
    kept.with_suffix(".log").unlink()
    kept.write_text(merged(kept.read_text()))
    return kernel / (user + kernel)


def repeat(measure):
    """Measure for as long as py-spy looks on."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        measure()


def merged(stacks):
    """Return the stacks by their functions alone, without the numbers of lines: far fewer."""
    found = Counter()
    for line in stacks.splitlines():
        frames, _, count = line.rpartition(" ")
        found[re.sub(r":\d+\)", ")", frames)] += int(count)
    return "".join(f"{frames} {count}\n" for frames, count in sorted(found.items()))


def parts(stacks, packages):
    """Return each part's share of the time, the largest first.

    `stacks` are py-spy's, one a line; `packages` the names of those that are the project's own.
    """
    places = PARTS | {"project": rf"\b({'|'.join(packages)})/"}
    found = Counter()
    for line in stacks.splitlines():
        frames, _, count = line.rpartition(" ")
        if IDLE.search(frames):
            continue
        for frame in reversed(frames.split(";")):
            part = next((part for part, path in places.items() if re.search(path, frame)), None)
            if part:
                break
        # A thread without any frame of Python is one of granian's own.
        found[part or ("Python" if frames else "server")] += int(count)
    return {part: count / found.total() for part, count in found.most_common()}


def row(shares):
    """Return the cells of a table: a share for each part."""
    return " | ".join(f"{shares.get(part, 0):.0%}" for part in (*PARTS, "Python"))


if __name__ == "__main__":
    sys.exit(main())

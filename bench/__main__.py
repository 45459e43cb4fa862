"""`python -m bench PROJECT…`: measure the servers of these projects, and write the report."""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

from bench import machine, plots, report, services
from bench.load import wrk
from bench.load.processes import Loaders
from bench.scenarios import FULL, QUICK, Measurements, turns
from bench.servers import Server, Stack

LOGS = Path("build/bench/logs")  # of the servers, for when one does not start


def main():
    """Take the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("projects", nargs="+", type=Path, metavar="PROJECT", help="a folder with a project in it")
    parser.add_argument("--quick", action="store_true", help="one short round, within three minutes")
    parser.add_argument("--rounds", type=int, help="how often each server is measured")
    parser.add_argument("--only", metavar="SCENARIOS", help="measure these, for example: hello,crowd,room")
    parser.add_argument("--workers", type=int, help="worker processes of each server, by default one a core")
    parser.add_argument("--out", type=Path, default=Path("build/bench"), help="where the report is written")
    options = parser.parse_args()
    plan = QUICK if options.quick else FULL
    if options.rounds:
        plan = replace(plan, rounds=options.rounds)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        raw = measure([Stack.of(folder.resolve()) for folder in options.projects], plan, options)
    except machine.Refused as refused:
        print(f"bench: {refused}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench: stopped", file=sys.stderr)
        return 130
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "raw.json").write_text(report.as_json(raw))
    pictures = plots.draw(raw, options.out)
    (options.out / "report.md").write_text(report.write(raw, pictures))
    say(f"read {options.out / 'report.md'}")
    return 0


def measure(stacks, plan, options):
    """Measure every stack in every round; return what raw.json holds."""
    began = time.monotonic()
    machine.allow_files(plan.files)
    facts = machine.describe()
    workers = options.workers or facts["cores"]
    with contextlib.ExitStack() as running:
        asgi = any(stack.interface == "asgi" for stack in stacks)
        versions = {"wrk": wrk.version(), "nginx": services.nginx_version()}
        redis_url, versions["redis-server"] = running.enter_context(services.redis()) if asgi else ("", None)
        create, versions["database"] = running.enter_context(services.databases())
        load = running.enter_context(Loaders(facts["cores"]))
        LOGS.mkdir(parents=True, exist_ok=True)

        def prepare(stack):
            stack.prepare(workers, redis_url, create(stack.name), migrate="DATABASE_URL" not in os.environ)

        say(f"migrate {len(stacks)} databases ({versions['database']})")
        with ThreadPoolExecutor(facts["cores"]) as pool:
            list(pool.map(prepare, stacks))
        commands = {stack.name: {} for stack in stacks}
        results = []
        try:
            for number in range(plan.rounds):
                for stack, variant in turns(stacks, number):
                    server = Server(stack, variant, LOGS / f"{stack.name}.{variant.replace('/', '-')}.log")
                    scenarios = {
                        name: run
                        for name, run in Measurements(server, load, plan).all().items()
                        if not options.only or name.split()[0] in options.only.split(",")
                    }
                    if not scenarios:
                        continue
                    with server:
                        commands[stack.name][variant] = server.command()
                        for scenario, run in scenarios.items():
                            found = outcome(run)
                            results.append(
                                {"round": number + 1, "stack": stack.name, "variant": variant, "scenario": scenario}
                                | found
                            )
                            shown = ", ".join(f"{field} {value}" for field, value in found.items())
                            say(f"round {number + 1}/{plan.rounds}  {stack.name}  {variant}  {scenario}: {shown}")
        except KeyboardInterrupt:
            if number == 0:
                raise
            say(f"stopped: the report is of {number} whole rounds")
            plan = replace(plan, rounds=number)
            results = [result for result in results if result["round"] <= number]
    return {
        "date": date.today().isoformat(),
        "minutes": round((time.monotonic() - began) / 60, 1),
        "machine": facts,
        "workers": workers,
        "plan": asdict(plan),
        "versions": {name: version for name, version in versions.items() if version},
        "stacks": [
            {
                "name": stack.name,
                "interface": stack.interface,
                "server": stack.server,
                "versions": stack.versions(),
                "commands": commands[stack.name],
            }
            for stack in stacks
        ],
        "results": results,
    }


def outcome(run):
    """Return what a scenario measured, with the digits that mean something, or the error that ended it."""
    try:
        return {field: value if isinstance(value, int) else float(f"{value:.5g}") for field, value in run().items()}
    except (OSError, subprocess.SubprocessError) as error:  # the server refuses, hangs up or does not answer
        return {"error": (str(error) or type(error).__name__)[:200]}


def say(text):
    """Tell what is going on."""
    print(f"bench: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())

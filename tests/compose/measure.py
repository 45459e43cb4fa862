"""`make bench-containers`: the size of the image, and how long a developer waits, into docs/benchmark/containers.md.

A default project, ROUNDS times each: the image built anew after a change of code, and a saved file served by `make up`.
"""

import json
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import urlopen

from tests.compose.stack import ROOT, Stack
from tests.compose.test_image import build
from tests.hosts import Project
from tests.hosts.host import docker
from tests.ports import free_port
from tests.snapshot import snapshot

ROUNDS = 5
DOCS = ROOT / "docs/benchmark"
BASE = re.search(r"PYTHON_IMAGE=(.+)", (ROOT / "template/Dockerfile").read_text())[1]


def size(image: str) -> float:
    """Megabytes of an image."""
    return int(docker("image", "inspect", "--format", "{{.Size}}", image)) / 1e6


def rebuild(stack: Stack) -> float:
    """Seconds until a change of code is in an image; one that no build has seen, or its cache would answer."""
    (stack.project.folder / "config/edition.py").write_text(f"EDITION = {time.time_ns()}\n")
    began = time.monotonic()
    build(stack, "changed")
    return time.monotonic() - began


def reload(stack: Stack, number: int) -> float:
    """Seconds from saving a file to the first answer by the new code."""
    urls = stack.project.folder / "config/urls.py"
    text = urls.read_text().split("# Edition")[0]
    page = f"urlpatterns += [path('edition-{number}/', lambda request: HttpResponse('{number}'))]\n"
    began = time.monotonic()
    urls.write_text(f"{text}# Edition {number}\nfrom django.http import HttpResponse\n{page}")
    while True:
        try:
            with urlopen(f"{stack.url}/edition-{number}/", timeout=5) as answer:  # noqa: S310
                if answer.read() == str(number).encode():
                    return time.monotonic() - began
        except OSError:
            time.sleep(0.02)


def main() -> None:
    """Measure, print and write the report with its raw data."""
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder) / "measured", None, snapshot(Path(folder) / "template"), domain="site.test")
        stack = Stack(project.generate())
        stack.variables |= {"WEB_PORT": str(free_port()), "MAIL_PORT": str(free_port())}
        try:
            image = build(stack, "1")
            raw = {
                "above the base, MB": [size(image) - size(BASE)],
                "rebuild after a change of code, s": [rebuild(stack) for _ in range(ROUNDS)],
            }
            stack.run("make", "up")
            reload(stack, ROUNDS)  # the addresses are read at the first request
            raw["saved file served, s"] = [reload(stack, number) for number in range(ROUNDS)]
        finally:
            stack.remove()
    (DOCS / "containers.json").write_text(json.dumps(raw, indent=2) + "\n")
    rows = [
        f"| {name} | {statistics.median(values):.2f} | {min(values):.2f} - {max(values):.2f} |"
        for name, values in raw.items()
    ]
    text = "\n".join(
        [
            "# Containers, measured",
            "",
            f"`make bench-containers`, default answers, {ROUNDS} rounds, {time.strftime('%Y-%m-%d')};",
            "raw data: [containers.json](containers.json).",
            "",
            "| what | median | lowest - highest |",
            "| --- | ---: | ---: |",
            *rows,
            "",
        ]
    )
    (DOCS / "containers.md").write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()

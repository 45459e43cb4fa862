"""The benchmark itself, run for real on one project: short, and not for its figures."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.bench.projects import ROOT, install, render

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return a project whose bin/serve starts uvicorn."""
    folder = tmp_path_factory.mktemp("bench") / "site"
    render(folder, {"interface": "asgi", "server": "uvicorn"})
    install(folder)
    return folder


def bench(project, *arguments):
    """Start the project's own bench/, as its `make bench` does."""
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "DATABASE_URL")}
    # One environment for all projects that tests make.
    environment["UV_PROJECT_ENVIRONMENT"] = str(ROOT / "bench/.venv")
    python = ["uv", "run", "--quiet", "--project", "bench", "--python", ".venv/bin/python", "python"]
    return subprocess.Popen(
        [*python, "-m", "bench", *arguments, "."],
        cwd=project,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def processes_of(project):
    """Return the command lines that run in a project's folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").resolve().is_relative_to(project):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


@pytest.fixture(scope="module")
def report(project):
    """Run three scenarios once; return the folder with the report."""
    process = bench(project, "--quick", "--only", "hello,crowd,echo")
    output = process.communicate(timeout=300)[0]
    assert process.returncode == 0, output
    return project / "build/bench"


def test_every_scenario_gives_figures(report):
    results = json.loads((report / "raw.json").read_text())["results"]
    found = {(result["variant"], result["scenario"]): result for result in results}
    variants = ("bin/serve", "hand-tuned", "stock Django", "bare")
    assert set(found) >= {(variant, "hello") for variant in variants} | {("bin/serve", "echo")}
    assert all(result["rate"] > 0 and "error" not in result for result in results)
    assert all(result.get("failed", 0) == 0 for result in results)
    for clients in (10, 100, 1000):
        crowd = found["bin/serve", f"crowd {clients}"]
        assert crowd["unanswered"] == 0
        assert 0.1 <= crowd["seconds"] < 60


def test_the_report_names_this_machine_and_shows_its_pictures(report):
    page = (report / "report.md").read_text()
    assert os.uname().release in page
    assert "uvicorn (ASGI)" in page
    assert "bench.apps.site:application" in page
    for picture in ("at-once.svg", "throughput.svg"):
        assert f"]({picture})" in page
        assert (report / picture).read_text().startswith("<?xml")


def test_a_picture_of_the_same_figures_has_the_same_bytes(project, report):
    before = (report / "at-once.svg").read_bytes()
    draw = "import json, pathlib; from bench import plots; folder = pathlib.Path('build/bench');"
    draw += "plots.draw(json.loads((folder / 'raw.json').read_text()), folder)"
    subprocess.run([ROOT / "bench/.venv/bin/python", "-c", draw], cwd=project, check=True)
    assert (report / "at-once.svg").read_bytes() == before


def test_nothing_keeps_running(report, project):
    assert processes_of(project) == []


def test_ctrl_c_ends_the_servers_too(project, report):
    process = bench(project, "--quick")
    for line in process.stdout:
        if "hello" in line:
            break
    assert any("bench.apps.site" in command for command in processes_of(project))
    os.killpg(process.pid, signal.SIGINT)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 130, output
    assert "Traceback" not in output
    time.sleep(0.5)
    assert processes_of(project) == []

"""Django's own tests pass with the fast path as they pass without it."""

import json
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.fastpath.conftest import source_of

RUNNER = Path(__file__).with_name("borrowed_django.py")
LABELS = (
    "middleware", "middleware_exceptions", "sessions_tests", "csrf_tests", "messages_tests", "auth_tests", "asgi",
    "handlers", "i18n",
)  # fmt: skip
SAMPLE = ("asgi", "handlers", "middleware_exceptions")


def outcomes(project: Path, way: str, labels: tuple[str, ...]) -> dict[str, str]:
    """What became of each of Django's tests, by its name: passed, failed or skipped."""
    tests = source_of(project, "django") / "tests"
    command = [project / ".venv/bin/python", RUNNER, way, project, tests, *labels]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"test"')]
    assert lines, done.stderr[-3000:]
    found: dict[str, str] = {}
    for line in lines:
        if found.get(line["test"]) != "failed":  # a test of several parts fails with one of them
            found[line["test"]] = line["outcome"]
    return found


def compare(project: Path, labels: tuple[str, ...], at_least: int) -> None:
    """Fail unless every test has the same outcome both ways, and at least so many pass."""
    with ThreadPoolExecutor(2) as pool:
        without, with_it = pool.map(lambda way: outcomes(project, way, labels), ("django", "fastpath"))
    assert {test: found for test, found in with_it.items() if found != without.get(test)} == {}
    assert with_it.keys() == without.keys()
    assert list(with_it.values()).count("passed") >= at_least


def test_sample_of_djangos_own_tests_passes(project: Callable[[str], Path]) -> None:
    compare(project("6.1"), SAMPLE, at_least=100)


@pytest.mark.slow
@pytest.mark.parametrize("django", ["6.1", "5.2"])
def test_djangos_own_tests_pass(project: Callable[[str], Path], django: str) -> None:
    compare(project(django), LABELS, at_least=2000)

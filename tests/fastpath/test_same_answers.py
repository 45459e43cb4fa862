"""The fast path answers as Django's own: the same requests through both, compared in all that came of them."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

SITE = Path(__file__).with_name("site")
VARIANTS = ("plain", "sessions", "cookies", "cached", "messages", "strangers", "synchronous")


def run_site(project: Path, folder: Path, script: str, variant: str, *arguments: str) -> str:
    """Run one of the scripts of site/ with a project's Python and its fastpath; give what it wrote."""
    folder.mkdir()
    done = subprocess.run(
        [project / ".venv/bin/python", SITE / script, *arguments],
        env={
            "PATH": os.environ["PATH"], "PYTHONPATH": f"{SITE}:{project}", "PYTHONDONTWRITEBYTECODE": "1",
            "FOLDER": str(folder), "VARIANT": variant,
        },
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def compare(project: Path, folder: Path, variant: str, count: int) -> None:
    """Fail at the first request that the two paths answer differently."""
    ways = ("django", "fastpath")
    seed = str(count + VARIANTS.index(variant))
    outputs = [run_site(project, folder / way, "paths.py", variant, way, seed, str(count)).splitlines() for way in ways]
    assert [len(lines) for lines in outputs] == [count, count]
    for djangos, ours in zip(*outputs, strict=True):
        one, other = json.loads(ours), json.loads(djangos)
        for field, value in other.items():
            assert one[field] == value, f"{field} of request {other['number']}: {other['request']}"
    answers = [json.loads(line) for line in outputs[0]]
    # Or nothing has been compared: of each kind there were some.
    assert {200, 201, 301, 302, 304, 400, 403, 404, 500} <= {answer["status"] for answer in answers}
    assert [answer for answer in answers if answer["error"]]
    assert [answer for answer in answers if "cancelled" in answer["record"]]


def test_a_few_hundred_requests(project: Callable[[str], Path], tmp_path: Path) -> None:
    compare(project("6.1"), tmp_path, "plain", 500)


@pytest.mark.slow
@pytest.mark.parametrize("django", ["6.1", "5.2"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_thousands_of_requests(project: Callable[[str], Path], tmp_path: Path, variant: str, django: str) -> None:
    compare(project(django), tmp_path, variant, 500)


@pytest.mark.parametrize("django", ["6.1", pytest.param("5.2", marks=pytest.mark.slow)])
def test_requests_at_the_same_time_do_not_meet(project: Callable[[str], Path], tmp_path: Path, django: str) -> None:
    found = json.loads(run_site(project(django), tmp_path / "site", "crowd.py", "plain", "300"))
    # No one saw another's user, session, language, thread or connection, and no more than THREADS were started.
    assert found["all at once"] == found["one by one"] == {"wrong": [], "threads": 4}
    # A transaction that was left open is gone with its request.
    assert found["leaks"] == [{"atomic": False, "notes": []}] * 8
    # Streams that have asked the database hold no thread while they wait; those that kept theirs have ended it.
    assert found["streams"].pop("threads") <= 4
    assert found["streams"] == {"answer": "hello", "parts": 12}


@pytest.mark.parametrize("django", ["6.1", pytest.param("5.2", marks=pytest.mark.slow)])
def test_consumers_act_as_channels_own(project: Callable[[str], Path], tmp_path: Path, django: str) -> None:
    found = json.loads(run_site(project(django), tmp_path / "site", "consumers.py", "plain"))
    assert found["scripts"] == 24
    assert found["different"] == []
    # Twenty messages that need no database: Channels goes to the thread for each of them.
    # Ours may have to look once after whatever was there before.
    assert found["trips"]["Channels"] == 20
    assert found["trips"]["Ours"] <= 1


# What serves a site: with FASTPATH as it is, switched off, and with a Django that nobody has read.
CHOICES = """
import django
django.setup()
from django.conf import settings
from fastpath import handler
found = [type(handler.get_asgi_application()).__module__]
settings.FASTPATH = False
found.append(type(handler.get_asgi_application()).__module__)
settings.FASTPATH = True
django.VERSION = (9, 9, 0, "final", 0)
found.append(type(handler.get_asgi_application()).__module__)
print(*found)
"""


def test_it_steps_aside(project: Callable[[str], Path], tmp_path: Path) -> None:
    folder = project("6.1")
    done = subprocess.run(
        [folder / ".venv/bin/python", "-c", CHOICES],
        env={
            "PATH": os.environ["PATH"], "PYTHONPATH": f"{SITE}:{folder}", "PYTHONDONTWRITEBYTECODE": "1",
            "FOLDER": str(tmp_path), "VARIANT": "plain", "DJANGO_SETTINGS_MODULE": "settings",
        },
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    djangos = "django.core.handlers.asgi"
    assert done.stdout.split() == ["fastpath.handler", djangos, djangos], done.stderr

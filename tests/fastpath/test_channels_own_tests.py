"""Channels' own tests have the same outcomes with DirectDispatch in its asynchronous consumers as without it.

They are neither in its wheel nor in its source distribution on PyPI, but in Debian's source package. Where no archive
with source packages can be reached, CHANNELS_SOURCE names a checkout of Channels. As outcomes are compared, one that is
not exactly of the installed version does as well.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import requests

from tests.fastpath.conftest import SOURCES

RUNNER = Path(__file__).with_name("borrowed_channels.py")
# Both change together: the hash is in `apt-cache showsrc python-django-channels`.
VERSION = "4.3.2"
SHA256 = "2046b5338ead5eec8acde74ebd1aa3d5667326398612cc6afb51bcfc7128b809"
TARBALL = f"python-django-channels_{VERSION}.orig.tar.gz"
ARCHIVE = "https://deb.debian.org/debian/pool/main/p/python-django-channels"
# All but those of sample_project/, which need a browser.
FILES = (
    "test_database.py", "test_generic_http.py", "test_generic_websocket.py", "test_http.py", "test_inmemorychannel.py",
    "test_layers.py", "test_routing.py", "test_testing.py", "security/test_auth.py", "security/test_websocket.py",
)  # fmt: skip


def download() -> bytes:
    """Debian's tarball; the test is skipped where it cannot be had."""
    url = f"{ARCHIVE}/{TARBALL}"
    try:
        answer = requests.get(url, timeout=60)
        problem = "" if answer.ok else f"answers {answer.status_code}"
    except requests.RequestException as error:
        problem = f"cannot be reached ({type(error).__name__})"
    if problem:
        pytest.skip(f"{url} {problem}: set CHANNELS_SOURCE to a checkout of Channels {VERSION}, with its tests/")
    return answer.content


def source() -> Path:
    """The unpacked source of Channels, with its tests."""
    if given := os.environ.get("CHANNELS_SOURCE"):
        assert Path(given, "tests").is_dir(), f"CHANNELS_SOURCE: there is no folder tests/ in {given}"
        return Path(given)
    folder, tarball = SOURCES / f"python-django-channels_{VERSION}", SOURCES / TARBALL
    SOURCES.mkdir(parents=True, exist_ok=True)
    with (SOURCES / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several workers of one run
        if not folder.exists():
            content = download()
            assert hashlib.sha256(content).hexdigest() == SHA256, f"{ARCHIVE}/{TARBALL} is not what it was"
            tarball.write_bytes(content)
            # Its folder may have any name.
            with tarfile.open(tarball) as archive, TemporaryDirectory(dir=SOURCES) as unpacked:
                archive.extractall(unpacked, filter="data")
                (tests,) = Path(unpacked).glob("*/tests")
                tests.parent.rename(folder)
    return folder


def outcomes(project: Path, way: str, tests: Path, folder: Path) -> tuple[dict[str, dict], str]:
    """What became of each of Channels' tests, by its name, and what pytest wrote about them."""
    # Without the rest of the source, which would be imported in the place of what is installed. Each way has a copy of
    # its own, as the tests make a database there.
    shutil.copytree(tests, folder / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    mine = ("VIRTUAL_ENV", "PYTHON", "PYTEST", "DJANGO")
    done = subprocess.run(
        # What those tests need and the project has not is layered over its environment, and leaves that as it is.
        ["uv", "run", "--quiet", "--no-sync", f"--project={project}", "--with=async-timeout", "python", RUNNER,
         way, project, *(f"tests/{file}" for file in FILES)],
        cwd=folder, env={name: value for name, value in os.environ.items() if not name.startswith(mine)},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    written = done.stdout.splitlines()
    found = [json.loads(line) for line in written if line.startswith('{"test"')]
    assert found, done.stdout[-3000:] + done.stderr[-3000:]
    return {test["test"]: test for test in found}, "\n".join(written[: -len(found)])


@pytest.mark.slow
def test_channels_own_tests_have_the_same_outcomes(project: Callable[[str], Path], tmp_path: Path) -> None:
    folder = project("6.1")
    tests = source() / "tests"
    ways = ("channels", "fastpath")
    # One after the other: they wait for things with deadlines of their own.
    (without, _), (with_it, written) = [outcomes(folder, way, tests, tmp_path / way) for way in ways]
    assert {test: found for test, found in with_it.items() if found != without.get(test)} == {}, written
    assert with_it.keys() == without.keys()
    assert sum(test["outcome"] == "passed" for test in with_it.values()) >= 75
    assert sum(sum(test["ended"]) for test in with_it.values()) >= 20

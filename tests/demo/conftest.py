"""A fresh clone of this repository, with what the working tree has."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working tree's files (not what Git ignores) as the only commit of a new repository."""
    folder = tmp_path_factory.mktemp("fresh") / "slipway"
    folder.mkdir()
    listed = subprocess.check_output(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT)
    names = [name for name in listed.split(b"\0") if name and os.path.lexists(os.path.join(os.fsencode(ROOT), name))]
    present = b"\0".join(names)
    pack = subprocess.run(["tar", "--null", "-T", "-", "-c"], cwd=ROOT, input=present, check=True, capture_output=True)
    subprocess.run(["tar", "-x"], cwd=folder, input=pack.stdout, check=True)
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    for command in (["init", "--quiet"], ["add", "--all"], [*identity, "commit", "--quiet", "--message", "Clone"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder

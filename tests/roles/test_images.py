"""slipway_image: what the other engine has does not travel."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from tests.roles.conftest import ROLES, ansible

MODULES = ROLES / "release/library"
IMAGES = {"site:2": ("sha256:id2", ["sha256:base", "sha256:venv", "sha256:code2"])}
DOCKER = """#!/bin/sh
case $1 in
  image) cat {folder}/inspect.json ;;
  save) cat {folder}/saved.tar ;;
esac
"""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A docker that has the image site:2, of three layers."""
    layers = IMAGES["site:2"][1]
    (tmp_path / "inspect.json").write_text(json.dumps([{"Id": IMAGES["site:2"][0], "RootFS": {"Layers": layers}}]))
    with tarfile.open(tmp_path / "saved.tar", "w") as tar:
        for name in ("manifest.json", *(f"blobs/sha256/{layer.removeprefix('sha256:')}" for layer in layers)):
            member = tarfile.TarInfo(name)
            member.size = 4
            tar.addfile(member, io.BytesIO(b"text"))
    (tmp_path / "docker").write_text(DOCKER.format(folder=tmp_path))
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def pack(engine: Path, *known: str) -> dict:
    """Call slipway_image for site:2 on this machine; give its result, and `packed`: the names in the file."""
    arguments = {"images": list(IMAGES), "known": list(known), "dest": str(engine / "packed.tar")}
    done = ansible("ansible", "localhost", "-M", MODULES, "-m", "slipway_image", "-a", json.dumps(arguments), "-o")
    result = json.loads(done.stdout.partition("=>")[2] or "{}")
    if result["images"]:
        with tarfile.open(engine / "packed.tar") as tar:
            result["packed"] = sorted(Path(name).name for name in tar.getnames())
    return result


def test_everything_travels_to_a_new_host(engine: Path) -> None:
    assert pack(engine)["packed"] == ["base", "code2", "manifest.json", "venv"]


def test_layers_that_the_host_has_stay_here(engine: Path) -> None:
    assert pack(engine, 'sha256:id1 ["sha256:base", "sha256:venv", "sha256:code1"]')["packed"] == [
        *("code2", "manifest.json"),
    ]


def test_layer_on_another_base_is_no_help(engine: Path) -> None:
    # An engine knows a layer by all that lie below it.
    assert "venv" in pack(engine, 'sha256:id1 ["sha256:other", "sha256:venv"]')["packed"]


def test_image_that_is_there_does_not_travel(engine: Path) -> None:
    result = pack(engine, 'sha256:id2 ["sha256:base", "sha256:venv", "sha256:code2"]')
    assert (result["changed"], result["images"], result["bytes"]) == (False, [], 0)

"""The image: small, closed, the same twice, and nothing private in it or in its layers."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.compose.stack import Stack
from tests.hosts.host import docker

PRIVATE = {
    ".env": "SECRET_KEY=marker-env",
    ".env.production": "SECRET_KEY=marker-env-production",
    "deploy/inventory/production/secrets/app_secret_key": "marker-inventory",
    "secrets/secret_key": "marker-secret",
    "chat/local.key": "marker-key",
    "chat/local.pem": "marker-pem",
    "db.sqlite3": "marker-database",
    "backup.dump": "marker-dump",
    "media/private.txt": "marker-media",
    ".netrc": "machine example.com password marker-netrc",
}


@pytest.fixture(scope="module")
def stack(new_stack: Callable[..., Stack], tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """A project with default answers and private files in its folder, built as its README says."""
    stack = new_stack()
    # A commit that no other test's project has: the builder reuses a layer of the same content, though of another date.
    stack.project.edit("config/urls.py", "urlpatterns =", "# Of this test.\nurlpatterns =")
    stack.project.commit("Differ from all other projects")
    for name, text in PRIVATE.items():
        file = stack.project.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    build(stack, "1")
    return stack


def build(stack: Stack, version: str, *options: str, folder: Path | None = None) -> str:
    """Build the image from the project's folder or from another one; give its tag."""
    tag = f"{stack.name}:{version}"
    secrets = [f"--secret=id=ca,src={path}" for path in [stack.variables.get("BUILD_CA")] if path]
    labels = [f"--build-arg=REVISION={stack.project.release}", f"--build-arg=VERSION={version}"]
    stack.run("docker", "build", "--quiet", *secrets, *labels, *options, f"--tag={tag}", str(folder or "."))
    return tag


@pytest.fixture(scope="module")
def files(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Every path in the image."""
    container = docker("create", f"{stack.name}:1")
    try:
        exported = subprocess.run(["docker", "export", container], stdout=subprocess.PIPE, check=True).stdout
    finally:
        docker("rm", container)
    (folder := tmp_path_factory.mktemp("image")).joinpath("all.tar").write_bytes(exported)
    return subprocess.run(
        ["tar", "-tf", folder / "all.tar"], capture_output=True, text=True, check=True
    ).stdout.splitlines()


def inspect(stack: Stack) -> dict:
    return json.loads(docker("image", "inspect", f"{stack.name}:1"))[0]


def saved(stack: Stack, tmp_path: Path) -> bytes:
    """All layers and the configuration of the image and of the stages that it was built in."""
    (tmp_path / "image.tar").write_bytes(
        subprocess.run(["docker", "save", f"{stack.name}:1"], stdout=subprocess.PIPE, check=True).stdout
    )
    return (tmp_path / "image.tar").read_bytes()


def test_nothing_private_is_in_any_layer(stack: Stack, tmp_path: Path) -> None:
    content = saved(stack, tmp_path)
    assert b"config/settings.py" in content  # layers are not compressed: what is in them can be found
    assert [text for text in PRIVATE.values() if text.split("=")[-1].split()[-1].encode() in content] == []


def test_authorities_and_index_settings_are_in_no_layer(stack: Stack, tmp_path: Path) -> None:
    ca, uv = tmp_path / "ca.pem", tmp_path / "uv.toml"
    ca.write_text("marker-authority\n" + Path(stack.variables.get("BUILD_CA", "/dev/null")).read_text())
    uv.write_text("# marker-index\n")
    tag = build(
        stack, "private", f"--secret=id=ca,src={ca}", f"--secret=id=uv,src={uv}", "--no-cache-filter=dependencies"
    )
    content = subprocess.run(["docker", "save", tag], stdout=subprocess.PIPE, check=True).stdout
    assert b"marker-authority" not in content
    assert b"marker-index" not in content
    assert "marker" not in docker("history", "--no-trunc", tag)


def test_no_tools_of_the_build_are_left(files: list[str]) -> None:
    tools = ("uv", "uvx", "pip", "pip3", "gcc", "cc", "make")
    found = [path for path in files if path.rsplit("/", 1)[-1] in tools and "bin/" in path]
    base = {"usr/local/bin/pip", "usr/local/bin/pip3"}  # python:slim's own
    assert [path for path in found if path not in base] == []
    assert [path for path in files if path.startswith(("root/.cache", "var/cache/uv/"))] == []


def test_code_is_compiled_and_static_files_are_compressed(files: list[str]) -> None:
    assert [path for path in files if path.startswith("app/config/__pycache__/settings.") and path.endswith(".pyc")]
    assert [path for path in files if "site-packages/django/__pycache__/__init__." in path]
    assert [path for path in files if path.startswith("app/staticfiles/site.") and path.endswith(".css.gz")]


def test_image_says_how_it_runs(stack: Stack) -> None:
    config = inspect(stack)["Config"]
    assert config["User"] == "10001:10001"
    assert config["StopSignal"] == "SIGTERM"
    assert config["Healthcheck"]["Test"] == ["CMD", "python", "bin/healthcheck"]
    assert config["Labels"]["org.opencontainers.image.revision"] == stack.project.release
    assert config["Labels"]["org.opencontainers.image.version"] == "1"
    assert [line for line in config["Env"] if "SECRET" in line or "KEY" in line] == []


def test_the_same_commit_gives_the_same_layers(stack: Stack, tmp_path: Path) -> None:
    # Another clone, later, with nothing of the first build kept.
    clone = tmp_path / "clone"
    stack.run("git", "clone", "--quiet", ".", str(clone))
    tag = build(stack, "again", "--no-cache", folder=clone)
    first, again = (json.loads(docker("image", "inspect", name))[0] for name in (f"{stack.name}:1", tag))
    assert again["RootFS"]["Layers"] == first["RootFS"]["Layers"]


def test_change_of_code_leaves_the_dependencies_layer(stack: Stack) -> None:
    before = inspect(stack)["RootFS"]["Layers"]
    stack.project.edit("config/urls.py", "urlpatterns =", "# A change.\nurlpatterns =")
    tag = build(stack, "changed")
    after = json.loads(docker("image", "inspect", tag))[0]["RootFS"]["Layers"]
    assert after[:-1] == before[:-1]
    assert after[-1] != before[-1]

"""Fixtures of the tests of template/…/fastpath: a project for each Django, and the tests that Django has of itself."""

import fcntl
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.snapshot import ROOT
from tests.template.conftest import no_settings_of_the_developer, template  # noqa: F401 (fixtures)
from tests.template.rendering import SHARED, Template, run

SOURCES = ROOT / ".cache/sources"


@pytest.fixture(scope="session")
def project(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:  # noqa: F811
    """The folder of a generated project with this Django, its dependencies installed."""
    folders: dict[str, Path] = {}

    def folder(django: str) -> Path:
        if django not in folders:
            folders[django] = tmp_path_factory.mktemp("project") / "site"
            template.render(folders[django], SHARED, interface="asgi", server="uvicorn", django_version=django)
            run("uv", "sync", "--quiet", cwd=folders[django])
        return folders[django]

    return folder


def source_of(project: Path, package: str) -> Path:
    """The unpacked source distribution of the version of `package` that a project has installed."""
    version = run(
        project / ".venv/bin/python",
        "-c",
        f"import importlib.metadata as m; print(m.version('{package}'))",
        cwd=project,
    ).strip()
    folder = SOURCES / f"{package}-{version}"
    SOURCES.mkdir(parents=True, exist_ok=True)
    with (SOURCES / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several workers of one run
        if not folder.exists():
            # uv itself cannot download a source distribution.
            options = ("--quiet", "--no-deps", "--no-binary=:all:", f"--dest={SOURCES}")
            pip = ("uv", "tool", "run", "--quiet", f"--python={project}/.venv/bin/python", "pip")
            run(*pip, "download", *options, f"{package}=={version}", cwd=SOURCES)
            with tarfile.open(SOURCES / f"{package}-{version}.tar.gz") as archive:
                archive.extractall(SOURCES, filter="data")
    return folder

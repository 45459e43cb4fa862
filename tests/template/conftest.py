"""The template of the working tree, as Copier would get it."""

import os

import pytest

from tests.snapshot import copy_working_tree
from tests.template.rendering import Template


@pytest.fixture(scope="session", autouse=True)
def no_settings_of_the_developer(tmp_path_factory):
    """Keep the developer's own Copier and Git settings out of the tests."""
    settings = tmp_path_factory.mktemp("settings") / "copier.yml"
    settings.write_text("{}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COPIER_SETTINGS_PATH", str(settings))
        patch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        patch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "Tests")
            patch.setenv(f"GIT_{role}_EMAIL", "tests@example.com")
        yield


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """Return the template of the working tree, committed or not."""
    return Template(copy_working_tree(tmp_path_factory.mktemp("template")))

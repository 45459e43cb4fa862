"""Playbooks, tasks and handlers fit together; the linter has nothing to say."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.roles.conftest import ROLES, ROOT, ansible, load

TASK_FILES = sorted(ROLES.glob("*/tasks/*.yml"))


def tasks(entries: list[dict]) -> Iterator[dict]:
    """Every task of a list, those in blocks too."""
    for entry in entries:
        yield entry
        for part in ("block", "rescue", "always"):
            yield from tasks(entry.get(part, []))


def name(path: Path) -> str:
    """A task file's name in a test's id."""
    return str(path.relative_to(ROLES))


@pytest.mark.parametrize("playbook", sorted(ROOT.glob("playbooks/*.yml")), ids=lambda path: path.stem)
def test_playbook_is_understood(playbook: Path) -> None:
    done = ansible("ansible-playbook", "--syntax-check", "-i", "web,", playbook)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("playbook", sorted(ROOT.glob("playbooks/*.yml")), ids=lambda path: path.stem)
def test_playbook_has_no_logic(playbook: Path) -> None:
    assert [play["name"] for play in load(playbook) if "when" in str(play)] == []


@pytest.mark.parametrize("file", TASK_FILES, ids=name)
def test_task_file_is_short(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= 75


@pytest.mark.parametrize("file", TASK_FILES, ids=name)
def test_handlers_exist(file: Path) -> None:
    handlers = file.parents[1] / "handlers/main.yml"
    known = {handler["name"] for handler in load(handlers)} if handlers.exists() else set()
    assert {task["notify"] for task in tasks(load(file)) if "notify" in task} <= known


@pytest.mark.parametrize("file", TASK_FILES, ids=name)
def test_tasks_are_named_like_headings(file: Path) -> None:
    names = [task["name"] for task in tasks(load(file))]
    assert [name for name in names if not name[0].isupper() or name.endswith(".")] == []


def test_every_task_file_is_used() -> None:
    text = "".join(file.read_text() for file in [*TASK_FILES, *ROOT.glob("playbooks/*.yml")])
    entry = {"main.yml", "internal.yml", "provided.yml", "off.yml"}  # the last three are values of `tls`
    unused = [name(file) for file in TASK_FILES if file.name not in entry and file.stem not in text]
    assert unused == []


@pytest.mark.slow
def test_linter_is_silent() -> None:
    done = ansible("ansible-lint", "--offline")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Profile 'production' was required, and it passed" in done.stdout + done.stderr

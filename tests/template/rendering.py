"""What the tests of the template share: its questions, rendering, running commands."""

import ast
import json
import os
import subprocess
import tomllib
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path

import copier
import yaml
from allpairspy import AllPairs

ROOT = Path(__file__).resolve().parents[2]
# What is the same in every project.
SHARED = ("bench", "deploy/roles", "deploy/smoke")
TEXTS = ("project_name", "description", "author_name")


def read_questions():
    """Return the questions of copier.yml, by name, in the order they are asked."""
    text = (ROOT / "copier.yml").read_text().replace("!include known-names.yml", "")
    documents = yaml.safe_load_all(text)
    merged = {name: value for document in documents if document for name, value in document.items()}
    return {name: value for name, value in merged.items() if not name.startswith("_")}


def choices(name):
    """Return the values that the question `name` offers."""
    offered = read_questions()[name]["choices"]
    values = offered.values() if isinstance(offered, dict) else offered
    return [value["value"] if isinstance(value, dict) else value for value in values]


# Which servers speak which interface.
SERVERS = {
    "asgi": ("uvicorn", "gunicorn", "granian", "hypercorn", "daphne"),
    "wsgi": ("gunicorn", "granian"),
}


def can_be(answers):
    """Whether copier.yml accepts these choices, of some or all questions, together."""
    interface, server = answers.get("interface"), answers.get("server")
    too_old = answers.get("django_version") == "6.1" and answers.get("python_version") == "3.11"
    return not too_old and (not interface or not server or server in SERVERS[interface])


def pairwise(*names):
    """Return answers in which each possible pair of choices of the questions `names` occurs together."""

    def possible(values):
        return can_be(dict(zip(names, values, strict=False)))

    rows = [dict(zip(names, row, strict=True)) for row in AllPairs(list(map(choices, names)), filter_func=possible)]
    # AllPairs gives some pairs up where few of them are possible.
    every = [dict(zip(names, row, strict=True)) for row in product(*map(choices, names)) if possible(row)]
    missing = {pair for row in every for pair in combinations(row.items(), 2)}
    missing -= {pair for row in rows for pair in combinations(row.items(), 2)}
    while missing:
        rows.append(max(every, key=lambda row: len(missing.intersection(combinations(row.items(), 2)))))
        missing -= set(combinations(rows[-1].items(), 2))
    return rows


def name_of(answers):
    """Return a test's name for these answers."""
    return "-".join(answers.values())


@dataclass(frozen=True)
class Template:
    """A copy of this repository's working tree, with what is not ignored by Git."""

    path: Path

    def render(self, destination, exclude=(), **answers):
        """Answer the questions, the rest with defaults, without trust; return the new project.

        `exclude` leaves out folders, where a test renders often and does not look at them.
        """
        copier.run_copy(
            str(self.path), destination, data=answers, defaults=True, exclude=exclude, quiet=True, unsafe=False
        )
        return Path(destination)


def run(*command, cwd, **environment):
    """Run a command in `cwd`; fail with its output when it fails; return its output."""
    # The toolkit's own virtual environment must not stand in for the project's.
    inherited = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd, env=inherited | environment, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert result.returncode == 0, f"{command}:\n{result.stdout}\n{result.stderr}"
    return result.stdout


class AnyTag(yaml.CSafeLoader):
    """YAML as Ansible has it: with tags such as !vault."""


AnyTag.add_multi_constructor("!", lambda loader, suffix, node: None)


PARSERS = {
    ".py": lambda path: ast.parse(path.read_text()),
    ".toml": lambda path: tomllib.loads(path.read_text()),
    ".yml": lambda path: list(yaml.load_all(path.read_text(), AnyTag)),
    ".json": lambda path: json.loads(path.read_text()),
    ".sh": lambda path: subprocess.run(["sh", "-n", path], check=True),
}


def files(project):
    """Return the project's files, by their path in it."""
    return {str(path.relative_to(project)): path for path in project.rglob("*") if not path.is_dir()}


def check_that_files_parse(project):
    """Fail at the first file that a program could not read."""
    for name, path in files(project).items():
        assert path.is_file(), f"{name} is a link to nowhere"
        suffix = ".sh" if path.read_bytes().startswith(b"#!/bin/sh") else path.suffix
        if suffix in PARSERS:
            PARSERS[suffix](path)

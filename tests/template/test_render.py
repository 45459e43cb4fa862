"""Every combination of answers gives a project whose files parse, and nothing of another choice."""

import os

import pytest

from tests.template.rendering import check_that_files_parse, choices, files, name_of, pairwise, run

EVERY_PAIR = pairwise("interface", "server", "database", "django_version", "python_version", "license")


@pytest.fixture(scope="module", params=EVERY_PAIR, ids=name_of)
def answers(request):
    return request.param


@pytest.fixture(scope="module")
def project(template, answers, tmp_path_factory):
    return template.render(tmp_path_factory.mktemp("project") / "site", **answers)


def test_every_file_parses(project):
    check_that_files_parse(project)


def test_no_file_still_holds_copiers_marks(project):
    names = files(project)
    assert not [name for name in names if name.endswith(".jinja") or "{%" in name or "{{" in name]


def test_ruff_and_djlint_are_content(project):
    # With the project's own configuration and the versions of the toolkit.
    for command in (
        ["ruff", "check", "--no-cache", "."],
        ["ruff", "format", "--no-cache", "--diff", "."],
        ["djlint", ".", "--lint", "--quiet"],
    ):
        run(*command, cwd=project)


def test_nothing_of_the_other_interface_is_left(project, answers):
    asgi = answers["interface"] == "asgi"
    assert (project / "config" / "asgi.py").exists() == asgi
    assert (project / "config" / "wsgi.py").exists() != asgi
    dependencies = (project / "pyproject.toml").read_text()
    settings = (project / "config" / "settings.py").read_text()
    for word in ("channels", "uvloop", "pytest-asyncio", "websockets"):
        assert (word in dependencies) == asgi or (word == "uvloop" and answers["server"] == "daphne"), word
    assert ("CHANNEL_LAYERS" in settings) == asgi
    foreign = "WSGI" if asgi else "ASGI"
    assert f"{foreign}_APPLICATION" not in settings


def test_nothing_of_another_server_is_left(project, answers):
    server, dependencies = answers["server"], (project / "pyproject.toml").read_text()
    start = (project / "bin" / "serve").read_text()
    assert f"SERVER_SOFTWARE={server}\n" in start
    for other in {*choices("server")} - {server}:
        assert other not in start, other
        # The tests of every ASGI project need daphne: channels.testing imports it.
        assert f'"{other}>' not in dependencies.partition("[dependency-groups]")[0], other
    own_workers = server in ("daphne", "hypercorn")
    assert (project / "bin" / "workers").exists() == own_workers
    own_worker = own_workers or (answers["interface"], server) == ("asgi", "gunicorn")
    assert (project / "config" / "worker.py").exists() == own_worker


def test_postgresql_is_needed_only_where_it_was_chosen(project, answers):
    assert ("psycopg" in (project / "pyproject.toml").read_text()) == (answers["database"] == "postgres")


def test_a_licence_is_there_unless_the_project_is_proprietary(project, answers):
    licence = project / "LICENSE"
    assert licence.exists() == (answers["license"] != "proprietary")
    if licence.exists():
        first = {
            "MIT": "MIT License",
            "BSD-3-Clause": "BSD 3-Clause",
            "Apache-2.0": "Apache License",
        }
        assert first[answers["license"]] in "".join(licence.read_text().splitlines(True)[:3])


def test_programs_can_be_run(project):
    assert not [path for path in [project / "manage.py", *(project / "bin").iterdir()] if not os.access(path, os.X_OK)]

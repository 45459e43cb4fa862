"""`copier update` from the previous release gives what a fresh copy would give."""

import copier
import pytest

from tests.snapshot import commit
from tests.template.rendering import Template, files, run

ANSWERS = {"project_name": 'It\'s "100 %" {{ sure }}', "domain": "www.example.com"}


@pytest.fixture
def releases(template, tmp_path):
    """Return a clone of the template with two releases, v0.1.0 and a v0.2.0 that changes files."""
    folder = tmp_path / "slipway"
    run("cp", "-a", template.path, folder, cwd=tmp_path)
    commit(folder, "First release")
    run("git", "tag", "v0.1.0", cwd=folder)
    settings = folder / "template" / "config" / "settings.py.jinja"
    settings.write_text(settings.read_text() + '\nSINCE = "0.2.0 of {{ project_slug }}"\n')
    (folder / "template" / "config" / "more.py").write_text("")
    (folder / "template" / "config" / "context_processors.py").unlink()
    commit(folder, "Second release")
    run("git", "tag", "v0.2.0", cwd=folder)
    return Template(folder)


def start(releases, project, **answers):
    """Start a project from v0.1.0 and commit it."""
    copier.run_copy(str(releases.path), project, data=answers, vcs_ref="v0.1.0", defaults=True, quiet=True)
    commit(project, "Start")


def update(project, **answers):
    """Update a project to the newest release; the answers not given stay as they were."""
    copier.run_update(project, data=answers, defaults=True, overwrite=True, quiet=True)


def contents(project):
    """Return what is in each file of the project, and whether it can be run."""
    return {
        name: (path.read_bytes(), path.stat().st_mode & 0o111)
        for name, path in files(project).items()
        if not name.startswith(".git/")
    }


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_an_updated_project_equals_a_fresh_one(releases, tmp_path, interface):
    answers = ANSWERS | {"interface": interface}
    start(releases, tmp_path / "old", **answers)
    update(tmp_path / "old")
    fresh = releases.render(tmp_path / "fresh", **answers)
    assert contents(tmp_path / "old") == contents(fresh)
    assert (fresh / "config" / "more.py").exists(), "the second release was not used"


@pytest.mark.slow
def test_a_project_that_needs_websockets_goes_to_wsgi_only_when_that_is_taken_back(releases, tmp_path):
    start(releases, tmp_path / "old", needs=["websockets"])
    with pytest.raises(ValueError, match="WSGI carries no WebSockets"):
        update(tmp_path / "old", interface="wsgi", server="gunicorn")
    wsgi = {"interface": "wsgi", "server": "gunicorn", "needs": []}
    update(tmp_path / "old", **wsgi)
    assert contents(tmp_path / "old") == contents(releases.render(tmp_path / "fresh", **wsgi))


def test_an_update_keeps_what_the_owner_changed(releases, tmp_path):
    project = tmp_path / "old"
    start(releases, project)
    settings = project / "config" / "settings.py"
    settings.write_text(settings.read_text().replace('"en-us"', '"fr-fr"'))
    commit(project, "Speak French")
    update(project)
    assert 'LANGUAGE_CODE = "fr-fr"' in settings.read_text()
    assert 'SINCE = "0.2.0 of mysite"' in settings.read_text()
    assert "<<<<<<<" not in settings.read_text()

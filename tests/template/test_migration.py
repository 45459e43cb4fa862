"""A living project, changed by its owner, goes from any server and interface to any other, as `copier update` does it.

The tests share one project, which lives through all of them; each moves it to where it needs it.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import tomllib
import urllib.request

import copier
import pytest
from websockets.sync.client import connect

from tests import owner
from tests.snapshot import commit, snapshot
from tests.template.rendering import SERVERS, SHARED, files, run

pytestmark = pytest.mark.slow

WORDS = "Is the slipway clear?"
# Made where a project is used: ignored by Git, or left to uv.
MADE = (".git/", ".venv/", ".pytest_cache/", ".ruff_cache/", "db.sqlite3", "uv.lock")
COMBINATIONS = [
    {"interface": interface, "server": server} for interface, servers in SERVERS.items() for server in servers
]


def name_of(answers):
    """Return a combination's name in a test's id."""
    return f"{answers['interface']}-{answers['server']}"


def round_trip(places):
    """Return a walk that goes once from each place to each other one (an Eulerian circuit)."""
    ways = {here: [there for there in range(len(places)) if there != here] for here in range(len(places))}
    walk, ahead = [], [0]
    while ahead:
        if ways[ahead[-1]]:
            ahead.append(ways[ahead[-1]].pop())
        else:
            walk.append(places[ahead.pop()])
    return walk


WALK = round_trip(COMBINATIONS)


def contents(project):
    """Return what is in each file of the project, and whether it can be run."""
    return {
        name: (path.read_text(), path.stat().st_mode & 0o111)
        for name, path in files(project).items()
        if not name.startswith(MADE) and "__pycache__" not in name
    }


class Living:
    """A project in `folder`, made from the walk's first combination, changed by its owner and updated ever since."""

    def __init__(self, template, folder):
        self.template, self.folder, self.now = template, folder, WALK[0]
        self.make(folder, self.now)
        commit(folder, "Start")

    def make(self, folder, answers):
        """Make a fresh project in `folder`, and let the owner change it."""
        copier.run_copy(str(self.template), folder, data=answers, defaults=True, quiet=True)
        owner.change(folder)
        return folder

    def move(self, answers):
        """Update to another combination and commit; nothing to do where it is there already."""
        if answers != self.now:
            commit(self.folder, "Lock the dependencies")
            copier.run_update(self.folder, data=answers, defaults=True, overwrite=True, quiet=True)
            commit(self.folder, f"Go to {name_of(answers)}")
            self.now = answers

    def manage(self, *arguments):
        """Run manage.py; return what it printed."""
        return run("uv", "run", "--quiet", "manage.py", *arguments, cwd=self.folder, DEBUG="true")


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Return a repository of the template without what is the same in every project: 49 updates take their time."""
    folder = snapshot(tmp_path_factory.mktemp("template"))
    for name in ("roles", "tests/smoke"):
        shutil.rmtree(folder / name)
    for name in SHARED:
        (folder / "template" / name).unlink()
    commit(folder, "Leave out what is shared")
    run("git", "tag", "--force", "v0.1.0", cwd=folder)
    return folder


@pytest.fixture(scope="module")
def living(template, tmp_path_factory):
    """Return the project; somebody has spoken in its chat."""
    project = Living(template, tmp_path_factory.mktemp("living") / "site")
    project.manage("migrate", "--verbosity=0")
    project.manage("shell", "-c", f"from chat.models import Message; Message.objects.post('harbour', 'Ann', {WORDS!r})")
    return project


@pytest.fixture(scope="module")
def fresh(living):
    """Return a function that gives the contents of a fresh project, changed by the same owner."""
    folders = {}

    def look(answers):
        if name_of(answers) not in folders:
            folders[name_of(answers)] = living.make(living.folder.with_name(name_of(answers)), answers)
        return contents(folders[name_of(answers)])

    return look


@pytest.mark.parametrize(
    ("start", "end"),
    list(zip(WALK, WALK[1:], strict=False)),
    ids=lambda answers: name_of(answers),
)
def test_an_updated_project_equals_a_fresh_one_that_the_owner_changed(living, fresh, start, end):
    living.move(start)
    living.move(end)
    seen = contents(living.folder)
    assert [name for name in seen if name.endswith(".rej")] == []
    assert [name for name, (text, _) in seen.items() if "\n<<<<<<< " in text or "\n>>>>>>> " in text] == []
    assert seen == fresh(end)


@contextlib.contextmanager
def served(project):
    """Serve the project with its own bin/serve; give the port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    log = project / "serve.log"
    server = subprocess.Popen(
        [project / "bin/serve"],
        env=kept | {"DEBUG": "true", "PORT": str(port)},
        stdout=log.open("w"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 30
        while server.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=5):
                break
            time.sleep(0.1)
        else:
            raise AssertionError(f"bin/serve does not answer:\n{log.read_text()}")
        yield port
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()
        log.unlink()


def history(port, interface):
    """Return what the chat shows somebody who enters the room."""
    if interface == "wsgi":
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/chat/harbour/messages/", timeout=10) as answer:
            return json.load(answer)["messages"]
    with connect(f"ws://127.0.0.1:{port}/ws/chat/harbour/", origin=f"http://127.0.0.1:{port}") as client:
        while (said := json.loads(client.recv(10)))["type"] != "history":
            pass
        return said["messages"]


def packages(project):
    """Return the names of the packages in the project's lock."""
    return {package["name"] for package in tomllib.loads((project / "uv.lock").read_text())["package"]}


@pytest.mark.parametrize("answers", COMBINATIONS, ids=name_of)
def test_the_project_works_wherever_it_has_come_to(living, fresh, answers, tmp_path):
    living.move(answers)
    run("uv", "lock", "--quiet", cwd=living.folder)
    run("uv", "sync", "--quiet", cwd=living.folder)
    living.manage("migrate", "--verbosity=0")
    for target in ("lint", "check", "test"):
        run("make", target, cwd=living.folder)
    with served(living.folder) as port:
        assert [message["text"] for message in history(port, answers["interface"])] == [WORDS]
    # The lock keeps nothing of where it came from.
    for name in ("pyproject.toml", "uv.lock"):
        shutil.copy(living.folder / name, tmp_path)
    (tmp_path / "uv.lock").unlink()
    run("uv", "lock", "--quiet", cwd=tmp_path)
    assert packages(living.folder) == packages(tmp_path)

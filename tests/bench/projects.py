"""`make bench`: a project for each interface and server that can be chosen, ready to be measured.

python -m tests.bench.projects FOLDER [DJANGO]
"""

import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import copier

from tests.template.rendering import ROOT, SERVERS, name_of, run


def render(project, answers):
    """Copy the template's working tree, with defaults for the other answers."""
    copier.run_copy(str(ROOT), project, data=answers, defaults=True, overwrite=True, vcs_ref="HEAD", quiet=True)


def install(project):
    """Install what the project needs to run."""
    run("uv", "sync", "--quiet", "--no-dev", cwd=project)


def make_all(folder, django=None):
    """Make every project in `folder`, with the given version of Django or the template's own; leave no other in it."""
    stacks = [
        {"interface": interface, "server": server} for interface, servers in SERVERS.items() for server in servers
    ]
    version = {"django_version": django} if django else {}
    projects = {folder / name_of(answers): answers | version for answers in stacks}
    for stranger in set(folder.glob("*")) - set(projects):
        shutil.rmtree(stranger)
    for project, answers in projects.items():
        render(project, answers)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(install, projects))


if __name__ == "__main__":
    make_all(Path(sys.argv[1]).absolute(), *sys.argv[2:])

"""A generated project, deployed as its owner would deploy it."""

import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import copier
import yaml

from tests.hosts.host import Host

ROOT = Path(__file__).parents[2]


@dataclass
class Run:
    """What a playbook run gave: its exit status, its output, its seconds."""

    status: int
    output: str
    seconds: float

    @property
    def changed(self) -> int:
        """How many tasks changed something, over all hosts, as the recap says."""
        return sum(int(count) for count in re.findall(r"^\S+ +: ok=\d+ +changed=(\d+)", self.output, re.MULTILINE))

    def ok(self) -> "Run":
        """Give this run, or fail with the last that it printed, up to the recap, if it did not succeed."""
        end = self.output.partition("\nPLAY RECAP")[0][-8000:]
        assert self.status == 0, f"the playbook failed with status {self.status}:\n{end}"
        return self


class Project:
    """A project generated into `folder` with `answers` (the defaults for the rest) and committed to Git.

    ansible: a virtual environment for deploy/ that several projects share; without it each makes its own.
    template: where Copier gets the template; only from a `tests.snapshot` can the project be updated.
    """

    def __init__(self, folder: Path, ansible: Path | None = None, template: Path = ROOT, **answers: object):
        self.folder, self.ansible, self.template, self.answers = folder, ansible, template, answers

    def generate(self) -> "Project":
        """Copy the template, lock the dependencies and commit the result."""
        copier.run_copy(
            str(self.template),
            self.folder,
            data=self.answers,
            defaults=True,
            overwrite=True,
            vcs_ref="HEAD",
            quiet=True,
        )
        self.command("uv", "lock", "--quiet")
        self.command("uv", "lock", "--quiet", cwd="deploy")
        if not (self.folder / ".git").exists():
            self.command("git", "init", "--quiet", "--initial-branch=main")
        self.commit("Generate the project")
        return self

    def update(self, **answers: object) -> "Project":
        """Change answers through `copier update`, lock the dependencies and commit the result."""
        copier.run_update(self.folder, data=answers, defaults=True, overwrite=True, vcs_ref="HEAD", quiet=True)
        self.command("uv", "lock", "--quiet")
        self.commit(f"Update the project: {answers}")
        return self

    def command(self, *arguments: str, cwd: str = ".", check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in the project (or in its folder `cwd`); raise with its output when it fails."""
        environment = os.environ | {
            "ANSIBLE_FORCE_COLOR": "0",
            "GIT_AUTHOR_NAME": "Owner",
            "GIT_AUTHOR_EMAIL": "owner@example.com",
            "GIT_COMMITTER_NAME": "Owner",
            "GIT_COMMITTER_EMAIL": "owner@example.com",
        }
        # A project's environment is its own, whatever virtual environment this process runs in.
        environment.pop("VIRTUAL_ENV", None)
        if cwd == "deploy" and self.ansible:
            environment["UV_PROJECT_ENVIRONMENT"] = str(self.ansible)
        done = subprocess.run(
            arguments,
            cwd=self.folder / cwd,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=900,
            check=False,
        )
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}")
        return done

    def commit(self, message: str) -> str:
        """Commit everything; give the release id (the commit's first 12 hex digits)."""
        self.command("git", "add", "--all")
        self.command("git", "commit", "--quiet", "--allow-empty", "--message", message)
        return self.release

    @property
    def release(self) -> str:
        """The id under which the current commit is deployed."""
        return self.command("git", "rev-parse", "--short=12", "HEAD").stdout.strip()

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace `old`, which must be there, by `new` in one of the project's files."""
        file = self.folder / path
        text = file.read_text()
        assert old in text, f"{path} does not contain {old!r}"
        file.write_text(text.replace(old, new))

    def place(self, variables: dict[str, object] | None = None, **groups: list[Host]) -> "Project":
        """Write and commit the production inventory: which hosts are in which group, and variables for each."""
        # A test host shares the cores of this machine with all else that runs there.
        patient = {"release_gate_seconds": 90}
        hosts = {host.name: host for members in groups.values() for host in members}
        inventory = {
            "all": {
                "hosts": {name: host.inventory() | patient | (variables or {}) for name, host in hosts.items()},
                "children": {
                    group: {"hosts": {host.name: None for host in members}} for group, members in groups.items()
                },
            }
        }
        (self.folder / "deploy/inventory/production/hosts.yml").write_text(yaml.safe_dump(inventory))
        self.commit("Name the hosts")
        return self

    def playbook(self, name: str, *arguments: str) -> Run:
        """Run one of the project's playbooks (`deploy`, `rollback`, `verify`) as its README says."""
        began = time.monotonic()
        done = self.command(
            "uv", "run", "--quiet", "ansible-playbook", f"{name}.yml", *arguments, cwd="deploy", check=False
        )
        return Run(done.returncode, done.stdout, time.monotonic() - began)

    def deploy(self, *arguments: str) -> Run:
        """Deploy to the production inventory."""
        return self.playbook("deploy", *arguments)

    def deploy_broken(self) -> Run:
        """Deploy a release that can never be ready; it is not waited for as long as one that only needs its time."""
        return self.deploy("-e", "release_gate_seconds=30")

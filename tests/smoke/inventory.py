"""What should be there: the environment's inventory, read as Ansible itself reads it."""

import socket
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import testinfra
from ansible import constants
from ansible.cli import CLI
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar
from ansible.vars.manager import VariableManager
from testinfra.utils.ansible_runner import get_ansible_config, get_ansible_host

from . import DEPLOY
from .expect import expect


class Unusable(Exception):
    """The environment cannot be checked at all; the message says why and what to do."""


class Machine:
    """A host of the inventory.

    `machine["app_name"]` gives a variable: the inventory's, else the default of the role it belongs to.
    """

    def __init__(self, name: str, groups: frozenset[str], templar: Templar, variables: dict[str, Any]):
        self.name, self.groups = name, groups
        self._templar, self._variables = templar, variables
        self.survey: dict[str, Any] = {}  # filled in by conftest.look
        self.asked_at = (0.0, 0.0)
        self.serves_others = False  # a web host comes over the network

    def __str__(self) -> str:
        return self.name

    def __getitem__(self, variable: str) -> Any:
        if variable not in self._variables:
            raise Unusable(f"The inventory does not say {variable!r} for {self.name}: add it to group_vars/all.yml.")
        return self._templar.template(self._variables[variable])

    def get(self, variable: str, default: Any = None) -> Any:
        """A variable that may be missing."""
        return self[variable] if variable in self._variables else default

    def seen(self, section: str) -> Any:
        """What the host showed of itself under this name (a function of survey.py)."""
        __tracebackhide__ = True
        result = self.survey[section]
        expect("error" not in result, f"{self.name} shows its {section.replace('_', ' ')}", result.get("error"))
        return result["found"]

    @cached_property
    def shell(self) -> testinfra.host.Host:
        """The way to the host: SSH, Docker or local as the inventory says, as root."""
        connection = {name: self[name] for name in self._variables if name.startswith("ansible_")}
        connection = {"ansible_become": True} | {name: value for name, value in connection.items() if value is not None}
        inventory = {"_meta": {"hostvars": {self.name: connection}}, "all": {"hosts": [self.name]}}
        shell = get_ansible_host(get_ansible_config(), inventory, self.name)
        if shell is None:
            raise Unusable(
                f"{self.name} is reached by {connection['ansible_connection']}, which the smoke suite cannot."
            )
        return shell

    def run(self, command: str, *arguments: str) -> str:
        """Run a shell command as root, its `%s` replaced by the quoted arguments; give what it printed."""
        try:
            done = self.shell.run(command, *arguments)
        except RuntimeError as error:  # ssh itself failed
            raise Unusable(
                f"{self.name} ({self.address}) cannot be reached.\n{_last_line(error.args[0].stderr)}"
            ) from error
        if done.rc:
            raise Unusable(f"{self.name} ({self.address}) refused a command as root.\n{_last_line(done.stderr)}")
        return done.stdout

    @cached_property
    def address(self) -> str:
        """Where the operator's machine reaches the host (and, on a web host, the site)."""
        address = self._variables.get("verify_address") or self._variables.get("ansible_host") or self.name
        address = str(self._templar.template(address))
        try:
            socket.getaddrinfo(address, None)
        except OSError:  # an alias of ~/.ssh/config or a container's name: ask the host itself, once it is known
            return self.survey.get("address", {}).get("found", address)
        return address


class Inventory:
    """An environment: its name, its hosts by group, and the answers that shape the project."""

    def __init__(self, environment: str | None):
        """Read `environment` (a folder in inventory/, or a path; None: the one that ansible.cfg names)."""
        self.path = self._find(environment)
        self.name = (self.path if self.path.is_dir() else self.path.parent).name
        init_plugin_loader()
        loader = DataLoader()
        loader.set_basedir(str(DEPLOY))
        vault_ids, password_file = constants.DEFAULT_VAULT_IDENTITY_LIST, constants.DEFAULT_VAULT_PASSWORD_FILE
        files = [password_file] if password_file else []
        loader.set_vault_secrets(CLI.setup_vault_secrets(loader, vault_ids, files, auto_prompt=False))
        source = InventoryManager(loader=loader, sources=[str(self.path)])
        variables = VariableManager(loader=loader, inventory=source)
        defaults: dict[str, Any] = {}
        for file in sorted(DEPLOY.glob("roles/*/defaults/main.yml")):
            defaults |= loader.load_from_file(str(file)) or {}
        self.machines = []
        for host in source.get_hosts():
            known = defaults | variables.get_vars(host=host)
            groups = frozenset(group.name for group in host.get_groups())
            self.machines.append(Machine(host.name, groups, Templar(loader=loader, variables=known), known))
        for machine in self.machines:
            machine.serves_others = any(web is not machine for web in self.group("web"))
        if not self.group("web"):
            raise Unusable(f"The inventory {self.path} has no host in the group `web`: nothing to check.")

    @staticmethod
    def _find(environment: str | None) -> Path:
        if environment is None:
            environment = constants.DEFAULT_HOST_LIST[0]
        for path in (DEPLOY / "inventory" / environment, Path(environment).absolute()):
            if path.exists():
                return path
        known = sorted(folder.name for folder in (DEPLOY / "inventory").glob("*") if folder.is_dir())
        raise Unusable(
            f"There is no environment {environment!r} in {DEPLOY / 'inventory'}: choose {' or '.join(known)}."
        )

    def group(self, name: str) -> list[Machine]:
        """The hosts in a group, in the inventory's order."""
        return [machine for machine in self.machines if name in machine.groups]

    def __getitem__(self, variable: str) -> Any:
        """A variable that is the same everywhere, as the first web host has it."""
        return self.group("web")[0][variable]

    def features(self) -> Iterator[str]:
        """What this environment has, of that which not every one has."""
        yield self["app_interface"]
        yield self["app_database"]
        yield "http" if self["tls"] == "off" else "https"
        yield self["app_listen"]
        yield self["deploy_target"]
        if len(self.group("web")) > 1:
            yield "several"


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["It said nothing."])[-1]

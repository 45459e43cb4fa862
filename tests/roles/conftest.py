"""The roles as Ansible reads them, and every template rendered by Ansible itself for a few inventories."""

import getpass
import grp
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ROLES = ROOT / "roles"

ONE_HOST = {"web": ["one"], "database": ["one"], "redis": ["one"]}
THREE_HOSTS = {"web": ["one"], "database": ["two"], "redis": ["three"]}
# name: (groups, inventory keys)
INVENTORIES = {
    "asgi": (ONE_HOST, {}),
    "asgi on three hosts": (
        THREE_HOSTS,
        {"app_address": "10.0.0.1", "app_allowed_addresses": ["192.0.2.0/24"], "app_unit_lines": ["TasksMax=64"]},
    ),
    "wsgi": (
        {"web": ["one"], "redis": ["one"]},
        {"app_interface": "wsgi", "app_database": "sqlite", "app_listen": "tcp", "tls": "off"},
    ),
}

OWNER = {"owner": getpass.getuser(), "group": grp.getgrgid(os.getgid()).gr_name}
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}

# What preflight and the release role learn from Git and from the host.
LEARNT = {
    "__release_git": {"stdout": "{commit: 0123456789ab, tree: 0123456789ab, changes: [], lock: true, fits: []}"},
    "__release_id": "0123456789ab",
    "__release_seen": {
        "stdout": "{live: blue, user: true, uv: true, releases: {}, "
        "slots: {blue: {release: '', stamp: '', unit: ''}, green: {release: '', stamp: '', unit: ''}}}"
    },
}
RENDER = """
- name: Set the facts
  ansible.builtin.set_fact:
    distribution_major_version: "13"
    cacheable: true
- name: Render
  slipway_files:
    entries: >-
      {%- set found = [] -%}
      {%- for file in query('ansible.builtin.fileglob', role_path ~ '/templates/*.j2') -%}
      {%- set name = ansible_role_name ~ '-' ~ file | basename | regex_replace('[.]j2$', '') -%}
      {%- set given = dict(instance='cache', slot='green', serving='blue') -%}
      {%- set content = lookup('ansible.builtin.template', file, template_vars=given) -%}
      {%- set _ = found.append({'path': rendered ~ '/' ~ name, 'content': content, 'owner': owner, 'group': group}) -%}
      {%- endfor -%}
      {{ found }}
"""


def load(path: Path):
    """Give a YAML file's content."""
    return yaml.safe_load(path.read_text())


def ansible(*arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run one of Ansible's programs, the ones installed beside this Python."""
    program = Path(sys.executable).parent / str(arguments[0])
    environment = os.environ | {"NO_COLOR": "1", "ANSIBLE_ROLES_PATH": str(cwd / "roles")}
    command = [str(program), *map(str, arguments[1:])]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def role_names() -> list[str]:
    """The names of all roles."""
    return sorted(folder.name for folder in ROLES.iterdir() if folder.is_dir())


@pytest.fixture(scope="session", params=INVENTORIES)
def rendered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every template of every role, as <role>-<file>, rendered with the defaults."""
    folder = tmp_path_factory.mktemp("render")
    return render(folder, *INVENTORIES[request.param])


def render(folder: Path, groups: dict[str, list[str]], keys: dict[str, object]) -> Path:
    """Render every template of every role into `folder`; `keys` are as after ansible-playbook's -e."""
    shutil.copytree(ROLES, folder / "roles")
    roles = sorted({template.parents[1].name for template in ROLES.glob("*/templates/*.j2")})
    for role in roles:
        (folder / "roles" / role / "tasks/render.yml").write_text(RENDER)
    tasks = [{"ansible.builtin.import_role": {"name": role, "tasks_from": "render"}} for role in roles]
    (folder / "render.yml").write_text(json.dumps([{"hosts": "one", "gather_facts": False, "tasks": tasks}]))
    variables = {"app_name": "mysite", "app_domain": "site.test", "rendered": str(folder), **OWNER, **LEARNT}
    (folder / "keys.json").write_text(json.dumps(keys))
    hosts = {host: LOCAL for members in groups.values() for host in members}
    children = {group: {"hosts": dict.fromkeys(members)} for group, members in groups.items()}
    (folder / "hosts.yml").write_text(json.dumps({"all": {"hosts": hosts, "children": children, "vars": variables}}))
    done = ansible("ansible-playbook", "-i", "hosts.yml", "-e", "@keys.json", "render.yml", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder

"""What cannot work is refused before a host is touched."""

from pathlib import Path

import pytest
import yaml

from tests.roles.conftest import LOCAL, ONE_HOST, ansible

SITE = {"app_name": "mysite", "app_domain": "www.example.com"}


def preflight(folder: Path, **keys: object) -> str:
    """What the part of the role preflight that reads the inventory says of a site with these keys."""
    hosts = {group: {"hosts": dict.fromkeys(names)} for group, names in ONE_HOST.items()}
    (folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": hosts}}))
    (folder / "group_vars").mkdir()
    (folder / "group_vars/all.yml").write_text(yaml.safe_dump(LOCAL | SITE | keys))
    task = {"ansible.builtin.include_role": {"name": "preflight", "tasks_from": "inventory"}}
    play = {"hosts": "all", "gather_facts": False, "tasks": [task]}
    (folder / "play.yml").write_text(yaml.safe_dump([play]))
    done = ansible("ansible-playbook", "-i", folder / "hosts.yml", folder / "play.yml")
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("interface", "workers", "threads", "most"),
    [("wsgi", 5, 8, 100), ("wsgi", 2, 20, 100), ("asgi", 20, 64, 100), ("wsgi", 8, 8, 150)],
)
def test_threads_that_the_database_can_serve(
    tmp_path: Path, interface: str, workers: int, threads: int, most: int
) -> None:
    said = preflight(
        tmp_path, app_interface=interface, app_workers=workers, app_threads=threads, postgresql_max_connections=most
    )
    assert "failed=0" in said, said


@pytest.mark.parametrize(("interface", "workers", "threads"), [("wsgi", 6, 8), ("asgi", 21, 8)])
def test_more_threads_than_the_database_can_serve(tmp_path: Path, interface: str, workers: int, threads: int) -> None:
    said = preflight(tmp_path, app_interface=interface, app_workers=workers, app_threads=threads)
    assert f"app_workers {workers} x app_threads {threads} x 2 slots" in said.replace("\n", " "), said
    assert "postgresql_max_connections (now 100)" in said

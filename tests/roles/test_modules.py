"""The one module that writes files: all or nothing, and nothing in check mode."""

import json
import stat
from pathlib import Path

from tests.roles.conftest import OWNER, ROLES, ansible

MODULES = ROLES / "app/library"


def write(*entries: dict, check: bool = False, **arguments: str) -> dict:
    """Call slipway_files on this machine; give its result."""
    arguments = {"entries": [OWNER | entry for entry in entries], **arguments}
    options = ["--check"] if check else []
    done = ansible(
        *("ansible", "localhost", "-M", MODULES, "-m", "slipway_files", "-a", json.dumps(arguments)),
        *("-o", *options),
    )
    return json.loads(done.stdout.partition("=>")[2] or "{}")


def test_writes_files_folders_and_links(tmp_path: Path) -> None:
    entries = [
        {"path": f"{tmp_path}/folder"},
        {"path": f"{tmp_path}/folder/file", "content": "text\n", "mode": "0600"},
        {"path": f"{tmp_path}/link", "link": "folder/file"},
    ]
    assert write(*entries)["changed"]
    assert (tmp_path / "link").read_text() == "text\n"
    assert stat.S_IMODE((tmp_path / "folder/file").stat().st_mode) == 0o600
    assert not write(*entries)["changed"]


def test_keeps_what_is_to_be_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    assert not write({"path": f"{tmp_path}/file", "content": "new", "keep": True})["changed"]


def test_changes_nothing_in_check_mode(tmp_path: Path) -> None:
    assert write({"path": f"{tmp_path}/file", "content": "new"}, check=True)["changed"]
    assert list(tmp_path.iterdir()) == []


def test_undoes_everything_when_the_validation_fails(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    entries = [{"path": f"{tmp_path}/old", "content": "new"}, {"path": f"{tmp_path}/new", "content": "new"}]
    result = write(*entries, validate="false")
    assert "nothing was changed" in result["msg"]
    assert (tmp_path / "old").read_text() == "old"
    assert not (tmp_path / "new").exists()

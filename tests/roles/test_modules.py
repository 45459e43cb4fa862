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


def test_removes_what_is_to_be_absent(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    (tmp_path / "folder").mkdir()
    entries = [{"path": f"{tmp_path}/{name}", "absent": True} for name in ("file", "folder", "nothing")]
    assert write(*entries)["paths"] == [f"{tmp_path}/file", f"{tmp_path}/folder"]
    assert list(tmp_path.iterdir()) == []
    assert not write(*entries)["changed"]


def test_an_exact_folder_loses_what_no_entry_names(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    entries = [{"path": str(folder), "exact": True}, {"path": f"{folder}/kept", "content": "kept"}]
    write(*entries)
    (folder / "old").write_text("old")
    assert write(*entries, check=True)["paths"] == [str(folder / "old")]
    assert (folder / "old").exists()
    assert write(*entries)["paths"] == [str(folder / "old")]
    assert [path.name for path in folder.iterdir()] == ["kept"]
    assert not write(*entries)["changed"]


def test_what_an_exact_folder_lost_comes_back_when_the_validation_fails(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    (tmp_path / "old").chmod(0o600)
    result = write({"path": str(tmp_path), "exact": True, "mode": "0700"}, validate="false")
    assert "nothing was changed" in result["msg"]
    assert (tmp_path / "old").read_text() == "old"
    assert stat.S_IMODE((tmp_path / "old").stat().st_mode) == 0o600


def test_undoes_everything_when_a_file_is_in_the_way_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    result = write({"path": f"{tmp_path}/new", "content": "new"}, {"path": f"{tmp_path}/file"})
    assert "move it away" in result["msg"]
    assert [path.name for path in tmp_path.iterdir()] == ["file"]

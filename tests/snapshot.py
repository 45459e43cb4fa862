"""The template as Copier gets it: a repository of its own, with the working tree as its only commit."""

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TAG = "v0.1.0"
IDENTITY = {"NAME": "Tests", "EMAIL": "tests@example.com"}


def git(folder: Path, *arguments: str) -> str:
    """Run Git in `folder`, without anybody's settings; give what it printed."""
    identity = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in IDENTITY.items()}
    alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=os.environ | identity | alone, check=True, capture_output=True, text=True
    )
    return done.stdout


def commit(folder: Path, message: str) -> None:
    """Commit all of `folder`, which becomes a repository where it is none."""
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", f"--message={message}")


def copy_working_tree(folder: Path) -> Path:
    """Copy to `folder` what Git does not ignore here, committed or not; give `folder`."""
    listed = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    for name in filter(None, listed.split("\0")):
        if os.path.lexists(ROOT / name):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name, follow_symlinks=False)
    return folder


def snapshot(folder: Path) -> Path:
    """Make a repository in `folder` whose one release is the working tree; projects made from it can be updated."""
    commit(copy_working_tree(folder), "The working tree")
    git(folder, "tag", TAG)
    return folder

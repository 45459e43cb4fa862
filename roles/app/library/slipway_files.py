#!/usr/bin/python
# SPDX-License-Identifier: MIT
"""Write a set of small files, directories and links in one round trip."""

DOCUMENTATION = r"""
module: slipway_files
short_description: Write a set of small files, directories and links at once
description:
  - One call instead of one per file, so that an unchanged host costs one round trip for each role.
  - All or nothing. When O(validate) fails, every path gets its former content back.
  - Supports check mode and diff mode. In check mode, users and groups may still be missing.
options:
  entries:
    description:
      - Paths in the order in which they are made.
      - An entry with C(content) is a file, one with C(link) a symbolic link, one with C(absent) is removed,
        any other is a directory.
    type: list
    elements: dict
    required: true
    suboptions:
      path: {description: Absolute path., type: path, required: true}
      content: {description: What the file holds., type: str}
      link: {description: What the symbolic link points to., type: str}
      mode: {description: Octal mode; 0644 for files and 0755 for directories., type: str}
      owner: {description: Name of the owner., type: str, default: root}
      group: {description: Name of the group., type: str, default: root}
      keep: {description: Leave an existing path as it is., type: bool, default: false}
      absent: {description: Remove the file, the link or the empty directory., type: bool, default: false}
      exact: {description: Remove what is in this directory and no entry names., type: bool, default: false}
  validate:
    description: Command that must succeed once all the files are in place.
    type: str
"""

EXAMPLES = r"""
- name: Configure the site
  slipway_files:
    entries:
      - path: /etc/example
      - path: /etc/example/site.conf
        content: "{{ lookup('ansible.builtin.template', 'site.conf.j2') }}"
    validate: nginx -t
"""

RETURN = r"""
paths:
  description: The paths that changed.
  returned: always
  type: list
  elements: str
"""

import grp
import os
import pwd
import tempfile

from ansible.module_utils.basic import AnsibleModule

ENTRY = {
    "path": {"type": "path", "required": True},
    "content": {"type": "str"},
    "link": {"type": "str"},
    "mode": {"type": "str"},
    "owner": {"type": "str", "default": "root"},
    "group": {"type": "str", "default": "root"},
    "keep": {"type": "bool", "default": False},
    "absent": {"type": "bool", "default": False},
    "exact": {"type": "bool", "default": False},
}
GONE = (None, "", None, None, None)


def look(path):
    """Take a path; give (kind, content, mode, uid, gid), kind None where nothing is there."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return GONE
    if os.path.islink(path):
        return ("link", os.readlink(path), None, None, None)
    mode = found.st_mode & 0o7777
    if os.path.isdir(path):
        return ("directory", "", mode, found.st_uid, found.st_gid)
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        return ("file", file.read(), mode, found.st_uid, found.st_gid)


def number(lookup, name, missing_is_fine):
    """Take pwd.getpwnam or grp.getgrnam and a name; give its number, None if it may be missing."""
    try:
        return lookup(name)[2]
    except KeyError:
        if missing_is_fine:
            return None
        raise


def wanted(entry, check_mode):
    """Take an entry; give what `look` should see once it is made."""
    if entry["absent"]:
        return GONE
    if entry["link"] is not None:
        return ("link", entry["link"], None, None, None)
    uid = number(pwd.getpwnam, entry["owner"], check_mode)
    gid = number(grp.getgrnam, entry["group"], check_mode)
    if entry["content"] is not None:
        return ("file", entry["content"], int(entry["mode"] or "0644", 8), uid, gid)
    return ("directory", "", int(entry["mode"] or "0755", 8), uid, gid)


def steps(entries, check_mode):
    """Take the entries; give (path, keep, state to come) of each, and of what an exact directory loses."""
    named = {entry["path"] for entry in entries}
    for entry in entries:
        yield entry["path"], entry["keep"], wanted(entry, check_mode)
        if entry["exact"] and os.path.isdir(entry["path"]):
            inside = [os.path.join(entry["path"], name) for name in sorted(os.listdir(entry["path"]))]
            yield from ((path, False, GONE) for path in inside if path not in named)


def put(path, state):
    """Take a path and a state as `look` gives it; make it so, replacing files and links atomically."""
    kind, content, mode, uid, gid = state
    if kind is None:
        if os.path.isdir(path) and not os.path.islink(path):
            os.rmdir(path)
        else:
            os.unlink(path)
        return
    if kind == "directory":
        os.makedirs(path, exist_ok=True)
        os.chown(path, uid, gid)
        os.chmod(path, mode)
        return
    folder = os.path.dirname(path)
    if kind == "link":
        temporary = os.path.join(folder, f".slipway-{os.getpid()}")
        os.symlink(content, temporary)
    else:
        handle, temporary = tempfile.mkstemp(prefix=".slipway-", dir=folder)
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chown(temporary, uid, gid)
        os.chmod(temporary, mode)
    os.replace(temporary, path)


def describe(state):
    """Take a state; give the text that a diff shows for it."""
    kind, content, mode, _uid, _gid = state
    if kind in (None, "file"):
        return content
    return f"{kind} {content or oct(mode)}\n"


def main():
    """Compare, write what differs, validate, undo all of it when the validation fails."""
    module = AnsibleModule(
        argument_spec={
            "entries": {"type": "list", "elements": "dict", "required": True, "options": ENTRY},
            "validate": {"type": "str"},
        },
        supports_check_mode=True,
    )
    done, diff = [], []
    try:
        for path, keep, after in steps(module.params["entries"], module.check_mode):
            before = look(path)
            if before == after or (keep and before[0]):
                continue
            if before[0] and after[0] and before[0] != after[0]:
                raise ValueError(f"{path} is a {before[0]}, a {after[0]} was expected: move it away")
            header = f"{path} (mode {oct(after[2])[2:]})" if after[2] is not None else path
            diff.append(
                {"before_header": path, "before": describe(before), "after_header": header, "after": describe(after)}
            )
            if not module.check_mode:
                put(path, after)
            done.append((path, before))
        if done and module.params["validate"] and not module.check_mode:
            code, out, err = module.run_command(module.params["validate"])
            if code != 0:
                raise ValueError(f"refused by `{module.params['validate']}`: {(err or out).strip()}")
    except (OSError, KeyError, ValueError) as error:
        for path, before in reversed(done) if not module.check_mode else ():
            put(path, before)
        module.fail_json(msg=f"nothing was changed: {error}")
    module.exit_json(changed=bool(done), paths=[path for path, _before in done], diff=diff)


if __name__ == "__main__":
    main()

"""Is the site as its inventory says? A read-only check of every host and of the public site; see README.md."""

import os
from pathlib import Path

DEPLOY = Path(__file__).parents[1]

# Ansible reads this as it is imported: the suite means the same wherever it is started.
os.environ.setdefault("ANSIBLE_CONFIG", str(DEPLOY / "ansible.cfg"))

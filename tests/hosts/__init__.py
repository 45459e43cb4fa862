"""Bare Debian hosts in containers, and generated projects to deploy to them.

Used by the host tests (tests/deploy) and by `make demo-host`.
"""

from tests.hosts.host import Host, Network
from tests.hosts.project import Project, Run

__all__ = ["Host", "Network", "Project", "Run"]

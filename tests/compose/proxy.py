"""compose/services/proxy/ is the role nginx's configuration, rendered once for the names that .env gives.

`python -m tests.compose.proxy` writes it anew after a change of the role; a test compares.
"""

import tempfile
from pathlib import Path

from tests.roles.conftest import LEARNT, ONE_HOST, ROOT, render

PROXY = ROOT / "compose/services/proxy"
KEYS = {
    "deploy_target": "compose",
    "app_name": "app",
    "app_domain": "${SERVER_NAMES}",
    "tls": "provided",
    "__nginx_hsts": "max-age=${SECURE_HSTS_SECONDS}; includeSubDomains; preload",
    "__nginx_author": "Slipway's role nginx, and not edited here",
    # So the slot that serves is to be blue.
    "__release_seen": {"stdout": LEARNT["__release_seen"]["stdout"].replace("live: blue", "live: green")},
}
# Rendered file: its place. nginx's own image fills in what ends in .template.
FILES = {
    "nginx-nginx.conf": "nginx.conf",
    "nginx-site.conf": "templates/app.conf.template",
    "nginx-default.conf": "sites-enabled/default.conf",
    "nginx-headers.conf": "snippets/app-headers.conf",
    "nginx-proxy.conf": "snippets/app-proxy.conf",
    "nginx-maintenance.html": "www/maintenance.html",
    "release-upstream.conf": "upstream.conf",
}


def rendered(**keys: object) -> dict[str, str]:
    """What compose/services/proxy/ should hold, or would with these inventory keys: text by path."""
    with tempfile.TemporaryDirectory() as folder:
        source = render(Path(folder) / "render", ONE_HOST, KEYS | keys)
        return {place: (source / name).read_text() for name, place in FILES.items()}


if __name__ == "__main__":
    for place, text in rendered().items():
        (PROXY / place).parent.mkdir(parents=True, exist_ok=True)
        (PROXY / place).write_text(text)

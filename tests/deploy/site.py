"""A deployed site, seen from outside as a visitor sees it."""

import http.client
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from tests.hosts import Host, Project, Run

# Runs on the host, which has no curl: /readyz of a slot, through its own socket or port.
ASK_SLOT = """
import contextlib, http.client, socket, sys
slot = sys.argv[1]
connection = http.client.HTTPConnection("127.0.0.1", {"blue": 8001, "green": 8002}[slot], timeout=10)
# A socket may have been left there by a server that listened on it before.
with contextlib.suppress(OSError):
    unix = socket.socket(socket.AF_UNIX)
    unix.connect(f"/run/mysite/{slot}.sock")
    connection.sock = unix
connection.request("GET", "/readyz")
print(connection.getresponse().read().decode())
"""


# For manage.py shell: a visitor's uploads, of which one would be a page and one a script.
UPLOAD = "; ".join([
    "from django.core.files.base import ContentFile as File",
    "from django.core.files.storage import default_storage as storage",
    "[storage.save('2026/ahoy.' + kind, File(b'<b>Ahoy</b>')) for kind in ('txt', 'html', 'js')]",
])  # fmt: skip


@dataclass
class Site:
    """A project on its host, and the playbook run that brought it there."""

    project: Project
    host: Host
    first_run: Run | None = None
    domain: str = "site.test"

    @property
    def url(self) -> str:
        """Where visitors find it."""
        return f"https://{self.domain}"

    @property
    def address(self) -> str:
        """The address behind its name."""
        return self.host.address

    @property
    def authority(self) -> Path:
        """The certificate of the project's own authority."""
        return self.project.folder / "deploy/inventory/production/secrets/tls/ca.crt"

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, http.client.HTTPMessage, bytes]:
        """GET a path over HTTPS, as a browser that trusts the project's authority; give status, headers, body."""
        context = ssl.create_default_context(cafile=self.authority)
        with socket.create_connection((self.host.address, 443), timeout=30) as raw:
            connection = http.client.HTTPSConnection(self.domain, timeout=30)
            connection.sock = context.wrap_socket(raw, server_hostname=self.domain)
            connection.request("GET", path, headers=headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read()

    def answers(self) -> bool:
        """Whether the home page is there; not so while nobody listens."""
        try:
            return self.get("/")[0] == http.HTTPStatus.OK
        except OSError:
            return False

    def expect_uploads(self) -> None:
        """What UPLOAD saved is shown to all, and the page among it may do nothing."""
        status, headers, body = self.get("/media/2026/ahoy.txt")
        assert (status, body) == (200, b"<b>Ahoy</b>")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"] is None
        status, headers, _ = self.get("/media/2026/ahoy.html")
        assert status == http.HTTPStatus.OK
        assert "sandbox" in headers["Content-Security-Policy"]
        # With nosniff, no browser takes this for a script.
        assert self.get("/media/2026/ahoy.js")[1]["Content-Type"] == "application/octet-stream"
        assert self.get("/media/2026/")[0] in (http.HTTPStatus.FORBIDDEN, http.HTTPStatus.NOT_FOUND)

    @property
    def live_slot(self) -> str:
        """`blue` or `green`."""
        return Path(self.host.run("readlink /srv/mysite/live")).name

    @property
    def release(self) -> str:
        """The id of the release that the live slot's own /readyz reports."""
        answer = self.host.run(f"python3 -c '{ASK_SLOT}' {self.live_slot}")
        return json.loads(answer)["release"]

    def visited(self, path: str = "/") -> AbstractContextManager[list[object]]:
        """Visit a path again and again meanwhile; give the list of what was not a 200."""
        return visited(lambda: self.get(path)[0])


@contextmanager
def visited(ask: Callable[[], int]) -> Iterator[list[object]]:
    """Call `ask`, which gives a status, again and again meanwhile; give the list of what was not a 200."""
    failures: list[object] = []
    stop = Event()

    def visit() -> None:
        while not stop.wait(0.05):
            try:
                status = ask()
            except Exception as error:  # whatever it is, it was no page
                failures.append(error)
            else:
                if status != http.HTTPStatus.OK:
                    failures.append(status)

    visitor = Thread(target=visit)
    visitor.start()
    try:
        yield failures
    finally:
        stop.set()
        visitor.join()

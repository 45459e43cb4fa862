"""Every server that a project may choose: one row each, which the tests of this folder take in turn.

docs/servers.md shows the same table, and a test compares the two.
"""

from dataclasses import dataclass

NONE = "-"  # not a question for WSGI


@dataclass(frozen=True)
class Row:
    """One choice of interface and server, and what it can.

    alone: its own command, with all that it can switched on, for a bare application `app:app` on `{port}`.
    http2, deflate, lifespan: whether that command speaks HTTP/2 without TLS, agrees to permessage-deflate, and runs
    the application's lifespan. pings: whether bin/serve's pings idle WebSockets. goodbye: the code with which
    bin/serve's closes WebSockets at SIGTERM, None for no code at all. max_requests: whether it heeds MAX_REQUESTS.
    """

    interface: str
    server: str
    alone: str
    http2: bool = False
    deflate: bool = False
    lifespan: bool = False
    pings: bool = False
    goodbye: int | None = None
    max_requests: bool = False

    def __str__(self) -> str:
        return f"{self.interface}-{self.server}"

    def cells(self) -> list[str]:
        """The row as docs/servers.md has it."""

        def able(can: bool, off: bool = False) -> str:
            return ("yes, off" if off else "yes") if can else "no"

        asgi = self.interface == "asgi"
        return [
            f"{self.server} ({self.interface.upper()})",
            able(self.http2, off=self.server != "hypercorn"),
            able(asgi),
            able(self.deflate, off=True) if asgi else NONE,
            able(self.lifespan, off=self.server != "hypercorn") if asgi else NONE,
            able(self.pings) if asgi else NONE,
            (str(self.goodbye) if self.goodbye else "none") if asgi else NONE,
            able(True),
            able(True),
            able(self.max_requests),
        ]


HEADINGS = [
    "server",
    "HTTP/2",
    "WebSocket",
    "permessage-deflate",
    "lifespan",
    "pings",
    "close code at a stop",
    "rolling reload (SIGHUP)",
    "replaces a dead worker",
    "MAX_REQUESTS",
]

ROWS = [
    Row(
        "asgi",
        "uvicorn",
        "uvicorn --port {port} --lifespan on --ws-per-message-deflate true app:app",
        deflate=True,
        lifespan=True,
        pings=True,
        goodbye=1012,
    ),
    Row(
        "asgi",
        "gunicorn",
        "gunicorn --bind 127.0.0.1:{port} --worker-class asgi --asgi-lifespan on --no-control-socket app:app",
        lifespan=True,
        goodbye=1012,
        max_requests=True,
    ),
    Row(
        "asgi",
        "granian",
        "granian --port {port} --interface asgi --http auto app:app",
        http2=True,
        lifespan=True,
    ),
    Row(
        "asgi",
        "hypercorn",
        "hypercorn --bind 127.0.0.1:{port} app:app",
        http2=True,
        deflate=True,
        lifespan=True,
        pings=True,
        goodbye=1012,
    ),
    Row("asgi", "daphne", "daphne --port {port} app:app", pings=True, goodbye=1012),
    Row(
        "wsgi",
        "gunicorn",
        "gunicorn --bind 127.0.0.1:{port} --worker-class gthread --no-control-socket app:wsgi",
        max_requests=True,
    ),
    Row("wsgi", "granian", "granian --port {port} --interface wsgi --http auto app:wsgi", http2=True),
]
ASGI = [row for row in ROWS if row.interface == "asgi"]


def as_markdown() -> str:
    """The table of docs/servers.md."""
    lines = [HEADINGS, ["---"] * len(HEADINGS), *(row.cells() for row in ROWS)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)

"""Every server that a project may choose: one row each, which the tests of this folder take in turn."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One choice of interface and server."""

    interface: str
    server: str

    def __str__(self) -> str:
        return f"{self.interface}-{self.server}"


ROWS = (
    Row("wsgi", "gunicorn"),
    Row("wsgi", "granian"),
    Row("asgi", "uvicorn"),
    Row("asgi", "daphne"),
    Row("asgi", "hypercorn"),
    Row("asgi", "granian"),
    Row("asgi", "gunicorn"),
)
ASGI = tuple(row for row in ROWS if row.interface == "asgi")

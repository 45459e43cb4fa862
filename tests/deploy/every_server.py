"""Every server on one host, one after the other, as an owner who cannot decide would have it."""

from dataclasses import dataclass

from tests.deploy.site import Site
from tests.hosts import Host, Project


@dataclass(frozen=True)
class Stop:
    """A server, and what it is deployed with; the channel layer means nothing under WSGI."""

    interface: str
    server: str
    database: str
    listen: str
    layer: str

    def __str__(self) -> str:
        return "-".join([self.interface, self.server, self.database, self.listen, self.layer])

    @property
    def answers(self) -> dict[str, str]:
        """What Copier is told."""
        return {"interface": self.interface, "server": self.server, "database": self.database}


# Every server once, and every pair of system, database, socket and channel layer.
# SQLite first: a database that has served is not removed, and PostgreSQL would be found listening.
ON_DEBIAN_13 = [
    Stop("asgi", "uvicorn", "sqlite", "socket", "core"),
    Stop("asgi", "daphne", "sqlite", "tcp", "pubsub"),
    Stop("wsgi", "granian", "postgres", "socket", "core"),
    Stop("asgi", "gunicorn", "postgres", "tcp", "pubsub"),
]
ON_DEBIAN_12 = [
    Stop("wsgi", "gunicorn", "sqlite", "tcp", "core"),
    Stop("asgi", "hypercorn", "sqlite", "socket", "pubsub"),
    Stop("asgi", "granian", "postgres", "tcp", "core"),
    Stop("asgi", "uvicorn", "postgres", "socket", "pubsub"),
]
SERVERS = {stop.server for stop in ON_DEBIAN_13 + ON_DEBIAN_12}


class Walk:
    """A project that goes from stop to stop on one bare host."""

    def __init__(self, project: Project, host: Host):
        self.site = Site(project, host)

    def go(self, stop: Stop) -> None:
        """Update the project, deploy it over what is there, and see that nobody notices but the smoke suite."""
        site, project, host = self.site, self.site.project, self.site.host
        project.update(**stop.answers)
        variables = {"app_listen": stop.listen, "app_environment": {"CHANNEL_LAYER": stop.layer}}
        project.place(variables, web=[host], redis=[host], database=[host] if stop.database == "postgres" else [])
        if host.run("readlink /srv/mysite/live", check=False):
            with site.visited() as failures:
                project.deploy().ok()
            assert failures == []
        else:
            project.deploy().ok()
        assert site.get("/")[0] == 200
        assert site.release == project.release
        unit = f"mysite-web@{site.live_slot}"
        assert host.run(f"systemctl show -p NRestarts --value {unit}") == "0"
        assert (
            host.run("systemctl list-units --failed --plain --no-legend 'mysite*' 'redis*' 'nginx*' 'postgres*'") == ""
        )
        self.expect_one_server(stop)

    def expect_one_server(self, stop: Stop) -> None:
        """Nothing of the servers before is in the release, and its channel layer is the one asked for."""
        installed = self.site.host.run("ls /srv/mysite/live/.venv/bin").split()
        assert SERVERS & set(installed) == {stop.server}
        if stop.interface == "asgi":
            ask = "from channels.layers import get_channel_layer as get; print(type(get()).__name__)"
            seen = self.site.host.run(f'mysite-manage shell -c "{ask}"').split()
            assert {"core": "CoreLayer", "pubsub": "PubSubLayer"}[stop.layer] in seen

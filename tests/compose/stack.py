"""A generated project's containers, driven by its own commands."""

import json
import os
import subprocess
from functools import cached_property
from pathlib import Path

from tests.hosts import Project
from tests.hosts.host import docker

ROOT = Path(__file__).parents[2]
PRODUCTION = ("-f", "compose.yaml", "-f", "compose.production.yaml")
# This machine's authorities, as a company's proxy would need: they may go into no image.
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")


class Stack:
    """The containers of one project; `name` is what Compose calls it, from the project's folder.

    files: Compose's arguments for the files that make it up; none for development.
    """

    def __init__(self, project: Project, files: tuple[str, ...] = ()):
        self.project, self.files = project, files
        self.name = project.folder.name
        self.domain = "site.test" if files else "localhost"
        self.variables: dict[str, str] = {"BUILD_CA": str(AUTHORITIES)} if AUTHORITIES.is_file() else {}

    def run(self, *command: str, check: bool = True, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        """Run a command in the project's folder; fail with all it said when it fails."""
        kept = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "UID", "GID")}
        done = subprocess.run(
            command,
            cwd=self.project.folder,
            env=kept | self.variables,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=timeout,
            check=False,
        )
        if check and done.returncode:
            logs = self.run("docker", "compose", *self.files, "logs", "--tail=30", check=False).stdout
            raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}\n{logs}")
        return done

    def compose(self, *arguments: str, check: bool = True) -> str:
        """Run docker compose with the files of this stack; give what it printed."""
        return self.run("docker", "compose", *self.files, *arguments, check=check).stdout

    def set(self, **values: str) -> None:
        """Write values into the project's .env, over what stands there."""
        file = self.project.folder / ".env"
        lines = file.read_text().splitlines() if file.exists() else []
        kept = [line for line in lines if line.split("=")[0] not in values]
        file.write_text("\n".join([*kept, *(f"{name}={value}" for name, value in values.items())]) + "\n")

    def config(self) -> dict:
        """The whole configuration, as Compose understands it."""
        return json.loads(self.compose("config", "--format", "json"))

    def inspect(self, service: str) -> dict:
        """What the engine says of a service's container."""
        return json.loads(docker("inspect", self.compose("ps", "--all", "--quiet", service).strip()))[0]

    @property
    def url(self) -> str:
        """Where visitors find it: the proxy under the site's name, or the port of this machine."""
        return f"https://{self.domain}" if self.files else f"http://localhost:{self.variables['WEB_PORT']}"

    @cached_property
    def address(self) -> str:
        """The proxy's address on its network; in development this machine's."""
        if not self.files:
            return "127.0.0.1"
        (network,) = self.inspect("proxy")["NetworkSettings"]["Networks"].values()
        return network["IPAddress"]

    def remove(self) -> None:
        """Remove containers, networks, volumes and the images that were built for it."""
        for files in {self.files, (), PRODUCTION}:
            self.run(
                "docker", "compose", *files, "--profile=*", "down", "--volumes", "--remove-orphans", "-t1", check=False
            )
        images = docker("images", "--quiet", "--filter", f"reference={self.name}:*").split()
        if images:
            docker("rmi", "--force", *set(images))

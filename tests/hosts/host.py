"""A bare Debian host: a container that runs systemd and sshd."""

import secrets
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
LABEL = "slipway.test"


def docker(*arguments: str, check: bool = True, timeout: float = 120) -> str:
    """Run the docker command; give its output, or raise with what it said."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=timeout, check=False)
    if check and done.returncode:
        raise RuntimeError(f"docker {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def wait_for[T](condition: Callable[[], T], what: str, seconds: float = 60) -> T:
    """Give the first true value of `condition`; raise naming `what` when there is none after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(0.2)
    return value


class Network:
    """A network of test hosts; its hosts reach each other and, for packages, the outside.

    ipv6: a subnet such as fd00:4::/64. Such a network is for hosts that `join` it, and has no way out.
    """

    def __init__(self, name: str, ipv6: str = ""):
        self.name, self.ipv6 = name, ipv6

    def __enter__(self) -> "Network":
        # Its IPv4 addresses must not be those that an engine on one of the hosts has chosen for its own networks.
        ipv4 = f"10.{20 + secrets.randbelow(200)}.{secrets.randbelow(256)}.0/24"
        options = ["--internal", "--ipv6", f"--subnet={self.ipv6}", f"--subnet={ipv4}"] if self.ipv6 else []
        docker("network", "create", "--label", LABEL, *options, self.name)
        return self

    def __exit__(self, *_: object) -> None:
        joined = docker("network", "inspect", "-f", "{{range $id, $_ := .Containers}}{{$id}} {{end}}", self.name)
        for container in joined.split():
            docker("network", "disconnect", "--force", self.name, container)
        docker("network", "rm", self.name)


class Host:
    """A bare Debian host that sshd, sudo and Python alone run on.

    name: the container's and the host's name. debian: 12 or 13. key: a private SSH key (its .pub beside it) that
    may log in as `admin`. publish: ports to publish, in docker's own form. network: a Network's name.
    Use it as a context manager, or `start` and `remove` it.
    """

    user = "admin"

    def __init__(self, name: str, key: Path, debian: int = 13, publish: tuple[str, ...] = (), network: str = "bridge"):
        self.name, self.key, self.debian, self.publish, self.network = name, key, debian, publish, network

    def start(self) -> "Host":
        """Build the image where it is missing, start the host and wait until sshd lets `admin` in."""
        subprocess.run([HERE / "image", str(self.debian)], check=True, capture_output=True, text=True, timeout=600)
        docker(
            *("run", "--detach", "--label", LABEL, "--name", self.name, "--hostname", self.name),
            *("--privileged", "--cgroupns=private", "--tmpfs", "/run", "--tmpfs", "/run/lock"),
            *("--network", self.network),
            *(f"--publish={port}" for port in self.publish),
            # Containers on it: overlay file systems do not stack.
            *("--volume", "/var/lib/docker", "--volume", "/var/lib/containerd"),
            f"slipway-host:{self.debian}",
        )
        wait_for(lambda: self.run("systemctl is-system-running", check=False) in ("running", "degraded"), self.name)
        public = self.key.with_suffix(".pub").read_text()
        self.run(f"install -d -o admin -g admin -m 0700 ~admin/.ssh && echo '{public}' >~admin/.ssh/authorized_keys")
        wait_for(lambda: self.run("systemctl is-active ssh", check=False) == "active", f"sshd on {self.name}")
        return self

    def remove(self) -> None:
        """Remove the host and its anonymous volumes."""
        docker("rm", "--force", "--volumes", self.name)

    def __enter__(self) -> "Host":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.remove()

    @property
    def address(self) -> str:
        """The host's IPv4 address on its network."""
        return self._address(self.network, "IPAddress")

    def join(self, network: Network) -> str:
        """Enter one more network; give the host's IPv6 address there."""
        docker("network", "connect", network.name, self.name)
        return self._address(network.name, "GlobalIPv6Address")

    def _address(self, network: str, kind: str) -> str:
        return docker("inspect", "-f", f'{{{{(index .NetworkSettings.Networks "{network}").{kind}}}}}', self.name)

    def run(self, command: str, check: bool = True, timeout: float = 120) -> str:
        """Run a shell command on the host as root; give its output without the last newline."""
        return docker("exec", self.name, "bash", "-c", command, check=check, timeout=timeout)

    def inventory(self) -> dict[str, object]:
        """The host's entry in an Ansible inventory: reached over real SSH."""
        return {
            "ansible_host": self.address,
            "ansible_user": self.user,
            "ansible_ssh_private_key_file": str(self.key),
            # A test host is new each time, so its key is not known.
            "ansible_ssh_common_args": "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR",
        }


def make_key(folder: Path) -> Path:
    """Make an SSH key pair in `folder` (once); give the private key's path."""
    key = folder / "id_ed25519"
    if not key.exists():
        folder.mkdir(parents=True, exist_ok=True)
        if not shutil.which("ssh-keygen"):
            raise RuntimeError("ssh-keygen is missing: install Debian's package openssh-client")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    return key

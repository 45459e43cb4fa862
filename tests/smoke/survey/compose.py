"""What a host shows of itself where the site runs in containers; see common.py."""

import json
import os
import re
import stat
import time
from datetime import datetime
from functools import cache
from pathlib import Path

from .common import APP, address, disks, listeners, output, processes, show

HOME = Path("/srv", APP)
SECRETS = HOME / "secrets"


@cache
def containers():
    """{service: what the engine says of its container}."""
    # Not those of the administrator's commands, which come and go.
    labels = {"project": APP, "oneoff": "False"}
    filters = [f"--filter=label=com.docker.compose.{name}={value}" for name, value in labels.items()]
    ids = output("docker", "ps", "--all", "--quiet", *filters).split()
    found = json.loads(output("docker", "inspect", *ids)) if ids else []
    return {each["Config"]["Labels"]["com.docker.compose.service"]: each for each in found}


def live_slot():
    return Path(os.readlink(HOME / "live")).name


def live():
    """The live slot's container."""
    return containers()[f"web-{live_slot()}"]


def units():
    """{service: its state, in systemd's words}; what is unhealthy does not count as active."""
    found = {}
    for service, seen in containers().items():
        state = seen["State"]
        health = state.get("Health", {}).get("Status", "healthy")
        began = datetime.fromisoformat(re.sub(r"\.\d+Z$", "+00:00", state["StartedAt"]))
        stays = seen["HostConfig"]["RestartPolicy"]["Name"] in ("always", "unless-stopped")
        found[service] = {
            "Id": service,
            "ActiveState": "active" if state["Running"] and health == "healthy" else "inactive",
            "SubState": state["Status"] if health == "healthy" else health,
            "UnitFileState": "enabled" if stays else "disabled",
            "NRestarts": str(seen["RestartCount"]),
            "seconds": round(time.time() - began.timestamp()),
        }
    return found


def slots():
    """The live slot, its release by the folder and by the image, and the slot that nginx sends visitors to."""
    upstream = (HOME / "compose/services/proxy/upstreams/app.conf").read_text()
    environment = dict(line.partition("=")[::2] for line in live()["Config"]["Env"])
    return {
        "live": live_slot(),
        "folder": (HOME / "live").resolve().name,
        "release": environment["RELEASE"],
        "proxied": [slot for slot in ("blue", "green") if f"/{slot}.sock" in upstream],
    }


def own_answers():
    """{path: [status, body]} of the live slot itself, past the proxy; status None where no answer comes."""
    found = {}
    for path in ("/livez", "/readyz"):
        said = output("docker", "exec", live()["Id"], "python", "bin/healthcheck", path).strip()
        found[path] = [None if "does not answer" in said else 503 if '"unavailable"' in said else 200, said]
    return found


def foreign_files():
    """The first paths of the live release's code that others than root own or may write."""
    wrong = ["(", "-not", "-user", "root", "-o", "-not", "-type", "l", "-perm", "/022", ")"]
    command = ["find", "/app", "/venv", *wrong, "-printf", "%u %m %p\\n"]
    return output("docker", "exec", live()["Id"], *command).splitlines()[:5]


def modes():
    """{path: [octal mode, owner, group]} of what must not be open to all."""
    seen = SECRETS.stat()
    found = {str(SECRETS): [oct(stat.S_IMODE(seen.st_mode))[2:], SECRETS.owner(), SECRETS.group()]}
    # Behind the closed folder; each container reads its own as a user of its own.
    return found | {str(path): [found[str(SECRETS)][0], path.owner(), path.group()] for path in SECRETS.rglob("*")}


def leaks():
    """Where a secret of the application can be read by its neighbours: [name of the secret, where]."""
    secrets = {path.name: path.read_text().strip() for path in SECRETS.iterdir() if path.is_file()}
    places = {f"docker inspect {name}": json.dumps(each) for name, each in containers().items()}
    places |= processes(output("docker", "top", live()["Id"], "-eo", "pid").split()[1:])
    return [
        [name, where] for name, value in secrets.items() for where, text in places.items() if value and value in text
    ]


def exposure():
    """What is not shut of the live slot's sandbox: nothing, if all is well."""
    host, wrong = live()["HostConfig"], []
    wrong += [] if host["ReadonlyRootfs"] else ["its root is writable"]
    wrong += [] if host["CapDrop"] == ["ALL"] and not host["CapAdd"] else ["it has capabilities"]
    wrong += (
        [] if any("no-new-privileges" in option for option in host["SecurityOpt"] or []) else ["it may gain rights"]
    )
    wrong += ["it is privileged"] if host["Privileged"] else []
    able = output("docker", "info", "--format", "{{.MemoryLimit}} {{.PidsLimit}}").split()  # of this kernel
    wrong += ["it may take all memory"] if able[0] == "true" and not host["Memory"] else []
    wrong += ["it may start any number of processes"] if able[1] == "true" and not host["PidsLimit"] else []
    wrong += ["it has the engine's socket"] if "docker.sock" in json.dumps(live()["Mounts"]) else []
    wrong += ["it runs as root"] if live()["Config"]["User"].split(":")[0] in ("", "0", "root") else []
    return wrong


def strangers():
    """{door: answer} to a neighbour on the backend network who has no password."""
    found = {}
    for service in ("cache", "channels"):
        if service in containers():
            found[f"Redis ({service})"] = output(
                "docker", "exec", containers()[service]["Id"], "redis-cli", "ping"
            ).strip()
    if "database" in containers():
        ask = ["psql", "-w", "-h", "database", "-U", "app", "-d", "app", "-c", "select 'let in'"]
        found["PostgreSQL as app"] = output("docker", "exec", containers()["database"]["Id"], *ask).strip()
    return found


show([address, units, listeners, disks, modes, strangers, slots, own_answers, foreign_files, leaks, exposure])

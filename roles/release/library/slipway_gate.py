#!/usr/bin/python
# SPDX-License-Identifier: MIT
"""Wait until a slot is ready, and tell why when it is not."""

DOCUMENTATION = r"""
module: slipway_gate
short_description: Wait until a slot answers /readyz as the expected release
description:
  - Asks the slot itself, past the proxy, once every half second.
  - Gives up at once when the unit or the container has failed, and shows its last log lines.
options:
  unit: {description: The slot's systemd unit., type: str}
  container: {description: The slot's container., type: str}
  image: {description: Name of the image that the container has to run., type: str}
  release: {description: The release id that must answer., type: str, required: true}
  socket: {description: Path of the slot's UNIX socket., type: path}
  port: {description: Port of the slot on 127.0.0.1., type: int}
  times: {description: How many good answers in a row are asked for., type: int, default: 3}
  timeout: {description: Seconds to wait in all., type: int, default: 60}
"""

EXAMPLES = r"""
- name: Wait for the blue slot
  slipway_gate:
    unit: mysite-web@blue.service
    release: 0123456789ab
    socket: /run/mysite/blue.sock
"""

RETURN = r"""
waited:
  description: Seconds until the slot was ready.
  returned: success
  type: float
"""

import http.client
import json
import socket
import time

from ansible.module_utils.basic import AnsibleModule

LINES = "60"  # of the log: the error stands above the servers' own words about it


class Unit:
    """A slot that is a systemd unit."""

    def __init__(self, module):
        self.run, self.params, self.name = module.run_command, module.params, module.params["unit"]

    def state(self):
        """`failed` or `inactive` where it has ended; one that dies and is started again is no better."""
        lines = self.run(["systemctl", "show", "-p", "ActiveState", "-p", "NRestarts", self.name])[1].splitlines()
        seen = dict(line.split("=", 1) for line in lines if "=" in line)
        return "failed" if seen.get("NRestarts", "0") != "0" else seen.get("ActiveState", "unknown")

    def answer(self):
        """Status (None: no answer) and text of one request to /readyz."""
        return request(self.params)

    def log(self):
        """Its last lines."""
        return self.run(["journalctl", "-u", self.name, "-n", LINES, "-o", "cat", "--no-pager"])[1]


class Container:
    """A slot that is a container."""

    def __init__(self, module):
        self.run, self.params, self.name = module.run_command, module.params, module.params["container"]

    def inspect(self, what, name=None):
        return self.run(["docker", "inspect", "--format", what, name or self.name])[1].strip()

    def state(self):
        """`failed` where it has ended, was started anew, or runs another image."""
        if self.inspect("{{.Image}}") != self.inspect("{{.Id}}", self.params["image"]):
            return "failed"
        running = self.inspect("{{.State.Status}} {{.RestartCount}}")
        return self.inspect("{{.State.Health.Status}}") if running == "running 0" else "failed"

    def answer(self):
        """Status (None: no answer) and text of a request to /readyz from within; 503 until the container is healthy."""
        status, body, error = self.run(["docker", "exec", self.name, "python", "bin/healthcheck", "/readyz"])
        if status == 0 and self.inspect("{{.State.Health.Status}}") != "healthy":
            status = 1
        return (200 if status == 0 else 503 if body.strip() else None), body or error

    def log(self):
        """Its last lines."""
        return "".join(self.run(["docker", "logs", "--tail", LINES, self.name])[1:])


def request(params):
    """Take the module's parameters; give status (None: no answer) and text of one request to /readyz."""
    connection = http.client.HTTPConnection("127.0.0.1", params["port"] or 80, timeout=5)
    try:
        if params["socket"]:
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(5)
            connection.sock.connect(params["socket"])
        connection.request("GET", "/readyz", headers={"Host": "localhost"})
        response = connection.getresponse()
        body = response.read(4096).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return None, f"no answer ({error})"
    finally:
        connection.close()
    return response.status, body


def ask(slot):
    """Take a slot; give (good, what was seen)."""
    status, body = slot.answer()
    try:
        release = json.loads(body).get("release")
    except (ValueError, AttributeError):
        release = None
    return status == 200 and release == slot.params["release"], f"{status or ''} {body.strip()}".strip()


def main():
    """Ask until enough good answers came in a row, the unit failed, or the time is over."""
    module = AnsibleModule(
        argument_spec={
            "unit": {"type": "str"},
            "container": {"type": "str"},
            "image": {"type": "str"},
            "release": {"type": "str", "required": True},
            "socket": {"type": "path"},
            "port": {"type": "int"},
            "times": {"type": "int", "default": 3},
            "timeout": {"type": "int", "default": 60},
        },
        required_one_of=[("unit", "container")],
        required_together=[("container", "image")],
        supports_check_mode=True,
    )
    params, begin, good, seen, state = module.params, time.monotonic(), 0, "nothing", "active"
    slot = Unit(module) if params["unit"] else Container(module)
    while not module.check_mode and good < params["times"]:
        ready, seen = ask(slot)
        good = good + 1 if ready else 0
        state = slot.state()
        if state in ("failed", "inactive") or time.monotonic() - begin > params["timeout"]:
            module.fail_json(
                msg=f"{slot.name} is {state} and /readyz is not 200 of release {params['release']}: {seen}",
                journal=slot.log().splitlines(),
            )
        time.sleep(0.5 if not ready else 0.2)
    module.exit_json(changed=False, waited=round(time.monotonic() - begin, 1))


if __name__ == "__main__":
    main()

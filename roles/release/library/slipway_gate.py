#!/usr/bin/python
# SPDX-License-Identifier: MIT
"""Wait until a slot is ready, and tell why when it is not."""

DOCUMENTATION = r"""
module: slipway_gate
short_description: Wait until a slot answers /readyz as the expected release
description:
  - Asks the slot itself, past the proxy, once every half second.
  - Gives up at once when the unit has failed, and shows its last journal lines.
options:
  unit: {description: The slot's systemd unit., type: str, required: true}
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


def ask(params):
    """Take the module's parameters; give (good, what was seen) of one request to /readyz."""
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
        return False, f"no answer ({error})"
    finally:
        connection.close()
    try:
        release = json.loads(body).get("release")
    except (ValueError, AttributeError):
        release = None
    return response.status == 200 and release == params["release"], f"{response.status} {body.strip()}"


def main():
    """Ask until enough good answers came in a row, the unit failed, or the time is over."""
    module = AnsibleModule(
        argument_spec={
            "unit": {"type": "str", "required": True},
            "release": {"type": "str", "required": True},
            "socket": {"type": "path"},
            "port": {"type": "int"},
            "times": {"type": "int", "default": 3},
            "timeout": {"type": "int", "default": 60},
        },
        required_one_of=[("socket", "port")],
        supports_check_mode=True,
    )
    params, begin, good, seen, state = module.params, time.monotonic(), 0, "nothing", "active"
    while not module.check_mode and good < params["times"]:
        ready, seen = ask(params)
        good = good + 1 if ready else 0
        state = module.run_command(["systemctl", "is-active", params["unit"]])[1].strip()
        if state in ("failed", "inactive") or time.monotonic() - begin > params["timeout"]:
            journal = module.run_command(["journalctl", "-u", params["unit"], "-n", "25", "-o", "cat", "--no-pager"])[1]
            module.fail_json(
                msg=f"{params['unit']} is {state} and /readyz is not 200 of release {params['release']}: {seen}",
                journal=journal.splitlines(),
            )
        time.sleep(0.5 if not ready else 0.2)
    module.exit_json(changed=False, waited=round(time.monotonic() - begin, 1))


if __name__ == "__main__":
    main()

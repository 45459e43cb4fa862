"""The host: open ports, permissions, the sandbox, disk and clock."""

import pytest

from . import expected
from .expect import expect, expect_equal
from .inventory import Machine


def test_only_expected_ports_are_open(machine: Machine) -> None:
    wanted = expected.listeners(machine)
    known = set(machine["verify_ports"])
    surprising = [
        f"{program} on {address} port {port}"
        for address, port, program in machine.seen("listeners")
        if (address.replace("*", "::"), port) not in wanted
        and port not in known
        and program != "sshd"
        and (program, port) != ("systemd", int(machine.get("ansible_port", 22)))  # a socket unit of sshd's
    ]
    expect(
        not surprising,
        f"on {machine.name} only sshd, {_list(wanted)} (others: put their ports into verify_ports)",
        ", ".join(surprising),
    )


def test_every_expected_port_is_open(machine: Machine) -> None:
    seen = {(address, port) for address, port, _ in machine.seen("listeners")}
    both = {("0.0.0.0", port) for address, port in seen if address == "*"}  # noqa: S104 one socket for IPv4 and IPv6
    # A host without IPv6 has no loopback of it.
    missing = {pair for pair in expected.listeners(machine) - seen - both if ":" not in pair[0]}
    expect(not missing, f"listening on {machine.name}: {_list(missing)}", _list(seen))


@pytest.mark.only("systemd", "socket")
@pytest.mark.journal("web")
def test_only_the_proxy_may_reach_the_slots_socket(web: Machine) -> None:
    mode, owner, group = web.seen("modes")[f"/run/{web['app_name']}"]
    expect_equal((mode[-1], owner, group), ("0", web["app_name"], "www-data"), "others, owner and group of its folder")


def test_secrets_are_readable_by_root_alone(web: Machine) -> None:
    folder = expected.secrets_folder(web)
    seen = {path: mode for path, mode in web.seen("modes").items() if path.startswith(folder)}
    expect(len(seen) > 1, f"secrets in {folder}", f"{len(seen)} entries")
    wrong = {path: entry for path, entry in seen.items() if entry[0][-2:] != "00" or entry[1] != "root"}
    expect(not wrong, f"owner root and no permission for group and others in {folder}", wrong)


def test_secrets_are_not_in_the_environment(web: Machine) -> None:
    seen = [f"{name} in {where}" for name, where in web.seen("leaks")]
    expect(not seen, "no secret in the service's properties, environment or command line", ", ".join(seen))


@pytest.mark.only("compose")
def test_container_is_closed(web: Machine) -> None:
    seen = web.seen("exposure")
    expect(not seen, f"the container {expected.live_unit(web)} shut", "; ".join(seen))


@pytest.mark.only("systemd")
@pytest.mark.journal("web")
def test_service_is_sandboxed(web: Machine) -> None:
    limit = 0.5 if expected.needs_no_network(web) else 1.0
    seen = web.seen("exposure")
    expect(seen <= limit, f"systemd-analyze security {expected.live_unit(web)}: at most {limit}", seen)


@pytest.mark.parametrize("what", ["bytes", "inodes"])
def test_disk_has_room(machine: Machine, what: str) -> None:
    percent = machine["verify_disk_percent"]
    mib = machine["verify_disk_mib"] if what == "bytes" else 0
    full = []
    for path, sizes in machine.seen("disks").items():
        free, total = sizes[what]  # a file system that does not count its inodes says 0 of 0
        # A small file system, as one of /var/log alone may be, cannot have that much: half of it is enough.
        if free < total * percent / 100 or free < min(mib * 2**20, total / 2):
            full.append(f"{path} has {free:,} of {total:,} {what} free")
    expect(not full, f"{percent} % {f'and {mib} MiB ' if mib else ''}{what} free on {machine.name}", "; ".join(full))


def test_clock_is_right(machine: Machine) -> None:
    seen = machine.seen("clock")
    before, after = machine.asked_at
    off = max(before - seen["time"], seen["time"] - after, 0)
    limit = machine["verify_clock_seconds"]
    service = "synchronized" if seen["synchronized"] else "not synchronized by any time service"
    expect(
        off <= limit, f"the clock of {machine.name} within {limit} s of this machine's", f"{off:.1f} s off, {service}"
    )


def _list(pairs: set[tuple[str, int]]) -> str:
    return ", ".join(f"{address} port {port}" for address, port in sorted(pairs, key=lambda pair: pair[::-1]))

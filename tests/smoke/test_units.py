"""Services: each runs, starts at boot, and is not being restarted again and again."""

import pytest

from .expect import expect, expect_equal
from .expected import live_unit, slot_prefix, unit_name
from .inventory import Machine

pytestmark = pytest.mark.journal("unit")
RECENT = 600  # seconds: a crash longer ago than this has been survived


@pytest.fixture
def state(machine: Machine, unit: str) -> dict[str, str]:
    """The unit's systemd properties, or its container's in the same words."""
    name = unit_name(machine, unit)
    units = machine.seen("units")
    expect(name in units, f"unit {name} on {machine.name}", f"only {', '.join(sorted(units))}")
    return units[name]


def test_service_is_active(state: dict[str, str]) -> None:
    expect_equal(f"{state['ActiveState']} ({state['SubState']})", "active (running)", state["Id"])


def test_service_starts_at_boot(state: dict[str, str]) -> None:
    # Debian starts PostgreSQL's clusters through a generator: enabled-runtime.
    known = ("enabled", "enabled-runtime")
    expect(state["UnitFileState"] in known, f"{state['Id']} is enabled", state["UnitFileState"] or "nothing")


def test_service_is_not_being_restarted(state: dict[str, str]) -> None:
    restarts, seconds = int(state["NRestarts"]), state["seconds"]
    expect(
        not restarts or int(seconds) > RECENT,
        f"no crash of {state['Id']} in the last {RECENT // 60} minutes",
        f"it was restarted {restarts} times, last {seconds} s ago",
    )


def test_only_the_live_slot_runs(web: Machine) -> None:
    prefix = slot_prefix(web)
    units = web.seen("units").items()
    # One that ended with an error is "failed": it does not run either.
    stopped = ("inactive", "failed")
    running = [name for name, unit in units if name.startswith(prefix) and unit["ActiveState"] not in stopped]
    expect_equal(running, [live_unit(web)], f"the only running slot on {web.name}")


def test_proxy_sends_visitors_to_the_live_slot(web: Machine) -> None:
    slots = web.seen("slots")
    expect_equal(slots["proxied"], [slots["live"]], f"the slot in nginx's upstream file on {web.name}")

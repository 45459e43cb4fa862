"""Read the inventory, look at every host once, and hand each check what it looks at.

A check names what it needs: `machine` (each host), `site` (each web host's public side), `unit` (each service);
it runs once for each of them. A check marked `only("asgi")` exists only where the environment has that.
"""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import pytest

from . import DEPLOY, expected, survey
from .inventory import Inventory, Machine, Unusable
from .report import Report
from .web import Site

site_of = cache(Site)  # with its open connections, and what it has answered so far
# What fails first is most likely the cause of what fails later.
ORDER = ["units", "release", "data", "host", "tls", "http", "static", "stream", "chat", "websocket"]
INVENTORY = pytest.StashKey[Inventory]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("smoke")
    group.addoption(
        "--environment",
        "--inventory",
        metavar="NAME",
        help="a folder of inventory/, or a path (default: ansible.cfg's)",
    )
    group.addoption("--release", metavar="ID", help="the release that has to be live (default: any one, on all hosts)")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read the inventory, and choose where the reports go: reports/<environment>/smoke.xml and smoke.html."""
    config.addinivalue_line(
        "markers",
        "only(feature, ...): needs asgi, wsgi, postgres, sqlite, http, https, socket, tcp, systemd, compose, several",
    )
    config.addinivalue_line("markers", "journal(unit, ...): whose last log lines explain a failure")
    try:
        inventory = config.stash[INVENTORY] = Inventory(config.option.environment)
    except Unusable as error:
        raise pytest.UsageError(str(error)) from error
    folder = DEPLOY / "reports" / inventory.name
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("smoke.*"):
        old.unlink()
    config.option.xmlpath = config.option.xmlpath or str(folder / "smoke.xml")
    config.pluginmanager.register(Report(inventory, folder / "smoke.html"))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Look at all hosts at the same time; one that cannot be reached ends the run."""
    if session.config.option.collectonly:
        return
    machines = session.config.stash[INVENTORY].machines
    try:
        with ThreadPoolExecutor(len(machines)) as pool:
            list(pool.map(look, machines))
    except Unusable as error:
        raise pytest.UsageError(str(error)) from error


def look(machine: Machine) -> None:
    """Fill in the machine's survey."""
    asked = {"app": machine["app_name"], "listen": machine["app_listen"], "groups": sorted(machine.groups)}
    began = time.time()
    machine.survey = json.loads(
        machine.run("python3 -c %s %s", survey.program(machine["deploy_target"]), json.dumps(asked))
    )
    machine.asked_at = (began, time.time())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Repeat a check for each host, or for each service, that it asks for."""
    inventory = metafunc.config.stash[INVENTORY]
    machines = inventory.machines
    each = {
        "site": [site_of(machine) for machine in inventory.group("web")],
        "web": inventory.group("web"),
        "database": [machine for machine in machines if expected.has_database(machine)],
        "redis": [machine for machine in machines if expected.has_redis(machine)],
        "keeper": [machine for machine in machines if expected.has_database(machine) or expected.has_redis(machine)],
        "machine": machines,
    }
    if "unit" in metafunc.fixturenames:
        pairs = [(machine, unit) for machine in machines for unit in expected.units(machine)]
        ids = [f"{unit} on {machine.name}" for machine, unit in pairs]
        metafunc.parametrize(("machine", "unit"), pairs, ids=ids, scope="session")
        return
    for name in each.keys() & set(metafunc.fixturenames):
        metafunc.parametrize(name, each[name], ids=str, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the checks of what this environment does not have; the causes come before the consequences."""
    features = set(config.stash[INVENTORY].features())
    here = [item for item in items if all(features.issuperset(mark.args) for mark in item.iter_markers("only"))]
    config.hook.pytest_deselected(items=[item for item in items if item not in here])
    items[:] = here
    order = {f"test_{subject}": place for place, subject in enumerate(ORDER)}
    items.sort(key=lambda item: order.get(item.path.stem, len(ORDER)))  # an owner's own come last


@pytest.fixture(scope="session")
def inventory(request: pytest.FixtureRequest) -> Inventory:
    """What should be there."""
    return request.config.stash[INVENTORY]


@pytest.fixture(scope="session")
def release(request: pytest.FixtureRequest, inventory: Inventory) -> str:
    """The release that has to be live: the one asked for, else the first web host's."""
    return request.config.option.release or inventory.group("web")[0].seen("slots")["folder"]

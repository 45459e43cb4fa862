"""The Compose files as Compose understands them: whole with every profile, and as closed as they say."""

import json
from collections.abc import Callable
from itertools import chain, combinations

import pytest

from tests.compose.stack import PRODUCTION, Stack

PROFILES = ("postgres", "channels", "blue", "green", "migrate")
SETS = [",".join(some) for some in chain.from_iterable(combinations(PROFILES, n) for n in range(len(PROFILES) + 1))]
VALUES = {"IMAGE": "site:1", "ALLOWED_HOSTS": "site.test"}


@pytest.fixture(scope="module")
def stack(new_stack: Callable[..., Stack]) -> Stack:
    """A project with default answers; nothing of it is started."""
    stack = new_stack()
    stack.run("services/setup", "site.test")
    return stack


@pytest.fixture(scope="module")
def production(stack: Stack) -> dict:
    """Everything that production can have."""
    stack.variables |= {**VALUES, "COMPOSE_PROFILES": ",".join(PROFILES)}
    return Stack.config(_with(stack, PRODUCTION))


def _with(stack: Stack, files: tuple[str, ...]) -> Stack:
    other = Stack(stack.project, files)
    other.variables |= stack.variables
    return other


@pytest.mark.parametrize("files", [(), PRODUCTION], ids=["development", "production"])
def test_every_combination_of_profiles_is_whole(stack: Stack, files: tuple[str, ...]) -> None:
    stack.variables |= VALUES
    wrong = {}
    for profiles in SETS:
        one = _with(stack, files)
        one.variables["COMPOSE_PROFILES"] = profiles
        said = one.run("docker", "compose", *files, "config", "--quiet", check=False)
        if said.returncode or said.stdout:
            wrong[profiles] = said.stdout
    assert wrong == {}


@pytest.mark.parametrize("service", ["proxy", "web-blue", "web-green", "migrate", "database", "channels", "cache"])
def test_service_is_closed_and_bounded(production: dict, service: str) -> None:
    keys = production["services"][service]
    assert keys["read_only"] is True
    assert keys["cap_drop"] == ["ALL"]
    assert keys["security_opt"] == ["no-new-privileges:true"]
    assert keys["init"] is True
    assert keys["user"].split(":")[0] not in ("", "0", "root")
    assert 0 < keys["pids_limit"] <= 512
    assert int(keys["mem_limit"]) > 0
    assert keys["stop_grace_period"]
    assert keys["logging"]["options"] == {"max-size": "10m", "max-file": "5"}
    assert not {"privileged", "cap_add", "devices", "pid", "ipc", "network_mode", "userns_mode"} & keys.keys()
    sources = [volume.get("source", "") for volume in keys.get("volumes", [])]
    assert [source for source in sources if "docker.sock" in source] == []
    if service != "migrate":  # it ends
        assert keys["healthcheck"]["test"]
        assert keys["restart"] == "unless-stopped"


def test_the_proxy_alone_publishes_ports(production: dict) -> None:
    assert [name for name, keys in production["services"].items() if keys.get("ports")] == ["proxy"]


def test_the_proxy_reaches_no_service_over_a_network(production: dict) -> None:
    services = production["services"]
    others = {network for name, keys in services.items() if name != "proxy" for network in keys["networks"]}
    assert others == {"backend"}
    assert production["networks"]["backend"]["internal"] is True
    assert "backend" not in services["proxy"]["networks"]


def test_both_slots_are_the_same_but_for_their_name(production: dict) -> None:
    blue, green = (str(production["services"][f"web-{slot}"]).replace(slot, "") for slot in ("blue", "green"))
    assert blue == green


def test_secrets_are_files_and_not_in_any_environment(production: dict, stack: Stack) -> None:
    values = [file.read_text().strip() for file in (stack.project.folder / "secrets").iterdir() if file.is_file()]
    assert len(values) >= 8
    assert [value for value in values if value in str(production)] == []
    environment = production["services"]["web-blue"]["environment"]
    assert {"SECRET_KEY_FILE", "DATABASE_URL_FILE", "REDIS_URL_FILE", "CACHE_URL_FILE"} <= environment.keys()
    assert not {"SECRET_KEY", "DATABASE_URL", "REDIS_URL", "CACHE_URL"} & environment.keys()


def test_images_carry_an_exact_tag(production: dict, stack: Stack) -> None:
    development = _with(stack, ()).config()
    images = {keys["image"] for each in (production, development) for keys in each["services"].values()}
    images -= {"site:1", f"{stack.name}:development"}
    assert len(images) == 4
    assert [image for image in images if image.partition(":")[2].count(".") < 1] == []


def test_development_publishes_to_this_machine_alone(stack: Stack) -> None:
    services = _with(stack, ()).config()["services"]
    ports = [port for keys in services.values() for port in keys.get("ports", [])]
    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}


def test_dev_container_is_one_of_the_services(stack: Stack) -> None:
    container = json.loads((stack.project.folder / ".devcontainer/devcontainer.json").read_text())
    files = [stack.project.folder / ".devcontainer" / name for name in container["dockerComposeFile"]]
    assert [file for file in files if not file.is_file()] == []
    services = _with(stack, ()).config()["services"]
    web = services[container["service"]]
    assert container["workspaceFolder"] in {volume["target"] for volume in web["volumes"]}
    assert {name.split(":")[0] for name in map(str, container["forwardPorts"]) if ":" in name} <= services.keys()

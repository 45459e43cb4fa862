"""What should be on each host, by its groups and the project's answers."""

from .inventory import Machine

PORTS = {"blue": 8001, "green": 8002}
REDIS_PORTS = {"channels": 6379, "cache": 6380}


# What the services are called where they are containers.
CONTAINERS = {
    "nginx": "proxy",
    "postgresql": "database",
    "redis-server@cache": "cache",
    "redis-server@channels": "channels",
}


def in_containers(machine: Machine) -> bool:
    """Whether the site runs in containers, the database and Redis among them."""
    return machine["deploy_target"] == "compose"


def slot_prefix(machine: Machine) -> str:
    """What the names of the slots' units begin with."""
    return "web-" if in_containers(machine) else f"{machine['app_name']}-web@"


def live_unit(machine: Machine) -> str:
    """The unit of the slot that is live on a web host."""
    return slot_prefix(machine) + machine.seen("slots")["live"]


def secrets_folder(machine: Machine) -> str:
    """Where a web host keeps the application's secrets."""
    name = machine["app_name"]
    return f"/srv/{name}/secrets" if in_containers(machine) else f"/etc/{name}/secrets"


def redis_instances(machine: Machine) -> list[str]:
    """The cache, and with ASGI the channel layer: apart, because a cache may forget and channels must not."""
    return ["cache", "channels"] if machine["app_interface"] == "asgi" else ["cache"]


def has_database(machine: Machine) -> bool:
    """Whether PostgreSQL runs there."""
    return ("database" in machine.groups or in_containers(machine)) and machine["app_database"] == "postgres"


def has_redis(machine: Machine) -> bool:
    """Whether Redis runs there."""
    return "redis" in machine.groups or in_containers(machine)


def needs_no_network(machine: Machine) -> bool:
    """Whether the application on a web host meets all it talks to over UNIX sockets."""
    database_here = has_database(machine) or machine["app_database"] == "sqlite"
    here = database_here and "redis" in machine.groups
    return here and machine["app_listen"] == "socket" and not machine["app_allowed_addresses"]


def units(machine: Machine) -> list[str]:
    """The services that should run on a host: `web` stands for the live slot, `postgresql` for its one cluster."""
    found = ["nginx", "web"] if "web" in machine.groups else []
    if has_database(machine):
        found.append("postgresql")
    if has_redis(machine):
        found += [f"redis-server@{instance}" for instance in redis_instances(machine)]
    return found


def unit_name(machine: Machine, unit: str) -> str:
    """The name of one of `units` where it runs: systemd's, or the service's in Compose."""
    if unit == "web":
        return live_unit(machine)
    if in_containers(machine):
        return CONTAINERS[unit]
    if unit == "postgresql":
        clusters = [name for name in machine.seen("units") if name.startswith("postgresql@")]
        return clusters[0] if clusters else "postgresql@*"
    return unit


def listeners(machine: Machine) -> set[tuple[str, int]]:
    """(address, port) of each TCP socket that should listen on a host, besides sshd's."""
    found: set[tuple[str, int]] = set()
    own = machine.get("app_address") or machine.seen("address")
    groups = machine.groups
    if "web" in groups:
        ports = [80] if machine["tls"] in ("off", False) else [80, 443]
        found |= {(address, port) for address in ("0.0.0.0", "::") for port in ports}  # noqa: S104
        if machine["app_listen"] == "tcp" and not in_containers(machine):
            found.add(("127.0.0.1", PORTS[machine.seen("slots")["live"]]))
    if has_database(machine) and not in_containers(machine):
        found |= {("127.0.0.1", 5432), ("::1", 5432)}
        if machine.serves_others:
            found.add((own, 5432))
    if "redis" in groups and machine.serves_others:
        found |= {(own, REDIS_PORTS[instance]) for instance in redis_instances(machine)}
    return found

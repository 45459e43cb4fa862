"""A run that never was: every figure follows from a server's number and the round."""

from bench.servers import BARE, OURS, PUBSUB, STOCK, TUNED

SERVERS = {
    "wsgi": ("gunicorn", "granian"),
    "asgi": ("uvicorn", "daphne", "hypercorn", "granian", "gunicorn"),
}
NAMES = [f"{interface}-{server}" for interface, servers in SERVERS.items() for server in servers]
# Rounds stand in raw.json as they ran; their median is the first one's.
NOISE = (1.0, 0.9, 1.2)


def example():
    """Return the raw figures of three rounds. The n-th server answers n x 1000 hellos a second."""
    results = []
    for number, noise in enumerate(NOISE, 1):
        for place, stack in enumerate(NAMES, 1):
            for variant, scenario, figures in measurements(place, noise, stack.startswith("asgi")):
                results.append({"round": number, "stack": stack, "variant": variant, "scenario": scenario} | figures)
    return {
        "date": "2026-01-02",
        "minutes": 24.5,
        "machine": {
            "cores": 2, "processor": "Abacus 9000", "memory_gib": 23.5, "system": "Debian GNU/Linux 13 (trixie)",
            "kernel": "6.12.0", "somaxconn": 4096,
        },
        "workers": 2,
        "plan": {
            "rounds": 3, "seconds": 2, "brief": 1, "crowds": [10, 100, 1000, 5000], "idle": [1000, 5000],
            "thorough": True,
        },
        "versions": {"wrk": "4.1.0", "redis-server": "8.0.2", "database": "PostgreSQL 17.5"},
        "stacks": [
            {
                "name": name, "interface": name.partition("-")[0], "server": name.partition("-")[2],
                "versions": {"python": "3.13.5", "django": "6.1.3"},
                "commands": {OURS: f"{name} --port $PORT", TUNED: f"{name} --fast"},
            }
            for name in NAMES
        ],
        "results": results,
    }  # fmt: skip


def measurements(place, noise, asgi):
    """Give (variant, scenario, figures) of one server in one round."""

    def rate(value):
        return {"rate": value * noise, "p50": 0.01, "p99": 0.05, "failed": 0}

    yield OURS, "start", {"seconds": 1.5 * noise}
    yield OURS, "hello", rate(place * 1000)
    # The hand-tuned command of the last server answers a tenth more, the others' one less in a hundred.
    yield TUNED, "hello", rate(place * 1000 * (1.1 if place == len(NAMES) else 0.99))
    yield BARE, "hello", rate(place * 10000)
    yield OURS, "memory", {"bytes": place * 10 * 2**20}
    yield OURS, "query", rate(place * 500) | {"failed": 3 if place == 2 and noise < 1 else 0}
    yield OURS, "events", rate(2000) | {"seconds": 1.2 * noise, "unanswered": 0}
    for clients in (10, 100, 1000, 5000):
        # The first server leaves some of the largest crowd unanswered, once.
        lost = 7 if place == 1 and clients == 5000 and noise > 1 else 0
        figures = {"seconds": max(0.1, clients * place / 4000) * noise, "unanswered": lost}
        yield OURS, f"crowd {clients}", figures
    if asgi:
        yield STOCK, "hello", rate(place * 250)
        yield OURS, "sync", rate(place * 600)
        yield STOCK, "sync", rate(place * 200)
        costs = {"proxy seconds": 50e-6, "server seconds": 300e-6}
        yield OURS, "nginx hello", rate(place * 950) | {"direct": place * 1000 * noise} | costs
        yield OURS, "echo", rate(place * 2000)
        yield BARE, "echo", rate(place * 4000)
        yield OURS, "room", rate(place * 3000) | {"lost": 0}
        yield PUBSUB, "room", rate(place * 6000) | {"lost": 0}
        yield BARE, "idle", {"bytes 1000": place * 10 * 1024}
        # The last server closes WebSockets once.
        broken = place == len(NAMES) and noise > 1
        yield (
            OURS,
            "idle",
            {"error": "9 WebSockets were closed"}
            if broken
            else {"bytes 1000": place * 20 * 1024, "bytes 5000": place * 18 * 1024},
        )

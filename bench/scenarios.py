"""What is measured, and in which order."""

import secrets
import time
from dataclasses import dataclass
from functools import partial

from bench import services
from bench.apps.answers import EVENTS
from bench.load import http, websocket, wrk
from bench.machine import memory, processor_seconds
from bench.servers import BARE, PUBSUB, STOCK, TUNED
from bench.summary import percentile

LISTENERS = 100  # of server-sent events
ECHOES = 100  # WebSockets that talk to the server
CLIENTS, EVERY = 100, 10  # in the one room, and which of them speak: every tenth
LEAVE = 30  # seconds at most for a server to take leave of its idle WebSockets


@dataclass(frozen=True)
class Plan:
    """How long to measure."""

    rounds: int
    seconds: int  # of what bin/serve and the hand-tuned command are compared by
    brief: int  # seconds of everything else that could go on for ever
    crowds: tuple  # clients that come at once
    idle: tuple  # WebSockets that stay open
    thorough: bool  # with what a first look can do without

    @property
    def files(self):
        """How many open files that takes, with some to spare."""
        return max(*self.crowds, *self.idle) + 1000


FULL = Plan(rounds=5, seconds=2, brief=1, crowds=(10, 100, 1000, 5000), idle=(1000, 5000), thorough=True)
QUICK = Plan(rounds=1, seconds=1, brief=1, crowds=(10, 100, 1000), idle=(1000,), thorough=False)
COMPARED = (100, 1000)  # the crowds for which a server is compared without the fast path, and without Django


def turns(stacks, number):
    """Return which (stack, variant) follow each other in a round.

    No server is measured after another: each round visits all, and begins one further. What is compared closest,
    bin/serve and the hand-tuned command, stands side by side, now the one and now the other first.
    """
    begin = number % len(stacks)
    order = []
    for stack in stacks[begin:] + stacks[:begin]:
        pair, others = stack.variants[:2], stack.variants[2:]
        order += [(stack, variant) for variant in (pair if number % 2 == 0 else pair[::-1]) + others]
    return order


class Measurements:
    """Everything that can be measured on one running server; `load` makes the load."""

    def __init__(self, server, load, plan):
        self.server, self.load, self.plan = server, load, plan

    def all(self):
        """Return the scenarios of this server's variant, by name, in their order."""
        asgi, variant, thorough = self.server.stack.interface == "asgi", self.server.variant, self.plan.thorough
        start = {"start": self.start}
        hello = {"hello": partial(self.requests, "/hello/", self.plan.seconds)}
        query, sync = partial(self.requests, "/query/"), partial(self.requests, "/sync/")
        echo, room = {"echo": self.echo} if asgi else {}, {"room": self.room} if asgi else {}
        crowds = {f"crowd {clients}": partial(self.crowd, clients) for clients in self.plan.crowds}
        few = {f"crowd {clients}": crowds[f"crowd {clients}"] for clients in COMPARED if clients in self.plan.crowds}
        proxied = thorough and services.nginx_version()
        nginx = {f"nginx {path}": partial(self.nginx, f"/{path}/") for path in ("hello", "query")} if proxied else {}
        if variant == TUNED:
            return start | hello
        if variant == PUBSUB:
            return room if thorough else {}
        if variant == STOCK:
            some = hello | {"query": query}
            return some | ({"sync": sync} | room | few if thorough else {})
        if variant == BARE:
            idle = {"idle": partial(self.idle, self.plan.idle[:1])} if asgi else {}
            return start | {"hello": partial(self.requests, "/hello/")} | (idle | echo | few if thorough else {})
        return {
            **start,
            **hello,
            "memory": self.memory,
            # Before what leaves free memory behind in the workers.
            **({"idle": self.idle} if asgi else {}),
            **({"sync": sync} if asgi and thorough else {}),
            "query": query,
            **nginx,
            "events": self.events,
            **echo,
            **room,
            **crowds,
        }

    def start(self):
        """Seconds from the command to the first answer."""
        return {"seconds": self.server.start}

    def warm_up(self, path):
        """Let every worker have done what it does but once."""
        self.load.run(http.crowd, 100, self.server.port, path)

    def rest(self):
        """Wait until the server has taken leave of many clients; the next scenario would pay for it."""
        end = time.monotonic() + LEAVE
        while time.monotonic() < end:
            before = processor_seconds(self.server.session)
            time.sleep(0.25)
            if processor_seconds(self.server.session) - before < 0.02:
                return

    def requests(self, path, seconds=None):
        """Plain requests over kept connections."""
        self.warm_up(path)
        return wrk.run(f"http://127.0.0.1:{self.server.port}{path}", seconds or self.plan.brief, self.load.count)

    def nginx(self, path):
        """Plain requests through a proxy, and side by side without it; what one costs the proxy and the server."""
        seconds = self.plan.seconds
        direct = self.requests(path, seconds)
        with services.nginx(self.server.port, self.server.workers) as (port, session):
            self.load.run(http.crowd, 100, port, path)
            sessions = {"proxy": session, "server": self.server.session}
            before = {who: processor_seconds(session) for who, session in sessions.items()}
            proxied = wrk.run(f"http://127.0.0.1:{port}{path}", seconds, self.load.count)
            costs = {
                f"{who} seconds": (processor_seconds(session) - before[who]) / (proxied["rate"] * seconds)
                for who, session in sessions.items()
            }
        return proxied | {"direct": direct["rate"]} | costs

    def memory(self):
        """The server with all its processes, for each worker."""
        return {"bytes": memory(self.server.session) / self.server.workers}

    def crowd(self, clients):
        """All at once; each waits in the server for 0.1 s."""
        shares = self.load.run(http.crowd, clients, self.server.port, "/wait/")
        seconds, answers, _ = _together(shares)
        return _figures(answers, seconds) | {"seconds": seconds, "unanswered": clients - len(answers)}

    def events(self):
        """Listeners of server-sent events."""
        shares = self.load.run(http.crowd, LISTENERS, self.server.port, "/events/")
        seconds, answers, delays = _together(shares)
        lost = LISTENERS * EVENTS - len(delays)
        return _figures(delays, seconds) | {"seconds": seconds, "unanswered": LISTENERS - len(answers), "lost": lost}

    def echo(self):
        """WebSockets that send a text, wait for it and send the next."""
        path = "/ws/bench/echo/"
        shares = self.load.run(websocket.echo, ECHOES, self.server.port, path, self.plan.brief)
        return _figures([delay for delays in shares for delay in delays], self.plan.brief)

    def room(self):
        """Some speak, all hear. Each room is new, so that no vanished client is still in it."""
        path = f"/ws/bench/room/{secrets.token_hex(8)}/"
        shares = self.load.run(websocket.room, CLIENTS, self.server.port, path, EVERY, self.plan.brief)
        delays = [delay for *_, delays in shares for delay in delays]
        sent, in_time = (sum(share[field] for share in shares) for field in (0, 1))
        return _figures(delays, self.plan.brief) | {
            "rate": in_time / self.plan.brief, "lost": sent * CLIENTS - len(delays),
        }  # fmt: skip

    def idle(self, counts=None):
        """Bytes of each WebSocket that only stays open, for each of these numbers of them."""
        arguments = (self.server.port, "/ws/bench/echo/", counts or self.plan.idle, self.server.session)
        (costs,) = self.load.run(websocket.idle, 1, *arguments, processes=1)
        self.rest()
        return {f"bytes {count}": cost for count, cost in costs.items()}


def _together(shares):
    """Take what the processes of a crowd returned; return it as if it were one."""
    answers, delays = ([value for share in shares for value in share[field]] for field in (1, 2))
    return max(share[0] for share in shares), answers, delays


def _figures(seconds, duration):
    """Return rate, p50 and p99 of what took so many seconds each."""
    if not seconds:
        return {"rate": 0}
    return {"rate": len(seconds) / duration, "p50": percentile(seconds, 50), "p99": percentile(seconds, 99)}

"""What the fast path is to reach on each ASGI server, and whether a run did."""

import math
from dataclasses import dataclass

from bench.scenarios import COMPARED
from bench.servers import BARE, OURS, STOCK
from bench.summary import Spread

GTHREAD = "wsgi-gunicorn"  # Django's best known server, which the others are compared with


@dataclass(frozen=True)
class Target:
    """A figure of a server over the rounds, from `measure`, and the limit that its median keeps or breaks."""

    what: str
    limit: float
    least: bool  # whether the limit is the least or the most
    measure: object  # takes Results and a stack's name, returns a Spread or None

    @property
    def text(self):
        """Return the limit as it is written."""
        return f"{'at least' if self.least else 'at most'} {self.limit:g}"

    def kept(self, spread):
        """Whether a measured figure keeps the limit."""
        if self.least:
            return spread.median >= self.limit
        return (spread.median if self.limit else spread.high) <= self.limit  # at most none: in every round


def _pairs(ones, others):
    return Spread.of([one / other for one, other in zip(ones, others, strict=False) if other])


def _times(scenario, other=STOCK, field="rate"):
    """Return a measure: our figure for each one of another variant, round by round."""
    return lambda results, stack: _pairs(
        results.values(stack, OURS, scenario, field), results.values(stack, other, scenario, field)
    )


def _figure(scenario, field, unit=1):
    """Return a measure: our own figure."""
    return lambda results, stack: Spread.of([value / unit for value in results.values(stack, OURS, scenario, field)])


def _all_answered(scenario):
    """Return a measure: the seconds until all of a crowd were answered, which never comes where one was not."""
    return lambda results, stack: Spread.of(
        [
            math.inf if lost else seconds
            for seconds, lost in zip(
                results.values(stack, OURS, scenario, "seconds"),
                results.values(stack, OURS, scenario, "unanswered"),
                strict=False,
            )
        ]
    )


def _of_gthread(results, stack):
    return _pairs(results.values(stack, OURS, "hello", "rate"), results.values(GTHREAD, OURS, "hello", "rate"))


def _through_nginx(path):
    return lambda results, stack: _pairs(
        results.values(stack, OURS, f"nginx {path}", "rate"), results.values(stack, OURS, f"nginx {path}", "direct")
    )


FEW, MANY = (f"crowd {clients}" for clients in COMPARED)
TARGETS = (
    Target("`hello`, times Django's own path", 4, True, _times("hello")),
    Target("`hello`, of gunicorn's threads (WSGI)", 0.8, True, _of_gthread),
    Target("`sync`, times Django's own path", 3.5, True, _times("sync")),
    Target("`query`, times Django's own path", 2, True, _times("query")),
    Target("100 at once, s", 0.15, False, _all_answered(FEW)),
    Target("1,000 at once, s", 0.56, False, _all_answered(MANY)),
    Target("100 at once, times no Django", 1.35, False, _times(FEW, BARE, "seconds")),
    Target("1,000 at once, times no Django", 3.3, False, _times(MANY, BARE, "seconds")),
    Target("5,000 at once, unanswered", 0, False, _figure("crowd 5000", "unanswered")),
    Target("texts in a room, times Django's own path", 3, True, _times("room")),
    Target("their delay (p99), of Django's own path", 0.4, False, _times("room", field="p99")),
    Target("KiB of an idle WebSocket, 1,000 open", 36, False, _figure("idle", "bytes 1000", 1024)),
    Target("`hello` through nginx, of direct", 0.93, True, _through_nginx("hello")),
    Target("`query` through nginx, of direct", 0.93, True, _through_nginx("query")),
)

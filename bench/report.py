"""The report: Markdown that GitHub shows, every number of it from raw.json."""

import json

from bench.apps.answers import EVENTS, PAUSE, WAIT
from bench.load.wrk import CONNECTIONS
from bench.scenarios import CLIENTS, COMPARED, ECHOES, EVERY, LISTENERS
from bench.servers import BARE, OURS, PUBSUB, TUNED
from bench.summary import Results
from bench.targets import TARGETS

MIB, KIB, MILLISECOND, MICROSECOND = 2**20, 2**10, 1e-3, 1e-6
ALLOWED = 0.05  # of its throughput is what bin/serve may lose to the hand-tuned command


def as_json(raw):
    """Return raw.json: one result a line, so that a comparison of two runs is readable."""
    rest = {name: value for name, value in raw.items() if name != "results"}
    lines = ",\n".join(f"  {json.dumps(result)}" for result in raw["results"])
    return f'{json.dumps(rest, indent=1)[:-2]},\n "results": [\n{lines}\n ]\n}}\n'


def title(stack):
    """Return what a stack is called in tables and pictures."""
    return f"{stack['server']} ({stack['interface'].upper()})"


def number(value):
    """Return a figure with three digits that count, as people write it."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


class Report:
    """The tables of one run."""

    def __init__(self, raw):
        self.raw, self.stacks, self.results = raw, raw["stacks"], Results(raw)

    def median(self, stack, *where, unit=1):
        """Return the median of a (variant, scenario, field), or a dash where there is none."""
        found = self.results.spread(stack["name"], *where)
        return number(found.median / unit) if found else "-"

    def cell(self, stack, *where, unit=1):
        """Return the median and, from several rounds, the lowest and the highest."""
        found = self.results.spread(stack["name"], *where)
        if not found or self.raw["plan"]["rounds"] == 1:
            return self.median(stack, *where, unit=unit)
        return f"{number(found.median / unit)} ({number(found.low / unit)}-{number(found.high / unit)})"

    def table(self, head, row):
        """Return a table with a line for each stack; `row` makes its cells."""
        lines = ["| server | " + " | ".join(head) + " |", "| --- |" + " ---: |" * len(head)]
        for stack in self.stacks:
            cells = row(stack)
            if any(cell != "-" for cell in cells):
                lines.append(f"| {title(stack)} | " + " | ".join(cells) + " |")
        return "\n".join(lines) if len(lines) > 2 else "Not measured."

    def summary(self):
        crowd = max(self.raw["plan"]["crowds"])
        head = ["hello/s", "query/s", f"{crowd:,} at once, s", "WebSocket echoes/s", "texts in a room/s"]

        def row(stack):
            return [
                self.median(stack, OURS, "hello", "rate"),
                self.median(stack, OURS, "query", "rate"),
                self.median(stack, OURS, f"crowd {crowd}", "seconds") + self.unanswered(stack, OURS, crowd),
                self.median(stack, OURS, "echo", "rate"),
                self.median(stack, OURS, "room", "rate"),
                self.median(stack, OURS, "memory", "bytes", unit=MIB),
                self.median(stack, OURS, "start", "seconds"),
            ]

        return self.table([*head, "MiB a worker", "start, s"], row)

    def unanswered(self, stack, variant, clients):
        """Return how many of a crowd got no answer in the worst round, where that was any."""
        found = self.results.spread(stack["name"], variant, f"crowd {clients}", "unanswered")
        return f", **{found.high:,} unanswered**" if found and found.high else ""

    def crowd(self, stack, variant, clients):
        """Return the seconds until a crowd was answered."""
        return self.cell(stack, variant, f"crowd {clients}", "seconds") + self.unanswered(stack, variant, clients)

    def crowds(self):
        counts = self.raw["plan"]["crowds"]
        return self.table(
            [f"{count:,}" for count in counts], lambda stack: [self.crowd(stack, OURS, count) for count in counts]
        )

    def bare_crowd(self):
        counts = [count for count in COMPARED if count in self.raw["plan"]["crowds"]]
        return self.table(
            [f"{count:,}, {who}" for count in counts for who in ("Django", "bare")],
            lambda stack: [self.crowd(stack, variant, count) for count in counts for variant in (OURS, BARE)],
        )

    def percentages(self, stack, scenario, variant, other):
        """Return how many % of `other` a variant reaches, round by round."""
        found = self.results.ratio(stack["name"], scenario, variant, other)
        if not found:
            return "-"
        text = f"{found.median * 100:.0f} %"
        if self.raw["plan"]["rounds"] > 1:
            text += f" ({found.low * 100:.0f}-{found.high * 100:.0f})"
        return text

    def costs(self):
        def row(stack):
            rates = [self.cell(stack, variant, "hello", "rate") for variant in (OURS, TUNED, BARE)]
            return [
                *rates,
                self.percentages(stack, "hello", OURS, TUNED),
                self.percentages(stack, "hello", OURS, BARE),
            ]

        return self.table(["bin/serve", "hand-tuned", "bare", "of hand-tuned", "of bare"], row)

    def targets(self):
        """Return a line for each target, a column for each ASGI server; what misses it stands out."""
        stacks = [stack for stack in self.stacks if stack["interface"] == "asgi"]
        lines = [
            "| | target | " + " | ".join(stack["server"] for stack in stacks) + " |",
            "| --- | ---: |" + " ---: |" * len(stacks),
        ]
        for target in TARGETS:
            found = [target.measure(self.results, stack["name"]) for stack in stacks]
            if any(found):
                cells = [self.judged(target, spread) if spread else "-" for spread in found]
                lines.append(f"| {target.what} | {target.text} | " + " | ".join(cells) + " |")
        return "\n".join(lines) if len(lines) > 2 else "Not measured."

    def judged(self, target, spread):
        """Return a figure, in bold where it misses its target."""
        text = number(spread.median)
        if self.raw["plan"]["rounds"] > 1 and spread.low != spread.high:
            text += f" ({number(spread.low)}-{number(spread.high)})"
        return text if target.kept(spread) else f"**{text}**"

    def losses(self):
        """Return the sentence that judges our defaults."""
        found = []
        for stack in self.stacks:
            ratio = self.results.ratio(stack["name"], "hello", OURS, TUNED)
            if ratio:
                found.append((1 - ratio.median, stack))
        if not found:
            return ""
        loss, worst = max(found, key=lambda pair: pair[0])
        over = [title(stack) for loss, stack in found if loss > ALLOWED]
        verdict = f"more than {ALLOWED:.0%}: {', '.join(over)}." if over else f"none loses more than {ALLOWED:.0%}."
        if loss <= 0:
            return "Against the hand-tuned command `bin/serve` loses nothing in any server's median."
        return f"Against the hand-tuned command `bin/serve` loses most with {title(worst)}: {loss:.1%}; {verdict}"

    def requests(self, scenarios):
        def row(stack):
            return [
                text
                for scenario in scenarios
                for text in (
                    self.cell(stack, OURS, scenario, "rate"),
                    self.median(stack, OURS, scenario, "p50", unit=MILLISECOND),
                    self.median(stack, OURS, scenario, "p99", unit=MILLISECOND),
                )
            ]

        return self.table([f"{scenario}{what}" for scenario in scenarios for what in ("/s", " p50", " p99")], row)

    def proxied(self):
        paths = ("hello", "query")

        def row(stack):
            return [
                text
                for path in paths
                for text in (
                    self.cell(stack, OURS, f"nginx {path}", "rate"),
                    self.median(stack, OURS, f"nginx {path}", "proxy seconds", unit=MICROSECOND),
                    self.median(stack, OURS, f"nginx {path}", "server seconds", unit=MICROSECOND),
                )
            ]

        return self.table([f"{path}{what}" for path in paths for what in ("/s", ", nginx", ", server")], row)

    def events(self):
        def row(stack):
            return [
                self.cell(stack, OURS, "events", "seconds"),
                self.cell(stack, OURS, "events", "rate"),
                self.cell(stack, OURS, "events", "p50", unit=MILLISECOND),
                self.cell(stack, OURS, "events", "p99", unit=MILLISECOND),
            ]

        return self.table(["all have all, s", "events/s", "delay p50, ms", "delay p99, ms"], row)

    def echoes(self):
        def row(stack):
            cells = [self.cell(stack, OURS, "echo", "rate"), self.cell(stack, OURS, "echo", "p50", unit=MILLISECOND)]
            cells += [self.cell(stack, OURS, "echo", "p99", unit=MILLISECOND), self.cell(stack, BARE, "echo", "rate")]
            return [*cells, self.percentages(stack, "echo", OURS, BARE)]

        return self.table(["echoes/s", "p50, ms", "p99, ms", "bare, echoes/s", "of bare"], row)

    def rooms(self):
        def row(stack):
            return [
                self.cell(stack, variant, "room", field, unit=unit)
                for variant in (OURS, PUBSUB)
                for field, unit in (("rate", 1), ("p99", MILLISECOND), ("lost", 1))
            ]

        layers = ("core", "pubsub")
        return self.table([f"{layer}{what}" for layer in layers for what in (", texts/s", ", p99 ms", ", lost")], row)

    def memory(self):
        counts = self.raw["plan"]["idle"]

        def row(stack):
            cells = [self.cell(stack, OURS, "memory", "bytes", unit=MIB)]
            cells += [self.cell(stack, BARE, "idle", f"bytes {counts[0]}", unit=KIB)]
            cells += [self.cell(stack, OURS, "idle", f"bytes {count}", unit=KIB) for count in counts]
            return [*cells, self.cell(stack, OURS, "start", "seconds")]

        idle = [f"KiB a WebSocket, {counts[0]:,} idle without Django"]
        idle += [f"KiB a WebSocket, {count:,} idle" for count in counts]
        return self.table(["MiB a worker", *idle, "start, s"], row)

    def failures(self):
        """Return a line for each scenario that failed or lost requests, and one for none."""
        lines = []
        for (name, variant, scenario), rounds in self.results.rounds.items():
            stack = next(stack for stack in self.stacks if stack["name"] == name)
            lost = [f"{result['failed']} requests failed" for result in rounds if result.get("failed")]
            lost += [f"{result['lost']} texts or events lost" for result in rounds if result.get("lost")]
            errors = [result["error"] for result in rounds if "error" in result]
            if lost or errors:
                lines.append(f"- {title(stack)}, {variant}, {scenario}: {'; '.join(lost + errors)}")
        return "\n".join(lines) or "Nothing."

    def commands(self):
        """Return the command lines, as they ran."""
        blocks = []
        for stack in self.stacks:
            lines = "\n".join(f"{variant}: {command}" for variant, command in stack["commands"].items() if command)
            versions = ", ".join(f"{name} {version}" for name, version in stack["versions"].items())
            blocks.append(f"**{title(stack)}**: {versions}\n\n```text\n{lines}\n```")
        return "\n\n".join(blocks)


def write(raw, pictures):
    """Take a run and the names of its pictures; return the report."""
    report = Report(raw)
    facts, plan = raw["machine"], raw["plan"]
    versions = ", ".join(
        version if name == "database" else f"{name} {version}" for name, version in raw["versions"].items()
    )

    def picture(name, text):
        return f"![{text}]({name})\n" if name in pictures else ""

    rounds = f"{plan['rounds']} rounds" if plan["rounds"] > 1 else "one round, so take it as a hint"
    return f"""# The servers, measured

{facts["cores"]} cores ({facts["processor"]}), {facts["memory_gib"]} GiB, {facts["system"]}, Linux {facts["kernel"]};
{versions}. {raw["workers"]} workers a server, {rounds}, {raw["date"]}, {raw["minutes"]} minutes.

Load and servers share these cores and 127.0.0.1: compare the lines with each other, not with another machine's. A
figure is the median of the rounds, in brackets the lowest and the highest. All figures: [raw.json](raw.json).

{report.summary()}

## All at once

So many clients come at the same moment, and each request waits {WAIT} s in the server: `time.sleep` under WSGI,
`asyncio.sleep` under ASGI. Seconds until the last one is answered; {WAIT} s is the limit. A simulation of the same gave
1.01 s for 100 clients of ten threads, and 0.10 s for those of an event loop.

{picture("at-once.svg", "Clients that come at once, and the seconds until all are answered")}
{report.crowds()}

Without Django on the same server:

{report.bare_crowd()}

## What Django and our defaults cost

The same short text, over {CONNECTIONS} kept connections: the project by `bin/serve`, the project by the command that
an expert would type for throughput, and an application of a few lines without Django.
{report.losses()}

{picture("throughput.svg", "Requests a second of each server")}
{report.costs()}

## What Django's own ASGI path costs

The project as it is, and with `FASTPATH=off`, which is Django's own path, on the same server with the same command.
`hello` is an asynchronous view, `sync` a plain function, `query` asks {raw["versions"]["database"]} once. What misses
its target stands in bold. Why it is so: docs/fastpath.md of Slipway.

{picture("fastpath.svg", "Requests a second by the fast path and by Django's own")}
{report.targets()}

## Requests

`hello` is a short text, `sync` the same from a plain function under ASGI, `query` one query of the database
({raw["versions"]["database"]}). Requests a second, and milliseconds that half of them and 99 % of them stay below.

{report.requests(("hello", "sync", "query"))}

Through nginx, and the microseconds of a core that a request costs nginx and the server's workers:

{report.proxied()}

## Server-sent events

{LISTENERS} listeners, each of whom gets {EVENTS} events in {EVENTS * PAUSE:g} s. With fewer threads than listeners,
some wait for their turn. The delay is the time from an event's making to its arrival.

{report.events()}

## WebSockets

{ECHOES} clients that send 64 bytes, wait for them and send again:

{report.echoes()}

A room of {CLIENTS} clients on {raw["workers"]} workers, over Redis. One in {EVERY} speaks, each again when all clients
of its load process have heard it. Texts that reach clients each second, how late 99 % of them come at most, and how
many never came, with both channel layers:

{picture("room.svg", "Texts that reach the clients of a room each second")}
{report.rooms()}

## Memory and start

PSS of all processes of the server, divided by its workers, after a first load; what each idle WebSocket, which offers
compression as browsers do, adds to all of them; and the time from the command to the first answer.

{picture("memory.svg", "Memory of an idle WebSocket")}
{report.memory()}

## What failed

{report.failures()}

## What ran

The log, of level info, went to a file. The settings were those of production (`DEBUG=false`), without the redirect to
HTTPS.

{report.commands()}
"""

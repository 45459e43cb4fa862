"""The pictures: SVG, the same bytes for the same figures."""

import matplotlib as mpl
from matplotlib import pyplot as plt

from bench.apps.answers import WAIT
from bench.report import KIB, title
from bench.servers import BARE, OURS, PUBSUB, STOCK, TUNED
from bench.summary import Results

# Okabe and Ito's colours, which colour-blind people can tell apart; each line has a marker of its own too.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#000000")
MARKERS = "osD^vPX"
BLUE, ORANGE, GREEN, *_, PINK, _ = COLOURS
STYLE = {
    "svg.hashsalt": "bench",
    "figure.facecolor": "white",  # readable on a dark page too
    "figure.figsize": (8, 4.5),
    "figure.constrained_layout.use": True,
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#DDDDDD",
}


def draw(raw, folder, kind="svg"):
    """Write each picture that the run has figures for into `folder`; return their names."""
    results, names = Results(raw), []
    with mpl.rc_context(STYLE):
        for name, make in PICTURES.items():
            figure = make(raw, results)
            if figure:
                names.append(f"{name}.{kind}")
                metadata = {"Date": None} if kind == "svg" else None
                figure.savefig(folder / names[-1], metadata=metadata, dpi=100)
        plt.close("all")
    return names


def at_once(raw, results):
    """The classic comparison: how long crowds wait."""
    figure, axes = plt.subplots()
    for stack, colour, marker in zip(raw["stacks"], COLOURS, MARKERS, strict=False):
        crowds = {}
        for count in raw["plan"]["crowds"]:
            if found := results.spread(stack["name"], OURS, f"crowd {count}", "seconds"):
                crowds[count] = found
                lost = results.spread(stack["name"], OURS, f"crowd {count}", "unanswered").high
                if lost:
                    place = {"xytext": (-9, -3), "textcoords": "offset points", "ha": "right", "fontsize": 9}
                    paper = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}
                    axes.annotate(f"{lost:,} unanswered", (count, found.median), color=colour, bbox=paper, **place)
        low, high = [found.low for found in crowds.values()], [found.high for found in crowds.values()]
        axes.fill_between(list(crowds), low, high, color=colour, alpha=0.15, linewidth=0)
        dashes = "--" if stack["interface"] == "wsgi" else "-"
        medians = [found.median for found in crowds.values()]
        axes.plot(list(crowds), medians, dashes, color=colour, marker=marker, label=title(stack))
    if not any(len(line.get_xdata()) for line in axes.lines):
        return None
    axes.axhline(WAIT, color="#555555", linewidth=1.2, linestyle=":")
    axes.text(max(raw["plan"]["crowds"]), WAIT * 0.93, f"limit {WAIT} s", ha="right", va="top", color="#555555")
    axes.set(xscale="log", yscale="log", xlabel="clients that come at once", ylabel="seconds until all are answered")
    axes.set_title(f"Each request waits {WAIT} s", loc="left")
    axes.set_xticks(raw["plan"]["crowds"], [f"{count:,}" for count in raw["plan"]["crowds"]])
    axes.set_ylim(bottom=WAIT * 0.75)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.minorticks_off()
    axes.legend(frameon=False)
    return figure


def throughput(raw, results):
    """What Django and our defaults cost."""
    django = [
        ("bin/serve", BLUE, OURS, "hello", "rate"),
        ("hand-tuned", ORANGE, TUNED, "hello", "rate"),
        ("bin/serve, one query", GREEN, OURS, "query", "rate"),
    ]
    stacks = measured(raw, results, django)
    if not stacks:
        return None
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 2 + 0.75 * len(stacks)))
    bars(left, stacks, results, django)
    bars(right, stacks, results, [("bare", PINK, BARE, "hello", "rate")])
    left.set_title("Django, requests a second", loc="left")
    right.set_title("no Django, requests a second", loc="left")
    figure.legend(loc="outside lower center", ncols=4, frameon=False)
    return figure


def fastpath(raw, results):
    """What the fast path gains, for three kinds of requests."""
    kinds = ("hello", "sync", "query")
    both = ("Django's own path", ORANGE, STOCK), ("fast path", BLUE, OURS)
    stacks = measured(raw, results, [(*both[0], kind, "rate") for kind in kinds])
    if not stacks:
        return None
    figure, panels = plt.subplots(1, len(kinds), figsize=(13, 1.5 + 0.6 * len(stacks)), sharey=True)
    for axes, kind in zip(panels, kinds, strict=True):
        bars(axes, stacks, results, [(*one, kind, "rate") for one in both])
        axes.set_title(f"{kind}, requests a second", loc="left")
    panels[0].invert_yaxis()  # shared: each panel has turned it
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return figure


def memory(raw, results):
    """What an idle WebSocket costs."""
    counts = zip(raw["plan"]["idle"], COLOURS, strict=False)
    series = [(f"{count:,} open", colour, OURS, "idle", f"bytes {count}") for count, colour in counts]
    return single(raw, results, "KiB that each idle WebSocket adds", series, KIB)


def room(raw, results):
    """How fast a room's texts reach its clients."""
    series = [("core layer", BLUE, OURS, "room", "rate"), ("pubsub layer", ORANGE, PUBSUB, "room", "rate")]
    return single(raw, results, "Texts that reach the clients of one room, a second", series)


def single(raw, results, heading, series, unit=1):
    """Return a picture with one group of bars for each stack, or None without figures."""
    stacks = measured(raw, results, series)
    if not stacks:
        return None
    figure, axes = plt.subplots(figsize=(8, 1.5 + 0.6 * len(stacks)))
    bars(axes, stacks, results, [one for one in series if measured(raw, results, [one])], unit)
    axes.set_title(heading, loc="left")
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure


def measured(raw, results, series):
    """Return the stacks of which a run has one of these (label, colour, variant, scenario, field)."""
    return [stack for stack in raw["stacks"] if any(results.spread(stack["name"], *where) for _, _, *where in series)]


def bars(axes, stacks, results, series, unit=1):
    """Draw horizontal bars: a group for each stack, a bar for each of `series`, a whisker over the rounds."""
    height = 0.8 / len(series)
    for row, (label, colour, *where) in enumerate(series):
        places, medians, whiskers = [], [], ([], [])
        for position, stack in enumerate(stacks):
            if found := results.spread(stack["name"], *where):
                places.append(position + (row - (len(series) - 1) / 2) * height)
                medians.append(found.median / unit)
                whiskers[0].append((found.median - found.low) / unit)
                whiskers[1].append((found.high - found.median) / unit)
        grey = {"ecolor": "#555555", "elinewidth": 1, "capsize": 2}
        drawn = axes.barh(places, medians, height * 0.92, xerr=whiskers, color=colour, label=label, error_kw=grey)
        axes.bar_label(drawn, [f" {value:,.0f}" for value in medians], fontsize=9, padding=2)
    axes.set_yticks(range(len(stacks)), [title(stack) for stack in stacks])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.margins(x=0.15)
    axes.xaxis.set_major_formatter("{x:,.0f}")


PICTURES = {"at-once": at_once, "throughput": throughput, "fastpath": fastpath, "memory": memory, "room": room}

"""The report says what raw.json says."""

import json
import re

import pytest

from bench import report
from tests.bench.example import NAMES, example


@pytest.fixture(scope="module")
def page():
    return report.write(example(), ["at-once.svg", "throughput.svg"])


def section(page, heading):
    """Return a section's text."""
    return re.search(rf"^## {heading}$(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)[1]


def row(text, server):
    """Return the cells after a server's name in the first table of a text."""
    line = re.search(rf"^\| {re.escape(server)} \| (.*) \|$", text, re.MULTILINE)
    return line[1].split(" | ") if line else None


def test_the_machine_and_the_versions_are_named(page):
    for fact in ("2 cores", "Abacus 9000", "23.5 GiB", "Debian GNU/Linux 13 (trixie)", "Linux 6.12.0"):
        assert fact in page
    for version in ("wrk 4.1.0", "redis-server 8.0.2", "PostgreSQL 17.5", "django 6.1.3", "3 rounds", "2026-01-02"):
        assert version in page


def test_every_server_stands_in_the_summary_with_its_medians(page):
    assert row(page, "gunicorn (WSGI)") == ["1,000", "500", "1.25, **7 unanswered**", "-", "-", "10.0", "1.50"]
    assert row(page, "uvicorn (ASGI)")[:5] == ["3,000", "1,500", "3.75", "6,000", "9,000"]
    assert len(re.findall(r"^\| \w+ \([AW]SGI\) ", page.partition("## ")[0], re.MULTILINE)) == len(NAMES)


def test_a_figure_is_the_median_with_lowest_and_highest(page):
    assert row(section(page, "Requests"), "uvicorn (ASGI)")[:3] == ["3,000 (2,700-3,600)", "10.0", "50.0"]
    assert row(section(page, "Memory and start"), "uvicorn (ASGI)") == [
        "30.0 (30.0-30.0)", "30.0 (30.0-30.0)", "60.0 (60.0-60.0)", "54.0 (54.0-54.0)", "1.50 (1.35-1.80)",
    ]  # fmt: skip
    proxied = section(page, "Requests").partition("Through nginx")[2]
    assert row(proxied, "uvicorn (ASGI)") == ["2,850 (2,565-3,420)", "50.0", "300", "-", "-", "-"]


def test_our_defaults_are_judged_against_the_hand_tuned_command(page):
    costs = section(page, "What Django and our defaults cost")
    assert row(costs, "gunicorn (ASGI)")[3:] == ["91 % (91-91)", "10 % (10-10)"]
    assert row(costs, "uvicorn (ASGI)")[3] == "101 % (101-101)"
    assert "loses most with gunicorn (ASGI): 9.1%; more than 5%: gunicorn (ASGI)." in costs


def test_the_fast_path_is_held_against_its_targets(page):
    table = section(page, "What Django's own ASGI path costs")
    servers = re.search(r"^\| \| target \| (.*) \|$", table, re.MULTILINE)[1].split(" | ")
    assert servers == ["uvicorn", "daphne", "hypercorn", "granian", "gunicorn"]
    assert row(table, "`hello`, times Django's own path") == ["at least 4", *["4.00"] * 5]
    assert row(table, "`sync`, times Django's own path") == ["at least 3.5", *["**3.00**"] * 5]
    assert row(table, "`hello`, of gunicorn's threads (WSGI)")[:2] == ["at least 0.8", "3.00"]
    assert row(table, "5,000 at once, unanswered")[:2] == ["at most 0", "0"]
    assert row(table, "KiB of an idle WebSocket, 1,000 open")[:2] == ["at most 36", "**60.0**"]
    assert row(table, "`hello` through nginx, of direct") == ["at least 0.93", *["0.95"] * 5]
    assert row(table, "`query`, times Django's own path") is None


def test_no_loss_is_told_as_such():
    raw = example()
    raw["results"] = [result for result in raw["results"] if result["stack"] != "asgi-gunicorn"]
    assert "loses nothing" in report.write(raw, [])


def test_both_channel_layers_are_compared(page):
    cells = row(section(page, "WebSockets").partition("A room of")[2], "daphne (ASGI)")
    assert (cells[0], cells[3]) == ("12,000 (10,800-14,400)", "24,000 (21,600-28,800)")


def test_only_pictures_that_were_drawn_are_shown(page):
    assert re.findall(r"\]\(([\w-]+\.svg)\)", page) == ["at-once.svg", "throughput.svg"]


def test_failures_are_told(page):
    assert section(page, "What failed").strip().splitlines() == [
        "- granian (WSGI), bin/serve, query: 3 requests failed",
        "- gunicorn (ASGI), bin/serve, idle: 9 WebSockets were closed",
    ]


def test_the_command_lines_are_shown(page):
    assert "hand-tuned: wsgi-granian --fast" in section(page, "What ran")


def test_a_project_without_websockets_has_a_report_too():
    raw = example()
    raw["stacks"] = [stack for stack in raw["stacks"] if stack["name"] == "wsgi-gunicorn"]
    raw["results"] = [result for result in raw["results"] if result["stack"] == "wsgi-gunicorn"]
    assert "Not measured." in section(report.write(raw, []), "WebSockets")


def test_raw_figures_are_kept_one_a_line_and_in_few_bytes():
    text = report.as_json(example())
    assert json.loads(text) == example()
    assert len(re.findall(r'^  \{"round"', text, re.MULTILINE)) == len(example()["results"])
    assert len(text) < 300_000

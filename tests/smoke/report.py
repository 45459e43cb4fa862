"""What the operator gets: the log lines that explain a failure, and a page for the browser."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import jinja2
import pytest
from urllib3.exceptions import HTTPError
from websockets.exceptions import WebSocketException

from .expected import has_redis, in_containers, unit_name, units
from .inventory import Inventory, Machine, Unusable

LINES = 12  # of each unit's journal
# The application's lines on what went well, this suite's own visits among them, would hide the others.
QUIET = """| grep -vE '"level": "INFO"|"message": "Not Found:'"""
# What a host that does not answer raises: a finding, of which a traceback says nothing more.
UNANSWERED = (OSError, HTTPError, WebSocketException)
PAGE = Path(__file__).with_name("report.html.j2")


@dataclass
class Row:
    """One check: a sentence, what it looked at, how it went."""

    sentence: str
    subject: str
    passed: bool
    seconds: float
    text: str = ""
    logs: list[tuple[str, str]] = field(default_factory=list)


class Report:
    """A pytest plugin: adds journals to failures, and writes `page` at the end."""

    def __init__(self, inventory: Inventory, page: Path):
        self.inventory, self.page = inventory, page
        self.groups: dict[str, list[Row]] = {}
        self.began = datetime.now().astimezone()
        self._journals: dict[tuple[str, str], str] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
        """Show the last log lines of the units concerned below a failure; keep every result for the page."""
        report: pytest.TestReport = yield
        if report.failed:
            if isinstance(call.excinfo.value, UNANSWERED):
                report.longrepr = (
                    f"expected: an answer\nseen:     {type(call.excinfo.value).__name__}: {call.excinfo.value}"
                )
            report.sections += [(f"last log lines of {title}", text) for title, text in self._logs(item)]
        if report.failed or report.when == "call":
            logs = [(title, text) for title, text in report.sections if title.startswith("last log lines")]
            text = report.longreprtext if report.failed else ""
            title = (item.module.__doc__ or item.module.__name__).splitlines()[0]
            self.groups.setdefault(title, []).append(
                Row(_sentence(item), _subject(item), report.passed, report.duration, text, logs)
            )
        return report

    def pytest_sessionfinish(self) -> None:
        """Write the page (unless no check ran)."""
        rows = [row for group in self.groups.values() for row in group]
        if not rows:
            return
        environment = jinja2.Environment(
            autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self.page.write_text(
            environment.from_string(PAGE.read_text()).render(
                inventory=self.inventory,
                domain=self.inventory["app_domain"],
                release=self._live_release(),
                began=self.began,
                seconds=(datetime.now().astimezone() - self.began).total_seconds(),
                failed=sum(not row.passed for row in rows),
                passed=sum(row.passed for row in rows),
                groups=sorted(self.groups.items(), key=lambda group: all(row.passed for row in group[1])),
            )
        )

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say where the page is."""
        if self.page.exists():
            terminalreporter.write_line(f"Report: {self.page}")

    def _live_release(self) -> str:
        slots = self.inventory.group("web")[0].survey["slots"]
        return slots["found"]["folder"] if "found" in slots else "unknown"

    def _logs(self, item: pytest.Item) -> Iterator[tuple[str, str]]:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        wanted = [name for mark in item.iter_markers("journal") for name in mark.args]
        machines = [value for value in parameters.values() if isinstance(value, Machine)]
        machines += [parameters["site"].machine] if "site" in parameters else []
        for machine in machines or self.inventory.group("web"):
            here = {unit: unit for unit in units(machine)}
            if has_redis(machine):
                here["redis"] = "cache" if in_containers(machine) else "redis-server@*"
            for name in wanted:
                name = parameters.get("unit", "web") if name == "unit" else name  # noqa: PLW2901
                if name in here:
                    unit = here[name] if name == "redis" else unit_name(machine, name)
                    yield f"{unit} on {machine.name}", self._journal(machine, unit)

    def _journal(self, machine: Machine, unit: str) -> str:
        """The end of a unit's journal (for nginx, of its error log too), asked for once."""
        key = (machine.name, unit)
        if key not in self._journals:
            command = (
                f"journalctl --no-pager --quiet --output=short-iso --lines=500 --unit=%s {QUIET} | tail -n {LINES}"
            )
            if in_containers(machine):
                unit = f"{machine['app_name']}-{unit}-1"
                command = f"docker logs --tail=500 %s 2>&1 {QUIET} | tail -n {LINES}"
            if unit == "nginx":
                command += f"; tail -n {LINES} /var/log/nginx/error.log 2>/dev/null || true"
            try:
                self._journals[key] = machine.run(command, unit).strip() or "(none)"
            except Unusable as error:
                self._journals[key] = str(error)
        return self._journals[key]


def _sentence(item: pytest.Item) -> str:
    """`test_service_is_active` as "Service is active"."""
    words = item.originalname.removeprefix("test_").replace("_", " ")
    for plain, proper in {"http": "HTTP", "https": "HTTPS", "tls": "TLS", "redis": "Redis"}.items():
        words = re.sub(rf"\b{plain}\b", proper, words)
    return words[0].upper() + words[1:]


def _subject(item: pytest.Item) -> str:
    """What the check looked at: the host, and a path or a unit."""
    return " ".join(map(str, item.callspec.params.values())) if hasattr(item, "callspec") else ""

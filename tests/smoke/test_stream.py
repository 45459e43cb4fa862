"""Server-sent events: numbered, sent as they happen, resumed where the client left off."""

import json
import time
from datetime import UTC, datetime

import pytest

from .expect import expect, expect_equal
from .web import Site

pytestmark = pytest.mark.journal("web", "nginx")
EPOCH = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
MISSED = 5
AT_ONCE = 10  # seconds; what a buffer holds back comes when the stream ends, after 15


@pytest.fixture(scope="session")
def resumed(site: Site) -> dict:
    """A client that comes back after a few seconds: the headers, the events' numbers, and when the live one came."""
    last = int(time.time() - EPOCH) - MISSED
    headers = {"Accept": "text/event-stream", "Last-Event-ID": str(last)}
    text, began = "", time.monotonic()
    with site.stream("/stream/events/", **headers) as response:
        # The missed events and one that happens while it listens.
        for chunk in response.stream(amt=None if response.chunked else 64):
            text += chunk.decode()
            if text.count("\n\nid:") > MISSED or time.monotonic() - began > AT_ONCE:
                break
        took = time.monotonic() - began
    blocks = [block for block in text.split("\n\n")[:-1] if "id:" in block]
    events = [dict(line.split(": ", 1) for line in block.splitlines()) for block in blocks]
    seen = {"status": response.status, "headers": response.headers, "last": last, "events": events, "took": took}
    # A WSGI server without a free place ends at once, and has the client come back after 3 seconds instead of one.
    return seen | {"full": text.startswith("retry: 3000\n")}


def test_stream_answers(resumed: dict) -> None:
    seen = (resumed["status"], resumed["headers"].get("Content-Type", "").split(";")[0])
    expect_equal(seen, (200, "text/event-stream"), "/stream/events/")


def test_stream_is_not_cached(resumed: dict) -> None:
    seen = resumed["headers"].get("Cache-Control", "")
    expect("no-cache" in seen or "no-store" in seen, "Cache-Control: no-cache", seen or "nothing")


def test_stream_resumes_with_the_missed_events(resumed: dict) -> None:
    first = resumed["last"] + 1
    seen = [int(event["id"]) for event in resumed["events"]]
    expect_equal(seen[:MISSED], list(range(first, first + MISSED)), "the numbers of the events after a resume")
    expect(seen == list(range(first, first + len(seen))), "numbers without a gap", seen)


def test_events_come_as_they_happen(resumed: dict) -> None:
    count, took = len(resumed["events"]), resumed["took"]
    new = count > MISSED or resumed["full"]
    what = f"a new event after {MISSED} within {AT_ONCE} seconds, not held back by a buffer"
    expect(new and took < AT_ONCE, what, f"{count} events in {took:.1f} s")


def test_events_carry_their_number(resumed: dict) -> None:
    seen = [(int(event["id"]), json.loads(event["data"])["id"]) for event in resumed["events"]]
    expect(seen and all(number == inside for number, inside in seen), "the same number in id and data", seen)

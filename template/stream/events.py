"""The events: one each second, numbered by the seconds since 2026 began.

Nothing is stored: every worker on every host counts alike, so a client may come back to any of them
and ask for what it missed.
"""

import json
import time
from datetime import UTC, datetime, timedelta

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
MISSED = 60  # events that a client gets at most when it comes back


def now():
    """Return the number of the newest event."""
    return int(time.time() - EPOCH.timestamp())


def until(number):
    """Return the seconds until an event happens, 0 where it has happened."""
    return max(0.0, EPOCH.timestamp() + number - time.time())


def first(after):
    """Take the id a client saw last, as text or None; return the number of the event to begin with."""
    newest = now()
    if after and after.isascii() and after.isdigit() and len(after) < 19:
        return max(newest - MISSED + 1, min(int(after), newest) + 1)
    return newest


def event(number):
    """Return an event as a JSON-ready dict."""
    moment = EPOCH + timedelta(seconds=number)
    return {"id": number, "time": moment.isoformat().replace("+00:00", "Z")}


def as_sse(number):
    """Return an event as a block of a text/event-stream."""
    return f"id: {number}\nevent: tick\ndata: {json.dumps(event(number))}\n\n"

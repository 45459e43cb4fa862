"""What happens while a request is served, in order; the comparison is made of it."""

import contextvars

events = contextvars.ContextVar("events")


def note(*what, record=None):
    """Add to the record of the request that is being served, from whatever thread; or to the one given."""
    record = events.get(None) if record is None else record
    if record is not None:
        record.append(" ".join(map(str, what)))

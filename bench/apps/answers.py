"""What every application of the benchmark answers, with Django and without."""

import time

HELLO = b"Hello, world!"
WAIT = 0.1  # seconds that /wait/ takes
EVENTS, PAUSE = 20, 0.05  # /events/ sends so many, one each so many seconds


def event():
    """Return an event that says when it was made, in seconds of this machine's own clock."""
    return f"data: {time.monotonic():.6f}\n\n".encode()

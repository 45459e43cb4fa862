"""A crowd: each client opens a connection, sends one request and reads the answer to its end."""

import asyncio
import re
import time

DEADLINE = 60  # seconds; what is not answered then, never will be
EVENT = re.compile(rb"data: ([\d.]+)\n\n")


class Get(asyncio.Protocol):
    """One request. `finished` is the time of its end, `answered` whether that was a whole answer."""

    def __init__(self, port, path):
        self.request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode()
        self.started, self.finished, self.answered = time.monotonic(), None, False
        self.received, self.delays = b"", []
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        transport.write(self.request)

    def data_received(self, data):
        now = time.monotonic()
        self.received += data
        self.delays += [now - float(made) for made in EVENT.findall(data)]

    def connection_lost(self, error):
        self.finished = time.monotonic()
        self.answered = error is None and re.match(rb"HTTP/1.1 200\b", self.received) is not None
        if not self.ended.done():
            self.ended.set_result(None)


async def get(port, path):
    """Send one request and return when its connection is closed."""
    request = Get(port, path)
    try:
        transport, _ = await asyncio.get_running_loop().create_connection(lambda: request, "127.0.0.1", port)
    except OSError:
        return request
    try:
        await request.ended
    finally:
        transport.abort()
    return request


async def crowd(clients, port, path):
    """Let all clients come at once; return (seconds until the end, seconds of each answer, delays of events)."""
    began = time.monotonic()
    tasks = [asyncio.create_task(get(port, path)) for _ in range(clients)]
    done, late = await asyncio.wait(tasks, timeout=DEADLINE)
    for task in late:
        task.cancel()
    answers = [request for request in (task.result() for task in done) if request.answered]
    end = time.monotonic() if late else max((answer.finished for answer in answers), default=time.monotonic())
    delays = [delay for answer in answers for delay in answer.delays]
    return end - began, [answer.finished - answer.started for answer in answers], delays

"""The same answers without Django: what the server alone can do."""

import asyncio
import time

from bench.apps.answers import EVENTS, HELLO, PAUSE, WAIT, event

PLAIN, STREAM = ("content-type", "text/plain"), ("content-type", "text/event-stream")
LENGTH = ("content-length", str(len(HELLO)))


def wsgi(environ, start_response):
    """Answer one request."""
    path = environ["PATH_INFO"]
    if path == "/events/":
        start_response("200 OK", [STREAM])
        return _events()
    if path == "/wait/":
        time.sleep(WAIT)
    start_response("200 OK", [PLAIN, LENGTH])
    return [HELLO]


def _events():
    for _ in range(EVENTS):
        time.sleep(PAUSE)
        yield event()


async def asgi(scope, receive, send):
    """Answer one request, or echo one WebSocket."""
    if scope["type"] == "websocket":
        await _echo(receive, send)
        return
    stream = scope["path"] == "/events/"
    if scope["path"] == "/wait/":
        await asyncio.sleep(WAIT)
    headers = [(name.encode(), value.encode()) for name, value in ([STREAM] if stream else [PLAIN, LENGTH])]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for _ in range(EVENTS if stream else 0):
        await asyncio.sleep(PAUSE)
        await send({"type": "http.response.body", "body": event(), "more_body": True})
    await send({"type": "http.response.body", "body": b"" if stream else HELLO})


async def _echo(receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})

"""WebSocket clients. They know as little of RFC 6455 as servers make necessary, to cost little."""

import asyncio
import base64
import os
import time

from bench.machine import memory

SETTLE = 0.5  # seconds without a sign, after which a server has done all it had to do
JOIN = 1.5  # seconds in which the clients of every process must have joined a room
AT_ONCE = 100  # handshakes
PATIENCE = 30  # seconds that a handshake may take
# As browsers ask for compression.
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class Client(asyncio.Protocol):
    """One connection: `opened` is done after the handshake, `receive` is called with each text."""

    def __init__(self, port, path, extensions="", receive=None):
        key = base64.b64encode(os.urandom(16)).decode()
        self.handshake = (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n{extensions}\r\n"
        ).encode()
        self.receive, self.buffer = receive, b""
        self.opened = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport
        transport.write(self.handshake)

    def data_received(self, data):
        self.buffer += data
        if not self.opened.done():
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            self.buffer = rest
            if b" 101" not in head.split(b"\r\n")[0]:
                self.opened.set_exception(ConnectionError(head.decode("latin-1")))
                return
            self.opened.set_result(None)
        while (frame := self.next_frame()) is not None:
            kind, payload = frame
            if kind == TEXT and self.receive:
                self.receive(payload)
            elif kind == PING:
                self.send(payload, PONG)
            elif kind == CLOSE:
                self.transport.close()

    def next_frame(self):
        """Take one whole frame from the buffer; return its kind and payload, or None."""
        buffer = self.buffer
        if len(buffer) < 2:
            return None
        length, start = buffer[1] & 127, 2
        if length > 125:
            start = 4 if length == 126 else 10
            length = int.from_bytes(buffer[2:start])
        end = start + length
        if len(buffer) < max(start, end):
            return None
        self.buffer = buffer[end:]
        return buffer[0] & 15, buffer[start:end]

    def send(self, payload, kind=TEXT):
        """Send a short frame. Its mask is zero, so the payload stays as it is."""
        self.transport.write(bytes((128 | kind, 128 | len(payload))) + b"\0\0\0\0" + payload)

    def connection_lost(self, error):
        if not self.opened.done():
            self.opened.set_exception(error or ConnectionError("closed before the handshake"))


async def connect(port, path, **options):
    """Open one connection."""
    _, client = await asyncio.get_running_loop().create_connection(
        lambda: Client(port, path, **options), "127.0.0.1", port
    )
    await asyncio.wait_for(client.opened, PATIENCE)
    return client


async def connect_all(clients, port, path, **options):
    """Open many connections, some at a time."""
    opened = []
    while len(opened) < clients:
        count = min(AT_ONCE, clients - len(opened))
        opened += await asyncio.gather(*(connect(port, path, **options) for _ in range(count)))
    return opened


async def echo(clients, port, path, seconds):
    """Let each client send a text, wait for it and send the next; return the seconds of each answer."""
    delays = []

    async def talk(client, answers, end):
        while (sent := time.monotonic()) < end:
            client.send(b"x" * 64)
            async with asyncio.timeout(PATIENCE):
                await answers.get()
            delays.append(time.monotonic() - sent)
        client.transport.abort()

    queues = [asyncio.Queue() for _ in range(clients)]
    opened = await asyncio.gather(*(connect(port, path, receive=queue.put_nowait) for queue in queues))
    end = time.monotonic() + seconds
    await asyncio.gather(*(talk(client, queue, end) for client, queue in zip(opened, queues, strict=True)))
    return delays


async def room(clients, port, path, every, seconds):
    """Let every so-manieth of the clients speak, each again when all clients of this process have heard it.

    If it did not wait for the slowest, one worker could fall behind the other ever further, and the delays
    would tell how long the measurement went on. A text that somebody never gets silences its speaker: that shows
    as lost, and as a failure.
    Return (texts sent, texts that clients got in these seconds, delay of each one they ever got).
    """
    delays, sent, in_time, heard = [], 0, 0, 0
    begin = time.monotonic() + JOIN
    end = begin + seconds

    def speak(name):
        nonlocal sent
        text = name + b" %.6f" % time.monotonic()
        sent, missing[text] = sent + 1, clients
        speakers[name].send(text)

    def hear(text):
        nonlocal in_time, heard
        now = heard = time.monotonic()
        name, spoken = text.split()
        delays.append(now - float(spoken))
        in_time += now < end
        if text in missing:
            missing[text] -= 1
            if not missing[text] and now < end:
                speak(name)

    speakers, missing = {}, {}  # by their names; and how many have yet to hear a text
    opened = await asyncio.gather(*(connect(port, path, receive=hear) for _ in range(clients)))
    speakers.update((os.urandom(4).hex().encode(), client) for client in opened[::every])
    if time.monotonic() > begin:
        raise TimeoutError(f"{clients} clients could not join the room within {JOIN} s")
    await asyncio.sleep(begin - time.monotonic())
    for name in speakers:
        speak(name)
    await asyncio.sleep(end - time.monotonic())
    while time.monotonic() < min(heard + SETTLE, end + PATIENCE):
        await asyncio.sleep(0.1)
    for client in opened:
        client.transport.abort()
    return sent, in_time, delays


async def idle(_, port, path, counts, session):
    """Open ever more connections that say nothing; return what each costs the server in bytes, for each count."""
    opened, costs = [], {}
    before = memory(session)
    for count in counts:
        opened += await connect_all(count - len(opened), port, path, extensions=DEFLATE)
        await asyncio.sleep(SETTLE)
        costs[count] = (memory(session) - before) / count
        lost = sum(client.transport.is_closing() for client in opened)
        if lost:
            raise ConnectionError(f"{lost} of {count} idle WebSockets were closed")
    for client in opened:
        client.transport.abort()
    return costs

"""The same messages to consumers that dispatch Channels' way and ours; what came of each, and what stays open.

python consumers.py: standard output gets a JSON list of differences, and how often each way went to the thread.
"""

import asyncio
import json
import os

os.environ["DJANGO_SETTINGS_MODULE"] = "settings"

import channels.consumer
import django

django.setup()

import fastpath.consumers
from asgiref.sync import sync_to_async
from channels.consumer import AsyncConsumer
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.core.management import call_command
from django.db import connection, connections
from fastpath.consumers import DirectDispatch
from notes.models import Note


def is_open():
    """Whether the thread that consumers share has a connection to the database."""
    return any(found.connection for found in connections.all(initialized_only=True))


class Handlers:
    """A handler of each kind."""

    channel_layer_alias = None

    async def test_quiet(self, message):
        """Nothing to do."""

    async def test_plain(self, message):
        await self.send({"type": "test.answer", "open": await sync_to_async(is_open)()})

    async def test_orm(self, message):
        await self.send({"type": "test.answer", "notes": await Note.objects.acount()})

    async def test_wrapped(self, message):
        await self.send({"type": "test.answer", "notes": await database_sync_to_async(Note.objects.count)()})

    async def test_transaction(self, message):
        await sync_to_async(connection.ensure_connection)()
        await self.send({"type": "test.answer"})

    async def test_fail(self, message):
        await Note.objects.acount()
        raise ValueError("failed")

    async def test_stop(self, message):
        raise StopConsumer


class Channels(Handlers, AsyncConsumer):
    pass


class Ours(Handlers, DirectDispatch, AsyncConsumer):
    pass


class Socket(AsyncWebsocketConsumer):
    channel_layer_alias = None

    async def receive(self, text_data=None, bytes_data=None):
        await self.send(f"{text_data} {await sync_to_async(is_open)()} {await Note.objects.acount()}")
        if text_data == "close":
            await self.close(4000)
        if text_data == "fail":
            raise ValueError("failed")


class OurSocket(DirectDispatch, Socket):
    pass


async def talk(consumer, messages):
    """Send messages, each when the one before is done with; return the answers, and how the consumer ended."""
    waiting, answers = list(messages), []

    async def receive():
        if waiting:
            return waiting.pop(0)
        raise asyncio.CancelledError  # the end of the script

    async def send(message):
        answers.append(message)

    try:
        await asyncio.create_task(consumer.as_asgi()({"type": "websocket", "path": "/"}, receive, send))
    except (ValueError, asyncio.CancelledError) as error:
        answers.append(repr(error))
    return [*answers, len(waiting), await sync_to_async(is_open)()]


KINDS = ["plain", "orm", "wrapped", "transaction", "fail", "stop", "unknown"]
SCRIPTS = [[one, "plain", other, "plain", "plain"] for one in KINDS for other in ("orm", "wrapped", "plain")]
SOCKETS = [["hello", "hello"], ["hello", "close"], ["fail"]]


async def main():
    await sync_to_async(call_command)("migrate", run_syncdb=True, verbosity=0)
    await sync_to_async(connections.close_all)()
    different = []
    for script in SCRIPTS:
        messages = [{"type": f"test.{kind}"} for kind in script]
        answers = [await talk(consumer, messages) for consumer in (Channels, Ours)]
        if answers[0] != answers[1]:
            different.append([script, *answers])
    for script in SOCKETS:
        texts = [{"type": "websocket.receive", "text": text} for text in script]
        messages = [{"type": "websocket.connect"}, *texts, {"type": "websocket.disconnect", "code": 1000}]
        answers = [await talk(consumer, messages) for consumer in (Socket, OurSocket)]
        if answers[0] != answers[1]:
            different.append([script, *answers])
    print(json.dumps({"scripts": len(SCRIPTS) + len(SOCKETS), "different": different, "trips": await count()}))


async def count():
    """How often 20 messages without any database make each way go to the thread."""
    found = {}
    for consumer, module in ((Channels, channels.consumer), (Ours, fastpath.consumers)):
        name = "aclose_old_connections" if module is channels.consumer else "sync_to_async"
        original, called = getattr(module, name), []

        def counting(*arguments, original=original, called=called):
            called.append(arguments)
            return original(*arguments)

        setattr(module, name, counting)
        await talk(consumer, [{"type": "test.quiet"}] * 20)
        setattr(module, name, original)
        found[consumer.__name__] = len(called)
    return found


asyncio.run(main())

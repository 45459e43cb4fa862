"""Consumers that go to the database's thread only where something may be open in it.

Channels closes old connections to the database before each message that a consumer gets, in the
thread that all consumers of a process share: a trip there and back for each of a hundred listeners,
most of whom never ask the database. Here the trip is made only after a connection was opened there.
"""

import threading

from asgiref.sync import sync_to_async
from channels import db
from channels.consumer import get_handler_name
from django.conf import settings
from django.db import connections
from django.db.backends.signals import connection_created

from fastpath.threads import here

_perhaps_open = threading.Event()


def _opened(**named):
    """Take note of a connection, unless it is one of an HTTP request, whose thread looks after it."""
    if not hasattr(here, "cursors"):
        _perhaps_open.set()


connection_created.connect(_opened, dispatch_uid="fastpath.consumers")


def _close_old():
    db.close_old_connections()  # looked up there, as Channels' test tools replace it
    if any(connection.connection for connection in connections.all(initialized_only=True)):
        _perhaps_open.set()  # one that is kept: it has to be looked at before the next message too


class DirectDispatch:
    """Mix in before Channels' asynchronous consumers; see AsyncConsumer.dispatch."""

    async def dispatch(self, message):
        """Call the handler of a message, as Channels does."""
        if not getattr(settings, "FASTPATH", True):
            await super().dispatch(message)
            return
        handler = getattr(self, get_handler_name(message), None)
        if not handler:
            raise ValueError(f"No handler for message type {message['type']}")
        if _perhaps_open.is_set():
            _perhaps_open.clear()
            await sync_to_async(_close_old)()
        await handler(message)

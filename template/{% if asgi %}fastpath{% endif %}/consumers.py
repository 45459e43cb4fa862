"""Consumers that do less for each message than Channels' own, and the same.

Channels closes old connections to the database before each message that a consumer gets, in the
thread that all consumers of a process share: a trip there and back for each of a hundred listeners,
most of whom never ask the database. Here the trip is made only after a connection was opened there.

Nor is a task made for each message of the channel layer: one takes them all. Whatever a consumer
gets, from its client or from the layer, is still handled one after the other. And the session is not
looked at before each message that is sent.
"""

import asyncio
import threading
from contextlib import suppress
from functools import partial

from asgiref.sync import sync_to_async
from channels import db
from channels.auth import AuthMiddleware
from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer
from channels.sessions import CookieMiddleware, InstanceSessionWrapper, SessionMiddleware
from channels.utils import await_many_dispatch
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
    """Mix in before Channels' asynchronous consumers; see AsyncConsumer.__call__ and dispatch."""

    _direct = False  # no message's type begins so

    async def __call__(self, scope, receive, send):
        """Serve one connection, as Channels does."""
        self._direct = getattr(settings, "FASTPATH", True)
        if not self._direct:
            await super().__call__(scope, receive, send)
            return
        self.scope, self.base_send = scope, send
        self.channel_layer = get_channel_layer(self.channel_layer_alias)
        turn, over = asyncio.Lock(), False

        async def dispatch(message):
            """Handle one message at a time, and none after one that has ended the consumer."""
            nonlocal over
            async with turn:
                if not over:
                    over = True
                    await self.dispatch(message)
                    over = False

        async def hear():
            while True:
                await dispatch(await self.channel_receive())

        sources = [receive]
        if self.channel_layer is not None:
            self.channel_name = await self.channel_layer.new_channel()
            self.channel_receive = partial(self.channel_layer.receive, self.channel_name)
            sources.append(hear)
        with suppress(StopConsumer):
            await await_many_dispatch(sources, dispatch)

    async def dispatch(self, message):
        """Call the handler of a message, as Channels does."""
        if not self._direct:
            await super().dispatch(message)
            return
        handler = getattr(self, get_handler_name(message), None)
        if not handler:
            raise ValueError(f"No handler for message type {message['type']}")
        if _perhaps_open.is_set():
            _perhaps_open.clear()
            await sync_to_async(_close_old)()
        await handler(message)


class Sessions(SessionMiddleware):
    """Reads a WebSocket's session; Channels looks into it at each text sent, for a response's cookie."""

    async def __call__(self, scope, receive, send):
        """Serve one connection."""
        wrapper = InstanceSessionWrapper(scope, send)
        await wrapper.resolve_session()
        if scope["type"] != "websocket" or not getattr(settings, "FASTPATH", True):
            send = wrapper.send
        await self.inner(wrapper.scope, receive, send)


def AuthMiddlewareStack(inner):
    """Do what channels.auth.AuthMiddlewareStack does: a WebSocket's cookies, session and user."""
    return CookieMiddleware(Sessions(AuthMiddleware(inner)))

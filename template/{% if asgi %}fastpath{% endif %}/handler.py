"""The ASGI handler: Django's own, except where it changes threads for nothing."""

import asyncio
import logging
from contextlib import closing

import django
from asgiref.sync import sync_to_async
from django.core.asgi import get_asgi_application as djangos_own
from django.core.cache import close_caches
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import BaseHandler, reset_urlconf
from django.core.handlers.exception import convert_exception_to_response
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, reset_queries
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from fastpath.inline import hook, hooks_of, inline
from fastpath.threads import Context, Lease, threads

# Whose ASGI path was read and tested; another one may have changed, or may do the same by itself.
KNOWN = ((5, 2), (6, 1))

# Django's own receivers of the two signals. They look after what a thread's code has opened, which
# clean() does wherever a thread is given back; or they forget what ends with the request anyway.
OWN = {reset_queries, close_old_connections, close_caches, reset_urlconf}

logger = logging.getLogger("fastpath")


def get_asgi_application():
    """Do what django.core.asgi.get_asgi_application does; as fast as it can be, if FASTPATH is on."""
    from django.conf import settings

    application = djangos_own()
    if not getattr(settings, "FASTPATH", True):
        return application
    if django.VERSION[:2] not in KNOWN:
        logger.warning(
            "Django %s is served its own way: fastpath does not know it", django.__version__
        )
        return application
    return Handler()


class InlineMiddleware(BaseHandler):
    """Builds the chain of middleware with what fastpath.inline knows, and all else as Django does."""

    def adapt_method_mode(self, is_async, method, method_is_async=None, debug=False, name=None):
        """See BaseHandler, which asks this for each link of the chain and each process_view."""
        # A link is wrapped so that its exceptions become responses; inside is the middleware.
        middleware = getattr(method, "__wrapped__", None)
        if method_is_async and (hooks := hooks_of(middleware)) is not None:
            method = convert_exception_to_response(inline(middleware, hooks))
        elif is_async and getattr(method, "__name__", "") == "process_view":
            hooks = hooks_of(getattr(method, "__self__", None))
            if hooks is not None:
                return hook(method, hooks.get("process_view"))
        return super().adapt_method_mode(is_async, method, method_is_async, debug, name)


class Handler(InlineMiddleware, ASGIHandler):
    """Serves ASGI requests."""

    async def handle(self, scope, receive, send):
        """See ASGIHandler.handle: the same steps in the same order."""
        lease = Lease(threads())
        async with Context(lease):
            try:
                body = await self.read_body(receive)
            except RequestAborted:
                return
            with closing(body):
                set_script_prefix(get_script_prefix(scope))
                if not only_own(request_started, type(self)):
                    await request_started.asend(sender=type(self), scope=scope)
                request, refusal = self.create_request(scope, body)
                if request is None:
                    body.close()
                    await self.send_response(refusal, send)
                    await self.close(None, refusal, lease)
                    return
                response = None
                try:
                    # A client that goes away cancels its view.
                    async with asyncio.TaskGroup() as group:
                        listener = group.create_task(self.listen_for_disconnect(receive))
                        response = await self.run_get_response(request)
                        if response.streaming:
                            lease.stream()
                        await self.send_response(response, send)
                        listener.cancel()
                except BaseExceptionGroup as errors:
                    _, others = errors.split(RequestAborted)
                    if others:
                        single = len(others.exceptions) == 1
                        raise (others.exceptions[0] if single else others) from None
                if response is not None:
                    await self.close(request, response, lease)
                elif lease.thread or not only_own(request_finished, type(self)):
                    await request_finished.asend(sender=type(self))

    async def close(self, request, response, lease):
        """Close a response where its request ran, unless there is nothing for a thread to do.

        The thread's own connections are looked after when it is given back.
        """
        nothing = only_own(request_finished, type(self)) and (
            not lease.thread or nothing_to_close(request, response)
        )
        if nothing:
            response.close()
        else:
            await sync_to_async(response.close)()


def nothing_to_close(request, response):
    """Whether a response has but its request to close, and that one no file of an upload."""
    plain = getattr(response.close, "__func__", None) is HttpResponseBase.close
    return (
        plain
        and response._resource_closers == [request.close]
        and not getattr(request, "_files", None)
    )


def only_own(signal, sender):
    """Whether a signal has no receivers but Django's own."""
    receivers, asynchronous = signal._live_receivers(sender)
    return not asynchronous and OWN.issuperset(receivers)

"""Each view twice, as it is written for its interface."""

import asyncio
import time

from django.contrib.auth import get_user_model
from django.http import HttpResponse, StreamingHttpResponse

from bench.apps.answers import EVENTS, HELLO, PAUSE, WAIT, event


def hello_threaded(request):
    return HttpResponse(HELLO, content_type="text/plain")


async def hello_asynchronous(request):
    return HttpResponse(HELLO, content_type="text/plain")


def query_threaded(request):
    found = get_user_model().objects.filter(username="nobody").exists()
    return HttpResponse(str(found), content_type="text/plain")


async def query_asynchronous(request):
    found = await get_user_model().objects.filter(username="nobody").aexists()
    return HttpResponse(str(found), content_type="text/plain")


def wait_threaded(request):
    time.sleep(WAIT)
    return HttpResponse(HELLO, content_type="text/plain")


async def wait_asynchronous(request):
    await asyncio.sleep(WAIT)
    return HttpResponse(HELLO, content_type="text/plain")


def events_threaded(request):
    def events():
        for _ in range(EVENTS):
            time.sleep(PAUSE)
            yield event()

    return StreamingHttpResponse(events(), content_type="text/event-stream")


async def events_asynchronous(request):
    async def events():
        for _ in range(EVENTS):
            await asyncio.sleep(PAUSE)
            yield event()

    return StreamingHttpResponse(events(), content_type="text/event-stream")

"""Views of every kind."""

import asyncio
import hashlib
import io
import json
import random
import threading
import time

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.contrib.auth import aauthenticate, alogin, alogout, authenticate, login, logout
from django.contrib.auth.decorators import login_required
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.db import connection, transaction
from django.http import FileResponse, HttpResponse, JsonResponse, StreamingHttpResponse
from django.middleware.csrf import get_token
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import get_language, gettext
from django.views.decorators.csrf import csrf_exempt, ensure_csrf_cookie
from django.views.decorators.vary import vary_on_headers
from middleware import here, trip
from notes.models import Note
from record import events, note


def who(request):
    return JsonResponse(
        {
            "user": str(request.user),
            "session": dict(request.session.items()),
            "language": get_language(),
            "yes": gettext("Yes"),
            "notes": request.notes,
            "messages": [str(message) for message in messages.get_messages(request)],
            "method": request.method,
            "get": request.GET.dict(),
            "scheme": request.scheme,
        }
    )


async def awho(request):
    user = await request.auser()
    return JsonResponse(
        {
            "user": str(user),
            "session": dict(await request.session.aitems()),
            "language": get_language(),
            "yes": gettext("Yes"),
            "notes": await Note.objects.acount(),
            "method": request.method,
        }
    )


def hello(request):
    return HttpResponse("hello")


async def ahello(request):
    return HttpResponse("hello")


@ensure_csrf_cookie
def page(request):
    return TemplateResponse(request, "page.html", {"text": trip(request, "page") or "page"})


@ensure_csrf_cookie
async def apage(request):
    await request.auser()
    return TemplateResponse(request, "page.html", {"text": "page"})


def save(request):
    """Take a form: a text for the session, for a message and for the database."""
    text = request.POST.get("text", "nothing")
    request.session["text"] = text
    messages.info(request, text)
    Note.objects.create(text=text)
    return HttpResponse(text, status=201)


async def asave(request):
    text = request.GET.get("text", "nothing")
    await request.session.aset("text", text)
    await sync_to_async(messages.info)(request, text)
    await Note.objects.acreate(text=text)
    return HttpResponse(text, status=201)


@csrf_exempt
def upload(request):
    data = {
        name: [file.name, type(file).__name__, hashlib.sha256(file.read()).hexdigest()]
        for name, file in request.FILES.items()
    }
    return JsonResponse(data | {"form": request.POST.dict()})


@csrf_exempt
async def body(request):
    return HttpResponse(hashlib.sha256(request.body).hexdigest())


def log_in(request):
    if user := authenticate(request, username=request.POST.get("user"), password="password"):
        login(request, user)
    return HttpResponse(str(user))


async def alog_in(request):
    if user := await aauthenticate(request, username=request.GET.get("user"), password="password"):
        await alogin(request, user)
    return HttpResponse(str(user))


def log_out(request):
    logout(request)
    return HttpResponse("out")


async def alog_out(request):
    await alogout(request)
    return HttpResponse("out")


@login_required
def private(request):
    return HttpResponse(f"for {request.user}")


@vary_on_headers("X-Some")
def flush(request):
    request.session.flush()
    return HttpResponse("flushed")


def expiring(request):
    request.session["brief"] = True
    request.session.set_expiry(int(request.GET.get("seconds", 0)))
    return HttpResponse("set")


async def unsafe(request):
    """The ORM, synchronously, in an asynchronous view: Django refuses that."""
    return HttpResponse(str(Note.objects.count()))


async def aunsafe_user(request):
    return HttpResponse(str(request.user))


def fail(request):
    Note.objects.create(text="before the failure")
    return trip(request, "view") or HttpResponse("not failed")


async def afail(request):
    await Note.objects.acreate(text="before the failure")
    return trip(request, "view") or HttpResponse("not failed")


@transaction.atomic
def rolled_back(request):
    Note.objects.create(text="never seen")
    raise ValueError


def stream(request):
    def parts():
        for number in range(3):
            note("part", number)
            yield f"{number} of {Note.objects.count()}\n"

    return StreamingHttpResponse(parts())


async def astream(request):
    record = events.get()

    async def parts():
        try:
            for number in range(5):
                note("part", number)
                yield f"{number} of {await Note.objects.acount()}\n"
                await asyncio.sleep(0)
        finally:
            note("stream closed", record=record)  # perhaps by the garbage collector, later

    return StreamingHttpResponse(parts())


async def export(request):
    """A query's results, read bit by bit while they are sent."""

    async def parts():
        async for found in Note.objects.order_by("id").aiterator(chunk_size=2):
            yield f"{found.text}\n"
            await asyncio.sleep(0)
        yield f"{await Note.objects.acount()} in all"

    return StreamingHttpResponse(parts())


async def begun_export(request):
    """The same, the first of which the view has read."""
    found = aiter(Note.objects.order_by("id").aiterator(chunk_size=2))
    first = await anext(found, None)

    async def parts():
        yield f"{first}\n"
        async for other in found:
            yield f"{other.text} of {await Note.objects.acount()}\n"

    return StreamingHttpResponse(parts())


async def stream_in_transaction(request):
    """A transaction that goes on while the stream does."""

    async def parts():
        atomic = transaction.atomic()
        await sync_to_async(atomic.__enter__)()
        for number in range(3):
            await Note.objects.acreate(text=f"within {number}")
            yield f"{number} "
        await sync_to_async(transaction.set_rollback)(True)
        await sync_to_async(atomic.__exit__)(None, None, None)
        yield f"{await Note.objects.filter(text__startswith='within').acount()}"

    return StreamingHttpResponse(parts())


async def broken_stream(request):
    async def parts():
        yield "one"
        raise ValueError("in the middle")

    return StreamingHttpResponse(parts())


async def endless(request):
    record = events.get()

    async def parts():
        try:
            while True:
                yield "on and on\n"
                await asyncio.sleep(0.005)
        finally:
            note("stream closed", record=record)  # perhaps by the garbage collector, later

    return StreamingHttpResponse(parts())


class File:
    """Tells when it is closed, which is for the response to do; nothing else closes it."""

    def __init__(self, content=b""):
        self.read = io.BytesIO(content).read

    def close(self):
        note("file closed")


def file(request):
    return FileResponse(File(b"content" * 20000), filename="a.bin")


async def afile(request):
    response = HttpResponse("a file")
    response._resource_closers.append(File().close)
    return response


async def say(request):
    """Touch the session by nothing but a message."""
    messages.info(request, "said")
    return HttpResponse("said")


async def swap(request):
    """Another session than the one that was read before."""
    request.session = type(request.session)(request.session.session_key)
    get_token(request)
    return HttpResponse("swapped")


class Reader(TemporaryFileUploadHandler):
    """Tells whether a body is read where it would keep all other requests waiting."""

    def new_file(self, *args, **kwargs):
        note("read in the event loop", threading.current_thread() is threading.main_thread())
        return super().new_file(*args, **kwargs)


async def wait(request):
    """Wait for a client that goes away."""
    try:
        await Note.objects.acreate(text="waiting")
        note("waiting")
        await asyncio.sleep(30)
    except asyncio.CancelledError:
        note("cancelled")
        await Note.objects.acreate(text="cancelled")
        raise
    return HttpResponse("waited")


async def leave_behind(request):
    """Answer, and go on writing."""

    record = events.get()

    async def later():
        while "served" not in record:
            await asyncio.sleep(0.001)
        await Note.objects.acreate(text="later")
        await Note.objects.acreate(text="and later")

    request.META["leftovers"] = asyncio.create_task(later())
    return HttpResponse("soon")


async def together(request):
    """Several calls at the same time."""
    await asyncio.gather(*(Note.objects.acreate(text=f"together {number}") for number in range(3)))
    return HttpResponse("together")


def cookies(request):
    response = HttpResponse(json.dumps(request.COOKIES))
    response.set_cookie("a", request.GET.get("a", "1"), max_age=60, samesite="Lax")
    response.delete_cookie("b")
    return response


def mine(request):
    """Say to whom this request belongs, by everything that could be another's."""
    mark = request.GET["mark"]
    connection.owner = here.owner = mark
    with transaction.atomic():
        request.session["mark"] = mark
        Note.objects.filter(text=mark).count()
        time.sleep(random.random() / 200)
        seen = {connection.owner, here.owner, request.session["mark"]}
    return JsonResponse({"seen": list(seen), "user": str(request.user), "language": get_language()})


async def amine(request):
    """The same in several steps, between which other requests are served."""
    mark = request.GET["mark"]

    def claim():
        connection.owner = here.owner = mark
        transaction.set_autocommit(False)

    def look():
        Note.objects.filter(text=mark).count()
        return connection.owner, here.owner

    def end():
        transaction.rollback()
        transaction.set_autocommit(True)

    await sync_to_async(claim)()
    seen = set()
    for _ in range(3):
        await asyncio.sleep(random.random() / 200)
        seen.update(await sync_to_async(look)())
    await sync_to_async(end)()
    await request.session.aset("mark", mark)
    user = await request.auser()
    return JsonResponse({"seen": list(seen), "user": str(user), "language": get_language()})


async def leak(request):
    """Begin a transaction, and forget it."""
    await sync_to_async(transaction.atomic().__enter__)()
    await Note.objects.acreate(text="leaked")
    return HttpResponse("leaked")


def clean(request):
    """Whether the connection is as a new one."""
    return JsonResponse(
        {"atomic": connection.in_atomic_block, "notes": list(Note.objects.values_list("text", flat=True))}
    )


async def live(request):
    """A stream that asks the database now and then, until the client has gone."""

    async def parts():
        while True:
            yield f"{await Note.objects.acount()}\n"
            await asyncio.sleep(0.01)

    await Note.objects.acount()
    return StreamingHttpResponse(parts())


# Those whose answers are the same each time.
views = [
    who, awho, hello, ahello, page, apage, save, asave, upload, body, log_in, alog_in, log_out, alog_out, private,
    flush, expiring, unsafe, aunsafe_user, fail, afail, rolled_back, stream, astream, export, begun_export,
    stream_in_transaction, broken_stream, endless, file, afile, say, swap, wait, leave_behind, together, cookies,
]  # fmt: skip
urlpatterns = [path(f"{view.__name__}/", view) for view in [*views, mine, amine, leak, clean, live]]

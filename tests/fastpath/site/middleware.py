"""Middleware of every kind, each of whose hooks tells of itself and raises what the request asks for."""

import threading

from asgiref.sync import iscoroutinefunction
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpResponse
from django.middleware.common import CommonMiddleware
from django.utils.decorators import async_only_middleware, sync_and_async_middleware, sync_only_middleware
from django.utils.deprecation import MiddlewareMixin
from notes.models import Note
from record import note

here = threading.local()
ERRORS = {error.__name__: error for error in (ValueError, Http404, PermissionDenied, SuspiciousOperation, BadRequest)}


def trip(request, place):
    """Note that `place` was reached; raise or answer there if the request says so."""
    note(place)
    wanted, _, what = request.headers.get("X-Trip", "").partition("=")
    if wanted == place and what in ERRORS:
        raise ERRORS[what]("at " + place)
    if wanted == place and what == "answer":
        return HttpResponse("from " + place)
    return None


class Hooks(MiddlewareMixin):
    """Every hook, of the kind that Django calls in a thread."""

    def process_request(self, request):
        here.request = id(request)
        return trip(request, f"{self.name}.request")

    def process_view(self, request, view, args, kwargs):
        note("same thread", here.request == id(request))
        return trip(request, f"{self.name}.view")

    def process_template_response(self, request, response):
        trip(request, f"{self.name}.template")
        return response

    def process_exception(self, request, exception):
        note("exception", type(exception).__name__)
        return trip(request, f"{self.name}.exception")

    def process_response(self, request, response):
        note("same thread", here.request == id(request))
        trip(request, f"{self.name}.response")
        return response


class Outer(Hooks):
    name = "outer"


class Inner(Hooks):
    name = "inner"


class Common(CommonMiddleware):
    """A subclass of Django's own, which asks the database."""

    def process_request(self, request):
        request.notes = Note.objects.count()
        return super().process_request(request)


@sync_only_middleware
def only_synchronous(get_response):
    def middleware(request):
        if answer := trip(request, "synchronous.before"):
            return answer
        response = get_response(request)
        trip(request, "synchronous.after")
        return response

    return middleware


@async_only_middleware
def only_asynchronous(get_response):
    async def middleware(request):
        if answer := trip(request, "asynchronous.before"):
            return answer
        response = await get_response(request)
        trip(request, "asynchronous.after")
        return response

    return middleware


@sync_and_async_middleware
def recorder(get_response):
    note("chain is asynchronous", iscoroutinefunction(get_response))
    if iscoroutinefunction(get_response):

        async def middleware(request):
            return await get_response(request)
    else:

        def middleware(request):
            return get_response(request)

    return middleware

"""The two pages; static/chat.js fills the second one."""

from django.shortcuts import render
from django.views.decorators.cache import never_cache

from chat.models import TEXT_LIMIT, Message
from chat.visitors import name_of

WELCOME = ["lobby", "harbour", "workshop"]  # shown until enough others are alive


def lively():
    """Return the names of a few rooms worth a visit."""
    return list(dict.fromkeys([*Message.objects.rooms(), *WELCOME]))[:12]


def rooms(request):
    """Show the liveliest rooms, and a field to open any other one."""
    return render(request, "chat/rooms.html", {"rooms": lively()})


@never_cache
def room(request, room):
    """Show one room."""
    context = {
        "room": room,
        "rooms": list(dict.fromkeys([room, *lively()])),
        "name": name_of(request.user, request.session),
        "limit": TEXT_LIMIT,
    }
    return render(request, "chat/room.html", context)

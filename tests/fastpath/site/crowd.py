"""Many requests at the same time, of several users, through our ASGI path.

Standard output gets one JSON object: what the test asserts on.
"""

import asyncio
import json
import os
import sys
import threading

os.environ["DJANGO_SETTINGS_MODULE"] = "settings"

import django

django.setup()

from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.db import connections
from fastpath.handler import get_asgi_application

USERS = ["ada", "grace", "linus"]
LANGUAGES = ["de", "fr", "en"]


def set_up():
    """Make the database and a session for each user; return the sessions' cookies."""
    call_command("migrate", run_syncdb=True, verbosity=0)
    cookies = []
    for name in USERS:
        user = get_user_model().objects.create_user(name, password="password")
        session = SessionStore()
        session["_auth_user_id"] = str(user.pk)
        session["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
        session["_auth_user_hash"] = user.get_session_auth_hash()
        session.save()
        cookies.append(f"sessionid={session.session_key}")
    connections.close_all()
    return cookies


def ask(application, path, query="", **headers):
    """Begin a request."""
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "https",
        "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(b"host", b"site.example"), *((name.encode(), value.encode()) for name, value in headers.items())],
    }  # fmt: skip
    return ApplicationCommunicator(application, scope)


async def get(application, path, query="", **headers):
    """Return the JSON or text of an answer."""
    request = ask(application, path, query, **headers)
    await request.send_input({"type": "http.request"})
    start = await request.receive_output(60)
    body = (await request.receive_output(60))["body"].decode()
    await request.wait(60)
    assert start["status"] == 200, (path, start["status"], body)
    return json.loads(body) if body.startswith("{") else body


def threads():
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("django-")}


async def crowd(application, cookies, count, seconds):
    """Send `count` requests within so many seconds; return the answers that hold something of another request's."""
    most = 0

    async def one(number):
        nonlocal most
        await asyncio.sleep(seconds * number / count)
        who = number % 3
        language = LANGUAGES[number % 7 % 3]
        mark, view = f"mark {number}", "/mine/" if number % 2 else "/amine/"
        answer = await get(
            application, view, f"mark=mark%20{number}", cookie=cookies[who], **{"accept-language": language}
        )
        most = max(most, len(threads()))
        expected = {"seen": [mark], "user": USERS[who], "language": language}
        return None if answer == expected else [answer, expected]

    wrong = [found for found in await asyncio.gather(*map(one, range(count))) if found]
    return {"wrong": wrong, "threads": most}


async def leaks(application):
    """Leave a transaction open, as often as there are threads; return what later requests see."""
    await asyncio.gather(*(get(application, "/leak/") for _ in range(1)))
    return await asyncio.gather(*(get(application, "/clean/") for _ in range(settings.THREADS * 2)))


async def streams(application):
    """Keep more streams open than there are threads, each of which has asked the database; then ask something."""
    open_ones = []
    for _ in range(settings.THREADS * 3):
        request = ask(application, "/live/")
        await request.send_input({"type": "http.request"})
        await request.receive_output(30)
        await request.receive_output(30)
        open_ones.append(request)
    answer = await get(application, "/hello/")
    more = [(await request.receive_output(30))["body"].decode() for request in open_ones]
    for request in open_ones:
        await request.send_input({"type": "http.disconnect"})
        await request.wait(30)
    return {"answer": answer, "parts": len(more), "threads": len(threads())}


async def main():
    cookies = await sync_to_async(set_up, thread_sensitive=False)()
    application = get_asgi_application()
    out = {
        "all at once": await crowd(application, cookies, int(sys.argv[1]), seconds=0),
        # So that threads wait for requests as well as requests for threads.
        "one by one": await crowd(application, cookies, int(sys.argv[1]), seconds=2),
        "leaks": await leaks(application),
        "streams": await streams(application),
    }
    print(json.dumps(out))


asyncio.run(main())

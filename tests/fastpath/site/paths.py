"""Sends the same requests through Django's own ASGI path or through ours, and writes down all that came of each.

python paths.py {django|fastpath} SEED COUNT

Standard output gets a line of JSON for each request. Time stands still and chance is dealt from SEED, so that two runs
that do the same things write the same lines, session keys and tokens included.
"""

import asyncio
import contextlib
import gc
import hashlib
import http.cookies
import io
import json
import os
import random
import secrets
import sqlite3
import sys
import time
import urllib.parse

way, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

chance = random.Random(seed)
now = 1800000000.0
secrets.choice = chance.choice
time.time = lambda: now
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"

import django

django.setup()

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.core.asgi import get_asgi_application
from django.core.management import call_command
from django.core.signals import got_request_exception, request_finished, request_started
from django.db import connections
from django.db.models.signals import post_save, pre_save
from record import events, note
from views import views as all_views

if way == "fastpath":
    from fastpath.handler import Handler, get_asgi_application

ADDRESSES = ["site.example", "www.site.example", "evil.example"]
ERRORS = ["ValueError", "Http404", "PermissionDenied", "SuspiciousOperation", "BadRequest", "answer"]
HOOKS = ("request", "view", "template", "exception", "response")
PLACES = [
    *(f"{name}.{hook}" for name in ("outer", "inner") for hook in HOOKS),
    *(f"{name}.{side}" for name in ("synchronous", "asynchronous") for side in ("before", "after")),
    "view", "page",
]  # fmt: skip


def set_up():
    """Make the database, three users and the receivers of signals."""
    call_command("migrate", run_syncdb=True, verbosity=0)
    for name in ("ada", "grace", "linus"):
        get_user_model().objects.create_user(name, password="password")
    connections.close_all()
    for name, signal in {
        "logged in": user_logged_in, "logged out": user_logged_out, "login failed": user_login_failed,
        "exception": got_request_exception, "saving": pre_save, "saved": post_save,
    }.items():  # fmt: skip

        def receiver(sender, name=name, **named):
            note("signal", name, getattr(sender, "__name__", sender))

        signal.connect(receiver, weak=False)
    if os.environ["VARIANT"] == "strangers":

        def started(**named):
            note("signal started")

        async def finished(**named):
            note("signal finished")

        request_started.connect(started, weak=False)
        request_finished.connect(finished, weak=False)


class Client:
    """A browser's memory."""

    def __init__(self):
        self.cookies, self.token = {}, ""

    def remember(self, headers, body):
        for name, value in headers:
            if name.lower() == "set-cookie":
                for key, morsel in http.cookies.SimpleCookie(value).items():
                    self.cookies[key] = morsel.value
                    if morsel["max-age"] == "0" or "1970" in morsel["expires"]:
                        del self.cookies[key]
        if 'name="csrfmiddlewaretoken"' in body:
            self.token = body.split('csrfmiddlewaretoken" value="')[1].split('"')[0]


def multipart(fields, files):
    """Return a form's content type and body."""
    out = io.BytesIO()
    for name, value in fields.items():
        out.write(f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    for name, data in files.items():
        out.write(f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="{name}.bin"\r\n\r\n'.encode())
        out.write(data + b"\r\n")
    out.write(b"--b--\r\n")
    return "multipart/form-data; boundary=b", out.getvalue()


def some_request(dice, client, views):  # noqa: PLR0912 - one branch for each thing that may vary
    """Return a request, as a dict, that the client could send."""
    view = dice.choice([*views, "page", "apage", "save"])
    method = dice.choices(["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE"], [10, 10, 2, 1, 1, 1])[0]
    text = dice.choice(["", "word", "ünïcode", "x" * 300])
    query = {"text": text, "user": dice.choice(["ada", "grace", "nobody"]), "seconds": dice.choice([0, 60])}
    headers = {
        "host": dice.choices(ADDRESSES, [10, 10, 1])[0],
        "accept-language": dice.choice(["de", "fr;q=0.8", "en", "xx"]),
    }
    body = b""
    if method in ("POST", "PUT"):
        fields = {"text": text, "user": query["user"]}
        if dice.random() < 0.7:
            fields["csrfmiddlewaretoken"] = client.token
        elif dice.random() < 0.5:
            headers["x-csrftoken"] = client.token
        if view == "upload" or dice.random() < 0.2:
            size = dice.choice([0, 100, 20000])
            headers["content-type"], body = multipart(fields, {"file": dice.randbytes(size)})
        elif dice.random() < 0.1:
            headers["content-type"], body = "application/json", b'{"a": 1}'
        else:
            headers["content-type"], body = "application/x-www-form-urlencoded", urllib.parse.urlencode(fields).encode()
        headers["content-length"] = str(len(body))
        if dice.random() < 0.3:
            headers["origin"] = dice.choice(
                [f"https://{headers['host']}", f"http://{headers['host']}", "https://evil.example"]
            )
        if dice.random() < 0.3:
            headers["referer"] = dice.choice([f"https://{headers['host']}/", "https://evil.example/", "nonsense"])
    if dice.random() < 0.25:
        headers["x-trip"] = f"{dice.choice(PLACES)}={dice.choice(ERRORS)}"
    if dice.random() < 0.1:
        headers["if-none-match"] = dice.choice(["*", '"5d41402abc4b2a76b9719d911017c592"'])
    if cookies := {name: value for name, value in client.cookies.items() if dice.random() < 0.95}:
        headers["cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    if dice.random() < 0.02:
        headers["cookie"] = "sessionid=unknownunknownunknownunknownunkn; csrftoken=bad!; messages=forged"
    slash = "" if dice.random() < 0.03 else "/"
    leaves = {"wait": "at once", "endless": "after 3"}.get(view)
    if not leaves and dice.random() < 0.03:
        leaves = "before"
    return {
        "method": method, "path": f"/{view}{slash}" if dice.random() > 0.02 else "/nowhere/", "query": query,
        "scheme": dice.choice(["http", "https"]), "headers": headers, "body": body, "leaves": leaves,
    }  # fmt: skip


async def serve(application, request):
    """Let the application answer; return its messages, the record and what it raised."""
    record, sent, gone = [], [], asyncio.Event()
    events.set(record)
    body = [request["body"][start : start + 7000] for start in range(0, len(request["body"]), 7000)] or [b""]
    if request["leaves"] == "before":
        body = [*body[:-1], None]

    async def receive():
        if body:
            part = body.pop(0)
            if part is None:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": part, "more_body": bool(body)}
        if request["leaves"] != "at once":
            await gone.wait()
        else:
            # Gone as soon as the view waits.
            while "waiting" not in record and not sent:
                await asyncio.sleep(0.001)
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)
        if request["leaves"] == "after 3" and len(sent) > 3:
            gone.set()
            await asyncio.sleep(1)  # the view is cancelled here

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": request["method"],
        "scheme": request["scheme"], "path": request["path"], "raw_path": request["path"].encode(),
        "query_string": urllib.parse.urlencode(request["query"]).encode(), "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in request["headers"].items()],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    error = None
    try:
        await application(scope, receive, send)
    except Exception as raised:
        error = repr(raised)
    note("served")
    return sent, record, error


def rows():
    """Return a digest of all that is in the database, seen from outside."""
    with contextlib.closing(sqlite3.connect(f"{settings.ROOT}/db.sqlite3")) as database:
        queries = (
            "SELECT id, text FROM notes_note ORDER BY 1",
            "SELECT session_key, session_data FROM django_session ORDER BY 1",
            "SELECT username, last_login IS NULL FROM auth_user ORDER BY 1",
        )
        content = [database.execute(query).fetchall() for query in queries]
    return [len(table) for table in content], hashlib.sha256(repr(content).encode()).hexdigest()[:16]


async def main():
    application = get_asgi_application()
    if way == "fastpath":
        assert isinstance(application, Handler)
    dice = random.Random(seed)
    clients = [Client() for _ in range(3)]
    views = [view.__name__ for view in all_views]
    for number in range(count):
        client = dice.choice(clients)
        request = some_request(dice, client, views)
        sent, record, error = await asyncio.create_task(serve(application, request))
        if request["leaves"]:
            gc.collect()  # closes streams that nobody reads any more
            await asyncio.sleep(0.001)
        while left := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.gather(*left, return_exceptions=True)
        start = next((message for message in sent if message["type"] == "http.response.start"), {})
        headers = [(name.decode(), value.decode("latin-1")) for name, value in start.get("headers", [])]
        body = b"".join(message.get("body", b"") for message in sent).decode(errors="replace")
        client.remember(headers, body)
        out = {
            "number": number,
            "request": f"{request['method']} {request['path']} {request['headers'].get('x-trip', '')}".strip(),
            "leaves": request["leaves"],
            "status": start.get("status"),
            "headers": headers,
            "body": body if len(body) < 500 else hashlib.sha256(body.encode()).hexdigest(),
            # When a stream is closed is for the garbage collector to say, not whether.
            "record": [event for event in record if event != "stream closed"],
            "streams closed": record.count("stream closed"),
            "error": error,
            "database": rows(),
        }
        print(json.dumps(out), flush=True)


set_up()
asyncio.run(main())

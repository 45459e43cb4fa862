"""/about/stack/: what serves the site, told to those who may know."""

import os
import re

import pytest
from django.http import HttpRequest

from accounts.models import User
from config import stack

URL = "/about/stack/"


@pytest.fixture
def shown(settings):
    """Switch the page on, without DEBUG."""
    settings.STACK_PAGE, settings.DEBUG = True, False


def sign_in(client, **fields):
    client.force_login(User.objects.create_user("ada", **fields))


def facts(client):
    """Return what the page tells, by name."""
    html = client.get(URL).content.decode()
    found = re.findall(r"<dt>(.+?)</dt>\s*<dd>\s*(.+?)\s*</dd>", html, re.S)
    return dict(found)


@pytest.mark.usefixtures("shown")
def test_without_debug_staff_alone_sees_it(client, db):
    assert client.get(URL).status_code == 404
    assert URL not in client.get("/").content.decode()
    sign_in(client)
    assert client.get(URL).status_code == 404
    User.objects.update(is_staff=True)
    response = client.get(URL)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert URL in client.get("/").content.decode()


def test_switched_off_nobody_sees_it(client, db, settings):
    settings.STACK_PAGE, settings.DEBUG = False, True
    sign_in(client, is_staff=True)
    assert client.get(URL).status_code == 404
    assert URL not in client.get("/").content.decode()


@pytest.fixture
def staff(client, db, shown):
    sign_in(client, is_staff=True)
    return client


def test_it_tells_the_process_and_the_release(staff, settings, monkeypatch):
    settings.RELEASE = "0123456789ab"
    monkeypatch.setenv("WEB_CONCURRENCY", "7")
    told = facts(staff)
    assert told["Process of this answer"] == str(os.getpid())
    assert (told["Release"], told["Workers"]) == ("0123456789ab", "7")
    assert told["Django"].count(".") >= 1


@pytest.mark.parametrize(
    ("software", "asked", "server"),
    [
        (None, "", "unknown"),
        (None, "WSGIServer/0.2", "Django's runserver"),
        ("nothing-of-the-kind", "", "nothing-of-the-kind"),
        ("django", "", r"django \d+\.\d+.*"),  # a package that is surely there
        ("django/9.9", "", r"django \d+\.\d+.*"),
    ],
)
def test_server_is_named_as_far_as_it_is_known(monkeypatch, software, asked, server):
    monkeypatch.delenv("SERVER_SOFTWARE", raising=False)
    if software:
        monkeypatch.setenv("SERVER_SOFTWARE", software)
    request = HttpRequest()
    request.META["SERVER_SOFTWARE"] = asked
    assert re.fullmatch(server, stack.server(request))


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://:secret@127.0.0.1:6380/0", "127.0.0.1:6380"),
        ("redis://site:secret@cache.example", "cache.example:6379"),
        ("unix://site:secret@/run/redis/redis.sock?db=0", "/run/redis/redis.sock"),
        ("unix:///run/redis/redis.sock?password=secret", "/run/redis/redis.sock"),
    ],
)
def test_places_hold_no_secret(url, place):
    assert stack.place(url) == place

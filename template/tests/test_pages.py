"""Every page: it answers, and it stays within the content security policy."""

import re

import pytest
from django.template.loader import get_template

from accounts.models import User
from chat.models import Message

PAGES = {
    "/": 200,
    "/chat/": 200,
    "/chat/lobby/": 200,
    "/stream/": 200,
    "/about/stack/": 200,
    "/login/": 200,
    "/nowhere/": 404,
}


@pytest.fixture(autouse=True)
def stack_page(monkeypatch):
    """Show /about/stack/ to everyone, as on a laptop; tests run without DEBUG."""
    monkeypatch.setattr("config.stack.shown_to", lambda user: True)


@pytest.fixture
def page(client, db):
    """Return a function that gets an address and returns its HTML."""
    return lambda path: client.get(path).content.decode()


@pytest.mark.parametrize(("path", "status"), PAGES.items())
def test_page_answers(client, db, path, status):
    assert client.get(path).status_code == status


@pytest.mark.parametrize("path", PAGES)
def test_page_has_nothing_inline(page, path):
    html = page(path)
    assert "<style" not in html
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
    assert not re.search(r"<[^>]+\s(style|on\w+)=", html)


@pytest.mark.parametrize("path", PAGES)
def test_page_asks_no_other_site(page, path):
    assert not re.search(r"""(?:src|href|action)=["']?(?:\w+:)?//""", page(path))


@pytest.mark.parametrize("path", ["/", "/chat/", "/stream/", "/login/", "/nowhere/"])
def test_page_shows_the_sites_name_literally(page, settings, path):
    settings.SITE_NAME = "Ahoy <b>&</b> {{ 7 }} 船"
    assert "<span>Ahoy &lt;b&gt;&amp;&lt;/b&gt; {{ 7 }} 船</span>" in page(path)


def test_home_leads_to_the_apps(page):
    html = page("/")
    assert all(f'href="{path}"' in html for path in ("/chat/", "/stream/", "/admin/"))


def test_500_needs_no_context():
    assert "Something went wrong" in get_template("500.html").render()


def test_list_shows_the_liveliest_room_first(page):
    for room in ("quiet", "lively"):
        Message.objects.post(room, "Ada", "Ahoy")
    html = page("/chat/")
    assert html.index("/chat/lively/") < html.index("/chat/quiet/") < html.index("/chat/lobby/")


@pytest.mark.parametrize("room", ["Lobby", "a_b", "a" * 51, "é", "a%0A"])
def test_odd_room_does_not_exist(client, db, room):
    assert client.get(f"/chat/{room}/").status_code == 404


def test_guest_keeps_a_name(client, db):
    first, second = (client.get("/chat/lobby/").context["name"] for _ in range(2))
    assert first == second
    assert re.fullmatch(r"Guest [0-9a-f]{4}", first)


def test_user_goes_by_the_users_name(client, db):
    client.force_login(User.objects.create_user("ada"))
    assert client.get("/chat/lobby/").context["name"] == "ada"


def test_user_signs_in_and_out(client, db):
    User.objects.create_user("ada", password="correct horse")
    form = {"username": "ada", "password": "correct horse", "next": "/chat/lobby/"}
    assert client.post("/login/", form).url == "/chat/lobby/"
    assert "Sign out" in client.get("/").content.decode()
    assert client.post("/logout/", follow=True).status_code == 200
    assert "Sign in" in client.get("/").content.decode()

"""`make up` as a developer runs it: the whole stack from the source, reloaded, with mail, chat and the database."""

import json
import os
import re
from collections.abc import Callable
from http.client import HTTPException
from urllib.request import urlopen

import pytest

from tests.browser import chat_with_each_other
from tests.compose.stack import Stack
from tests.hosts.host import wait_for
from tests.ports import free_port

ANSWERS = {
    "asgi": {},
    "wsgi": {"interface": "wsgi", "server": "gunicorn", "database": "sqlite"},
}


@pytest.fixture(scope="module", params=ANSWERS)
def stack(new_stack: Callable[..., Stack], request: pytest.FixtureRequest) -> Stack:
    """A project on which `make up` has been run."""
    stack = new_stack(**ANSWERS[request.param])
    stack.variables |= {"WEB_PORT": str(free_port()), "MAIL_PORT": str(free_port())}
    stack.run("make", "up")
    return stack


def get(url: str) -> str:
    with urlopen(url, timeout=10) as answer:  # noqa: S310
        return answer.read().decode()


def manage(stack: Stack, code: str) -> str:
    """Run Python, its strings in backticks, in the site's container."""
    code = code.replace("`", '"')
    return stack.run("make", "--silent", "manage", f"ARGS=shell --verbosity=0 --command '{code}'").stdout.strip()


def test_page_and_admin_answer(stack: Stack) -> None:
    assert "My Site" in get(stack.url)
    assert "csrfmiddlewaretoken" in get(f"{stack.url}/admin/login/")


def test_every_service_is_there_and_ready(stack: Stack) -> None:
    ready = json.loads(stack.compose("exec", "web", "python", "bin/healthcheck", "/readyz"))
    assert set(ready["checks"].values()) == {"ok"}
    wanted = {"web", "cache", "mail"}
    if stack.project.answers.get("interface") != "wsgi":
        wanted |= {"channels", "database"}
    assert set(stack.compose("ps", "--services").split()) == wanted


def test_database_and_cache_are_the_containers(stack: Stack) -> None:
    engine = "sqlite3" if stack.project.answers.get("database") == "sqlite" else "postgresql"
    code = (
        "from django.conf import settings as s; d = `default`; print(s.DATABASES[d][`ENGINE`], s.CACHES[d][`LOCATION`])"
    )
    assert manage(stack, code) == f"django.db.backends.{engine} redis://cache:6379/0"


def test_two_browsers_chat(stack: Stack) -> None:
    chat_with_each_other(stack)


def test_saved_file_is_served(stack: Stack) -> None:
    stack.project.edit("chat/views.py", "def ", "# Saved again.\ndef ")
    urls = stack.project.folder / "config/urls.py"
    urls.write_text(
        urls.read_text()
        + "\nfrom django.http import HttpResponse\n"
        + "urlpatterns += [path('saved/', lambda request: HttpResponse('saved'))]\n"
    )

    def saved() -> bool:
        try:
            return get(f"{stack.url}/saved/") == "saved"
        except (OSError, HTTPException):  # the server starts anew
            return False

    wait_for(saved, "the new page", 30)


def test_mail_is_caught(stack: Stack) -> None:
    code = "from django.core.mail import send_mail; print(send_mail(`Ahoy`, `Text`, None, [`ada@example.com`]))"
    assert manage(stack, code) == "1"
    seen = json.loads(get(f"http://localhost:{stack.variables['MAIL_PORT']}/api/v1/messages"))
    assert [(mail["Subject"], mail["To"][0]["Address"]) for mail in seen["messages"]] == [("Ahoy", "ada@example.com")]


def test_command_that_used_the_database_ends_quietly(stack: Stack) -> None:
    # One in three used to wait 20 seconds for the threads of a connection pool.
    count = "from django.contrib.auth import get_user_model as m; print(m().objects.count())"
    assert {manage(stack, count) for _ in range(6)} == {"0"}


def test_words_behind_manage_are_its_arguments(stack: Stack) -> None:
    assert "System check identified no issues" in stack.run("make", "manage", "check").stdout


def test_what_the_containers_write_is_the_developers(stack: Stack) -> None:
    stack.run("make", "manage", "ARGS=startapp harbour")
    owners = {os.stat(path).st_uid for path in stack.project.folder.rglob("harbour/*")}
    assert owners == {os.getuid()}


def test_log_is_followed(stack: Stack) -> None:
    lines = re.findall(r'{.*"path": "/admin/login/".*}', stack.compose("logs", "--no-log-prefix", "web"))
    assert {json.loads(line)["status"] for line in lines} == {200}


def test_down_stops_all_and_keeps_the_data(stack: Stack) -> None:
    code = "from django.contrib.auth import get_user_model as m; m().objects.create(username=`ada`)"
    manage(stack, code)
    stack.run("make", "down")
    assert stack.compose("ps", "--all", "--quiet").strip() == ""
    stack.run("make", "up")
    count = "from django.contrib.auth import get_user_model as m; print(m().objects.count())"
    assert manage(stack, count) == "1"

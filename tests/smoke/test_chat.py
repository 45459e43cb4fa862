"""The chat without WebSockets: the long poll answers. Nothing is said, because it would be stored."""

import secrets

import pytest

from .expect import expect_equal
from .web import Site

pytestmark = [pytest.mark.only("wsgi"), pytest.mark.journal("web", "nginx")]


def test_new_room_is_empty(site: Site) -> None:
    answer = site.get(f"/chat/smoke-{secrets.token_hex(6)}/messages/")
    expect_equal((answer.status, answer.json()), (200, {"messages": []}), "the messages of a new room")

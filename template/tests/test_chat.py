"""What is kept of a conversation, who is there, and what may be said."""

import pytest
from django.utils import timezone

from chat import models
from chat.models import AWAY, TEXT_LIMIT, Message, Presence
from chat.visitors import clean_text, parse_after, parse_client, read_json


@pytest.fixture
def said(db):
    """Return the messages of a room in which three things were said, and one next door."""
    Message.objects.post("next-door", "Bob", "Hush")
    return [Message.objects.post("lobby", "Ada", text) for text in ("one", "two", "three")]


def test_history_is_the_rooms_own_oldest_first(said):
    assert Message.objects.history("lobby") == [message.as_json() for message in said]


def test_history_after_an_id_is_what_came_later(said):
    assert [m["text"] for m in Message.objects.history("lobby", said[0].id)] == ["two", "three"]
    assert Message.objects.history("lobby", said[2].id) == []


def test_history_keeps_the_newest_when_there_is_too_much(said, monkeypatch):
    monkeypatch.setattr(models, "HISTORY", 2)
    assert [m["text"] for m in Message.objects.history("lobby")] == ["two", "three"]


def test_json_of_a_message(said):
    message = said[0].as_json()
    assert set(message) == {"id", "author", "text", "created"}
    assert (message["author"], message["text"]) == ("Ada", "one")


@pytest.mark.parametrize("text", ["Ahoy", " Ahoy\n", "Aho\0y"])
def test_text_is_cleaned(text):
    assert clean_text({"text": text}) == "Ahoy"


def test_text_may_be_long():
    assert clean_text({"text": "船" * TEXT_LIMIT})


@pytest.mark.parametrize(
    "message",
    [None, [], "Ahoy", {}, {"text": 1}, {"text": " \0 "}, {"text": "a" * (TEXT_LIMIT + 1)}],
)
def test_text_that_cannot_be_said_is_refused(message):
    with pytest.raises(ValueError, match="message"):
        clean_text(message)


def test_half_a_surrogate_pair_can_be_stored(db):
    text = clean_text(read_json('{"text": "\\ud83d"}'))
    assert Message.objects.post("lobby", "Ada", text).text == "?"


@pytest.mark.parametrize("raw", ["", "{", b"\xff", "[" * 60_000])
def test_what_is_not_json_is_none(raw):
    assert read_json(raw) is None


@pytest.mark.parametrize(
    ("value", "after"), [("7", 7), (None, None), ("", None), ("-1", None), ("9" * 30, None)]
)
def test_after_is_an_id_or_none(value, after):
    assert parse_after(value) == after


ADA, BOB = "a" * 32, "b" * 32  # the keys of two pages


def test_who_is_here_is_listed_by_name_once(db):
    for client, name in ((BOB, "Bob"), (ADA, "Ada"), ("c" * 32, "Ada")):
        assert Presence.objects.enter("lobby", client, name)[1]
    Presence.objects.enter("next-door", "d" * 32, "Cy")
    assert Presence.objects.names("lobby") == ["Ada", "Bob"]


def test_page_that_comes_back_is_no_ghost(db):
    Presence.objects.enter("lobby", ADA, "Guest 1234")
    assert Presence.objects.enter("lobby", ADA, "Guest 1234")[1] is False
    assert Presence.objects.enter("lobby", ADA, "ada")[1] is True  # signed in meanwhile
    Presence.objects.enter("next-door", ADA, "ada")
    assert (Presence.objects.names("lobby"), Presence.objects.names("next-door")) == ([], ["ada"])


def test_page_that_says_goodbye_is_forgotten(db):
    Presence.objects.enter("lobby", ADA, "Ada")
    assert Presence.objects.leave(ADA, room="lobby")
    assert not Presence.objects.leave(ADA, room="lobby")
    assert not Presence.objects.exists()


def test_goodbye_of_one_process_spares_the_page_that_another_has_seen_since(db):
    seen, _ = Presence.objects.enter("lobby", ADA, "Ada")
    Presence.objects.enter("lobby", ADA, "Ada")
    assert not Presence.objects.leave(ADA, seen=seen)
    assert Presence.objects.names("lobby") == ["Ada"]


def test_page_without_a_sign_of_life_is_forgotten(db, monkeypatch):
    Presence.objects.enter("lobby", ADA, "Ada")
    later = timezone.now() + AWAY
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert Presence.objects.names("lobby") == []
    Presence.objects.enter("next-door", BOB, "Bob")
    assert not Presence.objects.filter(client=ADA).exists()
    assert Presence.objects.enter("lobby", ADA, "Ada")[1] is True


def test_crowd_is_bounded(db, monkeypatch):
    monkeypatch.setattr(models, "CROWD", 2)
    for key in "abcd":
        Presence.objects.enter("lobby", key * 32, key)
    assert Presence.objects.names("lobby") == ["a", "b"]


def test_smoke_rooms_keep_nobody(db):
    assert Presence.objects.enter("smoke-1", ADA, "Ada")[1] is False
    assert not Presence.objects.exists()


@pytest.mark.parametrize(
    ("value", "client"),
    [(ADA, ADA), (None, None), ("", None), ("a" * 31, None), ("A" * 32, None), (f"{ADA}\n", None)],
)
def test_client_is_a_key_or_none(value, client):
    assert parse_client(value) == client

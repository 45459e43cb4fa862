"""What is kept of a conversation, and what may be said in it."""

import pytest

from chat import models
from chat.models import TEXT_LIMIT, Message
from chat.visitors import clean_text, parse_after, read_json


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

"""The numbers of the events."""

import time

import pytest

from stream import events


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Stop the clock half a second after event 1000."""
    monkeypatch.setattr(time, "time", lambda: events.EPOCH.timestamp() + 1000.5)


def test_number_is_the_second():
    assert events.now() == 1000
    assert events.event(1000) == {"id": 1000, "time": "2026-01-01T00:16:40Z"}


def test_event_waits_for_its_second():
    assert events.until(1000) == 0
    assert events.until(1001) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("after", "number"),
    [
        (None, 1000),  # a newcomer
        ("999", 1000),
        ("990", 991),  # came back after ten seconds
        ("1000", 1001),
        ("0", 941),  # was away for too long: the last 60
        ("5000", 1001),  # from the future
        ("x", 1000),
        ("", 1000),
        ("9" * 5000, 1000),
    ],
)
def test_client_resumes_with_the_next(after, number):
    assert events.first(after) == number


def test_event_as_server_sent_event():
    assert events.as_sse(7) == (
        'id: 7\nevent: tick\ndata: {"id": 7, "time": "2026-01-01T00:00:07Z"}\n\n'
    )

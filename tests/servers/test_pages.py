"""The chat and the stream in a real browser: alike whatever the interface and the server."""

import os
import re
import secrets
import signal
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import chromium, online
from tests.servers.processes import PATIENCE, Redis, Site, until
from tests.servers.table import ROWS, Row

BACK = 15_000  # milliseconds in which a page is back once it can be: it tries every 4 seconds
SOON = PATIENCE * 1000
FORGOTTEN = 90_000  # a page that says nothing is forgotten after a minute: chat/models.py, AWAY


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module", params=ROWS, ids=str)
def row(request: pytest.FixtureRequest) -> Row:
    return request.param


@pytest.fixture(scope="module")
def site(serve: Callable[..., Site], row: Row) -> Site:
    # Under ASGI few seconds after a page was loaded its WebSocket is the one connection that is left.
    return serve(row, **{"KEEP_ALIVE": "2"} if row.interface == "asgi" else {})


@pytest.fixture
def visit(site: Site, browser: Browser) -> Iterator[Callable[[str], Page]]:
    """Open a page of the site as a visitor of one's own, and wait until it is online."""
    contexts = []

    def visit(path: str) -> Page:
        contexts.append(browser.new_context())
        page = contexts[-1].new_page()
        page.goto(f"{site.url}{path}")
        online(page)
        return page

    yield visit
    for context in contexts:
        context.close()


@pytest.fixture
def room() -> str:
    return f"/chat/room-{secrets.token_hex(4)}/"


@pytest.fixture
def two(site: Site, row: Row, room: str, visit: Callable[[str], Page]) -> tuple[Page, Page]:
    """Two visitors of a room. Under ASGI the first is on the worker site.pids[0], the other one is not."""
    if row.interface == "wsgi":  # every poll may come to either worker
        return visit(room), visit(room)
    pages: dict[int, Page] = {}

    def two_pages_on_two_workers() -> bool:
        # A busy machine may make uvicorn renew a worker, and a page come back to another one: look anew each time.
        workers = site.workers()
        for lost in pages.keys() - set(workers):
            pages.pop(lost).goto("about:blank")
        before = site.connections()
        page = visit(room)
        try:
            worker = until(lambda: only_one(site.connections(), before), "one connection of a page", 10)
        except AssertionError:
            worker = None
        if worker is None or worker in pages:
            page.goto("about:blank")
        else:
            pages[worker] = page
        return len(pages) == 2 and pages.keys() == set(site.workers())

    until(two_pages_on_two_workers, "two pages on two workers", 4 * PATIENCE)
    return pages[site.pids[0]], pages[site.pids[1]]


def only_one(connections: dict[int, int], before: dict[int, int]) -> int | None:
    """The worker that holds the one new connection; None where there are more or less."""
    new = [worker for port, worker in connections.items() if port not in before]
    return new[0] if len(new) == 1 else None


def say(page: Page, text: str) -> None:
    page.fill("#text", text)
    page.press("#text", "Enter")


def sees(page: Page, *texts: str) -> None:
    """The page shows these messages, each once, and no other."""
    expect(page.locator("#messages .text")).to_have_text(list(texts), timeout=SOON)


def sees_here(page: Page, *names: str, milliseconds: float = SOON) -> None:
    """The page shows itself and these others as being here, and nobody else."""
    own = f"{name(page)} (you)"
    expect(page.locator("#here li")).to_have_text([f"{len(names) + 1} here", own, *sorted(names)], timeout=milliseconds)


def name(page: Page) -> str:
    return page.get_attribute("#send", "data-name")


def test_visitors_on_two_workers_chat_and_a_newcomer_reads_it(
    two: tuple[Page, Page], room: str, visit: Callable[[str], Page]
) -> None:
    sentences = ("Is the slipway clear?", "Clear, <b>launch</b> when ready.")
    for page, sentence in zip(two, sentences, strict=True):
        say(page, sentence)
        for reader in two:
            expect(reader.locator("#messages .text", has_text=sentence)).to_be_visible(timeout=SOON)
    newcomer = visit(room)
    for page in (*two, newcomer):
        sees(page, *sentences)
        authors = page.locator("#messages .author").all_inner_texts()
        assert authors == [name(visitor) for visitor in two]
        assert len(set(authors)) == len(authors)
        assert all(re.fullmatch(r"Guest [0-9a-f]{4}", author) for author in authors)


def test_who_is_here_appears_and_leaves(two: tuple[Page, Page], room: str, visit: Callable[[str], Page]) -> None:
    ada, bob = two
    sees_here(ada, name(bob))
    sees_here(bob, name(ada))
    newcomer = visit(room)
    for page in (ada, bob, newcomer):
        sees_here(page, *{name(ada), name(bob), name(newcomer)} - {name(page)})
    newcomer.goto(newcomer.url)  # the same visitor on another page, and no ghost of the one before
    sees_here(newcomer, name(ada), name(bob))
    newcomer.goto("about:blank")
    bob.close()
    sees_here(ada, milliseconds=FORGOTTEN)  # a browser that is busy may end without a goodbye


def test_restart_loses_and_doubles_nothing(two: tuple[Page, Page], site: Site, room: str) -> None:
    ada, bob = two
    say(ada, "Before.")
    for page in two:
        sees(page, "Before.")
    ada.fill("#text", "Typed before, sent after.")
    site.stop()
    expect(ada.locator("#status")).not_to_have_text("Online", timeout=SOON)
    ada.press("#text", "Enter")
    expect(ada.locator("#notice")).to_contain_text("Not sent yet")
    site.write(room.split("/")[2], "Meanwhile.")
    site.start()
    for page in two:
        online(page, BACK)
        sees(page, "Before.", "Meanwhile.")
    assert ada.input_value("#text") == "Typed before, sent after."
    ada.press("#text", "Enter")
    for page in two:
        sees(page, "Before.", "Meanwhile.", "Typed before, sent after.")
    assert ada.input_value("#text") == ""
    sees_here(ada, name(bob))
    sees_here(bob, name(ada))


def test_killed_worker_is_survived(two: tuple[Page, Page], site: Site, row: Row) -> None:
    ada, bob = two
    if row.interface == "asgi":
        with ada.expect_websocket(timeout=SOON):  # "Online" may be of before, until the page has noticed
            os.kill(site.pids[0], signal.SIGKILL)
    else:
        os.kill(site.pids[0], signal.SIGKILL)
    online(ada, BACK)
    say(ada, "Still here.")
    for page in two:
        sees(page, "Still here.")
    site.workers()
    say(bob, "Me too.")
    for page in two:
        sees(page, "Still here.", "Me too.")
    sees_here(ada, name(bob))


def test_redis_may_be_away_for_ten_seconds(two: tuple[Page, Page], site: Site, room: str, redis: Redis) -> None:
    ada, bob = two
    say(ada, "Before.")
    for page in two:
        sees(page, "Before.")
    redis.stop()
    site.write(room.split("/")[2], "Meanwhile.")
    end = time.monotonic() + 10
    while time.monotonic() < end:
        assert site.status("/") == site.status(room) == 200
        time.sleep(0.5)
    redis.start()
    for page in two:
        online(page, BACK)
        sees(page, "Before.", "Meanwhile.")
    say(bob, "After.")
    for page in two:
        sees(page, "Before.", "Meanwhile.", "After.")
    sees_here(ada, name(bob))


def figure(page: Page, name: str) -> int:
    return int(page.inner_text(f"#{name}").replace(",", ""))


def test_stream_loses_no_event(site: Site, row: Row, visit: Callable[[str], Page]) -> None:
    page = visit("/stream/")
    transports = ["sse", "websocket"] if row.interface == "asgi" else ["sse"]
    for transport in transports:
        if len(transports) > 1:
            page.locator(f"#transport input[value={transport}]").check(force=True)
            online(page)
        newest = figure(page, "received") + 2
        until(lambda newest=newest: figure(page, "received") >= newest, "two more events")
        expect(page.locator("#events li").first).to_contain_text("live")
        caught_up = figure(page, "resumed")
        page.click("#cut")
        expect(page.locator("#status")).to_have_text("Offline")
        page.wait_for_timeout(4000)
        page.click("#cut")
        online(page)
        expect(page.locator("#events li").first).to_contain_text("live", timeout=SOON)
        assert figure(page, "resumed") > caught_up
        assert figure(page, "lost") == 0


def test_stream_survives_a_restart(site: Site, visit: Callable[[str], Page]) -> None:
    page = visit("/stream/")
    expect(page.locator("#events li").first).to_contain_text("live", timeout=SOON)
    site.stop()
    expect(page.locator("#status")).not_to_have_text("Online", timeout=SOON)
    site.start()
    received = figure(page, "received")
    online(page, BACK)
    expect(page.locator("#received")).not_to_have_text(str(received), timeout=SOON)
    assert figure(page, "lost") == 0

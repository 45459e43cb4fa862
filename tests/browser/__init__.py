"""A headless Chromium, and two visitors of a site in it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from playwright.sync_api import Browser, Page, expect, sync_playwright


class Site(Protocol):
    """What a visitor needs to know: the site's URL, its name, and the address behind that name."""

    url: str
    domain: str
    address: str


# Nothing but the test host is asked for: without these, Chromium looks up its maker's services at every start.
QUIET = ("--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update")
SENTENCES = ("Is the slipway clear?", "Clear, <b>launch</b> when ready.")


@contextmanager
def chromium(*options: str) -> Iterator[Browser]:
    """Give a browser, with these command-line options of its own; it ends with the block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=Path(__file__).parent / "chromium",
            args=[*QUIET, "--no-sandbox", *options],
            # That file is a program in Python, and imports what is installed beside this one.
            env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        )
        yield browser
        browser.close()


@contextmanager
def two_visitors(site: Site) -> Iterator[tuple[Page, Page]]:
    """Give a page for each of two visitors, who share no cookies."""
    with chromium(f"--host-resolver-rules=MAP {site.domain} {site.address}") as browser:
        # The authority is the project's own; that its certificate is right is the smoke suite's to check.
        visitors = [browser.new_context(ignore_https_errors=True).new_page() for _ in range(2)]
        yield visitors[0], visitors[1]


def online(page: Page, milliseconds: float = 30_000) -> None:
    """The room, or the stream, is connected, or soon again; what is said otherwise is not sent."""
    expect(page.locator("#status")).to_have_text("Online", timeout=milliseconds)


def enter(site: Site, page: Page, room: str) -> None:
    """Open a room of the chat and wait until it is connected."""
    page.goto(f"{site.url}/chat/{room}/")
    online(page)


def expect_to_read(page: Page, *sentences: str) -> None:
    """The room shows what was said."""
    for sentence in sentences:
        expect(page.locator("#messages .message .text", has_text=sentence)).to_be_visible(timeout=30_000)


def talk(site: Site, pages: tuple[Page, Page], room: str) -> None:
    """Two visitors enter a room, where nobody has spoken; each says a sentence, and both read both."""
    for page in pages:
        enter(site, page, room)
    for page, sentence in zip(pages, SENTENCES, strict=True):
        online(page)
        page.fill("#text", sentence)
        page.press("#text", "Enter")
        for reader in pages:
            expect_to_read(reader, sentence)
    authors = pages[0].locator("#messages .message .author").all_inner_texts()[-2:]
    assert authors[0] != authors[1], f"two visitors speak under one name: {authors}"


def chat_with_each_other(site: Site) -> None:
    """Two visitors talk in the room `harbour`."""
    with two_visitors(site) as pages:
        talk(site, pages, "harbour")

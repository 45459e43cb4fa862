"""nginx as the role configures it, alone in a container, before an application that says what the test tells it to."""

import os
import re
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler
from itertools import count
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from threading import Event, Thread
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.compose.proxy import rendered
from tests.compose.stack import ROOT
from tests.hosts.host import LABEL, docker, wait_for

IMAGE = re.search(r"image: (nginx:\S+)", (ROOT / "compose/compose.production.yaml").read_text())[1]
LONG, SHORT = 60, 5  # seconds that the caching proxies keep a page
BIG = 8_000_000  # bytes: more than sockets hold
NAME = "site.test"


class Answer(BaseHTTPRequestHandler):
    """A page with a number of its own and the headers that the query names; some paths differ, as below."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        number = next(self.server.numbers)
        if url.path.startswith("/after/"):
            time.sleep(float(url.path.removeprefix("/after/")))
        body = b"x" * BIG if url.path == "/big" else str(number).encode()
        self.send_response(200)
        for name, value in parse_qsl(url.query):
            self.send_header(name, value)
        if url.path == "/cookies":
            for cookie in range(4):
                self.send_header("Set-Cookie", f"{cookie}={'x' * 3000}")
        if url.path == "/events":
            # Without a length and without chunks: what nginx would hold back until a buffer is full.
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(b"one")
            self.server.heard.wait(30)
            self.wfile.write(b"two")
            return
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.server.taken.set()

    do_HEAD = do_POST = do_GET

    def address_string(self) -> str:
        """A UNIX socket has none."""
        return "nginx"

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Application(ThreadingMixIn, UnixStreamServer):
    """Counts its connections and its answers."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, place: Path):
        super().__init__(str(place), Answer)
        place.chmod(0o777)  # nginx is another user
        self.connections, self.numbers = 0, count()
        # /events: the visitor has got the first one. /big: nginx has taken all of it.
        self.heard, self.taken = Event(), Event()

    def get_request(self) -> tuple[socket.socket, object]:
        """Count a connection."""
        self.connections += 1
        return super().get_request()


@dataclass
class Proxy:
    """A running nginx: its container and address, the application behind it and the folder of its slots."""

    name: str
    address: str
    application: Application
    slots: Path
    headers: dict[str, str] = field(default_factory=lambda: {"Host": NAME})

    def connect(self) -> HTTPConnection:
        """A connection that its user closes."""
        return HTTPConnection(self.address, 80, timeout=40)

    def ask(self, path: str, method: str = "GET", on: HTTPConnection | None = None, **headers: str) -> HTTPResponse:
        """Ask for a path; `Accept_Encoding="gzip"` is sent as Accept-Encoding. The answer's text is in `text`."""
        connection = on or self.connect()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=self.headers | named)
        answer = connection.getresponse()
        answer.text = answer.read().decode()
        assert answer.status < 500, answer.text
        if not on:
            connection.close()
        return answer

    def cache(self, path: str, **options: str) -> str | None:
        """What X-Cache says of a path."""
        return self.ask(path, **options).headers["X-Cache"]


@pytest.fixture(scope="module")
def start(images: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Proxy]]:
    """Start nginx with the given inventory keys, as compose.production.yaml does; it goes at the end."""
    with ExitStack() as stack:

        def run(**keys: object) -> Proxy:
            folder = tmp_path_factory.mktemp("proxy")
            plain = {
                "tls": "off",
                "app_domain": NAME,
                "__nginx_hsts": "max-age=60",
                "nginx_trusted_proxies": ["0.0.0.0/0"],
            }
            places = {"templates/app.conf.template": "sites-enabled/app.conf", "upstream.conf": "upstreams/app.conf"}
            for place, text in rendered(**plain, **keys).items():
                file = folder / "proxy" / places.get(place, place)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            (folder / "sockets").mkdir()
            (folder / "slots/blue/staticfiles").mkdir(parents=True)
            application = Application(folder / "sockets/blue.sock")
            Thread(target=application.serve_forever, daemon=True).start()
            stack.callback(application.server_close)
            stack.callback(application.shutdown)
            name = f"slipway-proxy-{secrets.token_hex(4)}"
            docker(
                *("run", "--detach", "--name", name, "--label", LABEL, "--user=101:101", "--read-only"),
                *("--tmpfs=/tmp:uid=101,gid=101", "--tmpfs=/etc/nginx/conf.d:uid=101,gid=101"),
                *(f"--volume={folder}/proxy:/etc/nginx/slipway:ro", f"--volume={folder}/sockets:/run/app:ro"),
                f"--volume={folder}/slots:/srv/app/slots:ro",
                *(IMAGE, "nginx", "-c", "/etc/nginx/slipway/nginx.conf", "-g", "daemon off;"),
            )
            stack.callback(docker, "rm", "--force", name)
            address = docker("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", name)
            wait_for(lambda: socket.socket().connect_ex((address, 80)) == 0, f"nginx: {docker('logs', name)}", 20)
            return Proxy(name, address, application, folder / "slots")

        yield run


@pytest.fixture(scope="module")
def proxy(start: Callable[..., Proxy]) -> Proxy:
    """With the role's defaults."""
    return start()


@pytest.fixture(scope="module")
def caching(start: Callable[..., Proxy]) -> Proxy:
    """With a cache of pages."""
    return start(nginx_cache_seconds=LONG)


@pytest.fixture(scope="module")
def forgetful(start: Callable[..., Proxy]) -> Proxy:
    """With a cache of pages that keeps them for seconds only."""
    return start(nginx_cache_seconds=SHORT)


def test_connections_to_the_application_are_used_again(proxy: Proxy) -> None:
    workers = os.cpu_count() or 1  # each keeps its own
    before = proxy.application.connections
    for _ in range(10 * workers):
        assert proxy.ask("/").status == 200
    assert proxy.application.connections - before <= 2 * workers


def test_headers_of_many_cookies_pass(proxy: Proxy) -> None:
    assert len(proxy.ask("/cookies").headers.get_all("Set-Cookie", [])) == 4


def test_slow_visitor_does_not_hold_the_application(proxy: Proxy) -> None:
    proxy.application.taken.clear()
    with socket.socket() as visitor:
        visitor.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        visitor.connect((proxy.address, 80))
        visitor.sendall(f"GET /big HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
        assert proxy.application.taken.wait(30), "the application still waits for a visitor who reads nothing"


@pytest.mark.parametrize("kind", ["proxy", "caching"])
def test_events_come_one_by_one(request: pytest.FixtureRequest, kind: str) -> None:
    proxy = request.getfixturevalue(kind)
    proxy.application.heard.clear()
    with closing(proxy.connect()) as connection:
        began = time.monotonic()
        connection.request("GET", "/events?X-Accel-Buffering=no", headers=proxy.headers)
        answer = connection.getresponse()
        assert answer.read1() == b"one"
        assert time.monotonic() - began < 15
        proxy.application.heard.set()  # Only now the second one is sent.
        assert answer.read() == b"two"


def test_pages_are_not_compressed(proxy: Proxy) -> None:
    assert proxy.ask("/big", Accept_Encoding="gzip").headers["Content-Encoding"] is None


def test_file_stays_open_for_seconds_only(proxy: Proxy) -> None:
    """A slot gets another release while nginx holds the old one's files open."""
    release = proxy.slots / "blue/staticfiles"
    (release / "site.css").write_text("old")
    with closing(proxy.connect()) as visitor:  # of one nginx worker, as each has files of its own
        assert proxy.ask("/static/site.css", on=visitor).text == "old"
        assert proxy.ask("/static/new.css", on=visitor).status == 404
        assert "/staticfiles/site.css" in docker("exec", proxy.name, "sh", "-c", "ls -l /proc/[0-9]*/fd")
        release.rename(proxy.slots / "blue/before")
        release.mkdir()
        (release / "site.css").write_text("new")
        (release / "new.css").write_text("new")
        assert proxy.ask("/static/new.css", on=visitor).text == "new"
        wait_for(lambda: proxy.ask("/static/site.css", on=visitor).text == "new", "the new release's file", 20)


def test_nothing_is_kept_unless_asked_for(proxy: Proxy) -> None:
    first, second = proxy.ask("/page"), proxy.ask("/page")
    assert first.text != second.text
    assert (first.headers["X-Cache"], second.headers["X-Cache"]) == (None, None)


def test_page_is_kept_for_so_many_seconds(forgetful: Proxy) -> None:
    path, began = "/kept", time.monotonic()
    first, second = forgetful.ask(path), forgetful.ask(path)
    assert (first.headers["X-Cache"], second.headers["X-Cache"]) == ("MISS", "HIT")
    assert first.text == second.text
    assert forgetful.cache(path, method="HEAD") == "HIT"
    wait_for(lambda: forgetful.ask(path).text != first.text, "another page", SHORT + 15)
    assert time.monotonic() - began > SHORT - 1.5  # nginx counts whole seconds


def test_kept_page_has_each_security_header_once(caching: Proxy) -> None:
    path = "/headers?X-Frame-Options=SAMEORIGIN"
    answers = [caching.ask(path), caching.ask(path)]
    assert [answer.headers["X-Cache"] for answer in answers] == ["MISS", "HIT"]
    for answer in answers:
        assert answer.headers.get_all("X-Frame-Options") == ["SAMEORIGIN"]
        assert answer.headers.get_all("X-Content-Type-Options") == ["nosniff"]


@pytest.mark.parametrize(
    "headers",
    [{"Cookie": "__Host-sessionid=secret"}, {"Cookie": "theme=dark"}, {"Authorization": "Bearer secret"}],
    ids=lambda headers: "-".join(headers.values()),
)
def test_visitor_who_says_who_he_is_neither_gets_nor_fills_the_cache(caching: Proxy, headers: dict[str, str]) -> None:
    path = f"/own-{secrets.token_hex(4)}"
    assert [caching.cache(path, **headers) for _ in range(2)] == ["BYPASS", "BYPASS"]
    stranger = caching.ask(path)
    assert stranger.headers["X-Cache"] == "MISS"
    again = caching.ask(path, **headers)
    assert (again.headers["X-Cache"], again.text != stranger.text) == ("BYPASS", True)
    # And what he got then is nobody else's.
    assert caching.ask(path).text == stranger.text


@pytest.mark.parametrize(
    "answer",
    [
        *("Set-Cookie=csrftoken%3Dx", "Cache-Control=private", "Cache-Control=no-store", "Cache-Control=max-age%3D0"),
        *("Cache-Control=no-cache", "Vary=*"),
    ],
)
def test_answer_that_is_somebodys_own_is_not_kept(caching: Proxy, answer: str) -> None:
    assert [caching.cache(f"/?{answer}") for _ in range(2)] == ["MISS", "MISS"]


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_probe_is_not_kept(caching: Proxy, path: str) -> None:
    assert [caching.cache(path) for _ in range(2)] == ["BYPASS", "BYPASS"]


@pytest.mark.parametrize("headers", [{"Accept": "text/event-stream"}, {"Upgrade": "websocket"}], ids=str)
def test_stream_is_not_kept(caching: Proxy, headers: dict[str, str]) -> None:
    path = f"/live-{secrets.token_hex(4)}"
    assert [caching.cache(path, **headers) for _ in range(2)] == ["BYPASS", "BYPASS"]
    assert caching.cache(path) == "MISS"


def test_stream_that_is_asked_for_as_a_page_is_not_kept(caching: Proxy) -> None:
    caching.application.heard.set()
    path = "/events?X-Accel-Buffering=no"
    assert [caching.cache(path) for _ in range(2)] == ["MISS", "MISS"]


@pytest.mark.parametrize("path", ["/big", "/events"], ids=["large", "of unknown length"])
def test_what_is_no_page_is_not_kept(caching: Proxy, path: str) -> None:
    """All that is kept lies in one small folder, in a container in memory."""
    caching.application.heard.set()
    assert [caching.cache(path) for _ in range(2)] == ["MISS", "MISS"]


def test_kept_page_has_the_id_of_each_request(caching: Proxy) -> None:
    answers = [caching.ask("/id?X-Request-ID=of-the-first") for _ in range(2)]
    assert [answer.headers["X-Cache"] for answer in answers] == ["MISS", "HIT"]
    ids = [answer.headers.get_all("X-Request-ID") for answer in answers]
    assert [len(names) for names in ids] == [1, 1]
    assert ids[0] != ids[1]
    assert "of-the-first" not in ids[0] + ids[1]


def test_form_that_was_sent_is_not_kept(caching: Proxy) -> None:
    first, second = (caching.ask("/form", method="POST") for _ in range(2))
    assert first.text != second.text
    assert caching.cache("/form") == "MISS"


def test_vary_is_respected(caching: Proxy) -> None:
    path = "/?Vary=Accept-Language"
    german = caching.ask(path, Accept_Language="de")
    english = caching.ask(path, Accept_Language="en")
    assert german.text != english.text
    assert caching.ask(path, Accept_Language="de").text == german.text


def test_scheme_and_query_make_another_page(caching: Proxy) -> None:
    page = caching.ask("/key?a=1").text
    assert caching.ask("/key?a=2").text != page
    assert caching.ask("/key?a=1", X_Forwarded_Proto="https").text != page
    assert caching.ask("/key?a=1").text == page


def at_once(proxy: Proxy, path: str) -> tuple[set[str], float]:
    """The texts that ten visitors get who come at once, and the seconds until the last one had his."""
    began = time.monotonic()
    with ThreadPoolExecutor(10) as pool:
        texts = set(pool.map(lambda _: proxy.ask(path).text, range(10)))
    return texts, time.monotonic() - began


def test_visitors_who_come_at_once_share_one_fetch(caching: Proxy) -> None:
    # On a busy machine some try again: nobody waits for another one's page for more than 200 ms.
    attempts = count()
    wait_for(
        lambda: len(at_once(caching, f"/after/0.05?X-Try={next(attempts)}")[0]) == 1, "one page for ten visitors", 20
    )


def test_visitors_do_not_queue_for_a_page_that_is_not_kept(caching: Proxy) -> None:
    """It takes two seconds: one after the other, ten visitors would take twenty."""
    texts, seconds = at_once(caching, "/after/2?Set-Cookie=csrftoken%3Dx")
    assert len(texts) == 10
    assert seconds < 10


def test_old_page_is_shown_while_one_visitor_fetches_the_new_one(forgetful: Proxy) -> None:
    path = "/after/2"
    old = forgetful.ask(path).text
    assert forgetful.cache(path) == "HIT"
    time.sleep(SHORT + 1)  # for the page to be old
    texts, seconds = at_once(forgetful, path)
    assert old in texts
    assert len(texts) == 2
    assert seconds < 10


def test_switch_to_another_slot_leaves_no_page_of_the_old_one(caching: Proxy) -> None:
    assert [caching.cache("/release") for _ in range(2)] == ["MISS", "HIT"]
    upstream = caching.slots.parent / "proxy/upstreams/app.conf"
    text = upstream.read_text()
    upstream.write_text(text.replace("default blue", "default green"))
    docker("exec", caching.name, "nginx", "-c", "/etc/nginx/slipway/nginx.conf", "-s", "reload")
    wait_for(lambda: caching.cache("/release") == "MISS", "a page of the other slot", 10)

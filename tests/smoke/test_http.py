"""The public pages: they answer, redirect to HTTPS, and carry the headers that protect their visitors."""

import contextlib

import pytest

from .expect import expect, expect_equal
from .web import Site

pytestmark = pytest.mark.journal("nginx", "web")
TOO_MUCH = str(10**15)  # bytes of a body that no nginx takes; it answers itself, before any is sent
PROTECTION = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def test_proxy_passes_livez_on(site: Site) -> None:
    answer = site.get("/livez")
    expect_equal((answer.status, answer.data), (200, b"ok"), "/livez through the public proxy")


@pytest.mark.parametrize("path", ["/", "/chat/", "/stream/", "/admin/login/"])
def test_page_answers(site: Site, path: str) -> None:
    answer = site.get(path)
    seen = f"{answer.status} {answer.headers.get('Content-Type')}"
    expect_equal(seen, "200 text/html; charset=utf-8", path)
    expect(b"</html>" in answer.data, f"a whole page at {path}", f"{len(answer.data)} bytes without </html>")


def test_unknown_page_is_not_found(site: Site) -> None:
    expect_equal(site.get("/no-such-page/").status, 404, "/no-such-page/")


@pytest.mark.only("https")
def test_http_redirects_to_https(site: Site) -> None:
    answer = site.get("/chat/?a=b", scheme="http")
    seen = (answer.status, answer.headers.get("Location"))
    expect_equal(seen, (301, f"https://{site.domain}/chat/?a=b"), "http://…/chat/?a=b")


@pytest.mark.parametrize("path", ["/", "/no-such-page/", "/static/no-such-file", "/livez"])
def test_answer_has_security_headers(site: Site, path: str) -> None:
    _expect_protection(site, path, site.get(path).headers)


def test_error_of_the_proxy_has_security_headers(site: Site) -> None:
    answer = site.get("/", Content_Length=TOO_MUCH)
    expect_equal(answer.status, 413, "a request that announces a body of a petabyte")
    _expect_protection(site, "the 413 page of nginx itself", answer.headers)


def test_pages_name_what_they_may_load(site: Site) -> None:
    policy = site.get("/").headers.get("Content-Security-Policy", "")
    wanted = ("default-src 'self'", "frame-ancestors 'none'")
    expect(
        all(word in policy for word in wanted), f"Content-Security-Policy with {'; '.join(wanted)}", policy or "none"
    )


def test_answers_do_not_tell_versions(site: Site) -> None:
    seen = site.get("/").headers
    expect(seen.get("Server") == "nginx" and "X-Powered-By" not in seen, "Server: nginx, without a version", dict(seen))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_wrong_host_gets_no_answer(site: Site, scheme: str) -> None:
    with site.connect(80) if scheme == "http" else site.handshake() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: wrong.invalid\r\n\r\n")
        seen = b""
        with contextlib.suppress(ConnectionError):
            seen = connection.recv(1000)
    expect(not seen, f"no byte over {scheme} to Host: wrong.invalid", seen)


def _expect_protection(site: Site, what: str, headers: object) -> None:
    __tracebackhide__ = True
    wrong = {name: headers.getlist(name) for name, value in PROTECTION.items() if headers.getlist(name) != [value]}
    expect(not wrong, f"{what}: {', '.join(f'{name}: {PROTECTION[name]}' for name in wrong)} (once each)", wrong)
    age = f"max-age={site.machine['app_hsts_seconds']}"
    seen = headers.getlist("Strict-Transport-Security")
    expect(len(seen) == 1 and seen[0].startswith(age), f"{what}: Strict-Transport-Security: {age} (once)", seen)

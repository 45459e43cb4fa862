"""Static files: hashed names, compressed, kept by browsers for good."""

import gzip
import re

import pytest

from .expect import expect, expect_equal
from .web import Site

pytestmark = pytest.mark.journal("nginx")
HASHED = re.compile(r"/static/[^\"'?]+\.[0-9a-f]{12}\.[a-z0-9]+$")


@pytest.fixture(scope="session")
def files(site: Site) -> list[str]:
    """Paths of the static files that the home page loads."""
    found = re.findall(r'(?:href|src)="(/static/[^"]+)"', site.get("/").data.decode())
    expect(found, "static files in the home page", "none")
    return sorted(set(found))


@pytest.fixture(scope="session")
def style(files: list[str]) -> str:
    """The path of a style sheet among them."""
    found = [path for path in files if path.endswith(".css")]
    expect(found, "a style sheet in the home page", files)
    return found[0]


def test_names_carry_a_hash(files: list[str]) -> None:
    wrong = [path for path in files if not HASHED.match(path)]
    expect(not wrong, "names with twelve hexadecimal digits of their content's hash", wrong)


def test_file_answers(site: Site, style: str) -> None:
    answer = site.get(style)
    seen = (answer.status, answer.headers.get("Content-Type", "").split(";")[0])
    expect_equal(seen, (200, "text/css"), style)


def test_file_is_compressed(site: Site, style: str) -> None:
    answer = site.get(style, Accept_Encoding="gzip")
    seen = (answer.headers.get("Content-Encoding"), answer.headers.get("Vary"))
    expect_equal(seen, ("gzip", "Accept-Encoding"), f"Content-Encoding and Vary of {style}")
    expect_equal(gzip.decompress(answer.data), site.get(style).data, "what the compressed file holds")


def test_hashed_file_is_cached_for_good(site: Site, style: str) -> None:
    seen = site.get(style).headers.get("Cache-Control", "")
    expect(
        "immutable" in seen and "max-age=31536000" in seen, f"{style}: max-age=31536000, immutable", seen or "nothing"
    )


def test_file_has_security_headers(site: Site, style: str) -> None:
    headers = site.get(style).headers
    wanted = {"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin"}
    wrong = {name: headers.getlist(name) for name, value in wanted.items() if headers.getlist(name) != [value]}
    expect(not wrong, f"{style}: {', '.join(f'{name}: {wanted[name]}' for name in wrong)} (once each)", wrong)


def test_paths_cannot_climb_out(site: Site) -> None:
    seen = {
        path: site.get(path).status for path in ("/static/../RELEASE", "/static/%2e%2e/RELEASE", "/static../RELEASE")
    }
    expect(all(status in (400, 404) for status in seen.values()), "400 or 404 for paths above /static/", seen)

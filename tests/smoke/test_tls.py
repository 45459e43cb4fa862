"""The certificate, and what the proxy agrees to speak."""

import ssl
from datetime import UTC, datetime

import pytest

from .expect import expect
from .web import Site

pytestmark = [pytest.mark.only("https"), pytest.mark.journal("nginx")]


@pytest.fixture(scope="session")
def certificate(site: Site) -> dict:
    """The certificate, accepted as a visitor's browser would: chain, dates and name."""
    try:
        with site.handshake() as connection:
            return connection.getpeercert()
    except ssl.SSLError as error:
        expect(False, f"a certificate for {site.domain} from an authority that visitors trust", error)


def test_certificate_is_trusted(certificate: dict) -> None:
    expect(certificate, "a certificate", "none")


def test_certificate_names_every_domain(site: Site, certificate: dict) -> None:
    names = {name for kind, name in certificate["subjectAltName"] if kind == "DNS"}
    wanted = {site.domain, *site.machine["app_domains_extra"]}
    covered = {name for name in wanted if name in names or f"*.{name.partition('.')[2]}" in names}
    expect(covered == wanted, f"a certificate for {', '.join(sorted(wanted))}", ", ".join(sorted(names)))


def test_certificate_lasts(site: Site, certificate: dict) -> None:
    end = datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
    days = (end - datetime.now(UTC)).days
    limit = site.machine["verify_certificate_days"]
    expect(days >= limit, f"at least {limit} days left", f"{days} days, until {end:%Y-%m-%d}")


def test_connection_is_of_today(site: Site) -> None:
    with site.handshake() as connection:
        expect(connection.version() in ("TLSv1.2", "TLSv1.3"), "TLS 1.2 or 1.3", connection.version())


def test_browser_is_offered_http_2(site: Site) -> None:
    browser = _blind()
    browser.set_alpn_protocols(["h2", "http/1.1"])
    with site.handshake(context=browser) as connection:
        seen = connection.selected_alpn_protocol()
    expect(seen == "h2", "HTTP/2 (h2) for a client that speaks it", seen or "no agreement")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_outdated_tls_is_refused(site: Site) -> None:
    old = _blind()
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    _expect_refusal(site, None, old, "a client that speaks TLS 1.1 at most")


def test_wrong_name_gets_no_certificate(site: Site) -> None:
    _expect_refusal(site, "wrong.invalid", _blind(), "a client that asks for wrong.invalid")


def _blind() -> ssl.SSLContext:
    """A client that takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _expect_refusal(site: Site, name: str | None, context: ssl.SSLContext, who: str) -> None:
    __tracebackhide__ = True
    try:
        site.handshake(name, context).close()
    except (ssl.SSLError, ConnectionError):
        return
    expect(False, f"no handshake with {who}", "a connection")

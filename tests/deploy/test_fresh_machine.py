"""`make demo` on a machine that has only Git, Make and Debian's Python: everything else is the project's to install."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.hosts import Host
from tests.hosts.host import wait_for

ROOT = Path(__file__).parents[2]


def test_make_demo_sets_up_all_it_needs_and_serves_the_chat(new_host: Callable[..., Host], tmp_path: Path) -> None:
    host = new_host()
    host.run(
        "apt-get update -qq && apt-get install -y -qq --no-install-recommends git make >/dev/null 2>&1", timeout=300
    )
    assert host.run("command -v uv pip3 curl", check=False) == ""
    bundle = tmp_path / "slipway.bundle"
    subprocess.run(["git", "bundle", "create", "--quiet", bundle, "HEAD"], cwd=ROOT, check=True)
    subprocess.run(["docker", "cp", "--quiet", bundle, f"{host.name}:/root/slipway.bundle"], check=True)
    host.run("git clone --quiet /root/slipway.bundle /root/slipway 2>&1")
    # An authority of the machine's own (a company's proxy) is in the host's trust store; uv is told to use that.
    host.run(
        "cd /root/slipway && export SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"
        " && make demo PORT=8123 >/root/demo.log 2>&1 &"
    )
    page = "http://127.0.0.1:8123/chat/harbour/"
    ready = f"python3 -c \"import urllib.request as r; print(r.urlopen('{page}', timeout=10).status)\""
    try:
        wait_for(lambda: host.run(f"{ready} 2>/dev/null", check=False) == "200", "make demo to serve the chat", 300)
    except TimeoutError as error:
        raise AssertionError(
            f"{error}; it said:\n{host.run('cat /root/demo.log /root/slipway/.demo/serve.log')}"
        ) from None

"""What the docs say of the servers is what the tests look at."""

from tests.servers.table import ROWS, as_markdown
from tests.template.rendering import ROOT, SERVERS


def test_the_table_of_servers_is_the_one_that_is_tested():
    assert as_markdown() in (ROOT / "docs" / "servers.md").read_text()


def test_every_choice_of_a_server_has_a_row():
    offered = {(interface, server) for interface, servers in SERVERS.items() for server in servers}
    assert {(row.interface, row.server) for row in ROWS} == offered

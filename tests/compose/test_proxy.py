"""One source for nginx: what the containers get is what the role writes."""

import pytest

from tests.compose.proxy import FILES, PROXY, rendered


@pytest.fixture(scope="module")
def wanted() -> dict[str, str]:
    return rendered()


@pytest.mark.parametrize("place", FILES.values())
def test_proxy_has_the_roles_configuration(wanted: dict[str, str], place: str) -> None:
    assert (PROXY / place).read_text() == wanted[place], "write it anew with `python -m tests.compose.proxy`"


def test_proxy_has_nothing_else() -> None:
    assert {str(file.relative_to(PROXY)) for file in PROXY.rglob("*") if file.is_file()} == set(FILES.values())

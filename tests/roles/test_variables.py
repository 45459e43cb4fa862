"""What an owner may set is said twice, with its reason and with its type; the two must agree."""

import re

import pytest

from tests.roles.conftest import ROLES, load, role_names

# The keys that owners read before they know any role.
SHORT_NAMES = {"deploy_target", "tls"}


def defaults(role: str) -> set[str]:
    """The keys in a role's defaults; one that is commented out has no sane default, and counts."""
    return set(re.findall(r"^(?:# )?([a-z][a-z0-9_]*):(?: |$)", (ROLES / role / "defaults/main.yml").read_text(), re.M))


def options(role: str) -> dict[str, dict]:
    """The options in a role's argument_specs."""
    return load(ROLES / role / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]


@pytest.mark.parametrize("role", role_names())
def test_defaults_and_specifications_have_the_same_keys(role: str) -> None:
    assert defaults(role) == set(options(role))


@pytest.mark.parametrize("role", role_names())
def test_public_variables_carry_the_name_of_their_role(role: str) -> None:
    assert [name for name in options(role) if not name.startswith(f"{role}_") and name not in SHORT_NAMES] == []


@pytest.mark.parametrize("role", role_names())
def test_private_variables_carry_the_name_of_their_role(role: str) -> None:
    file = ROLES / role / "vars/main.yml"
    assert [name for name in (load(file) if file.exists() else {}) if not name.startswith(f"__{role}_")] == []


@pytest.mark.parametrize("role", role_names())
def test_every_option_says_what_it_means(role: str) -> None:
    assert [name for name, option in options(role).items() if not option.get("description")] == []


@pytest.mark.parametrize("role", role_names())
def test_every_default_says_why(role: str) -> None:
    lines = (ROLES / role / "defaults/main.yml").read_text().split("\n\n")
    assert [block for block in lines if block.strip("-\n ") and not block.lstrip("-\n ").startswith("#")] == []


def test_preflight_knows_every_role() -> None:
    assert load(ROLES / "preflight/vars/main.yml")["__preflight_roles"] == role_names()

"""How a check speaks when it fails."""

import pytest


def expect(holds: object, expected: object, seen: object) -> None:
    """Fail, saying what was expected and what was seen instead, unless `holds` is true."""
    __tracebackhide__ = True
    if not holds:
        pytest.fail(f"expected: {expected}\nseen:     {seen}", pytrace=False)


def expect_equal(seen: object, expected: object, what: str) -> None:
    """Fail unless the two are equal; `what` names the thing that was looked at."""
    __tracebackhide__ = True
    expect(seen == expected, f"{what} is {expected}", seen)

"""How a check speaks when it fails."""

import pytest

LENGTH = 600  # characters of what was seen: enough to know it by


def expect(holds: object, expected: object, seen: object) -> None:
    """Fail, saying what was expected and what was seen instead, unless `holds` is true."""
    __tracebackhide__ = True
    if not holds:
        text = str(seen)
        if len(text) > LENGTH:
            text = f"{text[:LENGTH]}…"
        pytest.fail(f"expected: {expected}\nseen:     {text}", pytrace=False)


def expect_equal(seen: object, expected: object, what: str) -> None:
    """Fail unless the two are equal; `what` names the thing that was looked at."""
    __tracebackhide__ = True
    expect(seen == expected, f"{what} is {expected}", seen)

"""What hosts show of themselves: programs that are sent to them."""

import re
from pathlib import Path

HERE = Path(__file__).parent


def program(target: str) -> str:
    """The survey for a deploy_target, whole: common.py and the target's own file."""
    own = re.sub(r"^from \.common import .*\n", "", (HERE / f"{target}.py").read_text(), flags=re.MULTILINE)
    return (HERE / "common.py").read_text() + own

"""What the smoke suite sends to a host to look at it."""

import json
import subprocess
import sys

from tests.snapshot import ROOT

COMMON = (ROOT / "tests/smoke/survey/common.py").read_text()


def look(expression: str) -> object:
    """The value of an expression in the part of the survey that is the same everywhere."""
    program = f"{COMMON}\njson.dump({expression}, sys.stdout)"
    arguments = [sys.executable, "-c", program, json.dumps({"app": "mysite"})]
    return json.loads(subprocess.run(arguments, check=True, capture_output=True, text=True, timeout=30).stdout)


def test_process_shows_what_its_neighbours_could_read() -> None:
    with subprocess.Popen(["/bin/sleep", "60"], env={"SECRET": "42"}) as running:
        try:
            seen = look(f"processes(['{running.pid}'])")
        finally:
            running.kill()
    assert seen == {
        f"/proc/{running.pid}/environ": "SECRET=42\0",
        f"/proc/{running.pid}/cmdline": "/bin/sleep\x0060\0",
    }


def test_process_that_ends_meanwhile_fails_nothing() -> None:
    with subprocess.Popen(["/bin/true"]) as ended:
        pass
    own = "str(os.getpid())"
    assert look(f"processes(['{ended.pid}', {own}]) == processes([{own}])") is True


def test_processes_that_are_not_there_fail() -> None:
    assert look("answer(lambda: processes(['Error', 'response']))") == {
        "error": "ProcessLookupError: none of the processes Error response is there"
    }

"""Failpoints: nothing happens where none is set, the nth time is the last, and a misspelt one is refused."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from libs.runtime import failpoints
from libs.runtime.errors import OperatorError
from libs.runtime.settings import load_settings

_PROGRAM = """
import sys
from libs.runtime import failpoints
failpoints.arm(sys.argv[1])
for _ in range(3):
    failpoints.reach("policy-stored")
    print("went on", flush=True)
"""


def _run(armed: str) -> tuple[int, int]:
    done = subprocess.run(
        [sys.executable, "-P", "-c", _PROGRAM, armed], capture_output=True, text=True, timeout=30, check=False
    )
    return done.returncode, done.stdout.count("went on")


def test_a_process_dies_the_nth_time_that_it_reaches_the_step() -> None:
    """By SIGKILL, so that nothing is cleaned up."""
    assert _run("policy-stored:2") == (-signal.SIGKILL, 1)


def test_an_unarmed_step_and_another_step_do_nothing() -> None:
    """The whole program runs."""
    assert _run("") == (0, 3)
    assert _run("view-stored:1") == (0, 3)


@pytest.mark.parametrize("text", ["policy_stored:1", "policy-stored", "policy-stored:0", "policy-stored:x"])
def test_what_could_never_be_reached_is_refused(
    text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A misspelt failpoint would be a fault that is never injected."""
    monkeypatch.setenv("LOANSTREAM_FAILPOINTS", text)
    with pytest.raises(OperatorError, match="LOANSTREAM_FAILPOINTS"):
        load_settings(tmp_path)


def test_every_step_is_reached_in_exactly_one_place() -> None:
    """A name that the code does not carry, or carries twice, would not say what it means."""
    source = "".join(
        path.read_text() for path in Path("libs/runtime").rglob("*.py") if path.name != "failpoints.py"
    )
    assert {
        name: source.count(f'failpoints.reach("{name}")') for name in failpoints.FAILPOINTS
    } == dict.fromkeys(failpoints.FAILPOINTS, 1)

"""The command line's manners: a person's mistake is one sentence and exit code 2, never a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

LOANSTREAM = Path(sys.executable).with_name("loanstream")


def _loanstream(tmp_path: Path, *argv: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LOANSTREAM_")}
    return subprocess.run(
        [str(LOANSTREAM), *argv],
        env={**inherited, "LOANSTREAM_DATA_DIR": str(tmp_path / "data"), "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("argv", "environment", "says"),
    [
        (
            ["run", "bidding", "--roles", "api,juggler"],
            {},
            "--roles takes a comma-separated list of api, decider",
        ),
        (
            ["verify"],
            {},
            "LOANSTREAM_KAFKA is not set and no local stack runs: start one with `loanstream up`",
        ),
        (
            ["down"],
            {"LOANSTREAM_KAFAK": "x"},
            "LOANSTREAM_KAFAK is not a setting of Loanstream. Did you mean",
        ),
        (
            ["down"],
            {"LOANSTREAM_PARTITIONS": "many"},
            "LOANSTREAM_PARTITIONS: Input should be a valid integer",
        ),
        (["token", "ada"], {}, "usr_"),
    ],
)
def test_a_mistake_is_a_sentence(
    tmp_path: Path, argv: list[str], environment: dict[str, str], says: str
) -> None:
    """A wrong role, a missing address, a misspelt or wrong variable, a wrong subject: one sentence, exit code 2."""
    result = _loanstream(tmp_path, *argv, **environment)
    assert (result.returncode, result.stdout) == (2, "")
    assert says in result.stderr
    assert "Traceback" not in result.stderr


def test_down_without_a_stack_says_so(tmp_path: Path) -> None:
    """Stopping what does not run is no error."""
    result = _loanstream(tmp_path, "down")
    assert (result.returncode, result.stdout.startswith("nothing runs on")) == (0, True)


def test_a_token_is_the_only_thing_on_stdout(tmp_path: Path) -> None:
    """`TOKEN=$(loanstream token)` works: one line, three parts."""
    result = _loanstream(tmp_path, "token")
    assert result.returncode == 0
    assert len(result.stdout.strip().split(".")) == 3


def test_bare_make_lists_the_verbs() -> None:
    """A person who types `make` learns every verb with one line of help."""
    root = Path(__file__).parents[3]
    said = subprocess.run(["make", "-s"], cwd=root, capture_output=True, text=True, check=True).stdout
    listed = [line.split()[1] for line in said.splitlines()]
    assert {"demo", "test", "check", "up", "down", "schemas"} <= set(listed)

"""The tour of docs/tour.md is true: its commands run in one shell, in order, on a fresh stack, and print what it shows."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.local.parts import Parts
from deploy.local.stack import Stack
from libs.runtime.identity import ensure_identity
from libs.runtime.settings import load_settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tour.md").read_text()
#: A block of commands and, if one follows at once, the block of what they print.
STEP = re.compile(r"^```bash\n(.*?)^```\n(?:```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
END = "=== end of step ==="
LINES_MAX = 150


@pytest.fixture(scope="module")
def data_dir(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data directory of a running stack on which nothing has happened yet."""
    name = uuid4().hex[:12]
    settings = ensure_identity(
        load_settings(
            tmp_path_factory.mktemp("tour"), topic_prefix=f"u{name}.", mongo_database=f"tour_{name}"
        )
    )
    with Stack(settings, parts=parts) as stack:
        yield settings.data_dir
        stack.check()


def toured(steps: list[str], data_dir: Path) -> subprocess.CompletedProcess[str]:
    """Run blocks of commands in one shell that ends with the first command that fails."""
    script = "set -euo pipefail\n" + "".join(f"{step}echo '{END}'\n" for step in steps)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LOANSTREAM_")}
    environment |= {"LOANSTREAM_DATA_DIR": str(data_dir), "COLUMNS": "250"}
    return subprocess.run(
        ["bash", "-c", script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=840,
        check=False,
    )


def missing(shown: str, printed: str) -> str | None:
    """The first line shown on the page that was not printed, in order; None when all were. `…` stands for anything."""
    lines = iter(printed.splitlines())
    for line in shown.splitlines():
        pattern = re.compile(".*".join(map(re.escape, line.split("…"))))
        if not any(pattern.search(found) for found in lines):
            return line
    return None


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_tour_can_be_taken(data_dir: Path) -> None:
    """Each block of commands succeeds and prints every line that the page shows, in that order."""
    steps = STEP.findall(PAGE)
    done = toured([commands for commands, _ in steps], data_dir)
    printed = done.stdout.split(f"{END}\n")
    told = f"{printed[-1]}\n{done.stderr}"
    assert (done.returncode, len(printed)) == (0, len(steps) + 1), told
    for (commands, shown), output in zip(steps, printed, strict=False):
        line = missing(shown, output)
        assert line is None, (
            f"{line!r} was not printed by\n{commands}\nwhich printed\n{output}\n{done.stderr}"
        )


def test_the_page_is_short_and_shows_nothing_that_does_not_run() -> None:
    """A page of at most 150 lines; each of its fenced blocks is a block of commands or the output right below one."""
    steps = STEP.findall(PAGE)
    shown = sum(bool(output) for _, output in steps)
    assert PAGE.count("```") == 2 * (len(steps) + shown)
    assert shown >= 5
    assert len(PAGE.splitlines()) <= LINES_MAX


def test_a_wrong_page_is_found(tmp_path: Path) -> None:
    """A command that fails ends the tour there; a line that is not printed, or comes too early, is named."""
    done = toured(["echo one\n", "false | cat\n", "echo two\n"], tmp_path)
    assert (done.returncode, done.stdout) == (1, f"one\n{END}\n")
    assert missing("b…\na", "a\nb1\n") == "a"
    assert missing('{"id":"x_…","n":1}', '{"id":"x_7","n":12}') is not None
    assert missing('{"id":"x_…","n":1}\n', 'noise\n{"id":"x_7","n":1}\n') is None

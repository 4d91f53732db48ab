"""`loanstream up` and `down` as a person uses them: a whole stack in the background, and nothing left of it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from deploy.local.supervisor import read_status
from libs.runtime.settings import load_settings

LOANSTREAM = Path(sys.executable).with_name("loanstream")
_PROGRAMS = ("mongod", "kafka.Kafka", "caddy", "libs.runtime.cli")


def _loanstream(data_dir: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LOANSTREAM_DATA_DIR": str(data_dir), "COLUMNS": "200"}
    return subprocess.run(
        [str(LOANSTREAM), *argv], env=environment, capture_output=True, text=True, timeout=240, check=False
    )


def _living(data_dir: Path) -> list[str]:
    """Programs of the stack on this data directory that live, whoever their parent is."""
    found = []
    for process in psutil.process_iter(["cmdline", "environ", "status"]):
        line, environment = " ".join(process.info["cmdline"] or []), process.info["environ"] or {}
        ours = str(data_dir) in line or environment.get("LOANSTREAM_DATA_DIR") == str(data_dir)
        if ours and process.info["status"] != psutil.STATUS_ZOMBIE:
            found += [program for program in _PROGRAMS if program in line]
    return sorted(found)


def _wait(condition: Callable[[], bool], limit_s: float) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "the condition was not met in time"
        time.sleep(0.2)  # looking through all processes is work


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A data directory whose stack is stopped whatever the test did."""
    directory = tmp_path / "stack"
    yield directory
    _loanstream(directory, "down")


@pytest.mark.slow
def test_up_prints_what_a_person_needs_and_down_leaves_nothing(data_dir: Path) -> None:
    """`up` returns with working addresses and a token; a second `up` is refused; `down` ends every process."""
    up = _loanstream(data_dir, "up")
    assert up.returncode == 0, up.stderr
    settings = load_settings(data_dir)
    gateway = str(settings.gateway)
    assert gateway in up.stdout
    for service in ("bidding", "repayment"):
        assert f"{gateway}/{service}/docs" in up.stdout
        assert httpx.get(f"{gateway}/{service}/docs").status_code == 200
        assert httpx.get(f"{gateway}/{service}/openapi.json").json()["openapi"].startswith("3.1")
    token = up.stdout.split()[-1]
    # A request without the token is refused, with it is not.
    assert httpx.get(f"{gateway}/bidding/listings").status_code == 401
    assert (
        httpx.get(f"{gateway}/bidding/listings", headers={"Authorization": f"Bearer {token}"}).status_code
        == 200
    )

    again = _loanstream(data_dir, "up")
    assert (again.returncode, "already runs on" in again.stderr) == (2, True)

    down = _loanstream(data_dir, "down")
    assert (down.returncode, down.stdout.strip()) == (0, "stopped")
    assert _living(data_dir) == []
    assert "nothing runs on" in _loanstream(data_dir, "down").stdout


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGKILL, -9)])
def test_nothing_outlives_the_supervisor(data_dir: Path, number: signal.Signals, code: int) -> None:
    """Ctrl-C stops the stack in order, as SIGTERM does (which is what `down` sends); kill -9 of the supervisor leaves no orphan.

    Stopped when it is ready; killed as soon as every program lives, because nobody has to be asked.
    """
    environment = {**os.environ, "LOANSTREAM_DATA_DIR": str(data_dir)}
    supervisor = subprocess.Popen(
        [str(LOANSTREAM), "up", "--foreground"], env=environment, stderr=subprocess.DEVNULL
    )

    def ready() -> bool:
        assert supervisor.poll() is None, "the supervisor ended"
        status = read_status(data_dir)
        return status is not None and status.phase == "ready"

    try:
        if number == signal.SIGINT:
            _wait(ready, 120)
        _wait(lambda: set(_PROGRAMS) <= set(_living(data_dir)), 120)
        supervisor.send_signal(number)
        assert supervisor.wait(60) == code
    finally:
        supervisor.kill()
        supervisor.wait()
    _wait(lambda: _living(data_dir) == [], 60)


@pytest.mark.slow
def test_a_dead_part_ends_the_stack_with_its_name(data_dir: Path) -> None:
    """When Kafka dies the supervisor stops the rest and exits with a sentence, not a traceback."""
    environment = {**os.environ, "LOANSTREAM_DATA_DIR": str(data_dir)}
    supervisor = subprocess.Popen(
        [str(LOANSTREAM), "up", "--foreground"], env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        _wait(lambda: (status := read_status(data_dir)) is not None and status.phase == "ready", 120)
        for process in psutil.Process(supervisor.pid).children():
            if "kafka.Kafka" in process.cmdline():
                process.kill()
        _, said = supervisor.communicate(timeout=60)
    finally:
        supervisor.kill()
        supervisor.wait()
    assert supervisor.returncode == 2
    assert "Kafka ended unexpectedly (killed by SIGKILL)" in said
    assert "Traceback" not in said
    assert _living(data_dir) == []

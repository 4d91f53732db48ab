"""Child processes: their deaths are explained, their stops are bounded, and none of them outlives us."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from deploy.local.processes import Child, PartDied, stop_all

_SLEEPER = "import time; time.sleep(600)"
_STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('armed', flush=True); time.sleep(600)"


def _child(tmp_path: Path, code: str, *, name: str = "part", stop_limit_s: float = 5.0) -> Child:
    return Child(name, [sys.executable, "-c", code], tmp_path / f"{name}.log", stop_limit_s=stop_limit_s)


def _wait(condition: Callable[[], bool], limit_s: float = 10.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "the condition was not met in time"
        time.sleep(0.02)


def _gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_stopped_child_is_gone(tmp_path: Path) -> None:
    """stop() returns only when the process has ended."""
    child = _child(tmp_path, _SLEEPER)
    child.start()
    pid = child.pid
    child.stop()
    assert _gone(pid)
    assert not child.alive


def test_a_child_that_ignores_sigterm_is_killed_after_its_limit(tmp_path: Path) -> None:
    """A child that does not stop when asked is stopped by force."""
    child = _child(tmp_path, _STUBBORN, stop_limit_s=0.3)
    child.start()
    child.wait_until(lambda: "armed" in child.log.read_text(), 10)
    pid = child.pid
    child.stop()
    assert _gone(pid)


def test_stopping_takes_what_the_child_started_along(tmp_path: Path) -> None:
    """A grandchild does not survive the forced stop of its parent."""
    code = (
        "import subprocess, sys, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"p = subprocess.Popen([sys.executable, '-c', {_SLEEPER!r}]); print(p.pid, flush=True); time.sleep(600)"
    )
    child = _child(tmp_path, code, stop_limit_s=0.3)
    child.start()
    child.wait_until(lambda: child.log.read_text().endswith("\n"), 10)
    grandchild = int(child.log.read_text())
    child.stop()
    _wait(lambda: _gone(grandchild))


def test_a_dead_child_is_reported_with_name_code_and_log(tmp_path: Path) -> None:
    """The error of a dead child names it, its exit code, and the end of its log."""
    child = _child(tmp_path, "import sys; print('my last words'); sys.exit(7)", name="Kafka")
    child.start()
    with pytest.raises(PartDied, match=r"Kafka ended unexpectedly \(exit code 7\)[\s\S]*my last words"):
        child.wait_until(lambda: False, 10)


def test_a_child_killed_by_a_signal_is_reported_so(tmp_path: Path) -> None:
    """kill -9 from outside is told apart from an exit."""
    child = _child(tmp_path, _SLEEPER)
    child.start()
    os.kill(child.pid, signal.SIGKILL)
    _wait(lambda: not child.alive)
    with pytest.raises(PartDied, match="killed by SIGKILL"):
        child.check()


def test_a_full_disk_is_named_as_the_cause(tmp_path: Path) -> None:
    """A child that died of a full disk says so and what to do; /dev/full gives the real error without root."""
    child = _child(tmp_path, "f = open('/dev/full', 'w'); f.write('x'); f.flush()")
    child.start()
    with pytest.raises(PartDied, match="The disk is full: free some space"):
        child.wait_until(lambda: False, 10)


def test_the_cause_is_found_above_the_last_lines(tmp_path: Path) -> None:
    """A broker prints hundreds of lines after its reason: the reason is still found, and stack frames are not shown."""
    code = "print('java.io.IOException: No space left on device'); print('\\tat kafka.Frame\\n' * 300 + 'halted'); raise SystemExit(1)"
    child = _child(tmp_path, code)
    child.start()
    with pytest.raises(PartDied, match="The disk is full") as died:
        child.wait_until(lambda: False, 10)
    assert "kafka.Frame" not in str(died.value)
    assert "halted" in str(died.value)


def test_a_taken_port_is_named_as_the_cause(tmp_path: Path) -> None:
    """A child that could not bind its port says so."""
    code = (
        "import socket; a = socket.socket(); a.bind(('127.0.0.1', 0)); socket.socket().bind(a.getsockname())"
    )
    child = _child(tmp_path, code)
    child.start()
    with pytest.raises(PartDied, match="Its port is taken by another program"):
        child.wait_until(lambda: False, 10)


def test_a_program_that_cannot_be_run_is_reported(tmp_path: Path) -> None:
    """A missing program is a dead part with a reason, not a traceback."""
    child = Child("part", ["/does/not/exist"], tmp_path / "part.log")
    child.start()
    with pytest.raises(PartDied, match="cannot be run: No such file"):
        child.wait_until(lambda: False, 10)


def test_a_child_that_is_never_ready_is_reported(tmp_path: Path) -> None:
    """Waiting has a limit, and the error says which part was late."""
    child = _child(tmp_path, _SLEEPER)
    child.start()
    try:
        with pytest.raises(PartDied, match="part was not ready after 0 seconds"):
            child.wait_until(lambda: False, 0.2)
    finally:
        child.stop()


def test_a_log_begins_anew_and_keeps_the_one_before(tmp_path: Path) -> None:
    """After a restart the new log holds only the new run, and the old one is still there."""
    child = _child(tmp_path, "print('once')")
    for _ in range(2):
        child.start()
        _wait(lambda: not child.alive)
    assert child.log.read_text() == "once\n"
    assert child.log.with_name("part.log.previous").read_text() == "once\n"


def test_children_are_stopped_side_by_side(tmp_path: Path) -> None:
    """Stopping many takes as long as the slowest, not the sum."""
    slow = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.5), sys.exit(0))); print('armed', flush=True); time.sleep(600)"
    children = [_child(tmp_path, slow, name=f"p{number}") for number in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.wait_until(lambda child=child: "armed" in child.log.read_text(), 10)  # type: ignore[misc]
    began = time.monotonic()
    stop_all(children)
    assert time.monotonic() - began < 1.5


def test_no_child_survives_the_kill_of_its_parent(tmp_path: Path) -> None:
    """kill -9 of the parent leaves no orphan, not even one that ignores SIGTERM."""
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time; from pathlib import Path; from deploy.local.processes import Child\n"
            f"c = Child('part', [sys.executable, '-c', {_STUBBORN!r}], Path({str(tmp_path / 'part.log')!r})); c.start()\n"
            "print(c.pid, flush=True); time.sleep(600)",
        ],
        stdout=subprocess.PIPE,
    )
    assert parent.stdout is not None
    with parent.stdout:
        orphan = int(parent.stdout.readline())
    _wait(lambda: "armed" in (tmp_path / "part.log").read_text())
    parent.kill()
    parent.wait()
    _wait(lambda: _gone(orphan))


def test_a_child_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    """Starting from a short-lived thread (a test's fixture, an executor) does not kill the child when that thread ends."""
    from threading import Thread

    child = _child(tmp_path, "import time; print('up', flush=True); time.sleep(600)")
    thread = Thread(target=child.start)
    thread.start()
    thread.join()
    try:
        child.wait_until(lambda: "up" in child.log.read_text(), 10)
        assert child.alive
    finally:
        child.stop()

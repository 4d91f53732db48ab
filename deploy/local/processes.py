"""Child processes that cannot be forgotten: they die with us, stop in order, and explain their own death.

Every child is its own session, so Ctrl-C in a terminal reaches only us and we stop the children in the right order. The
kernel kills a child when its parent dies (launch.py), so no crash or kill -9 leaves an orphan. Only processes started
here are ever signalled: a child that was not yet waited for keeps its pid.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import BinaryIO, Protocol

from libs.runtime.errors import OperatorError

TAIL_LINES = 12
_LAUNCHER = Path(__file__).with_name("launch.py")

# What a person should do about a death that the log explains. First match wins.
_CAUSES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("No space left on device", "ENOSPC"), "The disk is full: free some space and start again; nothing acknowledged is lost."),
    (("Address already in use", "address already in use"), "Its port is taken by another program: stop that program, or start again to get other ports."),
    (("error while loading shared libraries",), "It needs a system library that is missing here; the log names it (on Debian: apt install libcurl4 openssl)."),
    (("UnsupportedClassVersionError",), "It was started with a Java older than 17: run `make clean` and then the same command again to reinstall Java from its wheel."),
    (("There is insufficient memory for the Java", "java.lang.OutOfMemoryError", "Cannot allocate memory"), "There is not enough memory: Kafka takes 700 MB, MongoDB 600 MB."),
    (("Permission denied", "Operation not permitted"), "A file or directory is not ours to write: see the log for its name."),
)  # fmt: skip


class PartDied(OperatorError):
    """A child process ended, or did not come up, although it was needed."""

    def __init__(self, name: str, code: int | None, log: Path, what: str = "") -> None:
        self.name = name
        self.part_exit_code = code
        end = _end_of(log)
        ended = what or f"{name} ended unexpectedly ({_in_words(code)})."
        cause = next((advice for marks, advice in _CAUSES if any(mark in end for mark in marks)), "")
        shown = tail(log)
        last_lines = f"\nThe end of its log, {log}:\n{shown}" if shown else f" Its log, {log}, is empty."
        super().__init__(f"{ended} {cause}".rstrip() + last_lines)


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a log file, indented and without stack frames; empty when there is none."""
    told = [line for line in _end_of(log).splitlines() if not line.startswith("\tat ")]
    return "\n".join(f"    {line[:300]}" for line in told[-lines:])


def _end_of(log: Path) -> str:
    """The last 64 KiB: a JVM prints its reason some hundred lines before it ends."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 65_536))
            return file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""


class Running(Protocol):
    """What Child asks of a program that runs: as subprocess.Popen answers it."""

    @property
    def pid(self) -> int:
        """Process id, and that of its session."""

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended. Raises subprocess.TimeoutExpired."""

    def send_signal(self, sig: int) -> None:
        """Send it a signal."""


def spawn(argv: Sequence[str], log: BinaryIO, environment: Mapping[str, str], cwd: Path | None) -> Running:
    """Start a program in a session of its own that ends with us; what it says goes to `log`."""
    launch = [sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid()), *argv]
    # Parent death means death of the *thread* that started the child, so one thread that lives as long as this process starts
    # them all.
    starting = _starter().submit(
        subprocess.Popen[bytes],
        launch,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=environment,
        cwd=cwd,
        start_new_session=True,
    )
    return starting.result()


@dataclass(slots=True)
class Child:
    """One program: how it is started, where it logs, and its life.

    `env` is added to our environment. `stop_limit_s` is how long it may take to end after SIGTERM before SIGKILL.
    """

    name: str
    argv: Sequence[str]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    stop_limit_s: float = 10.0
    _process: Running | None = None

    def start(self) -> None:
        """Start the program. Its log begins anew; the one before is kept as `<log>.previous`."""
        if self.alive:
            return
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists():
            self.log.replace(self.log.with_name(self.log.name + ".previous"))
        with self.log.open("ab") as log:
            self._process = spawn(self.argv, log, {**os.environ, **self.env}, self.cwd)

    @property
    def pid(self) -> int:
        """Process id. Raises RuntimeError before start()."""
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._process.pid

    @property
    def started(self) -> bool:
        """True from start() to stop(), dead or alive."""
        return self._process is not None

    @property
    def exit_code(self) -> int | None:
        """None while it runs (or was never started); negative for a signal, as in subprocess."""
        return None if self._process is None else self._process.poll()

    @property
    def alive(self) -> bool:
        """True while the program runs."""
        return self._process is not None and self._process.poll() is None

    def check(self) -> None:
        """Raises PartDied if it was started and has ended by itself."""
        if self.started and not self.alive:
            raise PartDied(self.name, self.exit_code, self.log)

    def wait_until(self, ready: Callable[[], bool], limit_s: float) -> None:
        """Return as soon as `ready()`; raises PartDied if the program ends first or the limit passes."""
        deadline = time.monotonic() + limit_s
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise PartDied(
                    self.name, None, self.log, f"{self.name} was not ready after {limit_s:.0f} seconds."
                )
            time.sleep(0.05)

    def ask_to_stop(self) -> None:
        """Send SIGTERM and return at once."""
        if self.alive:
            self._signal(signal.SIGTERM)

    def stop(self) -> None:
        """SIGTERM, then SIGKILL to its whole session after the limit; returns when it is gone. Never raises for a dead one."""
        if self._process is None:
            return
        self.ask_to_stop()
        try:
            self._process.wait(self.stop_limit_s)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """SIGKILL to it and whatever it started; returns when it is gone. For tests of crashes, and the last resort of stop()."""
        if self._process is None:
            return
        if self.alive:
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except ProcessLookupError:
                self._signal(signal.SIGKILL)  # still between fork and setsid
        self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)


def stop_all(children: Sequence[Child]) -> None:
    """Stop children that do not need each other: all are asked first, so the wait is that of the slowest."""
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.stop()


@cache
def _starter() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="child-starter")


def _in_words(exit_code: int | None) -> str:
    if exit_code is None:
        return "no exit code"
    if exit_code < 0:
        return f"killed by {signal.Signals(-exit_code).name}"
    return f"exit code {exit_code}"

"""`up` and `down`: one background process owns the stack, so the terminal that started it may close.

The supervisor is `loanstream up --foreground`. It says how far it is in supervisor.json in the data directory, where
`up` waits for "ready" and `down` finds whom to stop. A process is only ever signalled when its start time fits its pid.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import psutil
from pydantic import Field, TypeAdapter, ValidationError

from deploy.local.lock import AlreadyRuns, empty, require_unlocked
from deploy.local.processes import tail
from deploy.local.stack import Stack
from libs.runtime.errors import OperatorError
from libs.runtime.settings import PREFIX, Settings, load_settings

UP_LIMIT_S = 300.0
DOWN_LIMIT_S = 90.0
_CHECK_EVERY_S = 0.5

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Status:
    """How far the supervisor of a data directory is; `message` is a step, or the reason of a failure."""

    pid: Annotated[int, Field(ge=1, lt=2**31)]
    created: float
    phase: Literal["starting", "ready", "failed", "stopped"]
    message: str = ""

    def process(self) -> psutil.Process | None:
        """The supervisor, if it still lives."""
        try:
            process = psutil.Process(self.pid)
            alive = process.create_time() == self.created and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return None
        return process if alive else None


_STATUS = TypeAdapter(Status)


def read_status(data_dir: Path) -> Status | None:
    """The last status that a supervisor of this data directory wrote; None if there is none that can be read."""
    try:
        return _STATUS.validate_json((data_dir / "supervisor.json").read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def run_foreground(settings: Settings, say: Say) -> None:
    """Own the stack until SIGTERM or Ctrl-C. Raises OperatorError with the reason if it cannot start or a part dies."""
    report = _reporter(settings.data_dir)

    def tell(step: str) -> None:
        report("starting", step)
        say(step)

    stack = Stack(settings, say=tell)
    with _stopped_by_signals() as stopped:
        try:
            require_unlocked(settings.data_dir)
            stack.start()
            report("ready", "")
            say("ready")
            while not stopped.wait(_CHECK_EVERY_S):
                stack.check()
        except KeyboardInterrupt:
            pass
        except Exception as error:
            report("failed", _reason(error))
            raise
        finally:
            _ignore_signals()
            say("stopping")
            stack.stop()
        report("stopped", "")


def start_in_background(settings: Settings, say: Say) -> None:
    """Start a supervisor, wait until its stack is ready and leave it running.

    Raises OperatorError with the supervisor's own reason when it fails, and stops it again when we are interrupted.
    """
    require_unlocked(settings.data_dir)
    settings.logs_dir.mkdir(parents=True, exist_ok=True)
    log = settings.logs_dir / "supervisor.log"
    environment = {**os.environ, PREFIX + "DATA_DIR": str(settings.data_dir)}
    with log.open("wb") as output:
        supervisor = subprocess.Popen(
            [sys.executable, "-P", "-m", "libs.runtime.cli", "up", "--foreground"],
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment, start_new_session=True,
        )  # fmt: skip
    try:
        _wait_ready(supervisor, settings.data_dir, log, say)
    except BaseException:
        supervisor.terminate()
        supervisor.wait(DOWN_LIMIT_S)
        raise


def stop_background(settings: Settings) -> bool:
    """Stop the supervisor of this data directory and wait until it is gone. False if none runs.

    Raises OperatorError if it does not end in time; its children then die with it. And where a stack runs but nobody can
    tell whose it is, because supervisor.json is broken: no process is signalled on a guess.
    """
    status = read_status(settings.data_dir)
    if status is None and (settings.data_dir / "supervisor.json").exists():
        _require_nothing_runs(settings.data_dir)
    process = status.process() if status else None
    if process is None:
        return False
    process.terminate()
    try:
        process.wait(DOWN_LIMIT_S)
    except psutil.TimeoutExpired:
        process.kill()
        raise OperatorError(
            f"The supervisor (process {process.pid}) did not stop in {DOWN_LIMIT_S:.0f} seconds and was killed; the kernel "
            f"stops its children. See {settings.logs_dir} before you start again; nothing acknowledged is lost."
        ) from None
    return True


def _require_nothing_runs(data_dir: Path) -> None:
    try:
        require_unlocked(data_dir)
    except AlreadyRuns as running:
        raise OperatorError(
            f"{data_dir / 'supervisor.json'} is broken, so whom to stop is only a guess: if process {running.holder} is "
            f"Loanstream's, stop it yourself (kill {running.holder})."
        ) from None


@contextmanager
def own_stack(data_dir: Path, names: Mapping[str, str], say: Say) -> Iterator[Stack]:
    """A fresh stack for one run (the demo): its data directory is emptied, started, watched, and stopped at the end.

    `names` are settings that keep it apart on parts which somebody else runs. Settings are loaded only once the directory
    is empty, so no secret of an earlier stack comes along. A part that dies interrupts the run and its reason is raised here.
    """
    empty(data_dir)
    stack = Stack(load_settings(data_dir, use_run_file=False, **names), say=say)
    with _stopped_by_signals():
        died: list[OperatorError] = []
        over = threading.Event()
        try:
            stack.start()
            watcher = threading.Thread(
                target=_watch, args=(stack, over, died), name="stack-watcher", daemon=True
            )
            watcher.start()
            yield stack
        except KeyboardInterrupt:
            if died:
                raise died[0] from None
            raise
        finally:
            over.set()
            _ignore_signals()
            stack.stop()


def _watch(stack: Stack, over: threading.Event, died: list[OperatorError]) -> None:
    while not over.wait(_CHECK_EVERY_S):
        try:
            stack.check()
        except OperatorError as error:
            if not over.is_set():
                died.append(error)
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            return


def _wait_ready(supervisor: "subprocess.Popen[bytes]", data_dir: Path, log: Path, say: Say) -> None:
    deadline, told = time.monotonic() + UP_LIMIT_S, ""
    while True:
        code = supervisor.poll()
        status = read_status(data_dir)
        ours = status is not None and status.pid == supervisor.pid
        if code is not None:
            told_why = status.message if status and ours and status.phase == "failed" else ""
            raise OperatorError(
                told_why or tail(log) or f"The supervisor ended with code {code} and said nothing."
            )
        if status and ours and status.phase == "ready":
            return
        if status and ours and status.message != told:
            told = status.message
            say(told)
        if time.monotonic() > deadline:
            raise OperatorError(f"The stack was not ready after {UP_LIMIT_S:.0f} seconds; see {log.parent}.")
        time.sleep(0.1)


def _reason(error: Exception) -> str:
    """What `up` tells of the end of its supervisor; empty where only the log can."""
    if isinstance(error, OperatorError):
        return str(error)
    from libs.runtime.outages import sentence_of  # brings the clients along; `down` does without them

    return sentence_of(error) or ""


def _reporter(data_dir: Path) -> Callable[[Literal["starting", "ready", "failed", "stopped"], str], None]:
    me = psutil.Process()

    def report(phase: Literal["starting", "ready", "failed", "stopped"], message: str) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        draft = data_dir / "supervisor.json.new"
        draft.write_text(json.dumps(asdict(Status(me.pid, me.create_time(), phase, message))))
        draft.replace(data_dir / "supervisor.json")

    return report


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """SIGTERM, SIGHUP and Ctrl-C all end the work the same way: KeyboardInterrupt in the main thread."""
    stopped = threading.Event()
    numbers = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)

    def interrupt(number: int, _frame: object) -> None:
        stopped.set()
        raise KeyboardInterrupt(signal.Signals(number).name)

    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore_signals() -> None:
    """While stopping: every wait there has its own limit, and a second Ctrl-C must not leave half of it undone."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)

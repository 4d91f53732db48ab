"""Service processes of the tests without two seconds of imports each: forked from one process that has them all.

`python -m tests.warm SOCKET` is that process. Whoever asks it sends a program's arguments, environment and directory, and the
file for its output; the answer is the process id, and at its end the exit code. Everything else is as after an exec: a session
of its own, no open file but its output, `__main__` run from its beginning, death with whoever started it. Programs that must
import in an order of their own (`tests.integration.releases`), and all that people type, are started as always.
"""

import array
import ctypes
import gc
import json
import os
import platform
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from deploy.local import processes
from deploy.local.processes import Child, Running, spawn

#: Programs that may be forked, by the arguments that they begin with; the last one is the module.
PROGRAMS = (
    (sys.executable, "-P", "-m", "libs.runtime.cli"),
    (sys.executable, "-m", "tests.integration.deadly"),
)
_ROOT = Path(__file__).resolve().parents[1]
_PR_SET_PDEATHSIG = 1
#: Linux takes 107 bytes; four of them are for the name before it listens.
_SOCKET_PATH_MAX = 103
_MESSAGE_BYTES = 1 << 20


class Forked:
    """A forked program as its starter sees it: like subprocess.Popen."""

    def __init__(self, asked: socket.socket) -> None:
        self._asked = asked
        self._code: int | None = None
        said, number = self._asked.recv(32).split()
        assert said == b"lives", "it did not begin"
        self.pid = int(number)

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""
        with suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended. Raises subprocess.TimeoutExpired."""
        if self._code is None:
            if not select.select([self._asked], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            _, code = (self._asked.recv(32) or b"ended %d" % -signal.SIGKILL).split()
            self._code = int(code)
            self._asked.close()
        return self._code

    def send_signal(self, sig: int) -> None:
        """Send it a signal while it runs."""
        if self.poll() is None:
            # It may end between the look and the signal, as subprocess allows for too (bpo-40550).
            with suppress(ProcessLookupError):
                os.kill(self.pid, sig)


@contextmanager
def warm(directory: Path) -> Iterator[None]:
    """In this block service processes are forked. `directory` is for the socket and the log."""
    path = directory / "warm.sock"
    if (
        platform.system() != "Linux" or len(os.fsencode(path)) > _SOCKET_PATH_MAX
    ):  # then they are started as always
        yield
        return
    program = [
        sys.executable,
        "-P",
        "-c",
        f"import sys; sys.path.insert(0, {str(_ROOT)!r}); import tests.warm as warm; warm.serve({str(path)!r})",
    ]
    server = Child("warm", program, directory / "warm.log")
    server.start()
    server.wait_until(path.exists, 120)

    def fork(argv: Sequence[str], log: BinaryIO, environment: Mapping[str, str], cwd: Path | None) -> Running:
        known = next((each for each in PROGRAMS if tuple(argv[: len(each)]) == each), None)
        if known is None or not server.alive:
            return spawn(argv, log, environment, cwd)
        asked = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        asked.connect(str(path))
        said = {
            "module": known[-1],
            "argv": [known[-1], *argv[len(known) :]],
            "environment": dict(environment),
            "cwd": str(cwd or Path.cwd()),
        }
        descriptors = array.array("i", [log.fileno()])
        asked.sendmsg([json.dumps(said).encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])
        return Forked(asked)

    processes.spawn = fork
    try:
        yield
    finally:
        processes.spawn = spawn
        server.stop()


def serve(path: str) -> None:
    """Fork what is asked for, tell its end to who asked; until SIGTERM."""
    _import_all()
    assert threading.active_count() == 1, "a process with threads must not be forked"
    gc.freeze()  # what all have in common stays in common
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    asked = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    asked.bind(path + ".new")
    asked.listen(64)
    os.rename(path + ".new", path)  # who sees it may ask
    askers: dict[int, socket.socket] = {}
    while True:
        ready, _, _ = select.select([asked.fileno(), reader], [], [])
        if reader in ready:
            os.read(reader, 4096)
            _tell_ends(askers)
        if asked.fileno() in ready:
            asker, _ = asked.accept()
            message, ancillary, _, _ = asker.recvmsg(_MESSAGE_BYTES, socket.CMSG_SPACE(4))
            [log] = array.array("i", ancillary[0][2])
            pid = os.fork()
            if pid == 0:
                _become(json.loads(message), log, asker)
            os.close(log)
            askers[pid] = asker


def _tell_ends(askers: dict[int, socket.socket]) -> None:
    while askers:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with askers.pop(pid) as asker, suppress(OSError):
            asker.send(f"ended {os.waitstatus_to_exitcode(status)}".encode())


def _become(said: dict[str, object], log: int, asker: socket.socket) -> None:
    """Be the program, and never come back."""
    parent = os.getppid()
    code = 1
    try:
        os.setsid()
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(127)
        asker.send(
            f"lives {os.getpid()}".encode()
        )  # from here on a signal to it or to its session reaches it
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for number in (1, 2):
            os.dup2(log, number)
        os.closerange(3, 1024)
        environment = said["environment"]
        assert isinstance(environment, dict)
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(str(said["cwd"]))
        sys.argv = list(said["argv"])  # type: ignore[call-overload]  # JSON's list of strings
        module = str(said["module"])
        if module in sys.modules:
            sys.modules[module].main()
        else:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as ended:
        code = _code_of(ended)
    except BaseException as error:  # noqa: BLE001 - as the interpreter does it, whatever it is
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _code_of(ended: SystemExit) -> int:
    """As the interpreter does it: nothing is 0, a number is itself, a sentence is said and is 1."""
    if ended.code is None or isinstance(ended.code, int):
        return ended.code or 0
    sys.stderr.write(f"{ended.code}\n")
    return 1


def _import_all() -> None:
    """Everything that a process of a service imports, at the latest when it has become ready."""
    from importlib import import_module
    from importlib.metadata import entry_points

    for name in (
        "libs.runtime.cli",
        "libs.runtime.process",
        "libs.runtime.projector",
        "libs.runtime.decider",
        "libs.runtime.policies",
        "libs.runtime.store",
        "libs.runtime.http.app",
        "libs.runtime.observability",
        *(each.module for each in entry_points(group="loanstream.services")),
    ):
        import_module(name)

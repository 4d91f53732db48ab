"""A disk that can be full: a file system of some megabytes in the place of a directory, without being root.

A process of ours makes a user and a mount namespace, mounts a tmpfs of the wanted size in it and waits. Everybody else of
the same user reaches that file system through `/proc/<its pid>/root`, so the directory becomes a symbolic link to there and
neither the broker nor the database has to know. The file system lives as long as the process, not as long as who writes: a
broker that dies of a full disk finds its files again. Where a machine forbids namespaces, `why_not` says so and the fault is
reported as not run.
"""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

from libs.runtime.errors import OperatorError

_MIB = 1024 * 1024
#: Ends when its standard input does, that is with us, whatever the way.
_HOLD = 'mount -t tmpfs -o size="$1"m,mode=700 loanstream-faults "$2" && echo mounted && exec cat >/dev/null'
_FILLER = "filler"


@cache
def why_not() -> str | None:
    """Why no small disk can be made here; None where one can."""
    program = shutil.which("unshare")
    if program is None:
        return "the program unshare (util-linux) is not installed"
    tried = subprocess.run(
        [program, "-Urm", "sh", "-c", "mount -t tmpfs -o size=1m none /tmp"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    if tried.returncode == 0:
        return None
    reason = (tried.stderr.strip().splitlines() or ["no reason given"])[-1]
    return f"this machine allows no mount in a user namespace ({reason})"


class SmallDisk:
    """`directory`, which must not exist or be empty, on a file system of `size_mib`. A context manager.

    Whoever writes there must have ended before it is left: everything on it is gone then.
    """

    def __init__(self, directory: Path, size_mib: int) -> None:
        self.directory = directory
        self._size_mib = size_mib
        self._mount = directory.with_name(f"{directory.name}.mount")
        self._holder: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        """Raises OperatorError with the reason where that is not allowed."""
        reason = why_not()
        if reason is not None:
            raise OperatorError(f"No small disk can be made: {reason}.")
        self._mount.mkdir(parents=True)
        if self.directory.exists():
            self.directory.rmdir()
        program = shutil.which("unshare")
        assert program is not None, "why_not has asked"
        self._holder = subprocess.Popen(
            [program, "-Urm", "sh", "-c", _HOLD, "sh", str(self._size_mib), str(self._mount)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._holder.stdout is not None, "it is a pipe"
        if self._holder.stdout.readline().strip() != "mounted":
            self.__exit__(None, None, None)
            raise OperatorError("No small disk can be made: the mount was refused.")
        self.directory.symlink_to(f"/proc/{self._holder.pid}/root{self._mount}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._holder is None:
            return
        assert self._holder.stdin is not None
        assert self._holder.stdout is not None
        self._holder.stdin.close()
        self._holder.wait(10)
        self._holder.stdout.close()
        self._holder = None
        self.directory.unlink(missing_ok=True)
        self._mount.rmdir()

    @property
    def free(self) -> int:
        """Bytes that can still be written."""
        found = os.statvfs(self.directory)
        return found.f_bavail * found.f_frsize

    def fill(self, leave: int = 0) -> int:
        """Take what is free but `leave` bytes; returns how many were taken."""
        take = max(0, self.free - leave)
        with (self.directory / _FILLER).open("ab") as filler:
            try:
                # allocated, not sparse: a hole takes no space
                os.posix_fallocate(filler.fileno(), filler.tell(), take)
            except OSError:  # somebody was quicker; what is left goes in pieces
                _write_until_full(filler.fileno())
        return take

    def clear(self) -> None:
        """Give it back."""
        (self.directory / _FILLER).unlink(missing_ok=True)


def _write_until_full(handle: int) -> None:
    piece = _MIB
    while piece:
        try:
            os.write(handle, bytes(piece))
        except OSError:
            piece //= 2

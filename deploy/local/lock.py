"""One owner per data directory. The kernel gives the lock back when its holder dies, whatever the way."""

import fcntl
import os
import shutil
from pathlib import Path

from libs.runtime.errors import OperatorError
from libs.runtime.settings import PREFIX

STACK_LOCK = "stack.lock"


class AlreadyRuns(OperatorError):
    """A stack has the directory; `holder` is its process, as it wrote it down."""

    def __init__(self, directory: Path, holder: str) -> None:
        self.holder = holder
        super().__init__(
            f"Loanstream already runs on {directory} (process {holder}): stop it with `loanstream down`, "
            f"or set {PREFIX}DATA_DIR to another directory."
        )


class DirectoryLock:
    """An exclusive lock on `directory`/`name`, held from take() to release()."""

    def __init__(self, directory: Path, name: str) -> None:
        self._path = directory / name
        self._handle: int | None = None

    def take(self) -> None:
        """Take the lock; it is written down who has it. Raises AlreadyRuns if somebody else has it, OperatorError."""
        if self._handle is not None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise OperatorError(
                f"{error.filename} cannot be written ({error.strerror}): put that right, or set "
                f"{PREFIX}DATA_DIR to another directory."
            ) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(handle, 32).decode(errors="replace").strip() or "unknown"
            os.close(handle)
            raise AlreadyRuns(self._path.parent, holder) from None
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        self._handle = handle

    def release(self) -> None:
        """Give it back; harmless when it is not held."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def require_unlocked(directory: Path) -> None:
    """Raises OperatorError if a stack runs on the directory, or it cannot be written."""
    lock = DirectoryLock(directory, STACK_LOCK)
    lock.take()
    lock.release()


def empty(directory: Path) -> None:
    """Throw away what an earlier run left in a directory of ours.

    Raises OperatorError if a stack runs on it, or if it holds something and was never a data directory.
    """
    if directory.exists() and any(directory.iterdir()) and not (directory / STACK_LOCK).exists():
        raise OperatorError(
            f"{directory} is not empty and not ours: move its content away, or set {PREFIX}DATA_DIR."
        )
    require_unlocked(directory)
    shutil.rmtree(directory)

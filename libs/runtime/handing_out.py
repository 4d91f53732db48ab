"""A file that is there whole or not at all, for everything that the command line hands out."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from libs.runtime.errors import OperatorError


@contextmanager
def new_file(path: Path | None) -> Iterator[BinaryIO]:
    """A file to write, under its name only when the block ended well and the disk has it; None is stdout.

    Raises OperatorError for a name that is taken, OSError for what the system refuses.
    """
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if path.exists():
        raise OperatorError(f"{path} exists already: choose another name, or remove it first.")
    draft = path.with_name(path.name + ".part")
    try:
        with draft.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)

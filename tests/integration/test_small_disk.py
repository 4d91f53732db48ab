"""A disk of some megabytes in the place of a directory: it fills, and it is given back."""

import errno
import os
from pathlib import Path

import pytest

from libs.runtime.errors import OperatorError
from tools.faults.small_disk import SmallDisk, why_not


def test_a_small_disk_is_full_when_it_is_filled_and_not_afterwards(tmp_path: Path) -> None:
    """Writing beyond it is refused for want of space, what was written stays, and the real disk has nothing of it.

    A machine that allows no such mount says so by name.
    """
    reason = why_not()
    if reason is not None:
        with pytest.raises(OperatorError, match="No small disk can be made") as refused:
            SmallDisk(tmp_path / "data", 8).__enter__()
        assert reason in str(refused.value)
        return
    with SmallDisk(tmp_path / "data", 8) as disk:
        (disk.directory / "kept").write_bytes(b"before")
        assert 7 << 20 < disk.free <= 8 << 20
        disk.fill(leave=4096)
        with pytest.raises(OSError, match="No space") as met:
            (disk.directory / "more").write_bytes(bytes(100_000))
        assert met.value.errno == errno.ENOSPC
        disk.clear()
        (disk.directory / "more").write_bytes(bytes(100_000))
        assert (disk.directory / "kept").read_bytes() == b"before"
        os.sync()
    assert not disk.directory.is_symlink()
    assert list(tmp_path.iterdir()) == []

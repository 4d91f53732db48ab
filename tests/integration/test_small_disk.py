"""A disk of some megabytes in the place of a directory: it fills, it is given back, and real parts live on it."""

import errno
import os
from pathlib import Path

import pytest

from deploy.local.parts import LocalParts
from tools.faults.small_disk import SmallDisk, why_not

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))


def test_a_small_disk_is_full_when_it_is_filled_and_not_afterwards(tmp_path: Path) -> None:
    """Writing beyond it is refused for want of space, what was written stays, and the real disk has nothing of it."""
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


def test_broker_and_database_live_on_small_disks(tmp_path: Path) -> None:
    """Neither has to know; stopped and started, each finds its files again."""
    (tmp_path / "parts" / "kafka").mkdir(parents=True)
    with (
        SmallDisk(tmp_path / "parts" / "kafka" / "log", 64) as log,
        SmallDisk(tmp_path / "parts" / "mongo", 400) as mongo,
    ):
        parts = LocalParts(tmp_path / "parts")
        for _ in range(2):
            parts.start()
            parts.check()
            parts.stop()
        assert (log.directory / "meta.properties").exists()
        assert (mongo.directory / "WiredTiger").exists()

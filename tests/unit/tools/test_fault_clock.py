"""A process with another clock sees its jumps within a second, and its time-outs go on as they were."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.faults.clock import Clock, why_not

_ASKED = """
import sys, time
for _ in sys.stdin:
    print(time.time(), time.monotonic(), flush=True)
"""


def test_a_clock_jumps_while_its_process_runs(tmp_path: Path) -> None:
    """Ahead by a day, behind by an hour, and right again, while the monotonic clock is the machine's."""
    clock = Clock(tmp_path / "clock")
    if why_not() is not None:
        assert "libfaketime" in str(why_not())  # the table says so: not run, with this reason
        return
    with subprocess.Popen(
        [sys.executable, "-c", _ASKED],
        env={**os.environ, **clock.environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        for offset_s in (0, 86_400, -3_600, 300, 0):
            clock.jump(offset_s)
            limit_s = time.monotonic() + 10
            wall = steady = 0.0
            while abs(wall - time.time() - offset_s) > 5 and time.monotonic() < limit_s:
                child.stdin.write("now\n")
                child.stdin.flush()
                wall, steady = map(float, child.stdout.readline().split())
                time.sleep(0.1)
            assert wall == pytest.approx(time.time() + offset_s, abs=5)
            assert steady == pytest.approx(time.monotonic(), abs=5)
        child.stdin.close()

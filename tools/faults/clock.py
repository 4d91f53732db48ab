"""Another clock for one process: ahead, behind, and jumping while it runs.

`libfaketime` (GPL-2; its wheel carries the built library) is preloaded into a child's environment and reads its offset from
a file, so a jump is a line in that file. Only the wall clock is changed: a machine's monotonic clock does not
jump when somebody sets its time, and time-outs must go on meaning what they say.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

_LIBRARY = "libfaketime/vendor/libfaketime/src/libfaketime.so.1"
_DAY_S = 86_400
#: After so many seconds a process has seen a jump. At every call would be possible, and then an asyncio process stands still
#: on a busy machine: each look at the clock opens a file under the library's one lock (seen: an API that heard nothing).
JUMP_SEEN_S = 1


class Clock:
    """The wall clock of the processes that get `environment`: `offset_s` from the true one, from now on."""

    def __init__(self, file: Path) -> None:
        self._file = file
        file.parent.mkdir(parents=True, exist_ok=True)
        self.jump(0)

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process needs in its environment to have this clock."""
        return {
            "LD_PRELOAD": str(_library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": str(JUMP_SEEN_S),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def jump(self, offset_s: int) -> None:
        """Set the clock so many seconds ahead (behind, if negative) of the true one, within JUMP_SEEN_S."""
        draft = self._file.with_name(self._file.name + ".new")
        draft.write_text(f"{offset_s:+d}s\n")
        draft.replace(self._file)


@cache
def why_not() -> str | None:
    """Why no process can have another clock here; None where one can. The wheel's library is of one kind of machine."""
    try:
        library = _library()
    except PackageNotFoundError:
        return "the wheel libfaketime is not installed"
    if not library.exists():
        return "the wheel libfaketime carries no library for this system"
    asked = "import time; print(time.time(), time.monotonic())"
    shown = subprocess.run(
        [sys.executable, "-c", asked],
        env={
            **os.environ,
            "LD_PRELOAD": str(library),
            "FAKETIME": f"+{_DAY_S}s",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        },
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    true = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, timeout=30, check=False
    )
    try:
        wall, steady = map(float, shown.stdout.split())
        true_wall, true_steady = map(float, true.stdout.split())
    except ValueError:
        return f"libfaketime does not load here ({shown.stderr.strip()[-200:]})"
    if abs(wall - true_wall - _DAY_S) > 60 or abs(steady - true_steady) > 60:
        return "libfaketime loads here and does not change the wall clock alone"
    return None


def _library() -> Path:
    """Raises PackageNotFoundError."""
    return Path(str(distribution("libfaketime").locate_file(_LIBRARY)))

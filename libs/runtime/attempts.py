"""At which position a process died, three times: a mark that outlives the process and costs the living nothing.

The mark lies in a mapped file: to set it is to write eight bytes of memory, and the kernel keeps them when the process is
killed. It need not outlive the machine: losing it costs another three deaths (design.md 2.4).
"""

import faulthandler
import mmap
import os
import signal
import sys
import threading
from pathlib import Path
from struct import Struct
from typing import Final

import structlog

log = structlog.get_logger()

#: Deaths at one position after which its command is refused.
DEATHS_MAX: Final = 3
#: A decision that takes longer hangs.
HUNG_S: Final = 5.0
_TICK_S: Final = 0.25

_NOBODY: Final = -1
_POSITION: Final = Struct("<q")
_LAYOUT: Final = Struct("<qqq")  # the position being decided, the one where the last death was, deaths there


class Attempts:
    """The mark of one partition. Opening it counts the death that it tells of."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if os.fstat(handle).st_size < _LAYOUT.size:
                os.pwrite(handle, _LAYOUT.pack(_NOBODY, _NOBODY, 0), 0)
            self._map = mmap.mmap(handle, _LAYOUT.size)
        finally:
            os.close(handle)
        trying, died_at, deaths = _LAYOUT.unpack_from(self._map)
        if trying != _NOBODY:
            died_at, deaths = trying, (deaths + 1 if trying == died_at else 1)
            _LAYOUT.pack_into(self._map, 0, _NOBODY, died_at, deaths)
        self.died_at: int = died_at
        self.deaths: int = deaths

    @property
    def doomed(self) -> int | None:
        """The position whose command is to be refused without looking at it."""
        return self.died_at if self.deaths >= DEATHS_MAX else None

    def begin(self, position: int) -> None:
        """From now on a death is one at this position."""
        _POSITION.pack_into(self._map, 0, position)

    def end(self) -> None:
        """It was decided, or what failed says nothing about the command."""
        _POSITION.pack_into(self._map, 0, _NOBODY)

    def close(self) -> None:
        """Unmap it."""
        self._map.close()


class HangWatch:
    """Ends the process when one decision takes too long, from outside its event loop, with every thread's trace in the log.

    A thread counts its own ticks, so a process that was stopped and goes on has not hung. Code that never lets another
    thread run is ended by the kernel's timer of the time that the process computes.
    """

    def __init__(self, limit_s: float = HUNG_S, tick_s: float = _TICK_S) -> None:
        self._limit_s = limit_s
        self._tick_s = tick_s
        self._turn = 0
        self._busy = False
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """A decision begins."""
        self._turn += 1
        self._busy = True

    def end(self) -> None:
        """It is made, or failed."""
        self._busy = False

    def start(self) -> None:
        """Watch."""
        faulthandler.register(signal.SIGPROF, file=sys.stderr, all_threads=True, chain=True)
        self._allow()
        self._thread = threading.Thread(target=self._watch, name="hang-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Watch no more."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
            signal.setitimer(signal.ITIMER_PROF, 0)
            faulthandler.unregister(signal.SIGPROF)

    def _watch(self) -> None:
        seen, ticks = 0, 0
        while not self._stopped.wait(self._tick_s):
            self._allow()
            ticks = ticks + 1 if self._busy and self._turn == seen else 0
            seen = self._turn
            if ticks * self._tick_s >= self._limit_s:
                log.error("decision_hangs", seconds=self._limit_s)
                faulthandler.dump_traceback(file=sys.stderr, all_threads=True)
                os._exit(1)

    def _allow(self) -> None:
        """Let the process compute for the limit from now on; a thread that holds all others up is ended then."""
        signal.setitimer(signal.ITIMER_PROF, self._limit_s)

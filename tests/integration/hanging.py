"""A process that decides in a way that its arguments name, under a watch of so many seconds: for the tests of the watch."""

import re
import sys
import time

from libs.runtime.attempts import HangWatch


def loops() -> None:
    """A loop in Python: other threads run."""
    while True:
        pass


def holds() -> None:
    """One call that lets no other thread run."""
    re.match(r"(a+)+$", "a" * 40 + "b")


def short() -> None:
    """A decision of a fifth of a second, which a busy machine may take ten times as long for."""
    end = time.process_time() + 0.2
    print("deciding", flush=True)  # noqa: T201 - the test waits for it
    while time.process_time() < end:
        pass


if __name__ == "__main__":
    watch = HangWatch(limit_s=float(sys.argv[2]), tick_s=0.1)
    watch.start()
    watch.begin()
    {"loops": loops, "holds": holds, "short": short}[sys.argv[1]]()
    watch.end()
    watch.stop()

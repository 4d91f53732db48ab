"""Runs between fork and exec of every child: ask the kernel to kill us with our parent, then become the program.

A separate tiny program and not Popen's preexec_fn, because Python code between fork and exec may deadlock in a process
with threads. It imports nothing of ours, so it costs about 20 ms. Usage: launch.py PARENT_PID PROGRAM [ARG...]
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(argv: list[str]) -> None:
    """Bind our life to the parent's and exec the program. Ends with 127 if that is impossible."""
    parent, program = int(argv[0]), argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the line above took effect
        sys.exit(127)
    try:
        os.execv(program[0], program)
    except OSError as error:
        sys.stderr.write(f"{program[0]} cannot be run: {error.strerror}\n")
        sys.exit(127)


if __name__ == "__main__":
    main(sys.argv[1:])

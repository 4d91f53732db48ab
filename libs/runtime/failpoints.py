"""Named steps at which a process kills itself, so that a crash can be put exactly between two of them.

LOANSTREAM_FAILPOINTS=`name:nth[,name:nth]` arms them: the nth time that a step is reached the process gets SIGKILL, from itself,
as a machine that dies gives no time to clean up. Only the faults (tools/faults) set it. Where it is unset, `reach` is
one call that looks into an empty mapping, well under a microsecond; no branch of the code around it depends on it.
"""

import os
import signal
from collections.abc import Mapping
from typing import Final

#: Every step there is, and what has happened when it is reached.
FAILPOINTS: Final[Mapping[str, str]] = {
    "decision-stored": "the broker has acknowledged a decision, which its decider may not have read back",
    "decision-accepted": "who decides has read decisions of its own back and not yet written them to its store",
    "policy-stored": "a policy's commands are acknowledged and its position is not yet committed",
    "view-stored": "MongoDB has carried out a transaction and Faust has not acknowledged its records",
    "command-stored": "the API's command is acknowledged and its caller not answered",
}

_left: dict[str, int] = {}


def parse(text: str) -> dict[str, int]:
    """`name:nth,...` as a mapping. Raises ValueError for a step that does not exist and for a count below one."""
    found: dict[str, int] = {}
    for entry in filter(None, (entry.strip() for entry in text.split(","))):
        name, _, nth = entry.partition(":")
        if name not in FAILPOINTS:
            raise ValueError(f"there is no failpoint {name!r}: choose from {', '.join(FAILPOINTS)}")
        if not nth.isdigit() or int(nth) < 1:
            raise ValueError(f"write {name}:1 to die the first time that it is reached")
        found[name] = int(nth)
    return found


def arm(text: str) -> None:
    """Arm the steps that the settings name, for the life of this process. Raises ValueError."""
    _left.clear()
    _left.update(parse(text))


def reach(name: str) -> None:
    """A step is reached: nothing, or the end of this process."""
    if name not in _left:
        return
    _left[name] -= 1
    if _left[name] == 0:
        os.kill(os.getpid(), signal.SIGKILL)

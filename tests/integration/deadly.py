"""The command line with a bug planted in deciding: whoever calls himself so kills or hangs the process that decides for him.

A decision hangs after two seconds already, because a test waits for three of them.
"""

import os
from functools import partial
from typing import Any

from libs.runtime import decider
from libs.runtime.attempts import HangWatch
from libs.runtime.cli import main
from libs.runtime.deciding import PartitionDecider

KILLS, HANGS = "usr_kills", "usr_hangs"

_decide = PartitionDecider._decide_message


def _deadly(self: PartitionDecider, envelope: Any, message: Any) -> Any:
    if envelope.principal == KILLS:
        os._exit(9)
    while envelope.principal == HANGS:
        pass
    return _decide(self, envelope, message)


if __name__ == "__main__":
    PartitionDecider._decide_message = _deadly  # type: ignore[method-assign]
    decider.HangWatch = partial(HangWatch, limit_s=2.0)  # type: ignore[attr-defined, assignment]
    main()

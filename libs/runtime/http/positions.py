"""The token that lets a caller read his own writes: how far each partition had come when he was answered.

`Loanstream-Position: bidding/2=1041,repayment/0=17`. An answer carries what the request carried plus its own, so a client
only ever keeps the last one it got.
"""

import re
from collections.abc import Mapping
from typing import Final

from libs.runtime.http.problems import Problem

POSITION_HEADER: Final = "Loanstream-Position"
STALE_HEADER: Final = "Loanstream-Stale"

Positions = Mapping[tuple[str, int], int]
"""(service, partition) -> position."""

_ENTRY = re.compile(r"([a-z]{1,32})/([0-9]{1,5})=([0-9]{1,18})")
_TEXT_MAX = 12 * 1024


def parse_positions(text: str | None) -> dict[tuple[str, int], int]:
    """Read the header; nothing is an empty map. Raises Problem 400 for anything that we would not have written."""
    if not text:
        return {}
    positions: dict[tuple[str, int], int] = {}
    for entry in text.split(",") if len(text) <= _TEXT_MAX else [""]:
        match = _ENTRY.fullmatch(entry.strip())
        if match is None:
            raise Problem(
                400,
                "malformed_position",
                f"Send {POSITION_HEADER} exactly as you received it, or not at all.",
            )
        positions[match[1], int(match[2])] = int(match[3])
    return positions


def format_positions(positions: Positions) -> str:
    """Write the header, in a fixed order."""
    return ",".join(
        f"{service}/{partition}={position}" for (service, partition), position in sorted(positions.items())
    )


def merged(first: Positions, second: Positions) -> dict[tuple[str, int], int]:
    """The higher position of each partition."""
    result = dict(first)
    for key, position in second.items():
        result[key] = max(position, result.get(key, -1))
    return result


def has_reached(applied: Positions, wanted: Positions) -> bool:
    """True if every wanted position is applied; partitions that `applied` does not know are none of the view's business."""
    return all(applied[key] >= position for key, position in wanted.items() if key in applied)

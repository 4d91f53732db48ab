"""Old versions of an event read as the newest: pure steps, one version each, chained at decode only.

Stored bytes are never edited. A changed meaning is a new version plus one step here. Steps know names and JSON, no types.
"""

from collections.abc import Callable
from typing import Any

#: wire name of the old version -> (wire name of the next version, step on the JSON data)
STEPS: dict[str, tuple[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {}


def upcast(name: str, data: Any) -> tuple[str, Any]:
    """Walk the steps from `name` to the newest version; returns the new name and data."""
    while (step := STEPS.get(name)) is not None:
        name, change = step
        data = change(data)
    return name, data

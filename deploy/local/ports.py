"""Ports on 127.0.0.1: free ones, kept over restarts where possible, with a plain sentence when a fixed one is taken."""

import json
import socket
from pathlib import Path
from random import SystemRandom

from libs.runtime.errors import OperatorError

# Below the range from which the kernel takes ports of outgoing connections, so that none of those can slip in between
# our choosing a port and the child's binding it.
_LOWEST, _HIGHEST = 20_000, 32_000
_random = SystemRandom()


def is_free(port: int) -> bool:
    """True if a server could bind the port on 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # else a port just closed would count as taken
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def is_open(port: int) -> bool:
    """True if something accepts connections on the port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def require_free(port: int, name: str, setting: str) -> None:
    """Raises OperatorError if the port that a setting fixes is taken."""
    if not is_free(port):
        raise OperatorError(
            f"Port {port} for the {name} is in use: stop the program that has it, or set {setting} to another port (0 takes a free one)."
        )


def choose(names: list[str], kept_in: Path) -> dict[str, int]:
    """A free port for each name: the one used last time if it is still free, else a new one. Remembered in `kept_in`."""
    kept = _kept(kept_in)
    chosen: dict[str, int] = {}
    for name in names:
        port = kept.get(name, 0)
        while not port or port in chosen.values() or not is_free(port):
            port = _random.randint(_LOWEST, _HIGHEST)
        chosen[name] = port
    kept_in.parent.mkdir(parents=True, exist_ok=True)
    kept_in.write_text(json.dumps(kept | chosen, indent=1))
    return chosen


def _kept(path: Path) -> dict[str, int]:
    """The ports of last time; none where the file is not what we write: they are a comfort, no truth."""
    try:
        kept = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    if not isinstance(kept, dict):
        return {}
    return {name: port for name, port in kept.items() if type(port) is int and 0 < port < 65_536}

"""Caddy in front of the services, with the routes of deploy/gateway/Caddyfile and addresses from the environment."""

import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.local.kafka import make_runnable
from deploy.local.ports import is_open
from deploy.local.processes import Child

READY_LIMIT_S = 20.0
CADDYFILE = Path(__file__).parents[1] / "gateway" / "Caddyfile"


class LocalGateway:
    """The gateway's process on 127.0.0.1:`port`; `upstreams` is the port of each service's process by service name."""

    def __init__(self, data_dir: Path, logs_dir: Path, port: int, upstreams: Mapping[str, int]) -> None:
        self._dir = data_dir / "gateway"
        self._port = port
        caddy = Path(sys.prefix) / "bin" / "caddy"
        env = {f"UPSTREAM_{name.upper()}": f"127.0.0.1:{upstream}" for name, upstream in upstreams.items()}
        env |= {"GATEWAY_PORT": str(port), "GATEWAY_BIND": "127.0.0.1"}
        # Caddy keeps its state under HOME; ours stays in the data directory.
        env |= {"HOME": str(self._dir), "XDG_DATA_HOME": str(self._dir), "XDG_CONFIG_HOME": str(self._dir)}
        self._program = caddy
        self.child = Child(
            "the gateway (Caddy)",
            [str(caddy), "run", "--config", str(CADDYFILE), "--adapter", "caddyfile"],
            logs_dir / "gateway.log",
            env=env,
        )

    @property
    def url(self) -> str:
        """Base URL, without a slash at the end."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it and return when its port is open. Raises PartDied, or OperatorError if the wheel is missing."""
        self._dir.mkdir(parents=True, exist_ok=True)
        make_runnable(self._program)
        self.child.start()
        self.child.wait_until(lambda: is_open(self._port), READY_LIMIT_S)

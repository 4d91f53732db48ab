"""A stack whose lines and clocks can be broken while it runs: proxies before broker and database, a clock per process.

Kafka's clients take the broker's address from its metadata, so a proxy before the one listener would be met once and then
passed by. The broker gets a second listener that advertises the proxy; only one decider is told that address. The
projector is told the address of the proxy before MongoDB.
"""

import asyncio
import threading
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.parts import LocalParts
from deploy.local.ports import choose
from deploy.local.stack import ProcessPlan, run_command
from libs.runtime.settings import PREFIX, Settings
from tools.faults import clock
from tools.faults.clock import Clock
from tools.faults.proxy import PASS, Mode, Proxy
from tools.faults.scenario import StackKind

#: The decider that reaches the broker through the proxy, and the process whose MongoDB is behind one.
DECIDER = "bidding-decider-r0"
PROJECTOR = "views"
#: Processes with a clock of their own.
CLOCKS = ("bidding", DECIDER, "repayment-r0")
_ENV = "/usr/bin/env"


class Switches:
    """Proxies on a loop in a thread of their own, so that blocking code may start them and any code switch them."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stop: asyncio.Event | None = None
        self.proxies: dict[str, Proxy] = {}

    def start(self, targets: Mapping[str, tuple[int, int]]) -> None:
        """A proxy per name: (port that it forwards to, port on which it listens). Raises OSError for a taken port."""
        started: list[BaseException | None] = []
        ready = threading.Event()

        async def run() -> None:
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            try:
                async with AsyncExitStack() as opened:
                    for name, (target, port) in targets.items():
                        self.proxies[name] = await opened.enter_async_context(Proxy(target, port))
                    started.append(None)
                    ready.set()
                    await self._stop.wait()
            except OSError as error:
                started.append(error)
                ready.set()

        self._thread = threading.Thread(target=lambda: asyncio.run(run()), name="fault-proxies", daemon=True)
        self._thread.start()
        ready.wait()
        if started[0] is not None:
            raise started[0]

    def switch(
        self, name: str, up: Mode | None = None, down: Mode | None = None, *, only: bytes = b""
    ) -> None:
        """Switch one proxy, for the connections that begin with `only`; from any thread."""
        assert self._loop is not None, "start() comes first"
        done = threading.Event()

        def act() -> None:
            self.proxies[name].only = only
            self.proxies[name].switch(up, down)
            done.set()

        self._loop.call_soon_threadsafe(act)
        done.wait(10)

    def stop(self) -> None:
        """Close all connections; harmless when nothing runs."""
        if self._thread is not None and self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(10)
        self._thread = None


class LinedParts(LocalParts):
    """Kafka and MongoDB with a proxy before each."""

    def __init__(self, data_dir: Path, switches: Switches, min_free_mib: int) -> None:
        super().__init__(data_dir, min_free_mib=min_free_mib)
        self._switches = switches

    def start(self) -> None:
        """As LocalParts, after the proxies."""
        names = ["kafka", "kafka_controller", "mongo", "kafka_lined", "kafka_proxy", "mongo_proxy"]
        ports = choose(names, self.data_dir / "ports.json")
        self.broker = {
            "listeners": "BROKER://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port},"
            f"LINED://127.0.0.1:{ports['kafka_lined']}",
            "advertised.listeners": f"BROKER://127.0.0.1:{{port}},LINED://127.0.0.1:{ports['kafka_proxy']}",
            "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT,LINED:PLAINTEXT",
        }
        self._switches.start(
            {
                "kafka": (ports["kafka_lined"], ports["kafka_proxy"]),
                "mongo": (ports["mongo"], ports["mongo_proxy"]),
            }
        )
        super().start()

    def stop(self) -> None:
        """As LocalParts, and the proxies."""
        super().stop()
        self._switches.stop()


@dataclass(slots=True)
class Lines:
    """What the injectors of one such stack have in their hands."""

    switches: Switches = field(default_factory=Switches)
    clocks: dict[str, Clock] = field(default_factory=dict)

    def parts(self, settings: Settings) -> LinedParts:
        """For StackKind."""
        if clock.why_not() is None:
            self.clocks = {name: Clock(settings.data_dir / "clocks" / name) for name in CLOCKS}
        return LinedParts(settings.data_dir, self.switches, settings.min_free_mib)

    def command(self, plan: ProcessPlan, port: int) -> list[str]:
        """For StackKind: the program of a process, with its own addresses and its own clock."""
        more: dict[str, str] = {}
        proxies = self.switches.proxies
        if plan.name == DECIDER:
            more[f"{PREFIX}KAFKA"] = f"127.0.0.1:{proxies['kafka'].port}"
        if plan.name == PROJECTOR:
            more[f"{PREFIX}MONGO"] = f"mongodb://127.0.0.1:{proxies['mongo'].port}/?directConnection=true"
        if plan.name in self.clocks:
            more |= self.clocks[plan.name].environment
        given = [f"{name}={value}" for name, value in more.items()]
        return [*((_ENV, *given) if given else ()), *run_command(plan, port)]

    def heal(self) -> None:
        """Every line passes and every clock is right."""
        for name in self.switches.proxies:
            self.switches.switch(name, PASS, PASS)
        for each in self.clocks.values():
            each.jump(0)


LINES = Lines()
LINED = StackKind("lined", parts=LINES.parts, command=LINES.command)

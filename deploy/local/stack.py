"""The whole platform on one machine: parts, topics, service processes and the gateway, started and stopped in order.

`up`, `demo` and the end-to-end tests all run this one class. A service process that dies is started again, as an
orchestrator would; four deaths in a minute, or an exit that asks for a person (code 2), end the stack with the reason.
"""

import asyncio
import http.client
import sys
import time
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

from deploy.local.gateway import LocalGateway
from deploy.local.lock import STACK_LOCK, DirectoryLock
from deploy.local.parts import Parts, make_parts
from deploy.local.ports import choose, require_free
from deploy.local.processes import Child, stop_all
from libs.events.topics import DECIDING_SERVICES
from libs.runtime.env_file import write_env_file
from libs.runtime.errors import OperatorError
from libs.runtime.identity import ensure_identity, keep_log_id
from libs.runtime.settings import PREFIX, Settings

READY_LIMIT_S = 120.0
#: A decider that died three times of one command refuses it at its next start: it must be given that start.
_DEATHS_MAX, _DEATHS_WITHIN_S = 4, 60.0
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class ProcessPlan:
    """One operating-system process: its name here, and what `loanstream run` is told. `replica` is that of the settings."""

    name: str
    service: str
    roles: str
    replica: str | None = None


#: Who takes requests to somebody outside: bidding, to the custodian bank.
COURIERS = ("bidding",)
#: Per service one process for api, decider and policy; one Faust process for all views (design section 3).
PROCESSES = (
    *(
        ProcessPlan(name, name, "api,decider,policy" + (",courier" if name in COURIERS else ""))
        for name in DECIDING_SERVICES
    ),
    ProcessPlan("reporting", "reporting", "api"),
    ProcessPlan("views", "all", "projector"),
)
#: The bundled custodian bank, where the settings ask for it.
BANK = ProcessPlan("bank", "bank", "simulator")


def run_command(plan: ProcessPlan, port: int) -> list[str]:
    """The program of one process. -P: the current directory must not be importable by accident."""
    loanstream = [sys.executable, "-P", "-m", "libs.runtime.cli"]
    if plan == BANK:
        return [*loanstream, "bank", "serve", "--port", str(port)]
    return [*loanstream, "run", plan.service, "--roles", plan.roles, "--port", str(port)]


class Stack:
    """Everything that one data directory holds, from start() to stop(). A context manager; calls block.

    After start(), `settings` carries all addresses, the log id and the secrets. `say` is told each step. `parts` that
    already run are used and left running. `command` gives the program of a process; tests put their own there. `ready_limit_s`
    is for who starts on a log that takes long to fold.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        processes: tuple[ProcessPlan, ...] = PROCESSES,
        command: Callable[[ProcessPlan, int], list[str]] = run_command,
        parts: Parts | None = None,
        say: Callable[[str], None] = lambda _step: None,
        ready_limit_s: float = READY_LIMIT_S,
    ) -> None:
        self.settings = settings
        self.restarts = 0
        self._published = False
        self._plans = (*processes, BANK) if settings.bank_simulator else processes
        self._command = command
        self._parts = parts or make_parts(settings)
        self._owns_parts = parts is None
        self._say = say
        self._ready_limit_s = ready_limit_s
        self._lock = DirectoryLock(settings.data_dir, STACK_LOCK)
        self._services: list[Child] = []
        self._gateway: LocalGateway | None = None
        self._deaths: dict[str, deque[float]] = {}

    def start(self) -> Settings:
        """Bring everything up and return the filled settings. Raises OperatorError with nothing left running."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self.settings

    def check(self) -> None:
        """Raises PartDied if a part has ended; starts a dead service process again, within limits."""
        self._parts.check()
        if self._gateway is not None:
            self._gateway.child.check()
        for child in self._services:
            if child.started and not child.alive:
                self._restart(child)

    def stop(self) -> None:
        """Services first, then the gateway, then Kafka and MongoDB; harmless when nothing runs."""
        stop_all(self._services)
        self._services = []
        if self._gateway is not None:
            self._gateway.child.stop()
            self._gateway = None
        if self._published:
            self.settings.run_file.unlink(missing_ok=True)
            self._published = False
        if self._owns_parts:
            self._parts.stop()
        self._lock.release()

    def child(self, name: str) -> Child:
        """The process of one name, for tests that kill it. Raises KeyError."""
        for child in self._services:
            if child.name == name:
                return child
        raise KeyError(name)

    @property
    def children(self) -> list[Child]:
        """The service processes, in the order of their plans."""
        return list(self._services)

    @property
    def gateway_pid(self) -> int:
        """The gateway's process id. Raises RuntimeError before start()."""
        if self._gateway is None:
            raise RuntimeError("the stack was not started")
        return self._gateway.child.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self) -> None:
        self._lock.take()
        if self.settings.gateway_port:
            require_free(self.settings.gateway_port, "gateway", f"{PREFIX}GATEWAY_PORT")
        if self._owns_parts:
            self._say("starting Kafka and MongoDB")
            self._parts.start()
        self._say("checking topics")
        from libs.runtime.topics_admin import (
            ensure_topics,
        )  # brings the clients along; `down` does without them

        settings = ensure_identity(
            self.settings.model_copy(update={"kafka": self._parts.kafka, "mongo": self._parts.mongo})
        )
        settings = keep_log_id(settings, _run(ensure_topics(settings)))
        ports = choose(["gateway", *(plan.name for plan in self._plans)], settings.data_dir / "ports.json")
        gateway_port = settings.gateway_port or ports.pop("gateway")
        ports.pop("gateway", None)
        self._gateway = LocalGateway(settings.data_dir, settings.logs_dir, gateway_port, ports)
        addresses: dict[str, object] = {"api_ports": ports, "gateway": self._gateway.url}
        if BANK in self._plans:
            addresses["bank"] = f"http://127.0.0.1:{ports[BANK.name]}"
        self.settings = settings.model_copy(update=addresses)
        self._say(f"starting {', '.join(plan.name for plan in self._plans)} and the gateway")
        self._services = [self._service(plan) for plan in self._plans]
        for child in self._services:
            child.start()
        self._gateway.start()
        for child in self._services:
            port = ports[child.name]
            child.wait_until(lambda port=port: answers(port, "/readyz"), self._ready_limit_s)  # type: ignore[misc]
        write_env_file(self.settings.run_file, self.settings.environment())
        self._published = True

    def _service(self, plan: ProcessPlan) -> Child:
        port = self.settings.api_ports[plan.name]
        settings = self.settings.model_copy(update={"replica": plan.replica or self.settings.replica})
        return Child(
            plan.name,
            self._command(plan, port),
            self.settings.logs_dir / f"{plan.name}.log",
            env=settings.environment(),
            stop_limit_s=15,
        )

    def _restart(self, child: Child) -> None:
        deaths = self._deaths.setdefault(child.name, deque(maxlen=_DEATHS_MAX))
        deaths.append(time.monotonic())
        too_often = len(deaths) == _DEATHS_MAX and deaths[-1] - deaths[0] < _DEATHS_WITHIN_S
        if child.exit_code == OperatorError.exit_code or too_often:
            child.check()
        self.restarts += 1
        child.start()


def answers(port: int, path: str) -> bool:
    """True if an HTTP GET on 127.0.0.1 answers 200 within two seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _run(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a coroutine to its end from blocking code, also where the calling thread already runs a loop (async tests)."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, work).result()

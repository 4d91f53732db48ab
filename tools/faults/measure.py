"""What a process shows of itself while it is troubled: its metrics, and its memory."""

import asyncio
import http.client
from types import TracebackType
from typing import Self

import psutil

from tools.faults.scene import Scene

_EVERY_S = 0.2


async def metric(scene: Scene, process: str, name: str) -> list[float]:
    """Every value of a metric of one process, whatever its labels; none while it does not answer."""
    page = await asyncio.to_thread(_page, scene.settings.api_ports[process])
    lines = [line for line in page.splitlines() if line.startswith((name + "{", name + " "))]
    return [float(line.rsplit(" ", 1)[1]) for line in lines]


def _page(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()


class Rss:
    """By how much a process's resident memory grew inside this block, in MiB; of the process that it began with."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.grew_mib = 0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        try:
            process = psutil.Process(self._pid)
            began = process.memory_info().rss
            while True:
                self.grew_mib = max(self.grew_mib, (process.memory_info().rss - began) >> 20)
                await asyncio.sleep(_EVERY_S)
        except psutil.NoSuchProcess:
            return

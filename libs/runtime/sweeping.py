"""Destroys in the vault whom the log has forgotten and who never reached it (design.md 2.10), and nobody else.

A view that lags does not know the latest users, and a row that was destroyed never comes back. So the ends of the commands
are noted first, and only a view that has come that far is asked; a row counts as old by the time of the note.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import structlog

from libs.runtime.mongo import DatabaseError
from libs.runtime.vault import RESERVED_S, Fate, Vault
from libs.runtime.views import ViewMissing

log = structlog.get_logger()

SWEEP_S: Final = 60.0
PAGE: Final = 200


class Views(Protocol):
    """The calls of Views that a sweep needs."""

    async def get(self, view: str, doc: str) -> dict[str, Any] | None:
        """See Views."""

    async def page(
        self, view: str, *, where: Mapping[str, Any], after: str | None, limit: int
    ) -> tuple[list[dict[str, Any]], str | None]:
        """See Views."""

    async def positions(self, view: str) -> Mapping[tuple[str, int], int]:
        """See Views."""


@dataclass(slots=True)
class Sweep:
    """Sweeps one service's vault by its view of users: documents with `user_id` and a `state` that becomes `erased`.

    `ends` gives the end of each partition's commands as last heard, None before the first time.
    """

    vault: Vault
    views: Views
    service: str
    view: str
    ends: Callable[[], Mapping[int, int] | None]
    clock: Callable[[], float] = time.time
    _judged_to: float = field(default=0.0, init=False)
    _noted: tuple[float, Mapping[int, int]] | None = field(default=None, init=False)

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep now and then until stopped. MongoDB or a view that is away is worth a later try."""
        while not stop.is_set():
            try:
                await self.once()
            except (DatabaseError, ViewMissing) as error:
                log.warning("vault_not_swept", error=type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), SWEEP_S)

    async def once(self) -> int | None:
        """One round: sweep if the view has reached the last note, then note anew. None when it could not be asked."""
        if self._noted is None:
            self._note()
            return None
        noted_at, ends = self._noted
        applied = await self.views.positions(self.view)
        if any(applied.get((self.service, number), -1) < end - 1 for number, end in ends.items()):
            return None
        destroyed = await self.vault.sweep(self._fate, noted_at, self._judged_to) + await self._erase()
        self._judged_to = noted_at - RESERVED_S
        if destroyed:
            log.info("vault_swept", destroyed=destroyed)
        self._note()
        return destroyed

    async def _erase(self) -> int:
        """Everybody whom the log has forgotten, however long ago he came."""
        destroyed, after = 0, None
        while True:
            found, after = await self.views.page(
                self.view, where={"state": "erased"}, after=after, limit=PAGE
            )
            for document in found:
                if await self.vault.holds(document["user_id"]):
                    await self.vault.erase(document["user_id"])
                    destroyed += 1
            if after is None:
                return destroyed

    def _note(self) -> None:
        ends = self.ends()
        self._noted = None if ends is None else (self.clock(), dict(ends))

    async def _fate(self, user: str) -> Fate:
        document = await self.views.get(self.view, user)
        if document is None:
            return "unknown"
        return "erased" if document.get("state") == "erased" else "known"

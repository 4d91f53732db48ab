"""The sweep asks only a view that has come as far as the log had when it looked, for a destroyed row never comes back."""

import asyncio
from typing import Any

from libs.runtime.sweeping import Sweep
from libs.runtime.vault import RESERVED_S, Vault
from tests.unit.onboarding.vault_double import memory
from tests.unit.runtime.edge_world import MemoryViews

VIEW = "onboarding.users"
NOW = 1_700_000_000.0


class Clock:
    """A time that a test sets."""

    def __init__(self) -> None:
        self.now = NOW
        self.ends: dict[int, int] | None = {0: 5}

    def __call__(self) -> float:
        return self.now


async def a_vault_with_ann(vault: Vault) -> tuple[Sweep, MemoryViews, Clock]:
    """Ann's row is there since now."""
    await vault.put("usr_ann", {"phone": "1"}, ("phone",), NOW)
    views, clock = MemoryViews(), Clock()
    return Sweep(vault, views, "onboarding", VIEW, lambda: clock.ends, clock), views, clock


def knows(views: MemoryViews, position: int, **users: Any) -> None:
    """The view has applied this position and has these users in these states."""
    views.applied[VIEW] = {("onboarding", 0): position}
    views.documents[VIEW] = {user: {"user_id": user, "state": state} for user, state in users.items()}


async def test_a_view_that_lags_is_not_believed(vault: Vault) -> None:
    """Ann registered long ago, the view has not heard of her: she stays until it has come as far as the log."""
    sweep, views, clock = await a_vault_with_ann(vault)
    clock.now = NOW + 2 * RESERVED_S
    knows(views, 3)
    assert [await sweep.once(), await sweep.once()] == [None, None]
    knows(views, 4, usr_ann="verified")
    assert await sweep.once() == 0
    assert await vault.read("usr_ann") is not None


async def test_an_orphan_goes_when_the_view_has_seen_all_that_was_there(vault: Vault) -> None:
    """Nobody of that name on the log ten minutes later: the row is destroyed; before, it is not."""
    sweep, views, clock = await a_vault_with_ann(vault)
    knows(views, 4)
    await sweep.once()
    assert await sweep.once() == 0
    clock.now = NOW + RESERVED_S + 1
    assert await sweep.once() == 0, "the note is older than that"
    assert await sweep.once() == 1
    assert await vault.read("usr_ann") is None


async def test_an_erased_user_goes_at_once(vault: Vault) -> None:
    """What the log has forgotten, the vault forgets in the next round."""
    sweep, views, _ = await a_vault_with_ann(vault)
    knows(views, 4, usr_ann="erased")
    assert [await sweep.once(), await sweep.once()] == [None, 1]
    assert not memory(vault.keys).documents


async def test_who_was_judged_is_asked_for_again_only_when_erased(vault: Vault) -> None:
    """A known user costs nothing in later rounds, and is still found when he asks to be forgotten."""
    sweep, views, clock = await a_vault_with_ann(vault)
    knows(views, 4, usr_ann="verified")
    clock.now = NOW + 2 * RESERVED_S
    await sweep.once()
    assert await sweep.once() == 0
    knows(views, 4)  # a view that lost her, as a later round would see it: nobody asks for her any more
    assert await sweep.once() == 0
    assert await vault.read("usr_ann") is not None
    knows(views, 4, usr_ann="erased")
    assert [await sweep.once(), await sweep.once()] == [1, 0]
    assert not await vault.holds("usr_ann")


async def test_without_an_end_nothing_is_swept(vault: Vault) -> None:
    """As long as the broker has not said how far the log goes, nobody is an orphan."""
    sweep, views, clock = await a_vault_with_ann(vault)
    clock.ends, clock.now = None, NOW + 2 * RESERVED_S
    knows(views, 4, usr_ann="erased")
    assert [await sweep.once(), await sweep.once()] == [None, None]


async def test_it_runs_until_stopped_whatever_is_away(vault: Vault) -> None:
    """MongoDB that is away costs a round, not the process."""
    sweep, views, _ = await a_vault_with_ann(vault)
    knows(views, 4, usr_ann="erased")
    await sweep.once()
    memory(vault.rows).is_down = True
    stop = asyncio.Event()
    running = asyncio.create_task(sweep.run(stop))
    await asyncio.sleep(0)
    stop.set()
    await running
    assert memory(vault.rows).documents

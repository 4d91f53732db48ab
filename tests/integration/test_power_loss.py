"""A power cut takes what was not flushed, and no more: with commands flushed nothing that was acknowledged is lost."""

from pathlib import Path

import pytest

from deploy.local.parts import Parts
from tools.faults.power_loss import Loss, power_loss


@pytest.mark.timeout(600)
async def test_flushed_commands_survive_and_lost_decisions_come_back_the_same(
    parts: Parts, tmp_path: Path
) -> None:
    """No decision was flushed and all are lost; each is decided again with the hash that it had."""
    assert await power_loss(tmp_path, parts.mongo, flush=True, commands=60) == Loss(
        acknowledged=60, commands_lost=0, decisions_lost=60, decided_again_equal=60, faults=[]
    )


@pytest.mark.timeout(600)
async def test_without_flushing_the_number_is_told(parts: Parts, tmp_path: Path) -> None:
    """Everything may go, commands and decisions: the limit that the setting's description states."""
    assert await power_loss(tmp_path, parts.mongo, flush=False, commands=60) == Loss(
        acknowledged=60, commands_lost=60, decisions_lost=60, decided_again_equal=0, faults=[]
    )

"""What onboarding's unit tests share."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from libs.runtime.vault import Vault
from services.onboarding.app import build
from tests.unit.given import TODAY
from tests.unit.onboarding import stories as s
from tests.unit.onboarding.vault_double import memory_vault
from tests.unit.runtime.edge_world import World, running


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory that keeps nothing but secrets: minting an RSA key for every test would take most of its time."""
    return tmp_path_factory.mktemp("keys")


vault = pytest.fixture(memory_vault)


@pytest.fixture
async def world(keys: Path, vault: Vault) -> AsyncIterator[World]:
    """Onboarding with an open day and an empty vault."""
    async with running(build("cn-p2p-2016"), keys) as running_world:
        running_world.app.state.edge = replace(running_world.app.state.edge, vault=vault)
        running_world.open_day(TODAY)
        running_world.views.documents["onboarding.staff"] = {
            who: {"state": "employed", "roles": [role]}
            for who, role in ((s.MAX, "customer_manager"), (s.RIA, "risk"), (s.LEO, "disbursement"))
        }
        yield running_world

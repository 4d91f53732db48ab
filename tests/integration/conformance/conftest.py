"""Every scenario on both grounds; whatever it has to say of a log must be said of both."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.local.parts import LocalParts
from tests.integration.conformance.broker_ground import BrokerGround
from tests.integration.conformance.ground import Ground
from tests.integration.conformance.memory_ground import MemoryGround


@pytest.fixture(scope="session")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalParts]:
    """One broker for all scenarios, whose files they may cut. Nothing here asks the database."""
    directory = tmp_path_factory.mktemp("conformance")
    with LocalParts(directory, mongo="mongodb://127.0.0.1:1/?replicaSet=none") as broker:
        yield broker


@pytest.fixture(scope="session")
def run_name() -> str:
    """The topics' prefix of this run: the same on both grounds, so that their bytes can be."""
    return uuid4().hex[:8]


@pytest.fixture(params=["memory", "broker"])
async def ground(
    request: pytest.FixtureRequest, tmp_path: Path, run_name: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Ground]:
    """A log of the scenario's own."""
    name = request.node.name.replace(f"{request.param}-", "").replace(f"[{request.param}]", "")
    prefix = f"{run_name}.{''.join(c if c.isalnum() else '-' for c in name)}."[:150]
    if request.param == "memory":
        yield MemoryGround(prefix)
        return
    made = BrokerGround(request.getfixturevalue("own_broker"), prefix, tmp_path)
    await made.open(monkeypatch)
    yield made
    await made.close()


@pytest.fixture(scope="session")
def said_of() -> dict[str, tuple[str, Any]]:
    """What was said of each scenario's log on the ground that came first."""
    return {}


@pytest.fixture
def agree(
    ground: Ground, said_of: dict[str, tuple[str, Any]], request: pytest.FixtureRequest
) -> Callable[[Any], None]:
    """Say something of a log; where the other ground has said its own, the two must be equal."""
    kind = type(ground).__name__

    def say(what: Any) -> None:
        other, before = said_of.setdefault(ground.prefix, (kind, what))
        assert before == what, f"{kind} differs from {other}"

    return say

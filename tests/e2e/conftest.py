"""One whole stack for all end-to-end tests: the real broker, database and gateway, and the processes of `loanstream run`."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from deploy.local.parts import Parts
from deploy.local.stack import Stack
from libs.runtime.identity import ensure_identity
from libs.runtime.settings import load_settings
from tests.e2e.life import Life, live
from tests.e2e.town import Town, eventually

FIRST_DAY = date(2024, 1, 15)


@contextmanager
def running_town(parts: Parts, data_dir: Path, **chosen: Any) -> Iterator[Town]:
    """A stack of its own on the shared parts, with an open calendar."""
    name = uuid4().hex[:12]
    settings = ensure_identity(
        load_settings(data_dir, topic_prefix=f"e{name}.", mongo_database=f"e2e_{name}", **chosen)
    )
    with Stack(settings, parts=parts) as stack:
        assert stack.settings.gateway is not None
        with httpx.Client(base_url=stack.settings.gateway, timeout=60) as http:
            running = Town(stack, http, FIRST_DAY)
            opened = running.operator().post("/repayment/calendar", {"business_date": FIRST_DAY.isoformat()})
            assert opened.status_code == 201, opened.text
            eventually(lambda: _has_date(running))
            yield running
            stack.check()


@pytest.fixture(scope="session")
def town(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The running platform with an open calendar. Tests share it, so each brings its own people."""
    with running_town(parts, tmp_path_factory.mktemp("town")) as running:
        yield running


@pytest.fixture(scope="session")
def life(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """A month of the whole platform, lived once, in a town of its own: under rules that ask for suitability and reviews, and
    so that everything that is in it is known."""
    with running_town(parts, tmp_path_factory.mktemp("life"), profile="cn-p2p-2016") as running:
        yield live(running)


def _has_date(town: Town) -> None:
    """The calendar's opening has reached bidding's partitions: a command there is decided on its own merits."""
    for number in range(16):
        probe = town.person(f"usr_probe{number}", "account:own")
        answer = probe.post(f"/bidding/accounts/{probe.account}/withdrawals", {"amount_fen": 1})
        assert answer.json()["type"] == "urn:loanstream:problem:unknown_account", answer.text

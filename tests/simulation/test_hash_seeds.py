"""Nothing rests on an order that nobody chose: three hash seeds, one log; and no decision on what a state loses when it is stored."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from libs.events.deciding import Context, Refused
from libs.runtime.service import Service
from services.bidding.commands import OpenAccount
from services.bidding.domain import aggregates
from services.bidding.domain.profile import profile_named
from tests.simulation.reloading import Twice

ACCOUNTS = next(each for each in aggregates(profile_named("demo")) if each.name == "account")
CONTEXT = Context(at=datetime(2024, 3, 15, tzinfo=UTC), business_date=date(2024, 3, 15), principal="usr_1")
ROOT = Path(__file__).resolve().parents[2]
#: A quarter with all four services, crashes and doubled commands.
LIFE = ("2", "demo")
#: Every aggregate of every service that decides, but the day's own and those that this seed never meets.
ASKED = {
    "bidding.account",
    "bidding.bank days",
    "bidding.contract",
    "bidding.listing",
    "bidding.marketing",
    "collections.collector",
    "collections.debtor",
    "onboarding.application",
    "onboarding.staff",
    "onboarding.user",
    "repayment.calendar",
    "repayment.loan",
}


def test_three_hash_seeds_write_one_log_and_decide_the_same_on_every_state_reloaded() -> None:
    """`decide(c, s, x)` and `decide(c, load(dump(s)), x)` are equal bytes, states that follow included, wherever a run comes."""
    line = [sys.executable, "-m", "tests.simulation.reloading", *LIFE]
    running = [
        subprocess.Popen(
            line,
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for hash_seed in ("0", "1", "2")
    ]
    lives = [json.loads(process.communicate(timeout=240)[0].splitlines()[-1]) for process in running]
    assert lives[1:] == lives[:1] * 2
    assert lives[0]["differences"] == []
    assert set(lives[0]["asked"]) >= ASKED
    assert sum(lives[0]["asked"].values()) > 1_500


def test_a_state_that_loses_something_when_stored_is_found() -> None:
    """A decision that rests on the object, not on what is stored of it, differs on the reloaded state and is told."""

    def decide(_command: Any, state: Any, _context: Context) -> Sequence[Any]:
        if state is ACCOUNTS.initial:
            raise Refused("first_seen")
        return []

    twice = Twice()
    service = twice.service(Service(name="bidding", aggregates=(replace(ACCOUNTS, decide=decide),)))
    with suppress(Refused):
        service.aggregates[0].decide(OpenAccount(owner="usr_1"), ACCOUNTS.initial, CONTEXT)
    assert [told.split(":")[0] for told in twice.differences] == ["bidding.account"]
    assert twice.asked == {"bidding.account": 1}

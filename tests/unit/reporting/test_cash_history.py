"""The cash history of an account: its rows explain its balance, whatever was moved, and are found by kind, date and order."""

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events.codec import EVENT_TYPES
from services.bidding.commands import PlaceBid, RequestWithdrawal
from services.bidding.commands.vouchers import MARKETING_STREAM, FundMarketing, GrantVoucher, RedeemVoucher
from services.bidding.projections.balances import VIEW as BALANCES
from services.reporting.api.shapes import Kind
from services.reporting.app import build
from services.reporting.projections.statement import KINDS
from services.reporting.projections.statement import VIEW as STATEMENT
from tests.unit.bidding.test_properties import INVESTORS, rich_town
from tests.unit.bidding.town import Town
from tests.unit.documents import documents, nested
from tests.unit.given import TODAY
from tests.unit.runtime.edge_world import World, running


def random_town(choose: Any) -> Town:
    """Vouchers, bids and withdrawals of three investors on two listings, one of them in part; then everything comes to rest."""
    town = rich_town(choose)
    town.does(MARKETING_STREAM, FundMarketing(booking_id="bankref_M1", amount_fen=500_00))
    for number in range(choose(12)):
        name = INVESTORS[choose(len(INVESTORS))]
        account, investor, loan = f"acc_{name}", f"usr_{name}", f"{choose(2) + 1}"
        match choose(4):
            case 0:
                grant = GrantVoucher(
                    voucher_id=f"vch_{number}",
                    investor=investor,
                    amount_fen=choose(300_00) + 1,
                    bid_min_fen=100_00,
                    valid_to=TODAY + timedelta(days=9),
                )
                town.does(MARKETING_STREAM, grant, "stf_ole")
                redeem = RedeemVoucher(voucher_id=f"vch_{number}", loan_id=f"loan_{loan}")
                town.does(MARKETING_STREAM, redeem, investor)
            case 1:
                out = RequestWithdrawal(withdrawal_id=f"wdr_{number}", amount_fen=choose(900_00) + 1)
                town.does(account, out, investor)
            case _:
                bid = PlaceBid(
                    bid_id=f"bid_{number}",
                    hold_id=f"hold_{number}",
                    listing_id=f"lst_{loan}",
                    amount_fen=(100_00, 1_000_00, 1_500_50, 1_700_00)[choose(4)],
                    allow_partial=bool(choose(2)),
                )
                town.does(account, bid, investor)
        while choose(2) and town.deliver(choose):
            pass
    town.settle(choose)
    return town


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_rows_of_an_account_are_its_balance(chance: Any) -> None:
    """Over random stories, for every account, the platform's too: each row's balance is the one before plus what the row
    moved, the sums of the rows are what the account has, and the last row says so."""
    town = random_town(lambda count: chance.randrange(count))
    events = [event for history in town.histories.values() for event in history]
    balances, rows = documents(BALANCES, events), documents(STATEMENT, events)
    for account, balance in balances.items():
        lines = [line for name, line in sorted(rows.items()) if name.startswith(f"{account}/")]
        for pocket in ("available", "held"):
            after = [0, *(line[f"{pocket}_after_fen"] for line in lines)]
            moved = [line[f"{pocket}_fen"] for line in lines]
            assert [later - earlier for earlier, later in pairwise(after)] == moved
            assert sum(moved) == after[-1] == balance[f"{pocket}_fen"]
    found = [line["event"] for line in rows.values()]
    assert sorted(found) == sorted(event.address for event in events if type(event.data) in KINDS)


def test_every_movement_of_money_has_a_kind() -> None:
    """Whatever event brings postings is a row, and each of the kinds that may be asked for is one of some movement."""
    with_postings = {kind for kind in EVENT_TYPES.values() if "postings" in kind.__annotations__}
    assert with_postings == set(KINDS)
    assert set(KINDS.values()) == set(get_args(Kind))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Reporting with one investor's eight movements on four dates."""
    async with running(build("demo"), tmp_path) as running_world:
        kinds = ("top_up", "bid", "bid", "top_up", "bid", "investment", "repayment", "repayment")
        running_world.views.documents["reporting.statement"] = {
            f"acc_ann/{number:010}": nested(
                f"acc_ann/{number:010}",
                {
                    "account_id": "acc_ann",
                    "owner": "usr_ann",
                    "business_date": f"2024-03-{10 + number // 2}",
                    "kind": kind,
                    "movement": "Any",
                    "available_fen": 1,
                    "held_fen": 0,
                    "available_after_fen": number,
                    "held_after_fen": 0,
                    "event": f"bidding/0/{number}/0",
                },
            )
            for number, kind in enumerate(kinds, 1)
        }
        yield running_world


async def shown(world: World, query: str) -> list[int]:
    """The numbers of the movements on all pages of a history."""
    found: list[int] = []
    cursor = ""
    while True:
        answer = await world.http.get(
            f"/reporting/statement?limit=2{query}{cursor}", headers=world.token("usr_ann", "account:own")
        )
        assert answer.status_code == 200, answer.text
        found += [line["available_after_fen"] for line in answer.json()["items"]]
        if answer.json()["next"] is None:
            return found
        cursor = f"&cursor={answer.json()['next']}"


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [8, 7, 6, 5, 4, 3, 2, 1]),
        ("&order=oldest", [1, 2, 3, 4, 5, 6, 7, 8]),
        ("&kind=bid", [5, 3, 2]),
        ("&kind=voucher", []),
        ("&since=2024-03-13", [8, 7, 6]),
        ("&until=2024-03-11", [3, 2, 1]),
        ("&since=2024-03-11&until=2024-03-12&kind=top_up", [4]),
    ],
)
async def test_a_history_is_asked_for_by_kind_dates_and_order(
    world: World, query: str, numbers: list[int]
) -> None:
    """Newest first; both dates are in it; every page follows the one before."""
    assert await shown(world, query) == numbers


async def test_a_history_that_does_not_exist_is_refused(world: World) -> None:
    """An unknown kind or order, a date that is none, and the cursor of another history."""
    headers = world.token("usr_ann", "account:own")
    first = await world.http.get("/reporting/statement?limit=2", headers=headers)
    for query, code in (
        ("kind=luck", "invalid_request"),
        ("order=random", "invalid_request"),
        ("since=2024-02-30", "invalid_request"),
        (f"order=oldest&cursor={first.json()['next']}", "malformed_cursor"),
        (f"kind=bid&cursor={first.json()['next']}", "malformed_cursor"),
    ):
        refused = await world.http.get(f"/reporting/statement?{query}", headers=headers)
        assert (refused.status_code, refused.json()["type"]) == (422, f"urn:loanstream:problem:{code}"), query

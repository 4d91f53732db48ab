"""The report tells what was measured, in the agreed keys, and is not good when anything does not hold."""

import json
from dataclasses import replace
from datetime import date
from io import StringIO
from pathlib import Path
from typing import cast

import pytest
from rich.console import Console

from libs.runtime.views import Views
from tests.unit.runtime.edge_world import MemoryViews
from tools.replay.bank_side import Reconciled
from tools.replay.book import Status
from tools.replay.drive import Driven
from tools.replay.figures import Custody, Ending, Lender, LoanFigures, read_parked
from tools.replay.report import Proof, Result, show, write_json
from tools.replay.wording import money
from tools.replay.work import Count, Work

CUSTODY = Custody(
    deposits_fen=1_000_00,
    withdrawals_fen=400_00,
    available_fen=500_00,
    held_fen=90_00,
    fees_fen=10_00,
    clearing_fen=0,
    unrequested_fen=0,
    clearing_open=0,
    accounts=3,
)
RECONCILED = Reconciled(
    first=date(2014, 12, 20),
    last=date(2014, 12, 24),
    bookings=7,
    matched=2,
    left=0,
    bank_fen=600_00,
    ledger_fen=600_00,
    accounts_fen=600_00,
    lent_fen=80_00,
    claims_fen=80_00,
    claims_apart_fen=0,
)
LOANS = LoanFigures(opened=2, compared=2, equal=1, endings=(Ending(Status.EARLY, 2, {"repaid": 2}, 2),))
PROOF = Proof(
    commands=900,
    events=1200,
    repeats=0,
    foreign=0,
    chain_ok=True,
    rebuild_equal=True,
    details=("the faults",),
)
WORK = Work(
    users=Count("users verified", 9, 9),
    cases=Count("collection cases", 3, 3),
    kept=Count("promises kept", 2, 2),
    broken=Count("promises broken", 1, 1),
    trial_balance_fen=0,
    open_sagas=0,
)
GOOD = Result(
    title="2 loans of a book",
    planned=2,
    driven=Driven(days=31, funded=2, quiet_ms=[20.0, 40.04, 31.0]),
    loans=LOANS,
    custody=CUSTODY,
    reconciled=RECONCILED,
    lenders=(Lender("inv1", 4_00, 3_00, 2_00, 1_00, 1_234_567_89),),
    buckets=({"bucket": "current", "loans": 1, "principal_fen": 5_00},),
    parked=0,
    work=WORK,
    queue=(
        {
            "case_id": "case_7f3a",
            "stage": "late",
            "bucket": "M6+",
            "priority": 1_071_121,
            "dpd": 1_037,
            "overdue_fen": 12_106_24,
        },
    ),
    funnel=(("registered", 9), ("topped_up", 8)),
    chronicle=(("2012-01-15", "registers"), ("2012-02-24", "pays 35 times until 2014-12-24")),
    proof=PROOF,
    seconds=12.34,
    driving_s=9.0,
    commands_driven=900,
)


def _text(result: Result) -> str:
    console = Console(width=140, record=True, file=StringIO())
    console.print(show(result))
    return console.export_text()


def test_the_json_holds_exactly_the_agreed_keys(tmp_path: Path) -> None:
    """Programs read these nineteen figures; money is in fen, an unknown empty day is null."""
    path = tmp_path / "out" / "demo.json"
    write_json(GOOD, path)
    assert json.loads(path.read_text()) == {
        "loans": 2,
        "business_days": 31,
        "empty_day_ms": 31.0,
        "commands": 900,
        "events": 1200,
        "repeats": 0,
        "foreign": 0,
        "custody_difference": 0,
        "clearing_open": 0,
        "instalments_compared": 2,
        "instalments_equal": 1,
        "chain_ok": True,
        "rebuild_equal": True,
        "seconds": 12.3,
        "commands_per_second": 100,
        "users": 9,
        "cases": 3,
        "promises_kept": 2,
        "trial_balance": 0,
    }
    assert replace(GOOD, driven=Driven()).as_json()["empty_day_ms"] is None


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (replace(GOOD, proof=replace(PROOF, chain_ok=False)), "does not prove itself"),
        (replace(GOOD, proof=replace(PROOF, rebuild_equal=False)), "rebuilt view differs"),
        (replace(GOOD, custody=replace(CUSTODY, held_fen=90_01)), "custody differs by -0.01"),
        (replace(GOOD, planned=3), "1 loans are missing"),
        (
            replace(GOOD, reconciled=replace(RECONCILED, claims_fen=80_01)),
            "the bank, the books and the claims differ by 0.01",
        ),
        (replace(GOOD, custody=replace(CUSTODY, clearing_open=2)), "2 loans have money left in clearing"),
        (replace(GOOD, proof=replace(PROOF, foreign=1)), "1 foreign records stand in the log"),
        (replace(GOOD, parked=4), "4 commands are parked"),
        (replace(GOOD, work=replace(WORK, trial_balance_fen=-1)), "the trial balance is -0.01"),
        (replace(GOOD, work=replace(WORK, open_sagas=2)), "2 sagas are not at their end"),
        (
            replace(GOOD, work=replace(WORK, users=Count("users verified", 9, 8))),
            "users verified: 8 of the 9",
        ),
        (replace(GOOD, work=replace(WORK, cases=Count("cases", 3, 4))), "cases: 4 of the 3 planned"),
        (replace(GOOD, work=replace(WORK, kept=Count("kept", 2, 1))), "kept: 1 of the 2 planned"),
        (replace(GOOD, work=replace(WORK, broken=Count("broken", 1, 0))), "broken: 0 of the 1 planned"),
        (replace(GOOD, chronicle=()), "time-line is empty"),
        (
            replace(
                GOOD, loans=replace(LOANS, endings=(Ending(Status.EARLY, 2, {"repaid": 1, "M1": 1}, 1),))
            ),
            "1 loans ended otherwise than in the book",
        ),
    ],
)
def test_what_does_not_hold_is_said_and_shown(bad: Result, says: str) -> None:
    """Each broken promise makes the result bad, is named in the last line, and brings the proofs' own words along."""
    assert GOOD.faults == ()
    assert len(bad.faults) == 1
    assert says in _text(bad)
    assert "the faults" in _text(bad)


def test_a_good_result_shows_its_tables_and_no_details() -> None:
    """The time-line, funnel, queue, custody, investors, endings, buckets and figures are there, amounts with separators, and
    the last line is good."""
    text = _text(GOOD)
    for word in (
        "as the log tells it",
        "pays 35 times",
        "Funnel",
        "topped up",
        "collection queue",
        "12,106.24",
    ):
        assert word in text
    for word in ("Custody", "Five investors", "What became", "Overdue buckets", "Figures", "1,234,567.89"):
        assert word in text
    assert "the faults" not in text
    assert text.rstrip().endswith("Everything holds: 2 loans of a book")


async def test_what_is_parked_is_counted_in_every_service() -> None:
    """Over the pages of a view, and over all services."""
    views = MemoryViews()
    views.documents["bidding.parked"] = {f"bidding/0/{number:04}/0": {"_id": number} for number in range(501)}
    views.documents["collections.parked"] = {"collections/1/7/0": {"_id": "collections/1/7/0"}}
    assert await read_parked(cast(Views, views)) == 502


def test_amounts_are_written_for_people() -> None:
    """Two decimals, thousands apart, the sign in front."""
    assert [money(fen) for fen in (0, 5, -5, 123_456_789, -100)] == [
        "0.00",
        "0.05",
        "-0.05",
        "1,234,567.89",
        "-1.00",
    ]

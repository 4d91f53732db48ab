"""The register of losses: what was written off, what became of it, what is left; and interest that is no income."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from libs.events.measures import LoanWrittenOff, PenaltyWaived, RecoveryReceived, WaivedLine
from libs.events.money import money_context
from libs.events.repayment import CalendarOpened
from services.repayment.api.off_balance import SuspendedOut
from services.repayment.app import build
from services.repayment.commands.measures import CarryOutMeasure
from services.repayment.domain.allocation import lines_through
from services.repayment.domain.loan_state import Running
from services.repayment.projections.calendar import VIEW as CALENDAR
from services.repayment.projections.loans import VIEW as LOANS
from services.repayment.projections.off_balance import PARTS
from services.repayment.projections.off_balance import VIEW as LOSSES
from tests.unit.documents import documents, history, nested, turn_about
from tests.unit.repayment.correction_story import RESTATED
from tests.unit.repayment.lives import random_terms
from tests.unit.repayment.measured import random_measure
from tests.unit.repayment.stories import OPENED, SECOND_DUE, amended, days, line, no_income, received
from tests.unit.repayment.test_income import MAY, STRETCHED
from tests.unit.repayment.test_page_lives import Anything
from tests.unit.repayment.troubled_story import LATE_ON, MISSED
from tests.unit.runtime.edge_world import World, running

LOST_ON = days(SECOND_DUE, 20)
WHO: dict[str, Any] = {"loan_id": "loan_7", "borrower": "usr_bo", "region": "CN-31", "product": "credit"}
LOSS = LoanWrittenOff(
    measure_id="msr_1",
    ground="court",
    written_off_on=LOST_ON,
    from_bucket="M2",
    dpd=51,
    principal_fen=100_000,
    interest_fen=1_670,
    fee_fen=0,
    penalty_fen=900,
    dropped_interest_fen=337,
    dropped_fee_fen=0,
    overdue_after_fen=68_904,
    **WHO,
)
PAID = replace(
    received("pay_1", LOST_ON, (line(1, 1_000, 9_000),), (100_000, 91_000), bucket="written_off"),
    region="CN-31",
    product="credit",
)
RECOVERED = RecoveryReceived(
    payment_id="pay_1",
    amount_fen=10_000,
    principal_fen=9_000,
    value_date=LOST_ON,
    recovered_fen=10_000,
    outstanding_fen=91_000,
    **WHO,
)
WAIVED = PenaltyWaived(
    measure_id="msr_2",
    amount_fen=300,
    waived_fen=300,
    waived_on=LOST_ON,
    lines=(WaivedLine(number=1, waived_fen=300),),
    penalty_after_fen=600,
    overdue_after_fen=58_604,
    dpd=51,
    bucket="written_off",
    **WHO,
)
HERE = amended(OPENED, region="CN-31", product="credit")
STORY = (HERE, LOSS, PAID, RECOVERED, WAIVED)
SUMS = {
    "loans": 1,
    "written_off_fen": 102_570,
    "written_off_principal_fen": 100_000,
    "written_off_interest_fen": 1_670,
    "written_off_fee_fen": 0,
    "written_off_penalty_fen": 900,
    "given_up_fen": 337,
    "recovered_fen": 10_000,
    "in_kind_fen": 0,
    "waived_fen": 300,
    "lapsed_fen": 0,
    "corrected_fen": 0,
    "left_fen": 92_270,
    "left_principal_fen": 91_000,
    "left_interest_fen": 670,
    "left_fee_fen": 0,
    "left_penalty_fen": 600,
    "cost_fen": 0,
    "cost_paid_fen": 0,
}
#: Another loan, of no region, of which all is left.
OTHER = replace(LOSS, loan_id="loan_8", region="", product="")


def test_a_loss_keeps_what_was_written_off_and_says_what_became_of_it() -> None:
    """The row, its segment and the sum of all are moved alike, in whatever order loans come; a loan that runs is in none of them."""
    log = history("loan_7", *STORY), history("loan_8", OTHER)
    shown = documents(LOSSES, [*log[0], *log[1]])
    assert shown == documents(LOSSES, turn_about(*log)) == documents(LOSSES, [*log[1], *log[0]])
    row = {name: value for name, value in shown["loan:loan_7"].items() if not name.startswith("src.")}
    assert row == SUMS | {
        "kind": "loan",
        "loan_id": "loan_7",
        "region": "CN-31",
        "product": "credit",
        "ground": "court",
        "written_off_on": LOST_ON.isoformat(),
    }
    assert shown["segment:CN-31:credit"] == SUMS | {"kind": "segment", "region": "CN-31", "product": "credit"}
    assert (shown["sum"]["loans"], shown["sum"]["left_fen"]) == (2, 92_270 + 102_570)
    assert documents(LOSSES, history("loan_7", HERE, replace(PAID, bucket="M2"))) == {}


def test_a_correction_of_an_old_log_takes_back_what_was_recovered() -> None:
    """It does not say what is owed: what it says of recoveries and of the principal counts, and each row still adds up."""
    taken_back = replace(
        RESTATED,
        from_bucket="written_off",
        principal_before_fen=91_000,
        principal_after_fen=100_000,
        recovered_fen=-10_000,
        region="CN-31",
        product="credit",
    )
    row = documents(LOSSES, history("loan_7", *STORY, taken_back))["loan:loan_7"]
    assert (row["recovered_fen"], row["left_principal_fen"]) == (0, 100_000)
    assert row["written_off_fen"] == (
        row["recovered_fen"] + row["in_kind_fen"] + row["waived_fen"] - row["corrected_fen"] + row["left_fen"]
    )
    assert documents(LOSSES, history("loan_7", HERE, RESTATED)) == {}


class Lost(Anything):
    """A loan that is written off sooner or later, and lives on."""

    def meanwhile(self, place: str) -> None:
        """A court says that it is lost, among all else that comes."""
        if place == "late" and self.chance.random() < 0.02:
            self.measures += 1
            terms = random_measure(self.chance, self.today)
            if terms.kind in ("write_off", "settlement_in_kind", "waiver"):
                self.say(CarryOutMeasure(measure_id=f"msr_{self.measures}", terms=terms))
        super().meanwhile(place)


@given(seed=st.integers(0, 2**32))
@example(seed=7)
@example(seed=213)
@settings(max_examples=30, deadline=None)
def test_in_every_life_what_is_left_of_a_loss_is_what_the_loan_owes(seed: int) -> None:
    """Part by part, whatever is paid, settled by things, waived or corrected; and what was written off is what became of it and what is
    left, in the row and in its sums."""
    chance = Random(seed)
    terms = random_terms(chance)
    lived = Lost(chance, terms.funded_on)
    lived.open(terms)
    with money_context():
        for _ in range(chance.randint(60, 300)):
            for place in lived.day():
                if place == "early" and chance.random() < 0.04:
                    lived.correct()
            if chance.random() < 0.08:
                _agree(lived)
        _agree(lived)
        for _ in lived.settled_and_corrected():
            _agree(lived)


def _agree(lived: Lost) -> None:
    shown = documents(LOSSES, history("loan_7", *lived.events))
    losses = [event for event in lived.events if isinstance(event, LoanWrittenOff)]
    assert bool(shown) == bool(losses)
    if not shown:
        return
    state = lived.state
    lines = lines_through(state.book, len(state.book.rows)) if isinstance(state, Running) else ()
    for name in ("loan:loan_7", "segment::", "sum"):
        document = shown[name]
        assert {part: document[f"left_{part}"] for part in PARTS} == {
            part: sum(getattr(each, part) for each in lines) for part in PARTS
        }
        went_fen = document["recovered_fen"] + document["in_kind_fen"] + document["waived_fen"]
        left_fen = document["left_fen"] + document["lapsed_fen"] - document["corrected_fen"]
        assert document["written_off_fen"] == went_fen + left_fen
        assert document["loans"] == 1


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Repayment with two losses, and a loan whose interest is no income."""
    log = [
        *history("loan_7", *STORY),
        *history("loan_8", amended(OPENED, loan_id="loan_8"), OTHER),
        *history(
            "loan_9", amended(HERE, loan_id="loan_9"), replace(no_income(SECOND_DUE, 91), loan_id="loan_9")
        ),
        *history("calendar", CalendarOpened(business_date=LOST_ON)),
    ]
    async with running(build("demo"), tmp_path) as running_world:
        for view in (LOSSES, LOANS, CALENDAR):
            running_world.views.documents[view.name] = {
                name: nested(name, document) for name, document in documents(view, log).items()
            }
        yield running_world


async def test_losses_are_asked_for_by_region_and_product_and_followed_to_loans(world: World) -> None:
    """All of them, those of one region, the loans behind a sum with their events, and suspended interest loan by loan."""

    async def get(path: str, **query: str) -> Any:
        answer = await world.http.get(
            f"/repayment/off-balance{path}", params=query, headers=world.token("stf_ann", "analyst")
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    whole = await get("")
    assert (whole["total"]["loans"], whole["total"]["left_fen"]) == (2, 194_840)
    for rows in (whole["regions"], whole["products"]):
        assert {name: sum(row[name] for row in rows) for name in SUMS} == whole["total"]
    assert (await get("", region="CN-31"))["total"] == SUMS
    assert (await get("", product="consumer"))["total"]["loans"] == 0
    [row] = (await get("/loans", region="CN-31", product="credit"))["items"]
    assert row == SUMS | {
        "id": "loan_7",
        "region": "CN-31",
        "product": "credit",
        "ground": "court",
        "written_off_on": LOST_ON.isoformat(),
        "events": ["repayment/0/5/0"],
    }
    assert len((await get("/loans"))["items"]) == 2
    [suspended] = (await get("/suspended-interest"))["items"]
    assert suspended == {
        "id": "loan_9",
        "region": "CN-31",
        "product": "credit",
        "loan_class": "normal",
        "since": SECOND_DUE.isoformat(),
        "outstanding_fen": 100_000,
        "interest_fen": 1_670,
        "penalty_fen": 0,
    }
    assert (await get("/suspended-interest", region="CN-44"))["items"] == []


@pytest.mark.parametrize(
    ("story", "day", "interest_fen"),
    [
        # three instalments were missed: 10.00, 6.70 and 3.37
        ((*MISSED, no_income(LATE_ON, 63)), LATE_ON, 2_007),
        (STRETCHED, LATE_ON, 2_007),
        (STRETCHED, days(MAY, -1), 2_007),
        # the row that asks for them is due, with interest of its own: 9.34 since the restructuring
        (STRETCHED, MAY, 2_007 + 934),
    ],
)
def test_a_restructuring_brings_no_interest_back(
    story: tuple[Any, ...], day: date, interest_fen: int
) -> None:
    """It pays nothing: what was due and unpaid of interest is suspended until it is paid, also where it is due anew."""
    [loan] = documents(LOANS, history("loan_7", *story)).values()
    assert SuspendedOut.of(nested("loan_7", loan), day).interest_fen == interest_fen

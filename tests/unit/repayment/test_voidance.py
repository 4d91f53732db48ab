"""A contract that is void after its money moved: principal back and no interest, to the fen, whoever held what and whenever it is found."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from random import Random
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from libs.events.claims import ClaimTransferred, ReservationReleased
from libs.events.corrections import (
    AdjustingLine,
    ClaimChange,
    ClaimStanding,
    Correction,
    LoanRestated,
    RowStanding,
    Standing,
)
from libs.events.measures import (
    Extension,
    MeasureExamined,
    NonAccrual,
    Reclassification,
    Waiver,
)
from libs.events.money import money_context
from libs.events.pauses import Pause, PauseEnd
from libs.events.repayment import (
    InstallmentDue,
    LoanRepaid,
    PaymentReceived,
    PaymentReturned,
    PenaltyCharged,
    RepaymentDistributed,
    ScheduleRow,
)
from libs.events.voidance import LoanVoided, PastRow, Voidance
from services.repayment.commands import OpenLoan, ReserveClaim
from services.repayment.commands.corrections import CorrectPayment
from services.repayment.commands.measures import CarryOutMeasure, ExamineMeasure
from services.repayment.domain.loan_state import reopened
from tests.unit.given import given
from tests.unit.repayment.inputs import Lived
from tests.unit.repayment.lives import random_terms
from tests.unit.repayment.pause_story import applied, ended, paused
from tests.unit.repayment.stories import (
    FIRST_DUE,
    FIRST_PAID,
    LAST_DUE,
    LOAN,
    OPENED,
    SECOND_DUE,
    classified,
    days,
    debit_id,
    dues,
    on,
    pays,
)
from tests.unit.repayment.test_trading import RESERVED, freed

MARCH = date(2024, 3, 15)
VOID = CarryOutMeasure(measure_id="msr_1", terms=Voidance(ground="fraud"))
ASK = ExamineMeasure(measure_id="msr_1", terms=Voidance(ground="fraud"))

# --- by hand -------------------------------------------------------------------------------------------------------

#: One of three instalments is paid: 33,002 and 1,000 of interest, of which the platform has 100. So 34,002 of 100,000 are back.
PAID = (OPENED, *FIRST_PAID)


def past(due_on: date, principal_fen: int, interest_fen: int, *, paid: bool = False) -> PastRow:
    """An instalment of the contract that was."""
    return PastRow(
        due_on=due_on,
        principal_fen=principal_fen,
        interest_fen=interest_fen,
        paid_principal_fen=principal_fen if paid else 0,
        paid_interest_fen=interest_fen if paid else 0,
    )


SAID = LoanVoided(
    loan_id="loan_7",
    borrower="usr_bo",
    measure_id="msr_1",
    ground="fraud",
    voided_on=MARCH,
    counted_fen=1_000,
    returned_fen=0,
    platform_fen=100,
    principal_fen=65_998,
    due_on=date(2024, 3, 16),
    floor_class="special_mention",
    lent=("clm_7_1", "clm_7_2", "clm_7_3"),
    rows=(
        past(FIRST_DUE, 33_002, 1_000, paid=True),
        past(SECOND_DUE, 33_332, 670),
        past(LAST_DUE, 33_666, 337),
    ),
    was_repaid=False,
)


def change(order: int, interest_fen: int, fee_fen: int) -> ClaimChange:
    """What a lender got as interest is principal; the fee that he bore he gets."""
    return ClaimChange(
        claim_id=f"clm_7_{order}",
        principal_fen=interest_fen,
        interest_fen=-interest_fen,
        penalty_fen=0,
        fee_fen=-fee_fen,
    )


def got(order: int, interest_fen: int, fee_fen: int) -> AdjustingLine:
    """What moves to him: the platform's fee."""
    return AdjustingLine(
        account_id=f"acc_{order}",
        principal_fen=interest_fen,
        interest_fen=-interest_fen,
        penalty_fen=0,
        fee_fen=-fee_fen,
        returned_fen=0,
        amount_fen=fee_fen,
    )


def row(number: int, principal_fen: int) -> RowStanding:
    """An instalment has received principal only."""
    return RowStanding(
        number=number,
        principal_fen=principal_fen,
        interest_fen=0,
        fee_fen=0,
        paid_penalty_fen=0,
        penalty_fen=0,
        missed=False,
    )


RESTATED = LoanRestated(
    loan_id="loan_7",
    borrower="usr_bo",
    correction_id="msr_1",
    booking="same_year",
    restated_on=MARCH,
    standing=Standing(
        first_open=2,
        paid=(),
        penalties=(),
        claims=(
            ClaimStanding(claim_id="clm_7_1", principal_fen=32_999),
            ClaimStanding(claim_id="clm_7_2", principal_fen=19_799),
            ClaimStanding(claim_id="clm_7_3", principal_fen=13_200),
        ),
        weights=(),
        bucket="current",
        loan_class="special_mention",
        next_due=2,
        next_missed=2,
        asked_on=FIRST_DUE,
        rows=(
            ScheduleRow(number=1, due_on=FIRST_DUE, principal_fen=34_002, interest_fen=0),
            ScheduleRow(number=2, due_on=date(2024, 3, 16), principal_fen=65_998, interest_fen=0),
        ),
    ),
    rows=(row(0, 0), row(1, 34_002), row(2, 0)),
    retaken=(),
    lines=(got(1, 500, 50), got(2, 300, 30), got(3, 200, 20)),
    claims=(change(1, 500, 50), change(2, 300, 30), change(3, 200, 20)),
    platform_fen=-100,
    from_bucket="current",
    principal_before_fen=66_998,
    principal_after_fen=65_998,
    overdue_after_fen=0,
    penalty_after_fen=0,
    dpd=0,
)
WATCHED = replace(classified(MARCH, "normal", "special_mention", 0, 65_998), measure_id="msr_1")
VOIDED = (*PAID, SAID, RESTATED, WATCHED)


def test_interest_and_fees_that_were_paid_count_as_principal() -> None:
    """Whole events, by numbers done by hand; the rest is due tomorrow, and the loan is watched."""
    outcome = given(LOAN, *PAID).when(VOID, on(MARCH))
    outcome.then(SAID, RESTATED, WATCHED)
    assert LOAN.wake_on(outcome.state) == (date(2024, 3, 16), 2)


def test_it_is_done_once() -> None:
    """The measure comes again: nothing; another one finds the contract void."""
    given(LOAN, *VOIDED).when(VOID, on(MARCH)).then()
    given(LOAN, *VOIDED).when(replace(VOID, measure_id="msr_2"), on(MARCH)).then_refused("loan_voided")


def test_the_loan_says_who_may_not_sign_and_that_nobody_votes() -> None:
    """The law voids a contract, not its lenders; none of them signs."""
    given(LOAN, *PAID).when(ASK, on(MARCH)).then(
        MeasureExamined(
            loan_id="loan_7",
            measure_id="msr_1",
            borrower="usr_bo",
            examined_on=MARCH,
            mandate="not_needed",
            holders=("usr_1", "usr_2", "usr_3"),
        )
    )


def test_the_rest_is_due_by_a_named_day() -> None:
    """A day that is over or more than a year away is refused when it is proposed; one that is over when all have signed is the next day."""
    named = Voidance(ground="duress", repay_by=SECOND_DUE)
    outcome = given(LOAN, *PAID).when(replace(VOID, terms=named), on(MARCH))
    assert LOAN.wake_on(outcome.state) == (SECOND_DUE, 2)
    late = given(LOAN, *PAID).when(replace(VOID, terms=replace(named, repay_by=FIRST_DUE)), on(MARCH))
    assert LOAN.wake_on(late.state) == (date(2024, 3, 16), 2)
    for never in (MARCH, days(MARCH, 367), date.max):
        ask = replace(ASK, terms=replace(named, repay_by=never))
        given(LOAN, *PAID).when(ask, on(MARCH)).then_refused("invalid_date")


def test_a_pause_ends_with_the_contract() -> None:
    """What is left is asked for on its day, though the contract's days were not to count until May."""
    begun = date(2024, 3, 9)
    stood = Pause(from_on=days(begun, 1), to_on=date(2024, 5, 18), cause="illness")
    paused_ = replace(paused(stood.from_on, stood.to_on, begun), measure_id="msr_0")
    outcome = given(LOAN, *PAID, applied(stood, begun, "msr_0"), paused_).when(VOID, on(MARCH))
    over = ended(MARCH, MARCH, "voided", stood.from_on)
    outcome.then(SAID, RESTATED, replace(over, measure_id="msr_1", pause_id="msr_0"), WATCHED)
    assert LOAN.wake_on(outcome.state) == (date(2024, 3, 16), 2)
    said = LOAN.decide(dues(date(2024, 3, 16)), outcome.state, on(date(2024, 3, 16)))
    assert [event.asked for event in said if isinstance(event, InstallmentDue)] == [True]


def test_what_is_for_sale_is_for_sale_no_more() -> None:
    """Its offer ends by this name, and no other begins."""
    offered = replace(RESERVED, principal_fen=33_499, outstanding_fen=33_499, reserved_on=MARCH)
    events = given(LOAN, *PAID, offered).when(VOID, on(MARCH)).events
    assert [event for event in events if isinstance(event, ReservationReleased)] == [freed("loan_voided")]
    again = ReserveClaim(
        offer_id="offer_2", claim_id="clm_7_1", seller="usr_1", principal_fen=None, value_date=MARCH
    )
    given(LOAN, *VOIDED).when(again, on(MARCH)).then_refused("loan_voided")


REFUSED = [
    ("no more time for a contract that is none", Extension(months=1), "loan_voided"),
    ("no penalty to give up", Waiver(amount_fen=1), "loan_voided"),
    ("no income to stop", NonAccrual(), "loan_voided"),
    ("no pause to end", PauseEnd(), "loan_voided"),
]


@pytest.mark.parametrize(("says", "terms", "code"), REFUSED, ids=[says for says, _, _ in REFUSED])
def test_a_void_contract_has_no_terms_to_change(says: str, terms: Any, code: str) -> None:
    """What would be a term of it is refused by name; its class is still a matter of judgement."""
    given(LOAN, *VOIDED).when(CarryOutMeasure(measure_id="msr_2", terms=terms), on(MARCH)).then_refused(code)
    worse = CarryOutMeasure(measure_id="msr_2", terms=Reclassification(to_class="doubtful"))
    assert given(LOAN, *VOIDED).when(worse, on(MARCH)).events


def test_it_is_corrected_no_more() -> None:
    """What was paid has become something else."""
    correct = CorrectPayment(
        correction=Correction(
            correction_id="cor_1",
            loan_id="loan_7",
            payment_id=debit_id(FIRST_DUE),
            kind="reverse",
            reason="wrong_payer",
            value_date=FIRST_DUE,
        ),
        booking="same_year",
    )
    given(LOAN, *VOIDED).when(correct, on(MARCH)).then_refused("loan_voided")


def test_a_part_is_not_prepaid_but_all_of_it_may_be() -> None:
    """There is no schedule to make anew; who pays all before the day pays no interest."""
    part = given(LOAN, *VOIDED).when(replace(pays(MARCH, 20_000), prepay="shorten"), on(MARCH))
    (back,) = part.events
    assert isinstance(back, PaymentReturned)
    assert back.code == "loan_voided"
    whole = given(LOAN, *VOIDED).when(pays(MARCH, 65_998, settle=True), on(MARCH))
    paid, end = whole.events[0], whole.events[-1]
    assert isinstance(paid, PaymentReceived)
    assert paid.amount_fen == 65_998
    assert isinstance(end, LoanRepaid)


# --- any life ------------------------------------------------------------------------------------------------------


@drawn(seed=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_everybody_ends_with_his_principal_and_no_more(seed: int) -> None:
    """Whatever was paid, sold, missed or prepaid before, on a loan that runs or has ended: what each account has had and gets now is its
    principal less what its claims are still owed, and from then on nothing but principal is paid."""
    chance = Random(seed)
    terms = random_terms(chance)
    lived = Lived(chance, terms.funded_on, sells=chance.random() < 0.5)
    lived.open(terms)
    with money_context():
        for _ in range(chance.choice((chance.randint(1, 45), chance.randint(1, 160)))):
            for _ in lived.day():
                pass
        before = list(lived.events)
        said = lived.say(VOID)
        assert not isinstance(said, str), said
        _require_fair(terms, before, said)
        for _ in range(40):
            for _ in lived.day():
                pass
        last = reopened(lived.state)
        assert sum(claim.principal_fen for claim in last.claims) == last.book.outstanding_fen
        later = lived.events[len(before) + len(said) :]
        assert not any(isinstance(event, PenaltyCharged) for event in later)
        shared = [event for event in later if isinstance(event, RepaymentDistributed)]
        assert not any(event.interest_fen + event.penalty_fen + event.fee_fen for event in shared)


@dataclass
class _Had:
    """What an account had of the loan, and what its claims were for."""

    money_fen: int = 0
    principal_fen: int = 0


def _require_fair(terms: OpenLoan, events: Sequence[Any], said: Sequence[Any]) -> None:
    restated = next(event for event in said if isinstance(event, LoanRestated))
    voided = next(event for event in said if isinstance(event, LoanVoided))
    paid_fen = sum(event.amount_fen for event in events if isinstance(event, PaymentReceived))
    fees_fen = sum(event.fee_fen for event in events if isinstance(event, RepaymentDistributed))
    assert restated.principal_after_fen == max(0, terms.principal_fen - paid_fen)
    assert voided.returned_fen == max(0, paid_fen - terms.principal_fen)
    assert restated.platform_fen == -fees_fen == -voided.platform_fen
    had, accounts = _had(terms, events)
    left: Counter[str] = Counter()
    for standing in restated.standing.claims:
        left[accounts[standing.claim_id]] += standing.principal_fen
    moved = Counter({line.account_id: line.amount_fen for line in restated.lines})
    assert moved.pop(terms.borrower_account, 0) == voided.returned_fen
    for account, has in had.items():
        assert has.money_fen + moved[account] == has.principal_fen - left[account], account
    assert any(isinstance(event, LoanRepaid) for event in said) == (restated.principal_after_fen == 0)


def _had(terms: OpenLoan, events: Sequence[Any]) -> tuple[dict[str, _Had], dict[str, str]]:
    accounts = {claim.claim_id: claim.account_id for claim in terms.claims}
    had: dict[str, _Had] = {}
    for claim in terms.claims:
        had.setdefault(claim.account_id, _Had()).principal_fen += claim.principal_fen
    for event in events:
        if isinstance(event, ClaimTransferred):
            accounts[event.claim.claim_id] = event.claim.account_id
            had[event.seller_account].principal_fen -= event.claim.principal_fen
            had.setdefault(event.claim.account_id, _Had()).principal_fen += event.claim.principal_fen
        elif isinstance(event, RepaymentDistributed):
            for line in event.lines:
                had[line.account_id].money_fen += (
                    line.principal_fen + line.interest_fen + line.penalty_fen - line.fee_fen
                )
    return had, accounts

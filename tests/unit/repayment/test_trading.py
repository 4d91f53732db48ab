"""A loan's claims for sale: reserved for one offer, at most once; transferred for what they are worth on the day; or free again."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from libs.events.bidding import ClaimTerms
from libs.events.claims import ClaimReserved, ClaimTransferred, ReservationReleased
from libs.events.deciding import Wake
from libs.events.repayment import LoanRepaid, PaymentMissed
from services.repayment.commands import ReleaseClaim, ReserveClaim, TransferClaim
from services.repayment.domain.loan_state import Claim, Reservation, Running
from services.repayment.domain.trading import CLAIMS_MAX
from tests.unit.given import decided, fold, given
from tests.unit.repayment.stories import (
    CLAIMS,
    FIRST_DUE,
    FIRST_PAID,
    FUNDED_ON,
    INSTALLMENT,
    LOAN,
    OPENED,
    asked_again,
    days,
    debited,
    due,
    failed,
    misses,
    on,
    pays,
)

#: Ten days after the funding: nineteen before the first due date.
DAY = days(FUNDED_ON, 10)
RESERVE = ReserveClaim(
    offer_id="offer_1", claim_id="clm_7_1", seller="usr_1", principal_fen=None, value_date=DAY
)
RESERVED = ClaimReserved(
    loan_id="loan_7",
    offer_id="offer_1",
    claim_id="clm_7_1",
    account_id="acc_1",
    investor="usr_1",
    borrower="usr_bo",
    principal_fen=50_000,
    outstanding_fen=50_000,
    interest_max_fen=510,
    grade="B",
    annual_rate=OPENED.annual_rate,
    matures_on=date(2024, 4, 30),
    reserved_on=DAY,
    method="equal_instalments",
)
PART = replace(RESERVED, principal_fen=20_000, interest_max_fen=204)
TRANSFER = TransferClaim(
    offer_id="offer_1",
    hold_id="hold_1",
    buyer="usr_9",
    buyer_account="acc_9",
    price_permille=990,
    fee_permille=5,
    held_fen=50_010,
    value_date=DAY,
)
#: 12 % on 500.00 for ten days of 365: 1.64.
TRANSFERRED = ClaimTransferred(
    loan_id="loan_7",
    offer_id="offer_1",
    hold_id="hold_1",
    borrower="usr_bo",
    sold_claim_id="clm_7_1",
    seller="usr_1",
    seller_account="acc_1",
    left_fen=0,
    claim=ClaimTerms(order=4, claim_id="clm_7_4", account_id="acc_9", investor="usr_9", principal_fen=50_000),
    price_fen=49_500,
    interest_fen=164,
    fee_fen=248,
    value_date=DAY,
)
RELEASE = ReleaseClaim(offer_id="offer_1", code="offer_expired")


def freed(code: str, offer_id: str = "offer_1", order: int = 1) -> ReservationReleased:
    """A claim is free again."""
    return ReservationReleased(
        loan_id="loan_7",
        offer_id=offer_id,
        claim_id=f"clm_7_{order}",
        account_id=f"acc_{order}",
        investor=f"usr_{order}",
        code=code,
    )


def test_a_holder_offers_his_claim() -> None:
    """The claim is reserved with all that a buyer must know; the same offer again says nothing."""
    given(LOAN, OPENED).when(RESERVE, on(DAY)).then(RESERVED)
    given(LOAN, OPENED, RESERVED).when(RESERVE, on(DAY)).then_nothing()
    given(LOAN, OPENED, RESERVED, TRANSFERRED).when(RESERVE, on(DAY)).then_nothing()


def test_or_a_part_of_it() -> None:
    """What is offered and what there is stand side by side, because a repayment makes both less."""
    given(LOAN, OPENED).when(replace(RESERVE, principal_fen=20_000), on(DAY)).then(PART)


def test_a_buyer_need_not_hold_more_than_can_accrue_while_it_is_for_sale() -> None:
    """12 % on 500.00 for twenty days of 365, where the offer ends before the due date: 3.29."""
    short = replace(RESERVE, until=days(FUNDED_ON, 20))
    given(LOAN, OPENED).when(short, on(DAY)).then(replace(RESERVED, interest_max_fen=329))


@pytest.mark.parametrize(
    ("history", "changed", "code"),
    [
        ((), {"value_date": days(FIRST_DUE, -3)}, "blocked_window"),
        ((), {"value_date": FIRST_DUE}, "blocked_window"),
        (FIRST_PAID, {"value_date": days(FIRST_DUE, 3)}, "blocked_window"),
        ((due(1), failed(FIRST_DUE)), {"value_date": days(FIRST_DUE, 4)}, "loan_overdue"),
        ((), {"claim_id": "clm_7_9"}, "unknown_claim"),
        ((), {"seller": "usr_2"}, "unknown_claim"),
        ((RESERVED,), {"offer_id": "offer_2"}, "claim_reserved"),
        ((), {"principal_fen": 50_001}, "part_too_large"),
        ((), {"principal_fen": 9_999}, "part_too_small"),
        ((), {"principal_fen": 40_001}, "rest_too_small"),
    ],
)
def test_what_may_not_be_offered(history: tuple[Any, ...], changed: dict[str, Any], code: str) -> None:
    """Near a due date, overdue, another's, twice, or in parts of less than 100 yuan: each is refused by its name."""
    given(LOAN, OPENED, *history).when(replace(RESERVE, **changed), on(DAY)).then_refused(code)


def test_a_redemption_may_wait_out_a_blocked_window() -> None:
    """Its offer is reserved near a due date too, and only the transfer waits; an overdue loan's is not."""
    near = days(FIRST_DUE, -2)
    wish = replace(RESERVE, value_date=near, may_wait=True)
    given(LOAN, OPENED).when(wish, on(near)).then(replace(RESERVED, reserved_on=near))
    late = replace(wish, value_date=days(FIRST_DUE, 1))
    given(LOAN, OPENED, due(1), failed(FIRST_DUE)).when(late, on(DAY)).then_refused("loan_overdue")


def test_a_redemption_does_not_die_of_a_debit_that_is_on_its_way() -> None:
    """The due date has passed, but its debit has no answer, or was not asked for yet: the borrower may have paid in time."""
    on_time = days(FIRST_DUE, 1)
    wish = replace(RESERVE, value_date=on_time, may_wait=True)
    for history in ((), (due(1),)):
        given(LOAN, OPENED, *history).when(wish, on(on_time)).then(replace(RESERVED, reserved_on=on_time))
        plain = replace(wish, value_date=days(FIRST_DUE, 4), may_wait=False)
        given(LOAN, OPENED, *history).when(plain, on(on_time)).then_refused("loan_overdue")


def test_a_redemption_dies_of_a_miss_whatever_debit_is_on_its_way() -> None:
    """What was said to be missed was not paid in time: a later debit may find the money, and changes nothing of that."""
    missed = PaymentMissed(
        loan_id="loan_7", borrower="usr_bo", number=1, due_on=FIRST_DUE, open_fen=INSTALLMENT, dpd=1
    )
    later = days(FIRST_DUE, 2)
    story = (OPENED, due(1), failed(FIRST_DUE), missed, asked_again(later, INSTALLMENT))
    wish = replace(RESERVE, value_date=later, may_wait=True)
    given(LOAN, *story).when(wish, on(later)).then_refused("loan_overdue")


def test_no_split_makes_more_claims_than_a_record_may_have() -> None:
    """Parts that are reserved count as if they were sold; a whole claim may always be offered."""
    state = fold(LOAN, (OPENED,))
    assert isinstance(state, Running)
    many = tuple(
        Claim(
            order=order,
            claim_id=f"clm_7_{order}",
            account_id="acc_1",
            investor="usr_1",
            principal_fen=20_000,
        )
        for order in range(1, CLAIMS_MAX)
    )
    half = Reservation(offer_id="offer_0", claim_id="clm_7_2", principal_fen=10_000, of_fen=20_000)
    full = replace(state, claims=many, reservations=(half,))
    part = replace(RESERVE, principal_fen=10_000)
    assert decided(LOAN, full, part, on(DAY)) == "too_many_claims"
    assert isinstance(decided(LOAN, replace(full, reservations=()), part, on(DAY)), tuple)
    assert isinstance(decided(LOAN, full, RESERVE, on(DAY)), tuple)


def test_a_claim_changes_hands_for_what_it_is_worth_on_the_day() -> None:
    """Price by the principal, interest for the days since the funding, the fee on the price; the same again says nothing."""
    given(LOAN, OPENED, RESERVED).when(TRANSFER, on(DAY)).then(TRANSFERRED)
    given(LOAN, OPENED, RESERVED, TRANSFERRED).when(TRANSFER, on(DAY)).then_nothing()
    sold = fold(LOAN, (OPENED, RESERVED, TRANSFERRED))
    assert isinstance(sold, Running)
    assert [(claim.investor, claim.principal_fen) for claim in sold.claims] == [
        ("usr_2", 30_000),
        ("usr_3", 20_000),
        ("usr_9", 50_000),
    ]
    assert sold.reservations == ()


def test_a_part_is_a_new_claim_and_the_rest_stays() -> None:
    """The seller keeps what he did not offer; Σ claims is the principal as before."""
    part = replace(
        TRANSFERRED,
        left_fen=30_000,
        claim=replace(TRANSFERRED.claim, principal_fen=20_000),
        price_fen=19_800,
        interest_fen=66,
        fee_fen=99,
    )
    given(LOAN, OPENED, PART).when(TRANSFER, on(DAY)).then(part)
    sold = fold(LOAN, (OPENED, PART, part))
    assert isinstance(sold, Running)
    assert sum(claim.principal_fen for claim in sold.claims) == 100_000
    assert sold.claims[0].principal_fen == 30_000


def test_what_is_repaid_before_is_the_sellers_and_makes_the_offer_less() -> None:
    """After the first instalment two fifths of the claim are two fifths of what is left of it, with interest since the due date;
    the next distribution is the buyer's.
    """
    day = days(FIRST_DUE, 10)
    outcome = given(LOAN, OPENED, PART, *FIRST_PAID).when(replace(TRANSFER, value_date=day), on(day))
    outcome.then(
        replace(
            TRANSFERRED,
            left_fen=20_099,
            claim=replace(TRANSFERRED.claim, principal_fen=13_400),
            price_fen=13_266,
            interest_fen=44,
            fee_fen=66,
            value_date=day,
        )
    )
    paid = given(LOAN, OPENED, PART, *FIRST_PAID, *outcome.events, due(2)).when(
        debited(due(2).due_on, 34_002), on(due(2).due_on)
    )
    (shared,) = [event for event in paid.events if hasattr(event, "lines") and hasattr(event, "payment_id")]
    assert [line.investor for line in shared.lines] == ["usr_1", "usr_2", "usr_3", "usr_9"]
    assert sum(line.principal_fen for line in shared.lines) == shared.principal_fen


@pytest.mark.parametrize(
    ("history", "changed", "code"),
    [
        ((), {}, "claim_not_reserved"),
        ((RESERVED, freed("offer_expired")), {}, "claim_not_reserved"),
        ((RESERVED,), {"value_date": days(FIRST_DUE, -3)}, "blocked_window"),
        ((RESERVED, due(1), failed(FIRST_DUE)), {"value_date": days(FIRST_DUE, 4)}, "loan_overdue"),
        ((RESERVED, due(1)), {}, "value_date_passed"),
        ((RESERVED,), {"investor_cap_fen": 49_999}, "above_investor_cap"),
        ((RESERVED,), {"buyer": "usr_2", "investor_cap_fen": 79_999}, "above_investor_cap"),
        ((RESERVED,), {"held_fen": 49_663}, "above_maximum"),
    ],
)
def test_what_is_not_transferred(history: tuple[Any, ...], changed: dict[str, Any], code: str) -> None:
    """What is not reserved, not today, not for this buyer or not for so little is refused by its name."""
    given(LOAN, OPENED, *history).when(replace(TRANSFER, **changed), on(DAY)).then_refused(code)


def test_a_claim_that_was_repaid_meanwhile_is_not_transferred() -> None:
    """Distributions may leave a small claim with nothing while its loan goes on."""
    state = fold(LOAN, (OPENED, RESERVED))
    assert isinstance(state, Running)
    first, *others = state.claims
    empty = replace(state, claims=(replace(first, principal_fen=0), *others))
    assert decided(LOAN, empty, TRANSFER, on(DAY)) == "nothing_left"


def test_a_buyer_may_have_as_much_as_the_cap_says() -> None:
    """What he holds in the loan already counts."""
    again = replace(TRANSFER, buyer="usr_2", investor_cap_fen=80_000)
    given(LOAN, OPENED, RESERVED).when(again, on(DAY)).then(
        replace(TRANSFERRED, claim=replace(TRANSFERRED.claim, investor="usr_2"))
    )


def test_an_offer_that_ended_gives_the_claim_free() -> None:
    """It may be offered again; a second release says nothing, nor one on a loan that is over."""
    given(LOAN, OPENED, RESERVED).when(RELEASE, on(DAY)).then(freed("offer_expired"))
    given(LOAN, OPENED, RESERVED, freed("offer_expired")).when(RELEASE, on(DAY)).then_nothing()
    again = replace(RESERVE, offer_id="offer_2")
    given(LOAN, OPENED, RESERVED, freed("offer_expired")).when(again, on(DAY)).then(
        replace(RESERVED, offer_id="offer_2")
    )


def test_a_missed_instalment_frees_every_claim() -> None:
    """In the decision that says the miss, once, in the order in which they were reserved."""
    second = replace(RESERVED, offer_id="offer_2", claim_id="clm_7_2", account_id="acc_2", investor="usr_2")
    late = given(LOAN, OPENED, RESERVED, second, due(1), failed(FIRST_DUE)).when(
        misses(days(FIRST_DUE, 1)), on(days(FIRST_DUE, 1))
    )
    told = [event for event in late.events if isinstance(event, PaymentMissed | ReservationReleased)]
    assert told[1:] == [freed("loan_overdue"), freed("loan_overdue", "offer_2", 2)]
    again = LOAN.decide(Wake(business_date=days(FIRST_DUE, 31), phase=4), late.state, on(days(FIRST_DUE, 31)))
    assert not any(isinstance(event, ReservationReleased) for event in again)


def test_the_end_of_the_loan_frees_every_claim() -> None:
    """Settled early, it has nothing for sale, and whoever took it is told."""
    settled = given(LOAN, OPENED, RESERVED).when(pays(DAY, 200_000, settle=True), on(DAY))
    assert [
        type(event) for event in settled.events if isinstance(event, ReservationReleased | LoanRepaid)
    ] == [
        ReservationReleased,
        LoanRepaid,
    ]
    assert freed("loan_repaid") in settled.events
    history = (OPENED, RESERVED, *settled.events)
    given(LOAN, *history).when(TRANSFER, on(DAY)).then_refused("loan_repaid")
    given(LOAN, *history).when(RESERVE, on(DAY)).then_refused("loan_repaid")
    given(LOAN, *history).when(RELEASE, on(DAY)).then_nothing()


def test_orders_are_never_used_twice() -> None:
    """A claim that was sold whole is gone, and its successors come after all that ever were."""
    next_sale = replace(
        RESERVED, offer_id="offer_2", claim_id="clm_7_4", account_id="acc_9", investor="usr_9"
    )
    again = given(LOAN, OPENED, RESERVED, TRANSFERRED, next_sale).when(
        replace(TRANSFER, offer_id="offer_2", buyer="usr_1", buyer_account="acc_1"), on(DAY)
    )
    (sold,) = again.events
    assert sold.claim.claim_id == "clm_7_5"
    assert sold.sold_claim_id == "clm_7_4"
    assert fold(LOAN, (replace(OPENED, claims=CLAIMS[::-1]),)).last_order == 3

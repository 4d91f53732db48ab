"""A guarantor pays for an overdue loan and is owed what he paid: the borrower's debt stays, claims change, every fen has a holder."""

from dataclasses import replace
from typing import Any

import pytest

from libs.events.bidding import ClaimTerms
from libs.events.claims import ClaimTransferred
from libs.events.compensation import CompensationDeclined
from libs.events.measures import Restructuring
from libs.events.repayment import OverpaymentReturned, PaymentReturned, RepaymentDistributed
from libs.events.schedules.terms import RepaymentTerms
from services.repayment.commands import ReserveClaim
from services.repayment.commands.measures import CarryOutMeasure
from services.repayment.domain.loan_state import Repaid, Running
from tests.unit.given import context, fold, given
from tests.unit.repayment.guarantee_story import (
    AMOUNT,
    APPROVE,
    APPROVED,
    CHARGED,
    COMPENSATED,
    DAY,
    DECLINE,
    DECLINED,
    EXECUTE,
    EXECUTED,
    GUARANTEED,
    LATE,
    PAID_OUT,
    PROPOSE,
    PROPOSED,
    RECORD,
    REFUSE,
    SIGNED,
    SUBROGATED,
    by,
    share,
)
from tests.unit.repayment.stories import (
    CONTRACTED,
    FIRST_DUE,
    LOAN,
    ROWS,
    SECOND_DUE,
    amended,
    days,
    due,
    failed,
    in_time,
    misses,
    on,
    pays,
)

WHOLE = RepaymentTerms(method="equal_instalments", compensates="outstanding")


def test_three_people_sign() -> None:
    """One proposes, another approves, a third asks for the money; what is done already says nothing."""
    given(LOAN, *LATE).when(PROPOSE, by("acc")).then(PROPOSED)
    given(LOAN, *LATE, PROPOSED).when(PROPOSE, by("acc")).then_nothing()
    given(LOAN, *LATE, PROPOSED).when(APPROVE, by("fin")).then(APPROVED)
    given(LOAN, *LATE, PROPOSED, APPROVED).when(APPROVE, by("fin")).then_nothing()
    given(LOAN, *LATE, PROPOSED, APPROVED).when(EXECUTE, by("cas")).then(EXECUTED)
    given(LOAN, *LATE, *SIGNED).when(EXECUTE, by("cas")).then_nothing()


@pytest.mark.parametrize(
    ("history", "command", "who", "code"),
    [
        (LATE, PROPOSE, "usr_g", "forbidden_not_staff"),
        ((CONTRACTED, due(1), failed(FIRST_DUE)), PROPOSE, "stf_acc", "no_guarantor"),
        ((GUARANTEED,), PROPOSE, "stf_acc", "nothing_overdue"),
        ((GUARANTEED, due(1)), PROPOSE, "stf_acc", "debit_unanswered"),
        ((*LATE, PROPOSED), replace(PROPOSE, compensation_id="cmp_2"), "stf_acc", "compensation_open"),
        ((*LATE, PROPOSED), APPROVE, "stf_acc", "forbidden_same_person"),
        ((*LATE, PROPOSED), replace(APPROVE, compensation_id="cmp_2"), "stf_fin", "compensation_not_open"),
        ((*LATE, PROPOSED), EXECUTE, "stf_cas", "not_approved"),
        ((*LATE, PROPOSED, APPROVED), EXECUTE, "stf_acc", "forbidden_same_person"),
        ((*LATE, PROPOSED, APPROVED), EXECUTE, "stf_fin", "forbidden_same_person"),
        ((*LATE, *SIGNED), REFUSE, "stf_fin", "compensation_executed"),
        (COMPENSATED, PROPOSE, "stf_acc", "nothing_overdue"),
    ],
)
def test_who_may_not_and_when(history: tuple[Any, ...], command: Any, who: str, code: str) -> None:
    """Without a guarantor, in time, while a debit is out, by the same person or twice at once: each is refused by its name."""
    day = FIRST_DUE if code == "nothing_overdue" and len(history) == 1 else DAY
    given(LOAN, *history).when(command, context(day, who)).then_refused(code)


def test_not_before_the_contracts_day() -> None:
    """Thirty days past due where the contract says nothing, else as many as it says."""
    given(LOAN, *LATE).when(PROPOSE, by("acc", days(DAY, -1))).then_refused("not_overdue_enough")
    terms = RepaymentTerms(method="equal_instalments", compensated_after=31)
    late = (amended(GUARANTEED, repayment=terms), *LATE[1:])
    given(LOAN, *late).when(PROPOSE, by("acc")).then_refused("not_overdue_enough")


def test_somebody_refuses_it() -> None:
    """Before the money is asked for anybody of finance ends it; after that another one may be proposed."""
    refused = replace(DECLINED, code="not_now", declined_by="stf_fin")
    given(LOAN, *LATE, PROPOSED).when(REFUSE, by("fin")).then(refused)
    given(LOAN, *LATE, PROPOSED, refused).when(PROPOSE, by("acc")).then(PROPOSED)


def test_the_holders_are_paid_and_the_guarantor_is_owed() -> None:
    """Holders get principal, interest and penalty by their shares and bear the fee; the same principal is the guarantor's claim; the
    borrower owes the same as before."""
    outcome = in_time(given(LOAN, *LATE, *SIGNED).when(RECORD, on(DAY)))
    outcome.then(CHARGED, SUBROGATED, PAID_OUT)
    before = fold(LOAN, (*LATE, CHARGED))
    assert isinstance(before, Running)
    assert isinstance(outcome.state, Running)
    assert outcome.state.book == before.book
    assert sum(claim.principal_fen for claim in outcome.state.claims) == outcome.state.book.outstanding_fen
    given(LOAN, *COMPENSATED).when(RECORD, on(DAY)).then_nothing()


def test_what_is_paid_on_his_instalment_is_his() -> None:
    """The borrower's next payment pays the instalment that the guarantor paid for, with later penalty: all of it is the guarantor's,
    without a fee; what is paid on the next one is the holders'."""
    later = days(DAY, 10)
    paid = given(LOAN, *COMPENSATED, due(2), failed(SECOND_DUE)).when(pays(later, 40_000), on(later))
    [distribution] = [event for event in paid.events if isinstance(event, RepaymentDistributed)]
    # 18 % on 340.02 for ten more days: 1.68; the other 5,327 pay interest and principal of the second instalment.
    assert distribution.lines[-1] == share(4, 33_002, 1_000, 671, 0)
    assert [line.claim_id for line in distribution.lines] == ["clm_7_1", "clm_7_2", "clm_7_3", "clm_7_4"]
    assert distribution.principal_fen + distribution.interest_fen + distribution.penalty_fen == 40_000
    assert isinstance(paid.state, Running)
    assert sum(claim.principal_fen for claim in paid.state.claims) == paid.state.book.outstanding_fen


def test_what_settles_as_of_a_day_before_his_instalment_pays_it_all_the_same() -> None:
    """Whoever settles with money that is dated before the instalment was due pays the guarantor what he paid for, and the holders what is left to them:
    taken together as principal that is not due they would get more than they hold."""
    early = days(FIRST_DUE, -1)
    settled = given(LOAN, *COMPENSATED).when(pays(early, 200_000, settle=True), on(DAY))
    [distribution] = [event for event in settled.events if isinstance(event, RepaymentDistributed)]
    assert distribution.lines == (
        share(1, 33_499, 0, 0, 0),
        share(2, 20_099, 0, 0, 0),
        share(3, 13_400, 0, 0, 0),
        share(4, 33_002, 1_000, 503, 0),
    )
    assert isinstance(settled.state, Repaid)


def test_the_whole_loan_where_the_contract_says_so() -> None:
    """He pays what settles the loan, and from then on all is his: the holders have nothing left, and his claim is all principal."""
    late = (amended(GUARANTEED, repayment=WHOLE), *LATE[1:])
    asked = given(LOAN, *late, replace(PROPOSED, covers="outstanding"), APPROVED).when(EXECUTE, by("cas"))
    record = replace(RECORD, amount_fen=asked.events[0].amount_fen)
    paid = given(LOAN, *late, replace(PROPOSED, covers="outstanding"), APPROVED, *asked.events).when(
        record, on(DAY)
    )
    assert isinstance(paid.state, Running)
    assert [claim.principal_fen for claim in paid.state.claims] == [0, 0, 0, 100_000]
    settled = given(LOAN, *late, PROPOSED, APPROVED, *asked.events, *paid.events).when(
        pays(DAY, 200_000, settle=True), on(DAY)
    )
    [distribution] = [event for event in settled.events if isinstance(event, RepaymentDistributed)]
    assert [line.claim_id for line in distribution.lines] == ["clm_7_4"]
    assert isinstance(settled.state, Repaid)


def test_the_guarantor_has_too_little() -> None:
    """It is declined by name, nothing else has happened, and it may be proposed again."""
    given(LOAN, *LATE, *SIGNED).when(DECLINE, on(DAY)).then(DECLINED)
    given(LOAN, *LATE, *SIGNED, DECLINED).when(DECLINE, on(DAY)).then_nothing()
    given(LOAN, *LATE, *SIGNED, DECLINED).when(PROPOSE, by("acc")).then(PROPOSED)


def test_the_borrower_paid_a_part_meanwhile() -> None:
    """The guarantor pays what is left, and the rest of what was taken is his again."""
    outcome = given(LOAN, *LATE, *SIGNED).when(pays(DAY, 10_000), on(DAY))
    paid = given(LOAN, *LATE, *SIGNED, *outcome.events).when(RECORD, on(DAY))
    back = OverpaymentReturned(loan_id="loan_7", payment_id="cmp_1", account_id="acc_g", amount_fen=10_000)
    assert paid.events[-1] == back
    assert paid.events[0].amount_fen == AMOUNT - 10_000
    assert paid.events[0].principal_fen == 33_002 - (10_000 - 1_000 - 503)


def test_the_borrower_paid_all_of_it_meanwhile() -> None:
    """Nothing is compensated and all of the guarantor's money goes back, also from a loan that is repaid."""
    for payment, code in (
        (pays(DAY, AMOUNT), "nothing_overdue"),
        (pays(DAY, 200_000, settle=True), "loan_repaid"),
    ):
        outcome = given(LOAN, *LATE, *SIGNED).when(payment, on(DAY))
        given(LOAN, *LATE, *SIGNED, *outcome.events).when(RECORD, on(DAY)).then(
            replace(DECLINED, code=code),
            PaymentReturned(
                loan_id="loan_7", payment_id="cmp_1", account_id="acc_g", amount_fen=AMOUNT, code=code
            ),
        )


def test_a_repaid_loan_is_compensated_no_more() -> None:
    """A step that comes after the last fen is refused by name; an answer that nobody waits for says nothing."""
    settled = given(LOAN, *LATE).when(pays(DAY, 200_000, settle=True), on(DAY))
    given(LOAN, *LATE, *settled.events).when(PROPOSE, by("acc")).then_refused("loan_repaid")
    given(LOAN, *LATE, *settled.events).when(DECLINE, on(DAY)).then_nothing()


def test_nothing_is_overdue_any_more_when_the_cashier_comes() -> None:
    """It is declined before anybody's money is touched."""
    outcome = given(LOAN, *LATE).when(pays(DAY, AMOUNT), on(DAY))
    given(LOAN, *LATE, PROPOSED, APPROVED, *outcome.events).when(EXECUTE, by("cas")).then(
        CompensationDeclined(
            loan_id="loan_7",
            compensation_id="cmp_1",
            guarantor="gua_g",
            code="nothing_overdue",
            declined_on=DAY,
        )
    )


def test_not_enough_is_overdue_any_more_when_the_cashier_comes() -> None:
    """What was proposed for is paid, and the next instalment is a day late: the contract's days count again for it."""
    paid = given(LOAN, *LATE).when(pays(DAY, AMOUNT), on(DAY))
    history = (*LATE, PROPOSED, APPROVED, *paid.events, due(2), failed(SECOND_DUE))
    day = days(SECOND_DUE, 1)
    declined = replace(DECLINED, code="not_overdue_enough", declined_on=day)
    given(LOAN, *history).when(EXECUTE, by("cas", day)).then(declined)


def test_what_he_paid_for_is_not_spread_anew() -> None:
    """He has paid interest and penalty of his instalment; a new schedule would take them from him."""
    measure = CarryOutMeasure(measure_id="msr_1", terms=Restructuring(months=3, guarantor_consent="vault:9"))
    given(LOAN, *COMPENSATED).when(measure, on(DAY)).then_refused("loan_compensated")


def test_his_claim_is_not_for_sale() -> None:
    """It is of certain instalments, and no price of those is agreed: not even once the borrower pays in time again."""
    paid_for = (
        replace(SUBROGATED, covers="outstanding", claim=replace(SUBROGATED.claim, through=None)),
        PAID_OUT,
    )
    history = (*LATE, *SIGNED, CHARGED, *paid_for)
    paid = given(LOAN, *history).when(pays(DAY, 20_000), on(DAY))
    rest = given(LOAN, *history, *paid.events).when(
        pays(DAY, AMOUNT - 20_000 - 1, payment_id="pay_2"), on(DAY)
    )
    day = days(SECOND_DUE, -10)
    offer = ReserveClaim(
        offer_id="offer_9",
        claim_id="clm_7_4",
        seller="usr_g",
        principal_fen=None,
        value_date=day,
        may_wait=True,
    )
    given(LOAN, *history, *paid.events, *rest.events).when(offer, on(day)).then_refused("loan_overdue")
    fresh = (GUARANTEED, SUBROGATED, PAID_OUT)
    given(LOAN, *fresh).when(replace(offer, value_date=days(FIRST_DUE, -10)), on(day)).then_refused(
        "claim_subrogated"
    )


def test_a_sold_claim_is_paid_to_its_buyer() -> None:
    """Who holds the claim when the guarantor pays is paid, whoever lent the money."""
    sold = ClaimTransferred(
        loan_id="loan_7",
        offer_id="offer_1",
        hold_id="hold_1",
        borrower="usr_bo",
        sold_claim_id="clm_7_1",
        seller="usr_1",
        seller_account="acc_1",
        left_fen=0,
        claim=ClaimTerms(
            order=4, claim_id="clm_7_4", account_id="acc_9", investor="usr_9", principal_fen=50_000
        ),
        price_fen=50_000,
        interest_fen=0,
        fee_fen=0,
        value_date=days(FIRST_DUE, -10),
    )
    paid = given(LOAN, GUARANTEED, sold, *LATE[1:], *SIGNED).when(RECORD, on(DAY))
    assert in_time(paid).events[1].claim.claim_id == "clm_7_5"
    assert [line.investor for line in in_time(paid).events[2].lines] == ["usr_2", "usr_3", "usr_9"]


def test_who_has_a_part_in_the_loan_has_none_in_its_compensation() -> None:
    """Neither whoever owes, nor the guarantor, nor who holds a claim proposes, approves, refuses or executes it; another customer does."""
    steps = ((LATE, PROPOSE, "acc"), ((*LATE, PROPOSED), APPROVE, "fin"), ((*LATE, PROPOSED), REFUSE, "fin"))
    for history, command, who in (*steps, ((*LATE, PROPOSED, APPROVED), EXECUTE, "cas")):
        for himself, code in (
            ("usr_bo", "forbidden_borrower"),
            ("usr_g", "forbidden_guarantor"),
            ("usr_2", "forbidden_holder"),
        ):
            given(LOAN, *history).when(replace(command, himself=himself), by(who)).then_refused(code)
        done = given(LOAN, *history).when(command, by(who))
        given(LOAN, *history).when(replace(command, himself="usr_9"), by(who)).then(*done.events)


def test_what_nobody_signs_in_time_comes_to_nothing() -> None:
    """Ten days after its proposal it is declined by the day's end, proposed or approved, of a loan that is repaid as well; the guarantor's
    account is asked for nothing afterwards, and it may be proposed anew."""
    last = days(DAY, 10)
    gone = replace(DECLINED, code="expired", declined_on=last)
    settled = given(LOAN, *LATE, PROPOSED).when(pays(DAY, 200_000, settle=True), on(DAY))
    for history in ((PROPOSED,), (PROPOSED, APPROVED), (PROPOSED, *settled.events)):
        outcome = given(LOAN, *LATE, *history).when(misses(last), on(last))
        assert gone in outcome.events
        again = given(LOAN, *LATE, *history, *outcome.events).when(misses(last), on(last))
        assert gone not in again.events
    early = given(LOAN, *LATE, PROPOSED).when(replace(misses(last), phase=3), on(last))
    assert gone not in early.events
    asked = given(LOAN, *LATE, *SIGNED).when(misses(last), on(last))
    assert gone not in asked.events
    given(LOAN, *LATE, PROPOSED).when(APPROVE, by("fin", last)).then(replace(APPROVED, approved_on=last))
    late = days(last, 1)
    given(LOAN, *LATE, PROPOSED).when(APPROVE, by("fin", late)).then_refused("compensation_expired")
    given(LOAN, *LATE, PROPOSED, APPROVED).when(EXECUTE, by("cas", late)).then_refused("compensation_expired")
    given(LOAN, *LATE, PROPOSED, gone).when(APPROVE, by("fin", last)).then_refused("compensation_not_open")


def test_a_claim_of_interest_alone_is_a_claim() -> None:
    """Of an instalment that asks for interest only he is owed no principal: his claim is of nothing that is lent, so his account is told
    nothing, and all that is paid on the instalment, penalty of later days too, is his (docs/decisions/0026)."""
    rows = (replace(ROWS[0], principal_fen=0), ROWS[1], replace(ROWS[2], principal_fen=66_668))
    late = (amended(GUARANTEED, rows=rows), replace(due(1, 1_000), principal_fen=0), failed(FIRST_DUE, 1_000))
    asked = given(LOAN, *late, PROPOSED, APPROVED).when(EXECUTE, by("cas"))
    # 18 % on 10.00 for thirty days: 0.15.
    assert asked.events[0].amount_fen == 1_015
    paid = given(LOAN, *late, PROPOSED, APPROVED, *asked.events).when(
        replace(RECORD, amount_fen=1_015), on(DAY)
    )
    subrogated = in_time(paid).events[1]
    assert (subrogated.claim.principal_fen, subrogated.interest_fen, subrogated.penalty_fen) == (0, 1_000, 15)
    assert isinstance(paid.state, Running)
    assert [claim.principal_fen for claim in paid.state.claims] == [50_000, 30_000, 20_000, 0]
    later = days(DAY, 10)
    back = given(LOAN, *late, PROPOSED, APPROVED, *asked.events, *paid.events).when(
        pays(later, 1_020), on(later)
    )
    [distribution] = [event for event in back.events if isinstance(event, RepaymentDistributed)]
    assert distribution.lines == (share(4, 0, 1_000, 20, 0),)

"""Who may correct a booking, how many, and what becomes of the correction; and the loan's own refusals and its golden case."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from libs.events.corrections import (
    AdjustingLine,
    ClaimChange,
    ClaimStanding,
    Correction,
    CorrectionAuthorised,
    CorrectionBooked,
    CorrectionClosed,
    CorrectionExamined,
    CorrectionProposed,
    CorrectionRefused,
    CorrectionSigned,
    LoanRestated,
    PaymentReversed,
    RowStanding,
    Standing,
)
from libs.events.measures import LoanMoved
from libs.events.repayment import LoanClassified
from services.repayment.commands.corrections import (
    AdmitCorrection,
    AuthoriseCorrection,
    CloseCorrection,
    CorrectPayment,
    DeclineCorrection,
    ExamineCorrection,
    ProposeCorrection,
    RecordCorrectionBooked,
    RefuseCorrection,
)
from services.repayment.domain.correction import AGGREGATE
from tests.unit.given import context, given
from tests.unit.repayment.stories import (
    FIRST_DUE,
    FIRST_PAID,
    LOAN,
    OPENED,
    amended,
    days,
    debit_id,
    distributed,
    line,
    on,
    received,
)

PAID_ON = FIRST_DUE
LATER = days(FIRST_DUE, 4)
NEXT_YEAR = date(2025, 1, 2)
WRONG = Correction(
    correction_id="cor_1",
    loan_id="loan_7",
    payment_id="pay_1",
    kind="reverse",
    reason="wrong_loan",
    value_date=PAID_ON,
)
PROPOSE = ProposeCorrection(
    correction_id="cor_1",
    loan_id="loan_7",
    payment_id="pay_1",
    kind="reverse",
    reason="wrong_loan",
    value_date=PAID_ON,
)
PROPOSED = CorrectionProposed(correction=WRONG, proposed_by="stf_clerk", proposed_on=LATER, signatures=1)
SUPERVISE, HEAD = AuthoriseCorrection(role="supervisor"), AuthoriseCorrection(role="finance_head")
EXAMINED = CorrectionExamined(
    loan_id="loan_7",
    correction_id="cor_1",
    borrower="usr_bo",
    guarantor="gua_g",
    holders=("usr_1", "usr_2", "usr_3"),
)
AUTHORISED = CorrectionAuthorised(
    correction=WRONG,
    booking="same_year",
    role="supervisor",
    authorised_by="stf_super",
    authorised_on=LATER,
)
BOOKED = CorrectionBooked(correction_id="cor_1", loan_id="loan_7", open_fen=5)
SIGNED = CorrectionSigned(
    correction_id="cor_1", loan_id="loan_7", role="supervisor", signed_by="stf_super", signed_on=NEXT_YEAR
)
ACROSS = CorrectionAuthorised(
    correction=WRONG,
    booking="prior_year",
    role="finance_head",
    authorised_by="stf_head",
    authorised_on=NEXT_YEAR,
)
CORRECT = CorrectPayment(correction=WRONG, booking="same_year")

#: The borrower's money of another loan: 10.00 of interest and 20.00 of principal of the first instalment.
PAID = (
    received("pay_1", FIRST_DUE, (line(1, 1_000, 2_000),), (100_000, 98_000)),
    distributed("pay_1", FIRST_DUE, (1, 1_000, 500, 50), (2, 600, 300, 30), (3, 400, 200, 20)),
)


EXAMINE = ExamineCorrection(correction_id="cor_1", himself="usr_ann")
ADMIT = AdmitCorrection(borrower="usr_bo", guarantor="gua_g", holders=("usr_1", "usr_2", "usr_3"))
UNPAY = replace(CORRECT, correction=replace(WRONG, payment_id=debit_id(FIRST_DUE)))

#: For the table of all commands: what does, what is refused, and its code.
CASES: dict[type, tuple[tuple[tuple[Any, ...], Any], tuple[tuple[Any, ...], Any], str]] = {
    CorrectPayment: (((OPENED, *FIRST_PAID), UNPAY), ((), UNPAY), "unknown_loan"),
    ProposeCorrection: (((), PROPOSE), ((), replace(PROPOSE, kind="redate")), "invalid_date"),
    ExamineCorrection: (((OPENED,), EXAMINE), ((), EXAMINE), "unknown_loan"),
    AdmitCorrection: (((PROPOSED,), ADMIT), ((), ADMIT), "unknown_correction"),
    AuthoriseCorrection: (((PROPOSED,), SUPERVISE), ((), SUPERVISE), "unknown_correction"),
    RefuseCorrection: (
        ((PROPOSED,), RefuseCorrection(code="not_proved")),
        ((), RefuseCorrection(code="not_proved")),
        "unknown_correction",
    ),
    DeclineCorrection: (
        ((PROPOSED, AUTHORISED), DeclineCorrection(code="unknown_payment")),
        ((), DeclineCorrection(code="unknown_payment")),
        "unknown_correction",
    ),
    RecordCorrectionBooked: (
        ((PROPOSED, AUTHORISED), RecordCorrectionBooked(open_fen=5)),
        ((), RecordCorrectionBooked(open_fen=5)),
        "unknown_correction",
    ),
    CloseCorrection: (
        ((PROPOSED, AUTHORISED, BOOKED), CloseCorrection()),
        ((), CloseCorrection()),
        "unknown_correction",
    ),
}


def by(who: str, day: date = LATER) -> Any:
    """Said by somebody of the staff on a day."""
    return context(day, who)


def refused(code: str, who: str) -> CorrectionRefused:
    """It does not come about."""
    return CorrectionRefused(
        correction_id="cor_1", loan_id="loan_7", code=code, refused_by=who, refused_on=LATER
    )


def test_a_clerk_proposes_once() -> None:
    """The same again says nothing, another payment under its number is refused."""
    given(AGGREGATE).when(PROPOSE, by("stf_clerk")).then(PROPOSED)
    given(AGGREGATE, PROPOSED).when(PROPOSE, by("stf_clerk")).then_nothing()
    other = replace(PROPOSE, payment_id="pay_2")
    given(AGGREGATE, PROPOSED).when(other, by("stf_clerk")).then_refused("correction_exists")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": "redate"}, "invalid_date"),
        ({"to_date": PAID_ON}, "invalid_date"),
        ({"kind": "redate", "to_date": days(LATER, 1)}, "date_in_future"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_name(change: dict[str, Any], code: str) -> None:
    """A date where none belongs, none where one does, one to come."""
    given(AGGREGATE).when(replace(PROPOSE, **change), by("stf_clerk")).then_refused(code)


def test_another_person_allows_it() -> None:
    """Never the clerk himself; the same signature again says nothing; the finance head is not asked within the year."""
    given(AGGREGATE, PROPOSED).when(SUPERVISE, by("stf_super")).then(AUTHORISED)
    given(AGGREGATE, PROPOSED).when(SUPERVISE, by("stf_clerk")).then_refused("same_person")
    given(AGGREGATE, PROPOSED).when(HEAD, by("stf_head")).then_refused("not_asked")
    given(AGGREGATE, PROPOSED, AUTHORISED).when(SUPERVISE, by("stf_super")).then_nothing()
    given(AGGREGATE, PROPOSED, AUTHORISED).when(SUPERVISE, by("stf_other")).then_refused("correction_ended")
    given(AGGREGATE).when(SUPERVISE, by("stf_super")).then_refused("unknown_correction")


def test_on_its_own_day_it_is_a_same_day_error() -> None:
    """By the business date on which it is allowed."""
    (allowed,) = given(AGGREGATE, PROPOSED).when(SUPERVISE, by("stf_super", PAID_ON)).events
    assert allowed.booking == "same_day"


def test_a_person_or_the_loan_says_no() -> None:
    """Each once, by name, and nothing can be allowed after it."""
    no = RefuseCorrection(code="not_proved")
    given(AGGREGATE, PROPOSED).when(no, by("stf_super")).then(refused("not_proved", "stf_super"))
    ended = refused("not_proved", "stf_super")
    given(AGGREGATE, PROPOSED, ended).when(no, by("stf_super")).then_nothing()
    given(AGGREGATE, PROPOSED, AUTHORISED).when(no, by("stf_super")).then_refused("correction_ended")
    given(AGGREGATE, PROPOSED, ended).when(SUPERVISE, by("stf_super")).then_refused("correction_ended")
    decline = DeclineCorrection(code="unknown_payment")
    given(AGGREGATE, PROPOSED, AUTHORISED).when(decline, by("")).then(refused("unknown_payment", ""))
    given(AGGREGATE, PROPOSED, AUTHORISED, BOOKED).when(decline, by("")).then_nothing()


def test_it_is_booked_and_closed_when_its_money_has_moved() -> None:
    """Also when the end is heard before the beginning: each is said once."""
    booked, closed = RecordCorrectionBooked(open_fen=5), CloseCorrection()
    ended = CorrectionClosed(correction_id="cor_1", loan_id="loan_7", closed_on=LATER)
    given(AGGREGATE, PROPOSED, AUTHORISED).when(booked, by("")).then(BOOKED)
    given(AGGREGATE, PROPOSED, AUTHORISED, BOOKED).when(closed, by("")).then(ended)
    given(AGGREGATE, PROPOSED, AUTHORISED, ended).when(booked, by("")).then_nothing()
    given(AGGREGATE, PROPOSED, AUTHORISED, BOOKED, ended).when(closed, by("")).then_nothing()


# --- the loan ------------------------------------------------------------------------------------------------------


def test_a_reversed_payment_goes_back_and_the_loan_stands_without_it() -> None:
    """Before anything fell due by it: the holders give back what they got less the fee, the platform its fee, the payer gets 30.00."""
    given(LOAN, OPENED, *PAID).when(CORRECT, on(FIRST_DUE)).then(
        PaymentReversed(
            loan_id="loan_7",
            borrower="usr_bo",
            payment_id="pay_1",
            correction_id="cor_1",
            booking="same_year",
            amount_fen=3_000,
            value_date=FIRST_DUE,
        ),
        RESTATED,
    )


def row(number: int) -> RowStanding:
    """A row that has received nothing."""
    return RowStanding(
        number=number,
        principal_fen=0,
        interest_fen=0,
        fee_fen=0,
        paid_penalty_fen=0,
        penalty_fen=0,
        missed=False,
    )


def adjusted(
    account_id: str, principal_fen: int, interest_fen: int, fee_fen: int, returned_fen: int = 0
) -> AdjustingLine:
    """What one account gets more than it had."""
    return AdjustingLine(
        account_id=account_id,
        principal_fen=principal_fen,
        interest_fen=interest_fen,
        penalty_fen=0,
        fee_fen=fee_fen,
        returned_fen=returned_fen,
        amount_fen=principal_fen + interest_fen - fee_fen + returned_fen,
    )


def changed(order: int, principal_fen: int, interest_fen: int, fee_fen: int) -> ClaimChange:
    """What one claim got more than it had."""
    return ClaimChange(
        claim_id=f"clm_7_{order}",
        principal_fen=principal_fen,
        interest_fen=interest_fen,
        penalty_fen=0,
        fee_fen=fee_fen,
    )


RESTATED = LoanRestated(
    loan_id="loan_7",
    borrower="usr_bo",
    correction_id="cor_1",
    booking="same_year",
    restated_on=FIRST_DUE,
    standing=Standing(
        first_open=1,
        paid=(),
        penalties=(),
        claims=tuple(
            ClaimStanding(claim_id=f"clm_7_{order}", principal_fen=fen)
            for order, fen in ((1, 50_000), (2, 30_000), (3, 20_000))
        ),
        weights=(),
        bucket="current",
        loan_class="normal",
        next_due=1,
        next_missed=1,
        asked_on=OPENED.funded_on,
    ),
    rows=(row(0), row(1)),
    retaken=(),
    lines=(
        adjusted("acc_bo", 0, 0, 0, returned_fen=3_000),
        adjusted("acc_1", -1_000, -500, -50),
        adjusted("acc_2", -600, -300, -30),
        adjusted("acc_3", -400, -200, -20),
    ),
    claims=(changed(1, -1_000, -500, -50), changed(2, -600, -300, -30), changed(3, -400, -200, -20)),
    platform_fen=-100,
    from_bucket="current",
    principal_before_fen=98_000,
    principal_after_fen=100_000,
    overdue_after_fen=0,
    penalty_after_fen=0,
    dpd=0,
)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"payment_id": "pay_9"}, "unknown_payment"),
        ({"value_date": days(PAID_ON, 1)}, "value_date_differs"),
        ({"kind": "redate", "to_date": days(FIRST_DUE, 9)}, "date_in_future"),
        ({"kind": "redate", "to_date": days(OPENED.funded_on, -1)}, "before_funding"),
        ({"kind": "redate", "to_date": PAID_ON}, "changes_nothing"),
    ],
)
def test_the_loan_refuses_by_name(change: dict[str, Any], code: str) -> None:
    """What it does not have, what is not so, what cannot be."""
    asked = replace(CORRECT, correction=replace(WRONG, **change))
    given(LOAN, OPENED, *PAID).when(asked, on(FIRST_DUE)).then_refused(code)
    assert f"`{code}`" in (CorrectPayment.__doc__ or "")


def test_only_what_a_replay_would_miss_stands_in_the_way() -> None:
    """A loan is corrected whichever branch looks after it, and says which: of one that never moved its region. One whose class was given
    by hand is not."""
    which: dict[str, Any] = {"loan_id": "loan_7", "borrower": "usr_bo", "measure_id": "msr_1"}
    moved = LoanMoved(from_branch="CN-31", to_branch="CN-44", moved_on=FIRST_DUE, **which)
    plain, elsewhere = (
        given(LOAN, amended(OPENED, region="CN-31"), *PAID, *before).when(CORRECT, on(FIRST_DUE))
        for before in ((), (moved,))
    )
    assert [said.branch for said in plain.events if isinstance(said, LoanRestated)] == ["CN-31"]
    elsewhere.then(
        *(replace(said, branch="CN-44") if isinstance(said, LoanRestated) else said for said in plain.events)
    )
    doubted = LoanClassified(
        classified_on=FIRST_DUE,
        from_class="normal",
        to_class="doubtful",
        dpd=0,
        principal_fen=98_000,
        **which,
    )
    given(LOAN, OPENED, *PAID, doubted).when(CORRECT, on(FIRST_DUE)).then_refused("loan_measured")


def test_a_payment_is_reversed_once() -> None:
    """The same correction again says nothing; another one of the same payment is refused: what was reversed stays reversed."""
    history = given(LOAN, OPENED, *PAID).when(CORRECT, on(FIRST_DUE)).events
    again = given(LOAN, OPENED, *PAID, *history)
    again.when(CORRECT, on(FIRST_DUE)).then_nothing()
    other = replace(CORRECT, correction=replace(WRONG, correction_id="cor_2"))
    again.when(other, on(FIRST_DUE)).then_refused("payment_reversed")


def test_a_loan_that_its_journal_does_not_give_is_left_alone() -> None:
    """A payment that took more than the rules give is history of other rules: nobody's money is moved by a guess."""
    (paid, shared) = PAID
    lines = (line(1, 1_001, 1_999),)
    told = (replace(paid, allocation=lines), shared)
    given(LOAN, OPENED, *told).when(CORRECT, on(FIRST_DUE)).then_refused("history_differs")

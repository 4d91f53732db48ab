"""A payment that was booked wrong, the words of the staff about it, and the loan as it stands once it is reversed."""

from dataclasses import replace
from datetime import date
from typing import Any

from libs.events.corrections import (
    AdjustingLine,
    ClaimChange,
    ClaimStanding,
    Correction,
    CorrectionAuthorised,
    CorrectionBooked,
    CorrectionExamined,
    CorrectionProposed,
    CorrectionRefused,
    CorrectionSigned,
    LoanRestated,
    PaymentReversed,
    RowStanding,
    Standing,
)
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
from tests.unit.given import context
from tests.unit.repayment.stories import (
    FIRST_DUE,
    FIRST_PAID,
    OPENED,
    days,
    debit_id,
    distributed,
    line,
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
REVERSED = PaymentReversed(
    loan_id="loan_7",
    borrower="usr_bo",
    payment_id="pay_1",
    correction_id="cor_1",
    booking="same_year",
    amount_fen=3_000,
    value_date=FIRST_DUE,
)
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

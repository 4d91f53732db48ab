"""Loans in trouble and what measures do to them, whole events by numbers done by hand."""

from dataclasses import replace
from datetime import date
from typing import Any

from libs.events.arrival import Arrival
from libs.events.measures import (
    BranchMove,
    Extension,
    LoanMoved,
    LoanRescheduled,
    LoanWrittenOff,
    MeasureExamined,
    MeasureTerms,
    PenaltyWaived,
    Reclassification,
    WaivedLine,
)
from libs.events.non_accrual import NonAccrualStarted
from libs.events.repayment import (
    LoanClass,
    LoanClassified,
    OverdueBucketChanged,
    PenaltyCharged,
    PenaltyLine,
    ScheduleRow,
)
from libs.events.rescheduling import ScheduleChanged
from libs.events.schedules.terms import RepaymentTerms
from services.repayment.commands.measures import CarryOutMeasure
from tests.unit.repayment.stories import (
    CONTRACTED,
    FIRST_DUE,
    FIRST_PAID,
    INSTALLMENT,
    LAST_DUE,
    OPENED,
    ROWS,
    SECOND_DUE,
    classified,
    days,
    due,
    failed,
    line,
    received,
)

MARCH = date(2024, 3, 15)
WHO: dict[str, Any] = {"loan_id": "loan_7", "borrower": "usr_bo", "measure_id": "msr_1"}


def done(terms: MeasureTerms, measure_id: str = "msr_1") -> CarryOutMeasure:
    """All have agreed."""
    return CarryOutMeasure(measure_id=measure_id, terms=terms)


def rows(first: int, *amounts: tuple[date, int, int]) -> tuple[ScheduleRow, ...]:
    """Rows from a number on: due date, principal, interest."""
    return tuple(
        ScheduleRow(
            number=first + place, due_on=due_on, principal_fen=principal_fen, interest_fen=interest_fen
        )
        for place, (due_on, principal_fen, interest_fen) in enumerate(amounts)
    )


def by_measure(
    day: date, before: LoanClass, after: LoanClass, dpd: int, principal_fen: int
) -> LoanClassified:
    """The loan is of another class because of the measure."""
    return replace(classified(day, before, after, dpd, principal_fen), measure_id="msr_1")


# --- extension -----------------------------------------------------------------------------------------------------

#: One instalment is paid: 66,998 at 1 % a month over 2 + 2 months is 17,170 a month.
PAID = (OPENED, *FIRST_PAID)
MAY, JUNE = date(2024, 5, 31), date(2024, 6, 30)
FOUR = rows(
    2,
    (SECOND_DUE, 16_500, 670),
    (LAST_DUE, 16_665, 505),
    (MAY, 16_832, 338),
    (JUNE, 17_001, 170),
)
EXTENDED = (
    LoanRescheduled(
        kind="extension",
        months=2,
        rescheduled_on=MARCH,
        from_number=2,
        first_due_on=SECOND_DUE,
        periods=4,
        principal_fen=66_998,
        interest_fen=0,
        fee_fen=0,
        matures_on=JUNE,
        floor_class="special_mention",
        floor_until=None,
        **WHO,
    ),
    ScheduleChanged(
        loan_id="loan_7",
        borrower="usr_bo",
        change_id="msr_1",
        reason="extended",
        changed_on=MARCH,
        outstanding_fen=66_998,
        rows=FOUR,
    ),
    by_measure(MARCH, "normal", "special_mention", 0, 66_998),
)
TWO_MONTHS = Extension(months=2)
FLAT = replace(OPENED, repayment=RepaymentTerms(method="flat"))
GRACE = replace(OPENED, repayment=RepaymentTerms(method="equal_instalments", principal_grace=1))


def one_month_less(events: Any) -> Any:
    """As if a month less had been granted, so that one is left."""
    return (replace(events[0], months=events[0].months - 1), *events[1:])


# --- restructuring -------------------------------------------------------------------------------------------------

#: Nothing was ever paid, and all three instalments are due: 100,000 over three months more is the contract's own schedule, and 2,007
#: of interest that was due comes with the first.
MISSED = (
    OPENED,
    *(event for number in (1, 2, 3) for event in (due(number), failed(ROWS[number - 1].due_on))),
)
LATE_ON = date(2024, 5, 2)
RESTRUCTURED = (
    LoanRescheduled(
        kind="restructuring",
        months=3,
        rescheduled_on=LATE_ON,
        from_number=1,
        first_due_on=date(2024, 5, 31),
        periods=3,
        principal_fen=100_000,
        interest_fen=2_007,
        fee_fen=0,
        accrued_fen=0,
        matures_on=date(2024, 7, 31),
        floor_class="special_mention",
        floor_until=date(2025, 5, 2),
        **WHO,
    ),
    ScheduleChanged(
        loan_id="loan_7",
        borrower="usr_bo",
        change_id="msr_1",
        reason="restructured",
        changed_on=LATE_ON,
        outstanding_fen=100_000,
        rows=rows(
            1,
            (date(2024, 5, 31), 33_002, 2_941),
            (date(2024, 6, 30), 33_332, 670),
            (date(2024, 7, 31), 33_666, 337),
        ),
    ),
    by_measure(LATE_ON, "normal", "special_mention", 0, 100_000),
)

# --- write-off -----------------------------------------------------------------------------------------------------

#: The first instalment was missed 360 days ago, nothing since: all that is owed is due.
LOST_ON = days(FIRST_DUE, 360)
LOST = (*MISSED, OverdueBucketChanged(
    loan_id="loan_7",
    borrower="usr_bo",
    changed_on=days(FIRST_DUE, 181),
    from_bucket="current",
    to_bucket="M6+",
    dpd=181,
    principal_fen=100_000,
    overdue_fen=102_007,
))  # fmt: skip
WRITTEN_OFF = LoanWrittenOff(
    ground="overdue",
    written_off_on=LOST_ON,
    from_bucket="M6+",
    dpd=360,
    principal_fen=100_000,
    interest_fen=2_007,
    fee_fen=0,
    penalty_fen=0,
    dropped_interest_fen=0,
    dropped_fee_fen=0,
    overdue_after_fen=0,  # no evening has called them missed
    **WHO,
)
NO_INCOME = NonAccrualStarted(cause="written_off", started_on=LOST_ON, dpd=360, principal_fen=100_000, **WHO)
LOSS = (WRITTEN_OFF, by_measure(LOST_ON, "normal", "loss", 360, 100_000), NO_INCOME)
#: Bankrupt on 15 March with two instalments to come, and a claim that was for sale.
BANKRUPT = (
    replace(
        WRITTEN_OFF,
        ground="insolvency",
        written_off_on=MARCH,
        from_bucket="current",
        dpd=0,
        principal_fen=66_998,
        interest_fen=0,
        dropped_interest_fen=1_007,
        overdue_after_fen=0,
    ),
    ScheduleChanged(
        loan_id="loan_7",
        borrower="usr_bo",
        change_id="msr_1",
        reason="written_off",
        changed_on=MARCH,
        outstanding_fen=66_998,
        rows=rows(2, (SECOND_DUE, 33_332, 0), (LAST_DUE, 33_666, 0)),
    ),
    by_measure(MARCH, "normal", "loss", 0, 66_998),
    replace(NO_INCOME, started_on=MARCH, dpd=0, principal_fen=66_998),
)

#: On the eve of its due day 5.00 came for the second instalment, dated to that day: 1.70 of its interest is open, and the last has 3.37.
EVE = days(SECOND_DUE, -1)
TOUCHED = replace(
    received("pay_2", SECOND_DUE, (line(2, 500, 0),), (66_998, 66_998)),
    arrival=Arrival(account_id="", received_fen=500, booked_on=EVE, before_phase=2),
)
BANKRUPT_AHEAD = (
    replace(
        BANKRUPT[0],
        written_off_on=EVE,
        interest_fen=170,
        dropped_interest_fen=337,
    ),
    replace(BANKRUPT[1], changed_on=EVE, rows=rows(3, (LAST_DUE, 33_666, 0))),
    by_measure(EVE, "normal", "loss", 0, 66_998),
    replace(BANKRUPT[3], started_on=EVE),
)

# --- waiver --------------------------------------------------------------------------------------------------------

#: 34,002 overdue since 29 February at 18 % for 15 days of 365 is 251.52 fen.
FINED = (CONTRACTED, due(1), failed(FIRST_DUE))
CHARGED = PenaltyCharged(
    loan_id="loan_7",
    borrower="usr_bo",
    charged_on=MARCH,
    penalty_fen=252,
    penalty_after_fen=252,
    overdue_after_fen=34_254,
    dpd=15,
    bucket="current",
    lines=(PenaltyLine(number=1, open_fen=INSTALLMENT, days=15, penalty_fen=252),),
)


def waived(amount_fen: int, waived_fen: int) -> PenaltyWaived:
    """So much of it is owed no more."""
    return PenaltyWaived(
        amount_fen=amount_fen,
        waived_fen=waived_fen,
        waived_on=MARCH,
        lines=(WaivedLine(number=1, waived_fen=waived_fen),),
        penalty_after_fen=252 - waived_fen,
        overdue_after_fen=INSTALLMENT + 252 - waived_fen,
        dpd=15,
        bucket="current",
        **WHO,
    )


WATCHED = by_measure(MARCH, "normal", "special_mention", 0, 66_998)
BY_HAND = replace(NO_INCOME, cause="by_hand", started_on=MARCH, dpd=0, principal_fen=66_998)
WITH_REGION = replace(OPENED, region="CN-31")
MOVE = BranchMove(from_branch="CN-31", to_branch="CN-44")
MOVED = LoanMoved(from_branch="CN-31", to_branch="CN-44", moved_on=MARCH, **WHO)
#: By hand, while it is observed.
DOUBTED = replace(by_measure(LATE_ON, "special_mention", "doubtful", 0, 100_000), measure_id="msr_2")
TO = {name: Reclassification(to_class=name) for name in ("normal", "special_mention", "doubtful")}


def examined(mandate: Any, voters: Any = (), *, silence: bool = False) -> MeasureExamined:
    """The loan could do it, and says whose word it needs."""
    return MeasureExamined(
        examined_on=MARCH,
        mandate=mandate,
        voters=voters,
        silence_consents=silence,
        holders=("usr_1", "usr_2", "usr_3"),
        **WHO,
    )

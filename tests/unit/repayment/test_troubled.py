"""What a measure does to the loan, whole events by numbers done by hand, and each reason for which the loan does not."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from libs.events.claims import ReservationReleased
from libs.events.measures import (
    BranchMove,
    Extension,
    LoanMoved,
    LoanRescheduled,
    LoanWrittenOff,
    MeasureExamined,
    MeasureTerms,
    NonAccrual,
    PenaltyWaived,
    Reclassification,
    Restructuring,
    WaivedLine,
    Waiver,
    WriteOff,
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
from libs.events.schedules.clause import MandateClause
from libs.events.schedules.terms import RepaymentTerms
from services.repayment.commands.measures import CarryOutMeasure, ExamineMeasure
from tests.unit.bidding.specs import Spec
from tests.unit.repayment.measure_story import VOTERS
from tests.unit.repayment.stories import (
    CONTRACTED,
    FIRST_DUE,
    FIRST_PAID,
    FUNDED_ON,
    INSTALLMENT,
    LAST_DUE,
    OPENED,
    ROWS,
    SECOND_DUE,
    check_applied,
    claim,
    classified,
    days,
    due,
    failed,
    line,
    on,
    received,
)
from tests.unit.repayment.test_trading import RESERVED

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

SPECS = [
    Spec("what is not due is spread over more months", PAID, done(TWO_MONTHS), EXTENDED, on(MARCH)),
    Spec("once", (*PAID, *EXTENDED), done(TWO_MONTHS), (), on(MARCH)),
    Spec("and never again", (*PAID, *EXTENDED), done(TWO_MONTHS, "msr_2"), "extended_before", on(MARCH)),
    Spec("not beyond its own term", PAID, done(Extension(months=4)), "extension_too_long", on(MARCH)),
    Spec("nor beyond it in all that was granted", (*MISSED, *RESTRUCTURED), done(Extension(months=1), "msr_2"), "extension_too_long", on(LATE_ON)),
    Spec("nor once it is mature", PAID, done(TWO_MONTHS), "loan_matured", on(LAST_DUE)),
    Spec("nor where interest is flat", (FLAT,), done(TWO_MONTHS), "manner_not_extended", on(FUNDED_ON)),
    Spec("nor while a grace runs", (GRACE,), done(TWO_MONTHS), "manner_not_extended", on(FUNDED_ON)),
    Spec("nor before what a restructuring left in arrears is paid", (*MISSED, *one_month_less(RESTRUCTURED)), done(Extension(months=1), "msr_2"), "arrears_unpaid", on(LATE_ON)),
    Spec("nor what is written off", (*PAID, *BANKRUPT), done(TWO_MONTHS, "msr_2"), "loan_written_off", on(MARCH)),
    Spec("no loan, no measure", (), done(TWO_MONTHS), "unknown_loan", on(MARCH)),
    Spec("all that is open is spread anew", MISSED, done(Restructuring(months=3)), RESTRUCTURED, on(LATE_ON)),
    Spec("once", (*MISSED, *RESTRUCTURED), done(Restructuring(months=3)), (), on(LATE_ON)),
    Spec("not where nothing is overdue", PAID, done(Restructuring(months=3)), "nothing_overdue", on(MARCH)),
    Spec("nor over fewer months than are overdue", MISSED, done(Restructuring(months=2)), "term_too_short", on(LATE_ON)),
    Spec("nor while one of them is partly paid", (*MISSED, received("pay_0", LATE_ON, (line(1, 5, 0),), (100_000, 100_000))), done(Restructuring(months=3)), "partly_paid", on(LATE_ON)),
    Spec("a loss is written off, and owed", LOST, done(WriteOff(ground="overdue")), LOSS, on(LOST_ON)),
    Spec("once", (*LOST, *LOSS), done(WriteOff(ground="overdue")), (), on(LOST_ON)),
    Spec("never again", (*LOST, *LOSS), done(WriteOff(ground="court"), "msr_2"), "loan_written_off", on(LOST_ON)),
    Spec("not a day too early", LOST, done(WriteOff(ground="overdue")), "overdue_too_short", on(days(LOST_ON, -1))),
    Spec("by a court's word at once; what is to come bears no interest", PAID, done(WriteOff(ground="insolvency")), BANKRUPT, on(MARCH)),
    Spec("what was for sale is not any more", (*PAID, RESERVED), done(WriteOff(ground="insolvency")), (*BANKRUPT, ReservationReleased(
        loan_id="loan_7", offer_id=RESERVED.offer_id, claim_id=RESERVED.claim_id, account_id=RESERVED.account_id,
        investor=RESERVED.investor, code="loan_written_off")), on(MARCH)),
    Spec("penalty is given up, as far as it is owed", FINED, done(Waiver(amount_fen=500)), (CHARGED, waived(500, 252)), on(MARCH)),
    Spec("or a part of it", FINED, done(Waiver(amount_fen=100)), (CHARGED, waived(100, 100)), on(MARCH)),
    Spec("once", (*FINED, CHARGED, waived(100, 100)), done(Waiver(amount_fen=100)), (), on(MARCH)),
    Spec("not what is not owed", PAID, done(Waiver(amount_fen=100)), "nothing_to_waive", on(MARCH)),
    Spec("a worse class by hand", PAID, done(TO["special_mention"]), (WATCHED,), on(MARCH)),
    Spec("once", (*PAID, WATCHED), done(TO["special_mention"]), (), on(MARCH)),
    Spec("not the one that it is of", PAID, done(TO["normal"]), "class_unchanged", on(MARCH)),
    Spec("a better one when nothing is overdue", (*PAID, replace(WATCHED, measure_id="msr_0")), done(TO["normal"]),
         (by_measure(MARCH, "special_mention", "normal", 0, 66_998),), on(MARCH)),
    Spec("not before", (*MISSED, classified(LATE_ON, "normal", "doubtful", 63)), done(TO["normal"]), "not_cured", on(LATE_ON)),
    Spec("nor one better than its days say", LOST, done(TO["special_mention"]), "better_than_overdue", on(LOST_ON)),
    Spec("nor while it is observed", (*MISSED, *RESTRUCTURED), done(TO["normal"], "msr_2"), "under_observation", on(LATE_ON)),
    Spec("whatever it was made by hand meanwhile", (*MISSED, *RESTRUCTURED, DOUBTED), done(TO["normal"], "msr_3"), "under_observation", on(LATE_ON)),
    Spec("but as good as that", (*MISSED, *RESTRUCTURED, DOUBTED), done(TO["special_mention"], "msr_3"),
         (replace(by_measure(LATE_ON, "doubtful", "special_mention", 0, 100_000), measure_id="msr_3"),), on(LATE_ON)),
    Spec("interest is no income, by hand", PAID, done(NonAccrual()), (BY_HAND,), on(MARCH)),
    Spec("once", (*PAID, BY_HAND), done(NonAccrual()), (), on(MARCH)),
    Spec("another branch looks after it", (WITH_REGION,), done(MOVE), (MOVED,), on(MARCH)),
    Spec("once", (WITH_REGION, MOVED), done(MOVE), (), on(MARCH)),
    Spec("not from where it is not", (WITH_REGION, MOVED), done(MOVE, "msr_2"), "other_branch", on(MARCH)),
    Spec("not twice", (*PAID, BY_HAND), done(NonAccrual(), "msr_2"), "not_accruing", on(MARCH)),
]  # fmt: skip


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.says)
def test_what_the_loan_does(spec: Spec) -> None:
    """Each effect of a measure on the loan, and each reason against it, in a sentence."""
    check_applied(spec)


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


def _agreed(*measures: Any, silence: bool = False) -> Any:
    clause = MandateClause(measures=measures, silence_consents=silence)
    return replace(OPENED, repayment=RepaymentTerms(method="equal_instalments", mandate=clause))


#: What each lender is owed once the first instalment is paid, all of one lender's claims together.
LEFT = tuple(
    replace(voter, principal_fen=fen) for voter, fen in zip(VOTERS, (33_499, 20_099, 13_400), strict=True)
)
SAME = tuple(replace(claim(order, fen), investor="usr_1") for order, fen in ((1, 70_000), (2, 30_000)))

EXAMINED = [
    Spec("lenders are asked by what they are owed", PAID, ExamineMeasure(measure_id="msr_1", terms=TWO_MONTHS), (examined("vote", LEFT),), on(MARCH)),
    Spec("once", (*PAID, examined("vote", LEFT)), ExamineMeasure(measure_id="msr_1", terms=TWO_MONTHS), (), on(MARCH)),
    Spec("each once", (replace(OPENED, claims=SAME),), ExamineMeasure(measure_id="msr_1", terms=TWO_MONTHS),
         (replace(examined("vote", (replace(VOTERS[0], principal_fen=100_000),)), holders=("usr_1",)),), on(MARCH)),
    Spec("not where the contract says it", (_agreed("extension"),), ExamineMeasure(measure_id="msr_1", terms=TWO_MONTHS), (examined("clause"),), on(MARCH)),
    Spec("but where it says another thing", (_agreed("write_off", silence=True),), ExamineMeasure(measure_id="msr_1", terms=TWO_MONTHS),
         (examined("vote", VOTERS, silence=True),), on(MARCH)),
    Spec("nor where no money of theirs is touched", PAID, ExamineMeasure(measure_id="msr_1", terms=TO["special_mention"]), (examined("not_needed"),), on(MARCH)),
    Spec("what it could not do is refused at once", PAID, ExamineMeasure(measure_id="msr_1", terms=Waiver(amount_fen=1)), "nothing_to_waive", on(MARCH)),
    Spec("no loan, no measure", (), ExamineMeasure(measure_id="msr_1", terms=TWO_MONTHS), "unknown_loan", on(MARCH)),
]  # fmt: skip


@pytest.mark.parametrize("spec", EXAMINED, ids=lambda spec: spec.says)
def test_whose_word_is_needed(spec: Spec) -> None:
    """What the loan says to a measure that is proposed, in a sentence."""
    check_applied(spec)

"""What a measure does to the loan, whole events, and each reason for which the loan does not."""

from dataclasses import replace

import pytest

from libs.events.claims import ReservationReleased
from libs.events.measures import Extension, NonAccrual, Restructuring, Waiver, WriteOff
from tests.unit.bidding.specs import Spec
from tests.unit.repayment.stories import (
    FUNDED_ON,
    LAST_DUE,
    check_applied,
    classified,
    days,
    line,
    on,
    received,
)
from tests.unit.repayment.test_trading import RESERVED
from tests.unit.repayment.troubled_story import (
    BANKRUPT,
    BANKRUPT_AHEAD,
    BY_HAND,
    CHARGED,
    DOUBTED,
    EVE,
    EXTENDED,
    FINED,
    FLAT,
    GRACE,
    LATE_ON,
    LOSS,
    LOST,
    LOST_ON,
    MARCH,
    MISSED,
    MOVE,
    MOVED,
    PAID,
    RESTRUCTURED,
    TO,
    TOUCHED,
    TWO_MONTHS,
    WATCHED,
    WITH_REGION,
    by_measure,
    done,
    one_month_less,
    waived,
)

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
    Spec("what a payment dated to its day has touched is owed whole", (*PAID, TOUCHED), done(WriteOff(ground="insolvency")), BANKRUPT_AHEAD, on(EVE)),
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

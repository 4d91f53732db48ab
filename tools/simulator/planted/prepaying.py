"""Bugs of early payment in part and of orders of payment: interest that is lost or kept, wishes that are not heard, old instalments."""

from dataclasses import replace
from typing import Any, Final

from libs.events.rescheduling import ScheduleChanged
from services.repayment.commands import RecordPayment
from services.repayment.domain import pay_order, paying, prepaying
from services.repayment.policies import POLICIES as REPAYMENT
from services.repayment.projections import loans
from tools.simulator.planted.plant import LATE, Plant, changing, instead, policy

#: Long enough for several instalments to be late, with loans that have more than two.
_QUARTER: Final = replace(
    LATE, plan=replace(LATE.plan, days=70, listings=12, tenor_months_max=4, actions_on_quiet_days=8)
)

#: Many payments on loans that still run at the end.
_FRESH: Final = replace(_QUARTER, plan=replace(_QUARTER.plan, days=12, busy_days=8))


def _at_the_old_interest(_real: Any) -> Any:
    """The principal falls, the interest of each instalment stays."""

    def prepaid_rows(loan: Any, left_fen: int, mode: Any) -> Any:
        rows = _real(loan, left_fen, mode)
        return tuple(
            replace(row, interest_fen=old.interest_fen) for row, old in zip(rows, loan.rest, strict=False)
        )

    return prepaid_rows


def _the_other_way(real: Any) -> Any:
    """Whoever wants a shorter loan gets a cheaper one, where there are both."""

    def prepaid_rows(loan: Any, left_fen: int, _mode: Any) -> Any:
        return real(loan, left_fen, "reamortise")

    return prepaid_rows


def _ignoring_changes(real: Any) -> Any:
    return lambda data: [] if isinstance(data, ScheduleChanged) else real(data)


PLANTS = (
    Plant(
        "prepaid-for-nothing",
        "Principal that is prepaid costs no interest for the days it was used.",
        instead(prepaying, "accrued_interest_fen", lambda _real: lambda *_arguments, **_named: 0),
        ("to the day, not", "of interest to the day, the contract says"),
        config=_QUARTER,
    ),
    Plant(
        "prepaid-and-no-cheaper",
        "After a prepayment each instalment asks for the interest of before.",
        instead(prepaying, "prepaid_rows", _at_the_old_interest),
        ("asked anew is",),
        config=_QUARTER,
    ),
    Plant(
        "shortened-is-reamortised",
        "A loan that was to be shortened keeps its term.",
        instead(prepaying, "prepaid_rows", _the_other_way),
        ("is to shorten",),
        config=_QUARTER,
        seeds=range(24),
    ),
    Plant(
        "prepay-not-passed-on",
        "The wish to prepay is lost between the account and the loan.",
        policy(REPAYMENT, "bidding", changing(RecordPayment, prepay=lambda _command: None)),
        ("nothing is asked anew",),
        config=_QUARTER,
    ),
    Plant(
        "order-forgotten",
        "A payment pays the oldest instalment first, whatever order was agreed on.",
        instead(paying, "order_of", lambda _real: lambda *_arguments: pay_order.PLAIN_ORDER),
        ("in the wrong order",),
        config=_QUARTER,
        seeds=range(16),
    ),
    Plant(
        "old-rows-shown",
        "A borrower who has prepaid reads the instalments of before.",
        instead(loans, "_changes", _ignoring_changes),
        ("the view says",),
        config=_FRESH,
    ),
)

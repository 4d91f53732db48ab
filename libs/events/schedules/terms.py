"""How a loan is repaid, as a snapshot: what stands in the event is the contract, whatever becomes of the product later.

A loan without a snapshot is repaid in equal monthly instalments, as all were before there was one.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import Field

from libs.events.codec import record
from libs.events.deciding import Refused
from libs.events.money import MAX_INTEGER, Rounding, divide_fen
from libs.events.schedules.clause import MandateClause
from libs.events.schedules.order import Allocation, require_order

Method = Literal["equal_instalments", "equal_principal", "interest_first", "bullet", "flat"]
"""等额本息, 等额本金, 先息后本, 到期一次还本付息, and flat: interest on the first principal all the time (rules.md 1.1)."""

DayCount = Literal["act_365f", "act_360", "act_act_isda", "30_360_us", "30e_360"]
"""How days become a part of a year (rules.md 1.2)."""

Shift = Literal["none", "following", "modified_following"]
"""What becomes of a due day on which nobody works: stays, the next working day, or that one unless it is another month's."""

CalendarName = Literal["weekends", "china"]

Covers = Literal["overdue", "outstanding"]
"""What a guarantor pays for: principal, interest and penalty of the overdue instalments, or all that settles the loan."""

#: Fifty years; and a due date must be one that can be written.
TENOR_MONTHS_MAX: Final = 600
_LAST_FUNDING: Final = date(9000, 1, 1)
_PERMILLE: Final = 1_000
_MONTHS_PER_YEAR: Final = 12
_COMPENSATED_AFTER_MAX: Final = 365
_RATE_DECIMALS_MAX: Final = 8
_RATE_MAX: Final = Decimal(10)

Periods = Annotated[int, Field(ge=0, le=TENOR_MONTHS_MAX)]


@record
class RepaymentTerms:
    """The manner of repayment of one loan.

    Interest runs by the month (a twelfth of the year's) or by the day, as `day_count` says; by the day it runs from due date to
    due date as shifted. In the first `principal_grace` months no principal is asked, in the first `interest_grace` of
    them no interest either: that is asked, without interest on it, with the first instalment that follows. Each instalment
    carries a fee of `period_fee_permille` of the loan's amount, borne by the borrower. `payer` says whose voluntary payments
    the loan takes, `allocation` in which order a payment pays; None: oldest instalment first, penalty, fee, interest, principal.
    Where the loan has a guarantor, he may be asked once it is `compensated_after` days past due (domain.md section 4), for what it `compensates`.
    `mandate` is what the lenders let the house decide without a vote; None: nothing.
    """

    method: Method
    interest_by: Literal["month", "day"] = "month"
    day_count: DayCount = "act_365f"
    rounding: Rounding = Rounding.HALF_UP
    shift: Shift = "none"
    calendar: CalendarName = "weekends"
    principal_grace: Periods = 0
    interest_grace: Periods = 0
    period_fee_permille: Annotated[int, Field(ge=0, le=_PERMILLE)] = 0
    payer: Literal["borrower", "anyone"] = "borrower"
    allocation: Allocation | None = None
    compensated_after: Annotated[int, Field(ge=1, le=_COMPENSATED_AFTER_MAX)] = 30
    compensates: Covers = "overdue"
    mandate: MandateClause | None = None


#: What a loan is repaid by whose events name no terms.
PLAIN: Final = RepaymentTerms(method="equal_instalments")


def require_sound(
    terms: RepaymentTerms, *, amount_fen: int, annual_rate: Decimal, months: int, funded_on: date
) -> None:
    """Whether a schedule can be made of this: the quote's, the contract's and the ledger's one check.

    Refused: `invalid_amount` (also: so small that flat interest would outlive its principal, or so large that what is asked may be no integer
    that an event can say), `invalid_rate` (negative, above 10 a year, more than eight decimals), `invalid_tenor`,
    `invalid_date` (too far for its due dates), `invalid_grace` (longer than the loan, interest longer than principal, or
    of a method that has none), `invalid_fee` (of a period), `invalid_allocation` (no order of payment).
    """
    if not 0 < amount_fen <= MAX_INTEGER:
        raise Refused("invalid_amount")
    exponent = annual_rate.as_tuple().exponent
    if not isinstance(exponent, int) or not 0 <= annual_rate <= _RATE_MAX or -exponent > _RATE_DECIMALS_MAX:
        raise Refused("invalid_rate")
    if not 1 <= months <= TENOR_MONTHS_MAX:
        raise Refused("invalid_tenor")
    if funded_on >= _LAST_FUNDING:
        raise Refused("invalid_date")
    grace = (terms.interest_grace, terms.principal_grace)
    if not 0 <= grace[0] <= grace[1] < months or (grace[1] and terms.method in ("interest_first", "bullet")):
        raise Refused("invalid_grace")
    if not 0 <= terms.period_fee_permille <= _PERMILLE:
        raise Refused("invalid_fee")
    require_order(terms.allocation)
    if _asked_fen_max(terms, amount_fen, annual_rate, months) > MAX_INTEGER:
        raise Refused("invalid_amount")
    parts = months - terms.principal_grace
    if terms.method == "flat" and annual_rate and not _lasts(amount_fen, parts, terms.rounding):
        raise Refused("invalid_amount")


def _asked_fen_max(terms: RepaymentTerms, amount_fen: int, annual_rate: Decimal, months: int) -> int:
    """What all instalments ask together at most: interest on the whole amount to the end, by the day at most twice that (a short period that a
    holiday makes longer), a fee of each period, and a rounding of each."""
    rate, per = annual_rate.as_integer_ratio()
    times = 2 if terms.interest_by == "day" else 1
    interest_fen = amount_fen * rate * months * times // (per * _MONTHS_PER_YEAR)
    fees_fen = amount_fen * terms.period_fee_permille * months // _PERMILLE
    return amount_fen + interest_fen + fees_fen + 3 * months


def _lasts(amount_fen: int, parts: int, mode: Rounding) -> bool:
    """Whether something of an amount is left for the last of its equal parts."""
    each_fen = max(1, divide_fen(amount_fen, parts, mode))
    return amount_fen > (parts - 1) * each_fen

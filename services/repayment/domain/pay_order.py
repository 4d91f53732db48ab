"""In which order a payment pays, by the loan's terms and its standing (libs.events.schedules.order)."""

from libs.events.repayment import LoanClass
from libs.events.schedules.order import PayOrder
from libs.events.schedules.terms import RepaymentTerms

#: What is paid in where nothing is agreed.
PLAIN_ORDER = PayOrder()

#: The classes of a loan that performs: the others are non-performing (2023 Measures: substandard or worse).
PERFORMING: tuple[LoanClass, ...] = ("normal", "special_mention")


def order_of(terms: RepaymentTerms | None, loan_class: LoanClass) -> PayOrder:
    """The order in which a payment pays while the loan is of this class."""
    if terms is None or terms.allocation is None:
        return PLAIN_ORDER
    is_performing = loan_class in PERFORMING
    return terms.allocation.performing if is_performing else terms.allocation.non_performing

"""Which manner of repayment a simulated loan gets, by its number: the same for every seed, so that no draw of theirs is used up."""

from typing import Final

from libs.events.money import Rounding
from libs.events.schedules.clause import MandateClause
from libs.events.schedules.order import Allocation, PayOrder
from libs.events.schedules.terms import PLAIN, RepaymentTerms

#: By component over all instalments, interest before penalty; once it is non-performing, principal first.
_BY_COMPONENT: Final = Allocation(
    performing=PayOrder(across="vertical", components=("interest", "penalty", "fee", "principal")),
    non_performing=PayOrder(across="vertical", components=("principal", "interest", "fee", "penalty")),
)

#: Of loans that are listed by hand, where nobody can apply. None: equal monthly instalments, as loans were before they named one.
_BY_HAND: Final[tuple[RepaymentTerms | None, ...]] = (
    None,
    None,
    RepaymentTerms(
        method="equal_principal", rounding=Rounding.HALF_EVEN, payer="anyone", allocation=_BY_COMPONENT
    ),
    None,
    RepaymentTerms(
        method="equal_instalments", mandate=MandateClause(measures=("extension", "restructuring"))
    ),
    RepaymentTerms(
        method="interest_first", mandate=MandateClause(measures=("write_off",), silence_consents=True)
    ),
    RepaymentTerms(method="interest_first", interest_by="day", day_count="act_act_isda", shift="following"),
    RepaymentTerms(method="flat", period_fee_permille=3, allocation=_BY_COMPONENT),
    None,
    RepaymentTerms(method="bullet", interest_by="day", day_count="30_360_us", shift="modified_following"),
    RepaymentTerms(method="equal_instalments", interest_by="day", day_count="30e_360", rounding=Rounding.UP),
)

#: Of loans that are applied for: product, purpose and method.
_WISHES: Final = (
    ("consumer", "renovation", "equal_instalments"),
    ("bridge", "working_capital", "bullet"),
    ("consumer", "renovation", "equal_principal"),
    ("seasonal", "stock_of_goods", "equal_instalments"),
    ("consumer", "renovation", "equal_instalments"),
    ("instalment_plan", "appliances", "flat"),
    ("consumer", "renovation", "bullet"),  # not offered
    ("business", "working_capital", "interest_first"),
)

#: Per mille of the amount that is published for a product, paid up front.
ORIGINATION_PERMILLE: Final = {
    "consumer": 2,
    "business": 3,
    "bridge": 2,
    "seasonal": 2,
    "instalment_plan": 0,
}


def by_hand(number: int) -> RepaymentTerms | None:
    """The manner of a loan that an operator lists."""
    return _BY_HAND[number % len(_BY_HAND)]


def method_of(terms: RepaymentTerms | None) -> str:
    """Its method's name."""
    return (terms or PLAIN).method


def wish(number: int) -> tuple[str, str, str]:
    """Product, purpose and method of an application."""
    return _WISHES[number % len(_WISHES)]

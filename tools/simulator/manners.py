"""Which manner of repayment a simulated loan gets, by its number: the same for every seed, so that no draw of theirs is used up."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from libs.events.money import Rounding
from libs.events.schedules.clause import MandateClause
from libs.events.schedules.order import Allocation, PayOrder
from libs.events.schedules.terms import PLAIN, RepaymentTerms
from tools.simulator.guarantors import guarantor_by_hand, terms_of

#: By component over all instalments: interest before all else; or principal, so that interest outlives it.
_INTEREST_FIRST: Final = PayOrder(across="vertical", components=("interest", "penalty", "fee", "principal"))
_PRINCIPAL_FIRST: Final = PayOrder(across="vertical", components=("principal", "interest", "fee", "penalty"))

#: Of loans that are listed by hand, where nobody can apply. None: equal monthly instalments, as loans were before they named one.
_BY_HAND: Final[tuple[RepaymentTerms | None, ...]] = (
    None,
    None,
    RepaymentTerms(
        method="equal_principal",
        rounding=Rounding.HALF_EVEN,
        payer="anyone",
        allocation=Allocation(performing=_PRINCIPAL_FIRST),
    ),
    None,
    RepaymentTerms(
        method="equal_instalments", mandate=MandateClause(measures=("extension", "restructuring"))
    ),
    RepaymentTerms(
        method="interest_first", mandate=MandateClause(measures=("write_off",), silence_consents=True)
    ),
    RepaymentTerms(method="interest_first", interest_by="day", day_count="act_act_isda", shift="following"),
    RepaymentTerms(
        method="flat",
        period_fee_permille=3,
        allocation=Allocation(performing=_INTEREST_FIRST, non_performing=_PRINCIPAL_FIRST),
    ),
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


def listed_by_hand(
    number: int, borrower: str, people: Sequence[str], *, with_fees: bool = False
) -> dict[str, Any]:
    """What an operator says of it: its manner, its guarantor, and somebody whom every second listing alone knows as related to the
    borrower. `with_fees`: who pays interest first, or none, pays a fee each period."""
    guarantor = guarantor_by_hand(number, borrower, people)
    manner = by_hand(number)
    if with_fees and manner is not None and manner.method == "interest_first":
        manner = replace(manner, period_fee_permille=2)
    terms = terms_of(number, manner, guarantor)
    related = (people[number % len(people)],) if number % 2 else ()
    return {"method": method_of(terms), "repayment": terms, "related": related, "guarantor": guarantor}


def method_of(terms: RepaymentTerms | None) -> str:
    """Its method's name."""
    return (terms or PLAIN).method


def wish(number: int) -> tuple[str, str, str]:
    """Product, purpose and method of an application."""
    return _WISHES[number % len(_WISHES)]

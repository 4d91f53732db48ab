"""The products that may be applied for: by whom, how much, for how long, repaid how, and for what (domain.md section 2).

A purpose that no product names is refused; stocks and futures stand in none (2016 Interim Measures, art. 10).
"""

from dataclasses import dataclass

from libs.events.money import MAX_INTEGER, Rounding
from libs.events.onboarding import Code, Kind
from libs.events.schedules.order import Allocation, PayOrder
from libs.events.schedules.terms import PLAIN, RepaymentTerms


@dataclass(frozen=True, slots=True)
class Product:
    """What is offered under one name. Amounts in fen, tenors in months, both ends included."""

    code: Code
    kinds: tuple[Kind, ...]
    purposes: tuple[Code, ...]
    amounts_fen: tuple[int, int]
    tenors_months: tuple[int, int]
    repayments: tuple[RepaymentTerms, ...] = (PLAIN,)
    """The manners of repayment, one to a method. A loan keeps the one it was agreed on with, whatever becomes of this table."""

    @property
    def methods(self) -> tuple[Code, ...]:
        """The names of the manners of repayment."""
        return tuple(terms.method for terms in self.repayments)

    def repayment(self, method: Code) -> RepaymentTerms | None:
        """The terms of a method as a loan's snapshot; None for plain equal monthly instalments, which need none.

        Raises ValueError for a method that the product does not offer.
        """
        if method not in self.methods:
            raise ValueError(f"{self.code} is not repaid in {method}")
        terms = self.repayments[self.methods.index(method)]
        return None if terms == PLAIN else terms


_HOUSEHOLD: tuple[Code, ...] = ("renovation", "education", "medical", "vehicle", "travel", "appliances")
_TRADE: tuple[Code, ...] = ("working_capital", "stock_of_goods", "equipment", "premises")

_EQUAL_PRINCIPAL = RepaymentTerms(method="equal_principal")
_INTEREST_FIRST = RepaymentTerms(method="interest_first")

#: What is overdue is paid part by part over all instalments: costs, then interest, then principal (Civil Code art. 561). Once the loan
#: is non-performing its principal comes first, so that what bears penalty shrinks: "all principal, then interest, then charges" (Frappe).
_PART_BY_PART = Allocation(
    performing=PayOrder(across="vertical"),
    non_performing=PayOrder(across="vertical", components=("principal", "interest", "fee", "penalty")),
)

#: A person's loan for his household (limits chosen; the law's cap is onboarding's to keep, whatever the product allows).
CONSUMER = Product(
    "consumer", ("person",), _HOUSEHOLD, (1_000_00, 200_000_00), (1, 36), repayments=(PLAIN, _EQUAL_PRINCIPAL)
)

#: A trader's or a firm's loan for its business (limits chosen).
BUSINESS = Product(
    "business",
    ("person", "organisation"),
    _TRADE,
    (10_000_00, 1_000_000_00),
    (1, 60),
    repayments=(PLAIN, _EQUAL_PRINCIPAL, _INTEREST_FIRST),
)

#: Money until a bill is paid: all comes back at once, with interest by the day, on a day on which banks work (limits chosen).
BRIDGE = Product(
    "bridge",
    ("person", "organisation"),
    _TRADE,
    (1_000_00, 500_000_00),
    (1, 12),
    repayments=(
        RepaymentTerms(
            method="bullet",
            interest_by="day",
            shift="modified_following",
            calendar="china",
            payer="anyone",  # whoever owes the bill
        ),
    ),
)

#: A loan for a season's goods: the first month asks for nothing but the fee, interest runs by the day (limits chosen).
SEASONAL = Product(
    "seasonal",
    ("person", "organisation"),
    _TRADE,
    (1_000_00, 200_000_00),
    (2, 24),
    repayments=(
        RepaymentTerms(
            method="equal_instalments",
            interest_by="day",
            day_count="act_360",
            rounding=Rounding.HALF_EVEN,
            shift="following",
            calendar="china",
            principal_grace=1,
            interest_grace=1,
            period_fee_permille=1,
            allocation=_PART_BY_PART,
        ),
    ),
)

#: The instalment plan of a shop, at a flat rate: what it costs in truth is nearly double, and is what the ceiling looks at and
#: a quote shows first (PBOC announcement 2021 no. 3; limits chosen).
INSTALMENT_PLAN = Product(
    "instalment_plan",
    ("person",),
    ("appliances", "education", "medical", "renovation", "vehicle"),
    (500_00, 50_000_00),
    (1, 24),
    repayments=(RepaymentTerms(method="flat"),),
)

#: A real loan book's loans, in whatever currency and for whatever its people wanted: no limit but what can be said.
PERSONAL = Product(
    "personal", ("person",), (*_HOUSEHOLD, "debt_consolidation", "other"), (1, MAX_INTEGER), (1, 120)
)

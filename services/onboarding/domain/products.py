"""The products that may be applied for: by whom, how much, for how long, repaid how, and for what (domain.md section 2).

A purpose that no product names is refused; stocks and futures stand in none (2016 Interim Measures, art. 10).
"""

from dataclasses import dataclass

from libs.events.money import MAX_INTEGER
from libs.events.onboarding import Code, Kind


@dataclass(frozen=True, slots=True)
class Product:
    """What is offered under one name. Amounts in fen, tenors in months, both ends included."""

    code: Code
    kinds: tuple[Kind, ...]
    purposes: tuple[Code, ...]
    amounts_fen: tuple[int, int]
    tenors_months: tuple[int, int]
    methods: tuple[Code, ...] = ("equal_instalments",)
    """The manners of repayment; so far repayment schedules this one."""


_HOUSEHOLD: tuple[Code, ...] = ("renovation", "education", "medical", "vehicle", "travel", "appliances")
_TRADE: tuple[Code, ...] = ("working_capital", "stock_of_goods", "equipment", "premises")

#: A person's loan for his household (limits chosen; the law's cap is onboarding's to keep, whatever the product allows).
CONSUMER = Product("consumer", ("person",), _HOUSEHOLD, (1_000_00, 200_000_00), (1, 36))

#: A trader's or a firm's loan for its business (limits chosen).
BUSINESS = Product("business", ("person", "organisation"), _TRADE, (10_000_00, 1_000_000_00), (1, 60))

#: A real loan book's loans, in whatever currency and for whatever its people wanted: no limit but what can be said.
PERSONAL = Product(
    "personal", ("person",), (*_HOUSEHOLD, "debt_consolidation", "other"), (1, MAX_INTEGER), (1, 120)
)

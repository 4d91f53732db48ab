"""A loan's history line by line, held against what came to the loan: of each month and component what its lines paid, and of penalty what
they charged. Corrections give and take in the month in which the loan is restated.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tools.simulator.loan_books import LoanBook, require

_COMPONENTS: Final = ("principal", "interest", "fee", "penalty")
#: What of a payment is none of the debt's.
_COST: Final = "cost"
#: What of a payment holders share; the borrower's fee of a period is the platform's.
_SHARED: Final = ("principal", "interest", "penalty")


@dataclass(slots=True)
class LineBooks:
    """Of each loan what was paid in which month, of which component, or of the cost of its recovery."""

    paid: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    restated: set[str] = field(default_factory=set)
    """Loans that were corrected: what the borrower's fees of each period came to then, only the loan's own rows say."""

    def record(self, event: Any) -> None:
        """Fold one event."""
        kind, data = event["type"], event["data"]
        match kind:
            case "repayment.PaymentReceived.v1":
                self._paid(data["loan_id"], data["value_date"], data["allocation"], _COMPONENTS)
            case "repayment.DebtSettledInKind.v1":
                self._paid(data["loan_id"], data["settled_on"], data["lines"], _COMPONENTS)
            case "repayment.RecoveryCostPaid.v1":
                self.paid[data["loan_id"]][f"{data['value_date'][:7]} {_COST}"] += data["amount_fen"]
            case "repayment.LoanRestated.v1":
                self.restated.add(data["loan_id"])
                self._paid(data["loan_id"], data["restated_on"], data["claims"], _SHARED)
                self.paid[data["loan_id"]][f"{data['restated_on'][:7]} {_COST}"] += data.get(
                    "cost_paid_fen", 0
                )
            case _:
                pass

    def _paid(self, loan: str, day: str, lines: Iterable[Any], components: Iterable[str]) -> None:
        for line in lines:
            for each in components:
                self.paid[loan][f"{day[:7]} {each}"] += line[f"{each}_fen"]

    def require_lines(
        self, loan: LoanBook, lines: Iterable[Mapping[str, Any]], totals: Mapping[str, Any]
    ) -> None:
        """The lines sum to the page's totals, and those of each month to what came in it."""
        name, said, parts = loan.loan_id, Counter[str](), Counter[str]()
        for line in lines:
            for each in (*_COMPONENTS, _COST):
                parts[each] += line[f"paid_{each}_fen"]
                if each != "fee" or name not in self.restated:
                    said[f"{str(line['on'])[:7]} {each}"] += line[f"paid_{each}_fen"]
            parts["charged"] += line["charged_penalty_fen"]
        kept = self.paid[name].copy()
        if name in self.restated:
            kept = Counter({month: fen for month, fen in kept.items() if not month.endswith(" fee")})
        for month in sorted({*said, *kept}):
            words = f"the lines of {name} say {said[month]} was paid in {month}, it was {kept[month]}"
            require(said[month] == kept[month], words)
        for each in (*_COMPONENTS, _COST):
            total = totals[f"paid_{each}_fen"]
            require(
                parts[each] == total, f"the lines of {name} sum to {each} {parts[each]}, its page {total}"
            )
        left, owed = parts["charged"] - parts["penalty"], loan.penalty_fen
        require(left == owed, f"the lines of {name} leave {left} of penalty, the books {owed}")

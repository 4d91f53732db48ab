"""Where an amount of a loan's page comes from: its formula with the events whose shares sum to it. Pure but for its refusals.

A settlement is a quote: a part of it becomes owed only by the payment that it is the price of. So it is the sum of what events have
said, which they explain, and of that part, which its formula does.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from libs.events.repayment import AllocationLine
from libs.runtime.http import not_found
from services.repayment.api.page_shapes import Computed, ComputedOut, ExplanationOut
from services.repayment.api.shapes import LoanOut, SettlementOut
from services.repayment.domain.allocation import counted_due
from services.repayment.domain.loan_account import (
    COMPONENTS,
    FORMULAS,
    Account,
    Formula,
    Line,
    account_of,
    left_fen,
    rows_of,
    shares,
)


def explained(
    loan: Mapping[str, Any], lines: Sequence[Line], figure: str, number: int | None, payment: str | None
) -> ExplanationOut:
    """Raises Problem 404 for an amount that the page does not show."""
    formula, of = _asked(loan, figure, number, payment)
    found = shares(lines, lambda account: formula.value(account, of))
    entry = loan["payments"][of] if figure.startswith("payments.") else {}
    return ExplanationOut(
        id=loan["loan_id"],
        figure=figure,
        number=int(of) if figure.startswith(("rows.", "next_due.")) else None,
        payment=payment if figure.startswith("payments.") else None,
        replaces=entry.get("replaces"),
        replaced_by=entry.get("replaced_by"),
        value_fen=found[-1].after_fen if found else 0,
        formula=formula.words,
        rule=formula.rule,
        shares=ExplanationOut.shares_of(found),
        computed=[],
    )


def _asked(
    loan: Mapping[str, Any], figure: str, number: int | None, payment: str | None
) -> tuple[Formula, str]:
    """The formula of an amount, and of which row or payment. Raises Problem 404."""
    formula = FORMULAS.get(figure)
    if formula is None:
        raise not_found("unknown_figure")
    if figure.startswith("payments."):
        if payment is None or payment not in loan.get("payments", {}):
            raise not_found("unknown_payment")
        return formula, payment
    if figure.startswith("next_due."):
        oldest = next((row for row in LoanOut.of(dict(loan)).rows if row.open_fen), None)
        number = None if oldest is None else oldest.number
    if figure.startswith(("rows.", "next_due.")):
        if str(number) not in rows_of(dict(loan)):
            raise not_found("unknown_row")
        return formula, str(number)
    return formula, ""


def settlement_explained(
    loan: Mapping[str, Any],
    lines: Sequence[Line],
    figure: str,
    component: str,
    quote: tuple[AllocationLine, ...],
    on: date,
) -> ExplanationOut:
    """What a quote for a day asks for. Raises Problem 404 for a part that it does not have."""
    of = LoanOut.of(dict(loan))
    shown, due = SettlementOut.of(of, on, quote), Due(counted_due(of.book(), on), of.arrears_in)
    value_fen = getattr(shown, f"{component}_fen", None)
    if value_fen is None:
        raise not_found("unknown_figure")
    found = shares(lines, lambda account: quoted_fen(account, component, quote, due))
    return ExplanationOut(
        id=loan["loan_id"],
        figure=figure,
        number=None,
        payment=None,
        value_fen=value_fen,
        formula="all that is due and open, what a restructuring left in arrears, all principal that is not due, and its interest for the days it was used",
        rule="domain.md section 4, Civil Code art. 677",
        shares=ExplanationOut.shares_of(found),
        computed=computed_of(component, quote, account_of(lines), due),
    )


# --- a quote -------------------------------------------------------------------------------------------------------

_COMPUTED: Final[Mapping[str, tuple[Computed, str]]] = {
    "penalty": (
        "penalty_since_charged",
        "round(open principal and interest · penalty rate · days since it was charged last / basis), of each overdue instalment",
    ),
    "interest": (
        "interest_for_days_used",
        "round(principal that is not due · rate · days since the last due date, or the restructuring, / basis), at most the running period's interest",
    ),
}


@dataclass(frozen=True, slots=True)
class Due:
    """The last instalment that counts as due on a quote's day, and the one in which a restructuring asks for arrears (0: none)."""

    through: int
    arrears_in: int


def quoted_fen(account: Account, component: str, lines: Collection[AllocationLine], due: Due) -> int:
    """What of a settlement's component (`amount` for all) events have said: of its instalments what is open, of those that are not due what was
    in arrears, of principal and of a cost that comes first all."""
    if component == "amount":
        return sum(quoted_fen(account, each, lines, due) for each in (*COMPONENTS, "cost"))
    if component == "principal":
        left: int = account.get("outstanding_fen", 0)
        return left
    if component == "cost":
        # Nobody pays it once nothing is owed.
        cost: int = account.get("cost_fen", 0) if lines else 0
        return cost
    return sum(_told_fen(account, component, line.number, due) for line in lines if line.number)


def _told_fen(account: Account, component: str, number: int, due: Due) -> int:
    open_fen = left_fen(account.get("rows", {}).get(str(number), {}), component)
    if number <= due.through or component == "penalty":
        return open_fen
    if number != due.arrears_in:
        return 0
    left: Mapping[str, int] = account.get("arrears", {})
    parts = ("interest_fen", "accrued_fen") if component == "interest" else ("fee_fen",)
    return min(open_fen, sum(left.get(part, 0) for part in parts))


def computed_of(
    component: str, lines: Iterable[AllocationLine], account: Account, due: Due
) -> list[ComputedOut]:
    """The rest of a settlement's component (`amount` for all), which only its formula says; nothing where there is no rest."""
    quoted = list(lines)
    found = []
    for each, (what, formula) in _COMPUTED.items():
        if component in (each, "amount"):
            rest_fen = sum(getattr(line, f"{each}_fen") for line in quoted) - quoted_fen(
                account, each, quoted, due
            )
            if rest_fen:
                found.append(ComputedOut(what=what, formula=formula, amount_fen=rest_fen))
    return found

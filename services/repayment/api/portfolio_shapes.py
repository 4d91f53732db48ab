"""Answers about an investor's portfolio: sums of his claims, and what he may expect of them. Amounts in fen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from pydantic import BaseModel, Field

from services.repayment.domain.expected import Due, expected_of

#: The longest term in months of each band but the last *(chosen)*.
_BANDS: Final = ((3, "1-3"), (6, "4-6"), (12, "7-12"), (24, "13-24"), (36, "25-36"))
_LONGEST: Final = "37+"

Document = Mapping[str, Any]


def term_of(tenor_months: int) -> str:
    """The band of terms that a loan belongs to, in months."""
    return next((name for longest, name in _BANDS if tenor_months <= longest), _LONGEST)


def status_of(claim: Document, loan: Document) -> str:
    """Where a claim stands: sold as a whole, repaid with its loan, or in the overdue bucket of it."""
    if claim.get("sold_fen") and not claim["outstanding_fen"]:
        return "sold"
    return "repaid" if loan["state"] == "repaid" else str(loan["bucket"])


class ClaimSums(BaseModel):
    """Claims added up: what was lent and is outstanding, and what came back of it so far, before fees."""

    claims: int = 0
    principal_fen: int = 0
    outstanding_fen: int = 0
    principal_back_fen: int = 0
    interest_fen: int = 0
    penalty_fen: int = 0
    fee_fen: int = 0

    def add(self, claim: Mapping[str, Any]) -> None:
        """One claim more."""
        self.claims += 1
        for name in _SUMMED:
            setattr(self, name, getattr(self, name) + claim[name])


_SUMMED: Final = tuple(name for name in ClaimSums.model_fields if name != "claims")


class PortfolioGroupOut(ClaimSums):
    """The claims of one grade, band of terms and state: `sold`, `repaid`, or the overdue bucket of their running loans."""

    grade: str
    term_months: str = Field(examples=["7-12"])
    status: str = Field(examples=["current", "M1", "repaid"])


class PortfolioOut(ClaimSums):
    """All claims of an investor, and the same by grade, term and state."""

    groups: list[PortfolioGroupOut] = []


@dataclass(slots=True)
class Portfolio:
    """Adds claims up one by one: an investor may hold thousands."""

    whole: PortfolioOut = field(default_factory=PortfolioOut)
    groups: dict[tuple[str, str, str], PortfolioGroupOut] = field(default_factory=dict)

    def add(self, claim: Document, loan: Document) -> None:
        """A document of repayment.claims with its loan's of repayment.loans."""
        key = loan["grade"], term_of(loan["tenor_months"]), status_of(claim, loan)
        if key not in self.groups:
            self.groups[key] = PortfolioGroupOut(grade=key[0], term_months=key[1], status=key[2])
        self.whole.add(claim)
        self.groups[key].add(claim)

    def shown(self) -> PortfolioOut:
        """What was added up so far."""
        return self.whole.model_copy(update={"groups": [self.groups[key] for key in sorted(self.groups)]})


class ExpectedOut(BaseModel):
    """What may be expected, before the platform's fee on interest."""

    principal_fen: int = 0
    interest_fen: int = 0

    def add(self, due: Due) -> None:
        """One row more."""
        self.principal_fen += due.principal_fen
        self.interest_fen += due.interest_fen


class ExpectedMonthOut(ExpectedOut):
    """What falls due in a month."""

    month: str = Field(examples=["2024-03"])


class CashFlowOut(BaseModel):
    """What an investor may expect of his claims if every schedule is paid as it stands: what is overdue, then month by month.

    An estimate: a payment is split when it comes. Over all holders of a loan it is the loan's schedule to the fen."""

    overdue: ExpectedOut
    months: list[ExpectedMonthOut]


@dataclass(slots=True)
class CashFlow:
    """Adds up, claim by claim, what may be expected."""

    overdue: ExpectedOut = field(default_factory=ExpectedOut)
    months: dict[str, ExpectedMonthOut] = field(default_factory=dict)

    def add(self, claim: Document, loan: Document) -> None:
        """A document of repayment.claims with its loan's of repayment.loans."""
        for due in expected_of(claim["claim_id"], loan.get("held", {}), open_rows(loan)):
            month = due.due_on.isoformat()[:7]
            if due.missed:
                self.overdue.add(due)
            else:
                self.months.setdefault(month, ExpectedMonthOut(month=month)).add(due)

    def shown(self) -> CashFlowOut:
        """What was added up so far."""
        return CashFlowOut(overdue=self.overdue, months=[self.months[name] for name in sorted(self.months)])


def open_rows(loan: Mapping[str, Any]) -> list[Due]:
    """What the rows of a loan's document still ask for; nothing of a loan that is repaid."""
    if loan["state"] != "running":
        return []
    rows = (
        Due(
            due_on=date.fromisoformat(row["due_on"]),
            principal_fen=row["principal_fen"] - row["paid_principal_fen"],
            interest_fen=row["interest_fen"] - row["paid_interest_fen"],
            missed=row["missed"],
        )
        for number, row in loan["rows"].items()
        if int(number) <= loan.get("rows_to", len(loan["rows"]))
    )
    return [row for row in rows if row.principal_fen or row.interest_fen]

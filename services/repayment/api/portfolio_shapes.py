"""Answers about an investor's portfolio: sums of his claims, and what he may expect of them. Amounts in fen."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from pydantic import BaseModel, Field

from services.repayment.domain.expected import Due, Holders, parts_of
from services.repayment.domain.guarantee import Subrogated

#: The longest term in months of each band but the last *(chosen)*.
_BANDS: Final = ((3, "1-3"), (6, "4-6"), (12, "7-12"), (24, "13-24"), (36, "25-36"))
_LONGEST: Final = "37+"

Document = Mapping[str, Any]


def term_of(tenor_months: int) -> str:
    """The band of terms that a loan belongs to, in months."""
    return next((name for longest, name in _BANDS if tenor_months <= longest), _LONGEST)


def status_of(claim: Document, loan: Document) -> str:
    """Where a claim stands: in kind, while nothing of it is left but a share in an asset that nobody has bought; sold, if all that was
    left of it was; repaid with its loan; or in the overdue bucket of it."""
    if waits_in_kind(claim):
        return "in_kind"
    if is_sold(claim):
        return "sold"
    return "repaid" if loan["state"] == "repaid" else str(loan["bucket"])


def is_sold(claim: Document) -> bool:
    """Whether it ended by a sale: who held it is no holder of its loan any more."""
    return bool(claim.get("sold_whole"))


def waits_in_kind(claim: Document) -> bool:
    """Whether an asset that is not sold stands for the rest of it: no money has come for that."""
    return bool(not claim["outstanding_fen"] and claim.get("assets_kept", claim.get("in_kind_fen", 0)))


class ClaimSums(BaseModel):
    """Claims added up: what was lent or bought and is outstanding, what came back of it so far, before fees, and the principal that was
    sold. `in_kind_fen` is what an asset stands for instead of money, of the debt; `in_kind_back_fen` what assets' sales have brought. `accrued_interest_fen` is what has accrued until the day that was asked for, and is due or will be."""

    claims: int = 0
    principal_fen: int = 0
    outstanding_fen: int = 0
    principal_back_fen: int = 0
    interest_fen: int = 0
    penalty_fen: int = 0
    fee_fen: int = 0
    sold_fen: int = 0
    in_kind_fen: int = 0
    in_kind_back_fen: int = 0
    accrued_interest_fen: int = 0

    def add(self, claim: Mapping[str, Any], accrued_interest_fen: int = 0) -> None:
        """One claim more."""
        self.claims += 1
        self.accrued_interest_fen += accrued_interest_fen
        for name in _SUMMED:
            setattr(self, name, getattr(self, name) + claim.get(name, 0))


_SUMMED: Final = tuple(
    name for name in ClaimSums.model_fields if name not in ("claims", "accrued_interest_fen")
)


class PortfolioGroupOut(ClaimSums):
    """The claims of one grade, band of terms and state: `sold`, `in_kind` (an asset stands for what is left, and is
    not sold), `repaid`, or the overdue bucket of their running loans."""

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

    def add(self, claim: Document, loan: Document, accrued_interest_fen: int = 0) -> None:
        """A document of repayment.claims with its loan's of repayment.loans, and what has accrued on it."""
        key = loan["grade"], term_of(loan["tenor_months"]), status_of(claim, loan)
        if key not in self.groups:
            self.groups[key] = PortfolioGroupOut(grade=key[0], term_months=key[1], status=key[2])
        self.whole.add(claim, accrued_interest_fen)
        self.groups[key].add(claim, accrued_interest_fen)

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
    """Adds up, loan by loan, what may be expected."""

    overdue: ExpectedOut = field(default_factory=ExpectedOut)
    months: dict[str, ExpectedMonthOut] = field(default_factory=dict)

    def add(self, claims: Collection[str], loan: Document) -> Iterator[None]:
        """The claims of one loan, by a document of repayment.loans; a step for each part of them that lies together, after which others
        may be served."""
        for part, rows in parts_of(claims, holders_of(loan), open_rows(loan)):
            for row in rows:
                self._add(part.of(row))
            yield

    def _add(self, due: Due) -> None:
        month = due.due_on.isoformat()[:7]
        if due.missed:
            self.overdue.add(due)
        else:
            self.months.setdefault(month, ExpectedMonthOut(month=month)).add(due)

    def shown(self) -> CashFlowOut:
        """What was added up so far."""
        return CashFlowOut(overdue=self.overdue, months=[self.months[name] for name in sorted(self.months)])


def holders_of(loan: Mapping[str, Any]) -> Holders:
    """By what the claims of a loan's document share what it still asks for: the principal that each is owed, or was owed last; and what of it
    is a guarantor's alone, because he paid for it and nothing has taken its place since."""
    held: Mapping[str, int] = loan.get("held", {})
    if not any(held.values()):
        held = loan.get("shared", {})
    replaced = [(int(number), at) for number, at in loan.get("rescheduled", {}).items()]
    subrogated = (
        (own["at"], Subrogated(claim_id=claim, first=own["first"], through=own["through"]))
        for claim, own in loan.get("subrogated", {}).items()
    )
    return Holders(
        held,
        tuple(
            each
            for at, each in sorted(subrogated, key=lambda item: item[0])
            if all(each.outlives(number) for number, changed_at in replaced if changed_at > at)
        ),
    )


def open_rows(loan: Mapping[str, Any]) -> list[Due]:
    """What the rows of a loan's document still ask for; nothing of a loan that is repaid."""
    if loan["state"] != "running":
        return []
    rows = (
        Due(
            number=int(number),
            due_on=date.fromisoformat(row["due_on"]),
            principal_fen=row["principal_fen"] - row["paid_principal_fen"],
            interest_fen=row["interest_fen"] - row["paid_interest_fen"],
            missed=row["missed"],
        )
        for number, row in loan["rows"].items()
        if int(number) <= loan.get("rows_to", len(loan["rows"]))
    )
    return [row for row in rows if row.principal_fen or row.interest_fen]

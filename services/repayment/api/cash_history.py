"""Routes of what a lender was to get and got: by month over all of his claims, and of one of them.

Read like the portfolio (docs/decisions/0020): his claims' documents and their loans', once each. A loan's payments are laid beside
its rows once, however many claims of it he holds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any

from fastapi import Depends
from pydantic import BaseModel, Field

from libs.runtime.http import ThisPrincipal, id_path, not_found, scopes
from services.repayment.api.portfolio import held_claims
from services.repayment.api.portfolio_shapes import Document, holders_of, open_rows
from services.repayment.api.routes import Claims, Loans, router
from services.repayment.domain.cash_history import (
    COMPONENTS,
    Instalment,
    PaidFor,
    Piece,
    of_owners,
    pieces_of,
    spread,
)
from services.repayment.domain.expected import expected_of


class CashMonthOut(BaseModel):
    """A month: what falls due in it, what came in it, and by what they differ. `early_fen` of what came is due in a later month or was prepaid,
    `late_fen` of it came after its due date; `missed_fen` of what fell due has not come. `fee_fen` is the platform's. What a correction
    gives or takes back is received (below zero: given back) in the month of the correction. Of a contract that is void the past stays as it
    was, and what becomes principal is expected and received on that day. What an asset
    settled is neither expected nor received: it stands in its own file."""

    month: str = Field(examples=["2024-03"])
    expected_principal_fen: int = 0
    expected_interest_fen: int = 0
    received_principal_fen: int = 0
    received_interest_fen: int = 0
    received_penalty_fen: int = 0
    fee_fen: int = 0
    early_fen: int = 0
    late_fen: int = 0
    missed_fen: int = 0


class CashHistoryOut(BaseModel):
    """Month by month what a lender was and is to get of his claims, and what distributions brought; over all months, expected =
    received + what is open. What is to come is an estimate (cash-flow); prices of sales are not in it."""

    months: list[CashMonthOut]


@dataclass(slots=True)
class CashHistory:
    """Adds claims up, one by one; the loan's payments are laid beside its rows once for all claims of it."""

    months: dict[str, CashMonthOut] = field(default_factory=dict)
    _loan: str = ""
    _pieces: Mapping[str, Mapping[str | None, Mapping[date, Sequence[Piece]]]] = field(default_factory=dict)

    def add(self, claim: Document, loan: Document) -> None:
        """A document of repayment.claims with its loan's of repayment.loans; claims of one loan follow each other."""
        if loan["loan_id"] != self._loan:
            self._loan = loan["loan_id"]
            self._pieces = {each: _of_owners(loan, each) for each in COMPONENTS}
        for day, came in claim.get("received", {}).items():
            paid_on = date.fromisoformat(day)
            month = self._month(paid_on)
            month.received_penalty_fen += came.get("penalty_fen", 0)
            month.fee_fen += came.get("fee_fen", 0)
        for each in COMPONENTS:
            came_on = {
                date.fromisoformat(day): came.get(f"{each}_fen", 0)
                for day, came in claim.get("received", {}).items()
            }
            owners = self._pieces[each]
            pieces = owners.get(claim["claim_id"], owners[None])
            for piece in spread(came_on, pieces, alone=_voided_on(loan)):
                self._came(each, piece)
        for due in expected_of(claim["claim_id"], holders_of(loan), open_rows(loan)):
            month = self._month(due.due_on)
            month.expected_principal_fen += due.principal_fen
            month.expected_interest_fen += due.interest_fen
            if due.missed:
                month.missed_fen += due.principal_fen + due.interest_fen

    def _came(self, component: str, piece: Piece) -> None:
        """A part of a receipt: expected in one month, received in another or the same."""
        came, due = self._month(piece.paid_on), self._month(piece.due_on)
        _more(due, f"expected_{component}_fen", piece.amount_fen)
        _more(came, f"received_{component}_fen", piece.amount_fen)
        if piece.amount_fen > 0 and piece.timing != "in_time":
            _more(came, f"{piece.timing}_fen", piece.amount_fen)

    def _month(self, day: date) -> CashMonthOut:
        name = day.isoformat()[:7]
        return self.months.setdefault(name, CashMonthOut(month=name))

    def shown(self) -> CashHistoryOut:
        """What was added up so far, without months in which nothing was to come or came."""
        months = [self.months[name] for name in sorted(self.months)]
        return CashHistoryOut(
            months=[month for month in months if any(month.model_dump(exclude={"month"}).values())]
        )


def _more(month: CashMonthOut, name: str, amount_fen: int) -> None:
    setattr(month, name, getattr(month, name) + amount_fen)


def _of_owners(loan: Document, component: str) -> Mapping[str | None, Mapping[date, Sequence[Piece]]]:
    """The same by whose the instalments were: a guarantor's, or all others'."""
    paid_for = []
    for his in holders_of(loan).subrogated:
        own = loan["subrogated"][his.claim_id]
        lines = [(line["number"], line[f"{component}_fen"]) for line in own["lines"]]
        paid_for.append(PaidFor(his, date.fromisoformat(own["paid_on"]), lines))
    return of_owners(_laid(loan, component), paid_for, _rows(loan, component))


def _laid(loan: Document, component: str) -> Mapping[date, list[Piece]]:
    """What the loan's payments paid, instalment by instalment; of a void contract first of the schedule that held until then, later of the
    one row that is left. In between all counts as something else."""
    rows, is_owed = _rows(loan, component), loan["state"] == "running"
    on, in_kind = _voided_on(loan), _in_kind(loan, component)
    if on is None:
        return pieces_of(_paid(loan, component), rows, is_owed=is_owed, in_kind=in_kind)
    until, paid = loan["until_void"], _paid(loan, component, restated_to=on)
    past = [_instalment(number, row, component) for number, row in enumerate(until["rows"], 1)]
    before = {day: fen for day, fen in paid.items() if day <= on}
    since = {day: fen for day, fen in paid.items() if day > on}
    return pieces_of(before, past, is_owed=not until["was_repaid"]) | pieces_of(
        since, rows[-1:], is_owed=False, in_kind=in_kind
    )


def _voided_on(loan: Document) -> date | None:
    on = loan.get("voided_on")
    return None if on is None else date.fromisoformat(on)


def _paid(loan: Document, component: str, restated_to: date = date.max) -> dict[date, int]:
    """What the loan's payments of each value date paid of a component, as they were booked, and what each day's corrections changed, before
    `restated_to`."""
    found: dict[date, int] = {}
    for payment in loan.get("payments", {}).values():
        day = date.fromisoformat(payment["value_date"])
        found[day] = found.get(day, 0) + payment[f"{component}_fen"]
    for name, changed in loan.get("restated", {}).items():
        day = date.fromisoformat(name)
        if day < restated_to:
            found[day] = found.get(day, 0) + changed.get(f"{component}_fen", 0)
    return found


def _in_kind(loan: Document, component: str) -> dict[date, int]:
    """What assets settled of a component, by day. Of a void contract that is after it: one whose debt was settled so is not made void."""
    found: dict[date, int] = {}
    for settled in loan.get("in_kind", {}).values():
        day = date.fromisoformat(settled["settled_on"])
        found[day] = found.get(day, 0) + settled[f"{component}_fen"]
    return found


def _rows(loan: Document, component: str) -> list[Instalment]:
    """Those of the schedule that holds now: a longer one may stand behind it."""
    rows = sorted((int(number), row) for number, row in loan["rows"].items())
    return [
        _instalment(number, row, component)
        for number, row in rows
        if number <= loan.get("rows_to", len(rows))
    ]


def _instalment(number: int, row: Document, component: str) -> Instalment:
    return Instalment(
        due_on=date.fromisoformat(row["due_on"]),
        owed_fen=row[f"{component}_fen"],
        paid_fen=row[f"paid_{component}_fen"],
        number=number,
    )


async def _own_claim(
    claim: Annotated[str, id_path("clm")], claims: Claims, principal: ThisPrincipal
) -> dict[str, Any]:
    """One's own claim, also one that was sold: what it brought, it brought to him."""
    found = await claims.get(claim, missing="unknown_claim")
    if found["investor"] != principal.subject:
        raise not_found("unknown_claim")
    return found


OwnClaim = Annotated[dict[str, Any], Depends(_own_claim)]


@router.read("/portfolio/cash-history", scopes("claim:own"), answer=CashHistoryOut)
async def read_cash_history(claims: Claims, loans: Loans, principal: ThisPrincipal) -> CashHistoryOut:
    """What the caller was to get of all of his claims and what he got, month by month, and what was early, late or missed."""
    history = CashHistory()
    async for held, loan in held_claims(claims, loans, principal.subject):
        for claim in held:
            history.add(claim, loan)
    return history.shown()


@router.read("/claims/{claim}/cash-history", scopes("claim:own"), answer=CashHistoryOut)
async def read_claims_history(claim: OwnClaim, loans: Loans) -> CashHistoryOut:
    """The same of one claim."""
    history = CashHistory()
    loan = await loans.find(claim["loan_id"])
    if loan is not None:
        history.add(claim, loan)
    return history.shown()

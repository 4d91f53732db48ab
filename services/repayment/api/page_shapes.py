"""Bodies of a loan's page: its schedule as it stands today, its history, and where each amount comes from. Amounts in fen."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final, Literal, get_args

from pydantic import BaseModel, Field

from services.repayment.api.shapes import LoanOut, NextDueOut, RowOut, SettlementOut
from services.repayment.domain.loan_account import (
    COMPONENTS,
    Account,
    Line,
    Share,
    left_fen,
    moves,
    overdue_principal_fen,
    paid_fen,
)

#: Where an instalment stands: asked for by nothing any more, to come, due and not judged yet, missed.
Status = Literal["paid", "settled", "overdue", "due", "future"]


class PageRowOut(RowOut):
    """One instalment, and where it stands: `paid` in full, `settled` by an early end, `overdue` once it was missed, `due` from its
    due date until that is judged, else `future`."""

    status: Status


class PageDueOut(NextDueOut):
    """The oldest instalment that is not fully paid, and what of it is open."""

    principal_fen: int
    interest_fen: int
    fee_fen: int
    penalty_fen: int


class TotalsOut(BaseModel):
    """The whole schedule with the penalty that was charged; what was paid, an early end and the cost of recovery included; what is open
    of the schedule."""

    principal_fen: int
    interest_fen: int
    fee_fen: int
    penalty_fen: int
    paid_principal_fen: int
    paid_interest_fen: int
    paid_fee_fen: int
    paid_penalty_fen: int
    paid_cost_fen: int
    paid_fen: int
    open_fen: int


class TakenOut(BaseModel):
    """A measure that changed what the loan pays, or when: by which it is known, of which day, and when the loan ends by it, null where it
    ends as before."""

    id: str
    kind: str = Field(examples=["extension"])
    on: date
    matures_on: date | None

    @staticmethod
    def all_of(document: Mapping[str, Any]) -> "list[TakenOut]":
        """From a document of repayment.loans, the oldest first. When the loan ends is the last one's to say, and a correction may have moved that."""
        found = (TakenOut(id=name, **line) for name, line in document.get("taken", {}).items())
        taken = sorted(found, key=lambda line: (line.on, line.id))
        last = next((line for line in reversed(taken) if line.matures_on is not None), None)
        if last is not None:
            last.matures_on = date.fromisoformat(document["matures_on"])
        return taken


class LoanPageOut(LoanOut):
    """A loan's page. `taken` are the measures that changed what is paid, or when, with their days. `dpd` are the days past due on the
    business date `today`; `settlement` is what ends the loan today, null when it is repaid, when no calendar is open yet, and for who only holds a claim in it. What is outstanding is principal of missed
    instalments and `normal_principal_fen`; where there is some of each, the loan is `partly_overdue`."""

    rows: list[PageRowOut]  # type: ignore[assignment]  # each says more than a row of the list
    next_due: PageDueOut | None = None
    overdue_principal_fen: int
    normal_principal_fen: int
    partly_overdue: bool
    totals: TotalsOut
    today: date | None
    settlement: SettlementOut | None
    taken: list[TakenOut]

    @staticmethod
    def shown(
        document: Mapping[str, Any], today: date | None, settlement: SettlementOut | None
    ) -> "LoanPageOut":
        """From a document of repayment.loans, on a business date."""
        loan = LoanOut.of(dict(document)).counted(today)
        fields = loan.model_dump(exclude={"rows", "next_due"})
        rows = [PageRowOut(**row.model_dump(), status=_status(row, today)) for row in loan.rows]
        oldest = next((row for row in rows if row.open_fen), None)
        late_fen = overdue_principal_fen(dict(document))
        normal_fen = loan.outstanding_fen - late_fen
        return LoanPageOut(
            rows=rows,
            overdue_principal_fen=late_fen,
            normal_principal_fen=normal_fen,
            partly_overdue=late_fen > 0 and normal_fen > 0,
            next_due=None if oldest is None else _due(oldest),
            totals=_totals(document, rows),
            today=today,
            settlement=settlement,
            taken=TakenOut.all_of(document),
            **fields,
        )


def _status(row: RowOut, today: date | None) -> Status:
    if not row.open_fen:
        return "settled" if row.left_fen() else "paid"
    if row.missed:
        return "overdue"
    return "due" if today is not None and row.due_on <= today else "future"


def _due(row: RowOut) -> PageDueOut:
    fields = row.model_dump()
    return PageDueOut(
        number=row.number,
        due_on=row.due_on,
        open_fen=row.open_fen,
        **{f"{each}_fen": left_fen(fields, each) for each in COMPONENTS},
    )


def _totals(document: Mapping[str, Any], rows: Sequence[PageRowOut]) -> TotalsOut:
    account: Account = {"rows": document["rows"], "early": document.get("early", {})}
    asked = {f"{each}_fen": sum(getattr(row, f"{each}_fen") for row in rows) for each in COMPONENTS}
    paid = {f"paid_{each}_fen": paid_fen(account, each) for each in COMPONENTS}
    paid["paid_cost_fen"] = document.get("paid_cost_fen", 0)
    return TotalsOut(**asked, **paid, paid_fen=sum(paid.values()), open_fen=sum(row.open_fen for row in rows))


class HeldPageOut(BaseModel):
    """The page of a loan for who holds a claim in it: its schedule and where it stands. Who borrows, from which account and by
    which payments, and what would end the loan today, is not among it. `taken` says what was done to the loan, and when: so its lenders are
    informed (processes.md 1.P)."""

    id: str
    listing_id: str
    state: str
    bucket: str
    loan_class: str
    grade: str
    annual_rate: str
    penalty_rate: str
    tenor_months: int
    funded_on: date
    repaid_on: date | None
    principal_fen: int
    installment_fen: int
    outstanding_fen: int
    overdue_fen: int
    overdue_principal_fen: int
    normal_principal_fen: int
    partly_overdue: bool
    penalty_fen: int
    dpd: int
    dpd_on: date | None
    today: date | None
    next_due: PageDueOut | None
    totals: TotalsOut
    rows: list[PageRowOut]
    taken: list[TakenOut]

    @classmethod
    def of(cls, page: LoanPageOut) -> "HeldPageOut":
        """What of a loan's page a holder sees."""
        return cls(**page.model_dump(include=set(cls.model_fields)))


def _places(shape: type[BaseModel], within: str = "") -> Iterator[str]:
    """The places of all amounts of a shape."""
    for name, of in shape.model_fields.items():
        parts = [part for part in (of.annotation, *get_args(of.annotation)) if isinstance(part, type)]
        inner = next((part for part in parts if issubclass(part, BaseModel)), None)
        if inner is not None:
            yield from _places(inner, f"{within}{name}.")
        elif name.endswith("_fen"):
            yield f"{within}{name}"


#: What who holds a claim may ask for: the amounts that his page shows.
HELD_FIGURES: Final = frozenset(_places(HeldPageOut))


# --- history -------------------------------------------------------------------------------------------------------

_LEFT: Final = ("outstanding_fen", "overdue_fen", "penalty_fen", "cost_fen")


class LeftOut(BaseModel):
    """What an event left open: principal that is not repaid, all that is overdue, penalty that was charged and is not paid, and what is
    not paid of the cost of recovery."""

    outstanding_fen: int
    overdue_fen: int
    penalty_fen: int
    cost_fen: int


class HistoryLineOut(BaseModel):
    """An event that moved an amount: what it paid and charged of each component, and paid of the cost of recovery (below zero: what a correction took back), what it
    left, and where it stands in the log. The lines sum to the page's totals. `on` is the date on which it counts. `payment_id` is
    null for who only holds a claim."""

    event: str = Field(description="service/partition/position/index.")
    kind: str = Field(examples=["PaymentReceived"])
    on: date | None
    business_date: date | None
    payment_id: str | None
    paid_principal_fen: int
    paid_interest_fen: int
    paid_fee_fen: int
    paid_penalty_fen: int
    paid_cost_fen: int
    charged_penalty_fen: int
    left: LeftOut

    @classmethod
    def all_of(
        cls, history: Iterable[Line], *, names_payment: bool, wanted: Collection[str] | None = None
    ) -> "Iterator[tuple[str, HistoryLineOut]]":
        """Each line, or those that are wanted, by its document's name; `history` from its first line on."""
        for line, account, moved in moves(history, lambda line: wanted is None or line["_id"] in wanted):
            yield (
                line["_id"],
                cls(
                    **{name: line[name] for name in ("event", "kind", "on", "business_date")},
                    payment_id=line["payment_id"] if names_payment else None,
                    left=LeftOut(**{name: account.get(name, 0) for name in _LEFT}),
                    **moved,
                ),
            )


class HistoryOut(BaseModel):
    """A page of a loan's history, the oldest event first; `next` is the cursor of the next page, null after the last."""

    items: list[HistoryLineOut]
    next: str | None


# --- explanation ---------------------------------------------------------------------------------------------------


class ShareOut(BaseModel):
    """What one event changed of an amount, and what the amount was after it."""

    event: str
    kind: str
    on: date | None
    amount_fen: int
    after_fen: int


Computed = Literal["penalty_since_charged", "interest_for_days_used"]


class ComputedOut(BaseModel):
    """A part of a quote that no event has said yet, because it becomes owed by the payment that it is the price of."""

    what: Computed
    formula: str
    amount_fen: int


class ExplanationOut(BaseModel):
    """How an amount of a loan's page comes about: value = Σ amounts of `shares` + Σ amounts of `computed`. Of a payment's: which one it
    `replaces`, and which one stands in its place."""

    id: str
    figure: str
    number: int | None
    payment: str | None
    replaces: str | None = None
    replaced_by: str | None = None
    value_fen: int
    formula: str
    rule: str
    shares: list[ShareOut]
    computed: list[ComputedOut]

    @staticmethod
    def shares_of(found: Iterable[Share]) -> list[ShareOut]:
        """From the lines behind an amount."""
        return [
            ShareOut(
                **{name: share.line[name] for name in ("event", "kind", "on")},
                amount_fen=share.amount_fen,
                after_fen=share.after_fen,
            )
            for share in found
        ]

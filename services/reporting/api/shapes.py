"""Answers of reporting, made from views' documents field by field. Amounts in fen."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, Field

from libs.events.views import Figure

Kind = Literal[
    "top_up",
    "withdrawal",
    "bid",
    "investment",
    "loan",
    "loan_payment",
    "repayment",
    "fee",
    "voucher",
    "marketing",
    "trade",
    "compensation",
    "correction",
    "asset",
    "unrequested",
]
"""What a movement is (services.reporting.projections.statement.KINDS)."""


class StatementLineOut(BaseModel):
    """One movement of an account; `event` is where the log tells it, `reason` (a code) why money came back."""

    id: str
    business_date: str | None
    kind: Kind | None = None  # not in documents of the version before
    movement: str
    available_fen: int = Field(description="What the movement added to the available money.")
    held_fen: int = Field(description="What the movement added to the held money.")
    available_after_fen: int
    held_after_fen: int
    loan_id: str | None = None
    listing_id: str | None = None
    bid_id: str | None = None
    payment_id: str | None = None
    claim_id: str | None = None
    offer_id: str | None = None
    compensation_id: str | None = None
    voucher_id: str | None = None
    bank_reference: str | None = None
    correction_id: str | None = None
    reason: str | None = Field(default=None, examples=["unknown_loan"])
    event: str

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> "StatementLineOut":
        """From the view's document."""
        fields = {name: line[name] for name in cls.model_fields if name in line}
        return cls(id=line["_id"], **fields)


class StatementOut(BaseModel):
    """A page of movements in the order that was asked for."""

    items: list[StatementLineOut]
    next: str | None


class LedgerAccountOut(BaseModel):
    """One class of accounts in the double entry."""

    account: str
    balance_fen: int
    gained_fen: int
    given_fen: int

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "LedgerAccountOut":
        """From the view's document."""
        return cls(
            account=document["_id"],
            balance_fen=document["balance_fen"],
            gained_fen=document["gained_fen"],
            given_fen=document["given_fen"],
        )


class TrialBalanceOut(BaseModel):
    """All classes of accounts; their balances sum to zero at every position of the log."""

    accounts: list[LedgerAccountOut]
    total_fen: int


class ClearingOut(BaseModel):
    """Clearing accounts that are not zero: money on its way, or an alarm if it stays."""

    items: list[LedgerAccountOut]
    next: str | None


class FunnelStageOut(BaseModel):
    """How many users have reached a stage."""

    stage: str
    users: int


class FunnelOut(BaseModel):
    """The funnel, in the order of its stages."""

    stages: list[FunnelStageOut]


class SagaOut(BaseModel):
    """An open saga: what it is about and since when."""

    service: str
    saga: str
    key: str
    opened_at: str

    @classmethod
    def of(cls, service: str, document: Mapping[str, Any]) -> "SagaOut":
        """From a document of the service's `sagas`: the first event that opened it counts."""
        opened_at = min(document["opened_at"].values())
        return cls(service=service, saga=document["saga"], key=document["key"], opened_at=opened_at)


class SagasOut(BaseModel):
    """A page of open sagas: service by service, in each by saga and key."""

    items: list[SagaOut]
    next: str | None


class FigureOut(BaseModel):
    """A figure of the registry: what it is and the rule it follows. A name with `<parts>` is asked for with them."""

    name: str
    title: str
    unit: str
    formula: str
    rule: str

    @classmethod
    def of(cls, figure: Figure) -> "FigureOut":
        """From the registry."""
        return cls(
            name=figure.usage,
            title=figure.title,
            unit=figure.unit,
            formula=figure.formula,
            rule=figure.rule,
        )


class FiguresOut(BaseModel):
    """The registry."""

    items: list[FigureOut]


class RowOut(BaseModel):
    """A row behind a figure: what it counts for, and the events it names."""

    id: str
    value: int
    events: list[str]


class FigureValueOut(BaseModel):
    """A figure with its value and a page of its rows, whose values sum to it at rest."""

    figure: FigureOut
    value: int
    rows: list[RowOut]
    next: str | None

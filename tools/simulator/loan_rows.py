"""What a loan of the accountant's is made of: its instalments, what was paid late on one, and what was not due before a prepayment."""

from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(slots=True)
class Row:
    """An instalment: what of it is open, and up to which day penalty was charged on it."""

    due_on: date
    principal_fen: int
    interest_fen: int
    charged_to: date
    fee_fen: int = 0
    penalty_fen: int = 0
    asked: bool = False
    missed: bool = False
    touched: bool = False
    """Something was paid on it, and not only its penalty."""
    since_fen: int = 0
    """Of its penalty what was charged, for days since its own, or said once those were."""

    @property
    def open_fen(self) -> int:
        """Principal and interest that are not paid."""
        return self.principal_fen + self.interest_fen

    @property
    def asked_fen(self) -> int:
        """What of it is asked: the fee as well."""
        return self.open_fen + self.fee_fen

    def fine(self, fen: int) -> None:
        """So much more penalty is owed."""
        self.penalty_fen += fen
        self.since_fen += fen if self.charged_to > self.due_on else 0

    def lapsing_fen(self) -> int:
        """Of its penalty what nobody owes as of a day before its own: whatever was paid or given up, was of the older first."""
        return min(self.since_fen, self.penalty_fen)


def row_of(row: Any) -> Row:
    """An instalment as an event asks for it."""
    due_on = date.fromisoformat(row["due_on"])
    return Row(due_on, row["principal_fen"], row["interest_fen"], charged_to=due_on, fee_fen=row["fee_fen"])


def holds(claim: Any, number: int) -> bool:
    """Whether an instalment is of those that a guarantor got this claim for; 0 is what ends a loan early."""
    if claim["through"] is None:
        return number == 0 or number >= claim["first"]
    return bool(claim["first"] <= number <= claim["through"])


@dataclass(slots=True)
class Part:
    """So much of an instalment was paid on a day; penalty was charged up to another."""

    number: int
    due_on: date
    since: date
    paid_on: date
    fen: int
    open_fen: int
    """Of it principal and interest."""


def part_of(paid: Any) -> Part:
    """What a correction says was paid and is not judged yet."""
    due_on, since, paid_on = (date.fromisoformat(paid[name]) for name in ("due_on", "since", "paid_on"))
    return Part(paid["number"], due_on, since, paid_on, paid["fee_fen"] + paid["open_fen"], paid["open_fen"])


@dataclass(slots=True)
class Rest:
    """What of a loan was not due before a payment prepaid a part of it: how many rows were, all due dates, and its rows."""

    kept: int
    dues: list[date]
    rows: list[Row]

    @property
    def principal(self) -> int:
        """What was not due of the principal."""
        return sum(row.principal_fen for row in self.rows)

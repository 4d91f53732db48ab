"""The published fees: versioned tables, one row per product, for whoever agrees on them, lists them and shows them.

They stand here because two services hold a loan to them (processes.md 1.N: "a fee not in the table is refused"), and two copies
of one table would one day differ. Which tables a profile obeys is the service's.
"""

from dataclasses import dataclass
from datetime import date

from libs.events.money import divide_fen
from libs.events.schedules.terms import RepaymentTerms

_PERMILLE = 1_000


@dataclass(frozen=True, slots=True)
class Fees:
    """What a product costs: up front of the amount, taken from the pay-out; of the interest, borne by the lenders; and of the
    amount with each instalment, borne by the borrower."""

    product: str
    origination_permille: int
    interest_permille: int
    period_permille: int = 0

    def origination_fen(self, amount_fen: int) -> int:
        """The up-front fee of an amount, in fen, half-up."""
        return divide_fen(amount_fen * self.origination_permille, _PERMILLE)


@dataclass(frozen=True, slots=True)
class FeeTable:
    """One published version: what is agreed on `since` its date, until the next one starts."""

    version: int
    since: date
    fees: tuple[Fees, ...]

    def of(self, product: str) -> Fees | None:
        """The row of a product, None where it has none: then nothing of it may be agreed on."""
        return next((fees for fees in self.fees if fees.product == product), None)


FeeTables = tuple[FeeTable, ...]
"""Published versions, oldest first. Before the first one any fee may be agreed on."""


def started(tables: FeeTables, on: date) -> FeeTables:
    """The versions published by a date, newest first."""
    return tuple(reversed([table for table in tables if table.since <= on]))


def period_fee_of(repayment: RepaymentTerms | None) -> int:
    """The fee of each instalment, in per mille of the amount; none where the loan names no manner of repayment."""
    return 0 if repayment is None else repayment.period_fee_permille


def version_of(
    tables: FeeTables,
    *,
    product: str,
    amount_fen: int,
    origination_fee_fen: int,
    interest_fee_permille: int,
    period_fee_permille: int = 0,
) -> int | None:
    """The first of these versions whose row these fees are exactly, None where they are in none of them."""
    for table in tables:
        fees = table.of(product)
        if fees is not None and (origination_fee_fen, interest_fee_permille, period_fee_permille) == (
            fees.origination_fen(amount_fen),
            fees.interest_permille,
            fees.period_permille,
        ):
            return table.version
    return None


#: The fees of profile cn-p2p-2016 (chosen), since the Interim Measures are in force.
FEES_CN: FeeTables = (
    FeeTable(
        version=1,
        since=date(2016, 8, 24),
        fees=(
            Fees("consumer", origination_permille=2, interest_permille=100),
            Fees("business", origination_permille=3, interest_permille=100),
        ),
    ),
    FeeTable(
        version=2,
        since=date(2018, 1, 1),
        fees=(
            Fees("consumer", origination_permille=2, interest_permille=100),
            Fees("business", origination_permille=3, interest_permille=100),
            Fees("bridge", origination_permille=2, interest_permille=100),
            Fees("seasonal", origination_permille=2, interest_permille=100, period_permille=1),
            Fees("instalment_plan", origination_permille=0, interest_permille=100),
        ),
    ),
)


# --- the secondary market ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TransferFee:
    """One published version of what the seller of a claim pays: per mille of its price, for offers that open `since` its date."""

    version: int
    since: date
    permille: int


TransferFees = tuple[TransferFee, ...]
"""Published versions, oldest first."""

#: The fee of profile cn-p2p-2016 (chosen), since the Interim Measures are in force.
TRANSFER_FEES_CN: TransferFees = (TransferFee(version=1, since=date(2016, 8, 24), permille=5),)


def transfer_fee(fees: TransferFees, on: date) -> TransferFee:
    """The fee of an offer that opens on a date; version 0 costs nothing, before the first one is published."""
    published = [fee for fee in fees if fee.since <= on]
    return published[-1] if published else TransferFee(version=0, since=date.min, permille=0)

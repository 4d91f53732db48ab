"""The published fees: versioned tables, one row per product, for whoever agrees on them, lists them and shows them.

They stand here because two services hold a loan to them (processes.md 1.N: "a fee not in the table is refused"), and two copies
of one table would one day differ. Which tables a profile obeys is the service's.
"""

from dataclasses import dataclass
from datetime import date

from libs.events.money import divide_fen

_PERMILLE = 1_000


@dataclass(frozen=True, slots=True)
class Fees:
    """What a product costs: up front of the amount, taken from the pay-out, and of the interest, borne by the lenders."""

    product: str
    origination_permille: int
    interest_permille: int

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


def version_of(
    tables: FeeTables, *, product: str, amount_fen: int, origination_fee_fen: int, interest_fee_permille: int
) -> int | None:
    """The first of these versions whose row these fees are exactly, None where they are in none of them."""
    for table in tables:
        fees = table.of(product)
        if fees is not None and (origination_fee_fen, interest_fee_permille) == (
            fees.origination_fen(amount_fen),
            fees.interest_permille,
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

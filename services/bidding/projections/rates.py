"""How a view keeps a rate beside its text: as a whole number, so that a database compares and orders it as one."""

from decimal import Decimal
from typing import Final

#: As many as a rate may have (libs.events.money.AnnualRate).
_RATE_DECIMALS: Final = 8


def rate_units(annual_rate: Decimal) -> int:
    """An annual rate as an integer of its last decimal, by which a list can be searched: 0.12 is 12,000,000."""
    return int(annual_rate.scaleb(_RATE_DECIMALS))

"""How the id of a case follows from that of its loan."""

from libs.events.deciding import Refused
from services.collections.commands import suffix_of


def case_of(loan_id: str) -> str:
    """The case of a loan, the same whenever it opens again: `case_` + the suffix of `loan_…`. Refused: `invalid_loan`."""
    try:
        return f"case_{suffix_of(loan_id, 'loan_')}"
    except ValueError:
        raise Refused("invalid_loan") from None

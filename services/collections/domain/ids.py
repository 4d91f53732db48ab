"""How the ids of debtors, cases and collectors follow from those of users, loans and staff."""

import re

from libs.events.deciding import Refused

#: A prefix, an underscore, and at most 64 characters that neither a document's path nor an address gives a meaning.
_ID = re.compile(r"[a-z]+_[A-Za-z0-9_-]{1,64}", re.ASCII)


def debtor_of(borrower: str) -> str:
    """The debtor's stream: `dbt_` + the suffix of `usr_…`. Raises ValueError for an id that is no user's."""
    return f"dbt_{_suffix(borrower, 'usr_')}"


def case_of(loan_id: str) -> str:
    """The case of a loan, the same whenever it opens again: `case_` + the suffix of `loan_…`. Refused: `invalid_loan`."""
    try:
        return f"case_{_suffix(loan_id, 'loan_')}"
    except ValueError:
        raise Refused("invalid_loan") from None


def collector_of(staff_id: str) -> str:
    """The collector's stream: `col_` + the suffix of `stf_…`. Raises ValueError for an id that is no staff's."""
    return f"col_{_suffix(staff_id, 'stf_')}"


def _suffix(name: str, prefix: str) -> str:
    if _ID.fullmatch(name) is None or not name.startswith(prefix):
        raise ValueError(f"{name!r} is no id of the kind {prefix}…")
    return name.removeprefix(prefix)

"""How ids that people name are looked at before anything is done with them."""

import re

from libs.events.deciding import Refused

#: A prefix, an underscore, and at most 64 characters that neither a document's path nor an address gives a meaning.
_ID = re.compile(r"[a-z]+_[A-Za-z0-9_-]{1,64}", re.ASCII)


def require_loan(loan_id: str) -> None:
    """Refused `invalid_loan` unless it is a loan's id."""
    _require(loan_id, "loan_", "invalid_loan")


def require_staff(who: str) -> None:
    """Refused `forbidden_not_staff` unless it is the id of a member of staff."""
    _require(who, "stf_", "forbidden_not_staff")


def _require(name: str, prefix: str, code: str) -> None:
    if _ID.fullmatch(name) is None or not name.startswith(prefix):
        raise Refused(code)

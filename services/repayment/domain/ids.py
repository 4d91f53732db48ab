"""How ids that people name are looked at before anything is done with them, and whose account a guarantor's is."""

import re

from libs.events.deciding import Context, Refused

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


def staff(context: Context) -> str:
    """The member of staff who acts. Refused: `forbidden_not_staff`."""
    require_staff(context.principal)
    return context.principal


def user_of_guarantor(guarantor: str) -> str:
    """The customer who a guarantor is: `usr_x` of `gua_x`. Refused: `invalid_guarantor`."""
    _require(guarantor, "gua_", "invalid_guarantor")
    return f"usr_{guarantor.removeprefix('gua_')}"


def account_of_guarantor(guarantor: str) -> str:
    """The custody account that he pays from: `acc_x` of `gua_x`. Refused: `invalid_guarantor`."""
    return f"acc_{user_of_guarantor(guarantor).removeprefix('usr_')}"


def asset_of(measure_id: str) -> str:
    """The asset that a measure takes: `ast_x` of `msr_x`. Refused: `invalid_measure`."""
    _require(measure_id, "msr_", "invalid_measure")
    return f"ast_{measure_id.removeprefix('msr_')}"


def require_account(account_id: str) -> None:
    """Refused `invalid_account` unless it is a custody account's id."""
    _require(account_id, "acc_", "invalid_account")

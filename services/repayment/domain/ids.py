"""Ids that repayment reads: who acts, and whose account a guarantor's is."""

import re
from typing import Final

from libs.events.deciding import Context, Refused

_ID: Final = re.compile(r"[a-z]+_[A-Za-z0-9_-]{1,64}")


def staff(context: Context) -> str:
    """The member of staff who acts. Refused: `forbidden_not_staff`."""
    if _ID.fullmatch(context.principal) is None or not context.principal.startswith("stf_"):
        raise Refused("forbidden_not_staff")
    return context.principal


def user_of_guarantor(guarantor: str) -> str:
    """The customer who a guarantor is: `usr_x` of `gua_x`. Refused: `invalid_guarantor`."""
    return f"usr_{_suffix(guarantor)}"


def account_of_guarantor(guarantor: str) -> str:
    """The custody account that he pays from: `acc_x` of `gua_x`. Refused: `invalid_guarantor`."""
    return f"acc_{_suffix(guarantor)}"


def _suffix(guarantor: str) -> str:
    if _ID.fullmatch(guarantor) is None or not guarantor.startswith("gua_"):
        raise Refused("invalid_guarantor")
    return guarantor.removeprefix("gua_")

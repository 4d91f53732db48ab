"""How the ids of one business thing follow from each other, so that a retry and a policy always meet the same stream."""

import re
from hashlib import sha256
from typing import Final

from libs.events.deciding import Refused
from services.bidding.commands import FEE_ACCOUNT
from services.bidding.commands.vouchers import MARKETING_ACCOUNT

#: A prefix, an underscore, and at most 64 characters that neither a document's path nor an address gives a meaning.
_ID = re.compile(r"[a-z]+_[A-Za-z0-9_-]{1,64}", re.ASCII)

#: As long as the hexadecimal digits of the ids that an API mints.
_MINTED: Final = 32

#: A user's id stands twice in each of a loan's claims, and 1,000 claims must fit into the one command that opens the loan.
USER_SUFFIX_MAX = 40


def account_of(owner: str) -> str:
    """The custody account of a user: `acc_` + the suffix of `usr_…`.

    Refused: `invalid_owner` for an id that is no user's or too long, or whose account would be the platform's.
    """
    suffix = _suffix(owner, "usr_", "invalid_owner")
    account_id = f"acc_{suffix}"
    if account_id in (FEE_ACCOUNT, MARKETING_ACCOUNT) or len(suffix) > USER_SUFFIX_MAX:
        raise Refused("invalid_owner")
    return account_id


def listing_of(loan_id: str) -> str:
    """The listing of a loan: `lst_` + the suffix of `loan_…`, so that no loan is ever listed in two streams.

    Refused: `invalid_loan`.
    """
    return f"lst_{_suffix(loan_id, 'loan_', 'invalid_loan')}"


def claim_of(loan_id: str, order: int) -> str:
    """The id of a loan's claim: `clm_<suffix of the loan>_<order>`. Refused: `invalid_loan`."""
    return f"clm_{_suffix(loan_id, 'loan_', 'invalid_loan')}_{order}"


def contract_of(loan_id: str) -> str:
    """The contract of a loan: `ctr_` + the suffix of `loan_…`. Refused: `invalid_loan`."""
    return f"ctr_{_suffix(loan_id, 'loan_', 'invalid_loan')}"


def pack_of(claim_id: str) -> str:
    """The deal pack of a claim: `pack_` + the suffix of `clm_…`. Refused: `invalid_claim`."""
    suffix = claim_id.removeprefix("clm_")
    if suffix == claim_id or not suffix:
        raise Refused("invalid_claim")
    return f"pack_{suffix}"


def loan_of_claim(claim_id: str) -> str:
    """The loan of a claim: `loan_` + the suffix of `clm_…` without the claim's order. Refused: `invalid_claim`."""
    suffix, _, order = _suffix(claim_id, "clm_", "invalid_claim").rpartition("_")
    if not suffix or not order.isdecimal():
        raise Refused("invalid_claim")
    return f"loan_{suffix}"


def require_guarantor(guarantor: str) -> None:
    """Refused `invalid_guarantor` unless it is a guarantor's id, or empty for none."""
    if guarantor:
        _suffix(guarantor, "gua_", "invalid_guarantor")


def user_of_guarantor(guarantor: str) -> str:
    """The customer who a guarantor is: `usr_x` of `gua_x`. Refused: `invalid_guarantor`."""
    return f"usr_{_suffix(guarantor, 'gua_', 'invalid_guarantor')}"


def require_offer(offer_id: str) -> None:
    """Refused `unknown_offer` unless it is an offer's id."""
    _suffix(offer_id, "offer_", "unknown_offer")


def sale_offer_of(redemption_id: str) -> str:
    """The offer that a redemption is sold by: an id like any other's, because in the order book nobody need know that its seller is in
    need (of the releases before they began with `offer_-`, and are told by their event). Refused: `unknown_redemption`.
    """
    _suffix(redemption_id, "rdm_", "unknown_redemption")
    return f"offer_{sha256(redemption_id.encode()).hexdigest()[:_MINTED]}"


def reference_of(booking_id: str) -> str:
    """The bank's reference of a booking's stream `bankref_<reference>`. Refused: `invalid_bank_reference`."""
    return _suffix(booking_id, "bankref_", "invalid_bank_reference")


def require_staff(who: str) -> None:
    """Refused `forbidden_not_staff` unless it is the id of a member of staff."""
    _suffix(who, "stf_", "forbidden_not_staff")


def require_not_himself(himself: str | None, borrower: str) -> None:
    """Refused `forbidden_borrower` where whoever signs is, as a customer, the one about whom he would."""
    if himself == borrower:
        raise Refused("forbidden_borrower")


def clearing_of(loan_id: str) -> str:
    """The posting name of money on its way between a loan's parties; never a stream."""
    return f"clearing:loan:{loan_id}"


def clearing_of_offer(offer_id: str) -> str:
    """The posting name of money on its way from the buyer of a claim to its seller; never a stream."""
    return f"clearing:offer:{offer_id}"


def clearing_of_asset(asset_id: str) -> str:
    """The posting name of money on its way from the buyer of an asset to those who have shares in it; never a stream."""
    return f"clearing:asset:{asset_id}"


def clearing_of_correction(correction_id: str, booking: str) -> str:
    """The posting name of money on its way from those who had too much to those who had too little; across a year's end it goes through
    the prior-year adjustment (processes.md 1.P). Never a stream."""
    return f"clearing:{'prior_year' if booking == 'prior_year' else 'correction'}:{correction_id}"


def _suffix(name: str, prefix: str, code: str) -> str:
    if _ID.fullmatch(name) is None or not name.startswith(prefix):
        raise Refused(code)
    return name.removeprefix(prefix)

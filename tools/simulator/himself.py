"""Who of the staff of a simulation is a customer, and that nobody signs about himself: neither his own loan nor his own claim, nor a
voucher for himself.

The actors say it with each signature, as the API does from the staff's register; the auditor looks at what came of it.
"""

from collections.abc import Callable
from typing import Any, Final

from tools.simulator.loan_books import require

#: Known from the first day. Enough others do the same work.
CUSTOMERS: Final = {
    "stf_fin1": "usr_1",
    "stf_fin4": "usr_2",
    "stf_legal": "usr_0",
    "stf_claim_list": "usr_3",
    "stf_lg3": "usr_1",
    "stf_fs3": "usr_2",
}


#: And `stf_as_usr_x` is the customer `usr_x`: some try to sign what they have a part in.
_AS: Final = "stf_as_"


def customer_behind(staff: str) -> str | None:
    """Who a member of staff is as a customer."""
    return staff.removeprefix(_AS) if staff.startswith(_AS) else CUSTOMERS.get(staff)


def member_of_staff(customer: str) -> str:
    """The member of staff who a customer is."""
    return f"{_AS}{customer}"


class HimselfBooks:
    """Whose each listing is, and who are the parties of each deal pack."""

    def __init__(self) -> None:
        self._borrowers: dict[str, str] = {}
        self._parties: dict[str, tuple[str, ...]] = {}

    def record(self, where: str, event: Any) -> None:
        """Fold one event. Raises WrongBooks."""
        handler = _HANDLERS.get(event["type"])
        if handler is not None:
            handler(self, where, event["data"])

    def _listed(self, _where: str, data: Any) -> None:
        self._borrowers[data["listing_id"]] = data["borrower"]

    def _looked_at(self, where: str, data: Any) -> None:
        who = data.get("reviewer") or data.get("checker") or data.get("executor") or ""
        self._another(where, who, self._borrowers[data["listing_id"]])

    def _packed(self, _where: str, data: Any) -> None:
        stands_in = f"usr_{data['guarantor'].removeprefix('gua_')}" if data["guarantor"] else ""
        self._parties[data["pack_id"]] = data["investor"], data["borrower"], stands_in

    def _signed(self, where: str, data: Any) -> None:
        for party in self._parties[data["pack_id"]]:
            self._another(where, data["signer"], party)

    def _given(self, where: str, data: Any) -> None:
        self._another(where, data["granted_by"], data["investor"])

    def _another(self, where: str, signer: str, customer: str) -> None:
        require(customer_behind(signer) != customer, f"{where}: {signer} signs about himself")


_HANDLERS: dict[str, Callable[[HimselfBooks, str, Any], None]] = {
    "bidding.ListingPrepared.v1": HimselfBooks._listed,
    "bidding.ListingOpened.v1": HimselfBooks._listed,
    "bidding.ListingChecked.v1": HimselfBooks._looked_at,
    "bidding.ListingReviewed.v1": HimselfBooks._looked_at,
    "bidding.LoanFunded.v1": HimselfBooks._looked_at,
    "bidding.DealPackOpened.v1": HimselfBooks._packed,
    "bidding.ReceiptConfirmed.v1": HimselfBooks._signed,
    "bidding.ClaimListIssued.v1": HimselfBooks._signed,
    "bidding.DealPackReviewed.v1": HimselfBooks._signed,
    "bidding.DealPackSentBack.v1": HimselfBooks._signed,
    "bidding.DealPackSealed.v1": HimselfBooks._signed,
    "bidding.DealPackDelivered.v1": HimselfBooks._signed,
    "bidding.VoucherGranted.v1": HimselfBooks._given,
}

"""Events of `bidding` about the papers of a loan whose contract is void after its money moved (libs.events.voidance).

A paper that was issued stays what it was, to the last byte; its list says that it is void.
"""

from datetime import date

from libs.events.codec import event
from libs.events.voiding import VoidingCode


@event("bidding.ContractVoided.v1")
class ContractVoided:
    """The loan's contract and every certificate of its claims are void, by this measure; `claims` are all that were ever lent.

    It may come before the contract, where the last of the money is collected late: then that one is void when it is issued.
    """

    contract_id: str
    loan_id: str
    borrower: str
    measure_id: str
    ground: VoidingCode
    voided_on: date
    claims: tuple[str, ...] = ()


@event("bidding.DealPackVoided.v1")
class DealPackVoided:
    """A claim's pack is void, whether it was delivered or not: nothing more is done to it."""

    pack_id: str
    loan_id: str
    claim_id: str
    investor: str
    measure_id: str
    voided_on: date

"""Events of `bidding` about the papers of a loan whose contract is void after its money moved (libs.events.voidance).

A paper that was issued stays what it was, to the last byte; its list says that it is void.
"""

from datetime import date

from libs.events.codec import event, record
from libs.events.contract_stock import Number
from libs.events.voiding import VoidingCode


@record
class SignedBlank:
    """A paper of the stock that was signed for the loan: its number in its stock."""

    stock_id: str
    number: Number


@record
class VoidedBy:
    """By which measure the contract is void, or with which listing before any money moved; why, and since when."""

    measure_id: str
    ground: VoidingCode
    voided_on: date


@event("bidding.ContractVoided.v1")
class ContractVoided:
    """The loan's contract and every certificate of its claims are void, by this measure, or with this listing; `claims` are all that were ever lent, `blanks`
    all papers of the stock that it was signed on, `knew` the lenders who knew of its illegal purpose.

    It may come before the contract, where the last of the money is collected late: then that one is void when it is issued.
    """

    contract_id: str
    loan_id: str
    borrower: str
    measure_id: str
    ground: VoidingCode
    voided_on: date
    claims: tuple[str, ...] = ()
    blanks: tuple[SignedBlank, ...] = ()
    knew: tuple[str, ...] = ()


@event("bidding.SignedBlankRecorded.v1")
class SignedBlankRecorded:
    """The loan's contract was signed on a paper of the stock; `voided` says that the contract was void before anybody said so."""

    contract_id: str
    loan_id: str
    blank: SignedBlank
    voided: VoidedBy | None


@event("bidding.SignedBlankVoided.v1")
class SignedBlankVoided:
    """The contract that was signed on this paper of the stock is void. The paper stays where it lies, or still comes back to the
    archive."""

    stock_id: str
    number: Number
    loan_id: str
    voided: VoidedBy


@event("bidding.DealPackVoided.v1")
class DealPackVoided:
    """A claim's pack is void, whether it was delivered or not: nothing more is done to it."""

    pack_id: str
    loan_id: str
    claim_id: str
    investor: str
    measure_id: str
    voided_on: date

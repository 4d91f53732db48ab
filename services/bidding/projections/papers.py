"""The view `bidding.contracts`: each loan's contract as its event tells it, so that its texts can be written again.

One document per loan, written by the contract's stream alone.
"""

from collections.abc import Sequence

from libs.events.bidding import ContractIssued
from libs.events.codec import encode, parse_json
from libs.events.records import RecordedEvent
from libs.events.views import Op, Set, View


def project(event: RecordedEvent) -> Sequence[Op]:
    """The contract under its loan's id; `contract` is the event's data as JSON."""
    issued: ContractIssued = event.data
    loan_id = issued.loan_id
    return [
        Set(loan_id, "loan_id", loan_id),
        Set(loan_id, "borrower", issued.borrower),
        Set(loan_id, "contract", parse_json(encode(ContractIssued, issued))),
        Set(loan_id, f"src.{event.stream}", event.address),
    ]


CONTRACTS = View(
    name="bidding.contracts",
    version=1,
    reads=(ContractIssued,),
    project=project,
    owner_field="borrower",
    indexes=("borrower",),
)

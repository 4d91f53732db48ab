"""From collected money to papers: a loan whose holds are all captured gets its contract, and each claim its certificate."""

from libs.events.bidding import ContractIssued, FundsCollected
from libs.events.records import RecordedEvent
from libs.events.sagas import Saga, Send, Step
from services.bidding.commands.papers import IssueContract


def on_bidding(event: RecordedEvent) -> list[Send]:
    """The next paper."""
    match event.data:
        case FundsCollected() as collected:
            return [_contract(collected)]
        case _:
            return []


def _contract(collected: FundsCollected) -> Send:
    contract = IssueContract(
        loan_id=collected.loan_id,
        borrower=collected.borrower,
        amount_fen=collected.amount_fen,
        annual_rate=collected.annual_rate,
        tenor_months=collected.tenor_months,
        grade=collected.grade,
        origination_fee_fen=collected.origination_fee_fen,
        interest_fee_permille=collected.interest_fee_permille,
        funded_on=collected.funded_on,
        claims=collected.claims,
    )
    return Send("contract", f"ctr_{collected.loan_id.removeprefix('loan_')}", contract)


SAGAS = (
    Saga(
        name="contract",
        why="A loan whose money is collected has a contract, and each of its claims a certificate.",
        opened_by={FundsCollected: lambda collected: collected.loan_id},
        closed_by={ContractIssued: lambda issued: issued.loan_id},
        steps=(Step(on=FundsCollected, send=IssueContract),),
    ),
)

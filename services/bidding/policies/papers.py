"""From collected money to papers: a loan whose holds are all captured gets its contract, each claim its certificate.

Where the profile asks for more, each claim gets a deal pack, which people make.
"""

from libs.events.bidding import (
    ContractIssued,
    FundsCollected,
)
from libs.events.deal_packs import (
    DealPackOpened,
)
from libs.events.records import RecordedEvent
from libs.events.sagas import Saga, Send, Step
from libs.events.schedules.terms import PLAIN
from libs.events.void_papers import ContractVoided
from libs.events.voidance import LoanVoided
from services.bidding.commands.papers import IssueContract, OpenDealPack, VoidContract, VoidDealPack


def on_bidding(event: RecordedEvent) -> list[Send]:
    """The next paper."""
    match event.data:
        case FundsCollected() as collected:
            return [_contract(collected)]
        case ContractIssued() as issued:
            return _packs(issued)
        case ContractVoided() as voided:
            # From here, where packs are opened: so none is opened after it is void.
            return [_void_pack(voided, claim_id) for claim_id in voided.claims]
        case _:
            return []


def on_repayment(event: RecordedEvent) -> list[Send]:
    """The contract of a void loan says so, and with it the papers of every claim that was ever lent."""
    match event.data:
        case LoanVoided() as voided:
            contract = VoidContract(
                loan_id=voided.loan_id,
                borrower=voided.borrower,
                measure_id=voided.measure_id,
                ground=voided.ground,
                voided_on=voided.voided_on,
                claims=voided.lent,
            )
            return [Send("void-contract", f"ctr_{voided.loan_id.removeprefix('loan_')}", contract)]
        case _:
            return []


def _void_pack(voided: ContractVoided, claim_id: str) -> Send:
    command = VoidDealPack(
        loan_id=voided.loan_id,
        claim_id=claim_id,
        measure_id=voided.measure_id,
        voided_on=voided.voided_on,
    )
    return Send(f"void-pack:{claim_id}", _pack(claim_id), command)


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
        guarantor=collected.guarantor or None,
        claims=collected.claims,
        method=PLAIN.method if collected.repayment is None else collected.repayment.method,
        repayment=collected.repayment,
    )
    return Send("contract", f"ctr_{collected.loan_id.removeprefix('loan_')}", contract)


def _packs(issued: ContractIssued) -> list[Send]:
    """One per claim; none where the certificate is all that a lender gets."""
    if issued.packs_due_on is None:
        return []
    return [
        Send(
            f"pack:{claim.claim_id}",
            _pack(claim.claim_id),
            OpenDealPack(
                contract_id=issued.contract_id,
                loan_id=issued.loan_id,
                claim_id=claim.claim_id,
                account_id=claim.account_id,
                investor=claim.investor,
                principal_fen=claim.principal_fen,
                certificate_hash=claim.certificate_hash,
                guarantor=issued.guarantor,
                due_on=issued.packs_due_on,
                borrower=issued.borrower,
            ),
        )
        for claim in issued.claims
    ]


def _pack(claim_id: str) -> str:
    return f"pack_{claim_id.removeprefix('clm_')}"


SAGAS = (
    Saga(
        name="contract",
        why="A loan whose money is collected has a contract, and each of its claims a certificate.",
        opened_by={FundsCollected: lambda collected: collected.loan_id},
        closed_by={ContractIssued: lambda issued: issued.loan_id},
        steps=(Step(on=FundsCollected, send=IssueContract),),
    ),
    Saga(
        name="deal pack",
        why="Where lenders get their papers on paper, a pack is opened for each claim; people make it from there.",
        opened_by={ContractIssued: lambda issued: tuple(send.stream_id for send in _packs(issued))},
        closed_by={DealPackOpened: lambda opened: opened.pack_id},
        steps=(Step(on=ContractIssued, send=OpenDealPack),),
    ),
    Saga(
        name="void papers",
        why="Who reads the papers of a void contract is told so.",
        opened_by={LoanVoided: lambda voided: voided.loan_id},
        closed_by={ContractVoided: lambda voided: voided.loan_id},
        steps=(
            Step(on=LoanVoided, send=VoidContract),
            Step(on=ContractVoided, send=VoidDealPack),
        ),
    ),
)

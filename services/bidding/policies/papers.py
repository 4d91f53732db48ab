"""From collected money to papers: a loan whose holds are all captured gets its contract, each claim its certificate.

Where the profile asks for more, each claim gets a deal pack, which people make.
"""

from typing import Final, get_args

from libs.events.bidding import (
    ContractIssued,
    FundsCollected,
    ListingCancelled,
)
from libs.events.contract_stock import BlankSigned
from libs.events.deal_packs import (
    DealPackOpened,
)
from libs.events.records import RecordedEvent
from libs.events.sagas import Saga, Send, Step
from libs.events.schedules.terms import PLAIN
from libs.events.void_papers import (
    ContractVoided,
    SignedBlank,
    SignedBlankRecorded,
    SignedBlankVoided,
    VoidedBy,
)
from libs.events.voidance import LoanVoided
from libs.events.voiding import VoidingCode
from services.bidding.commands.contract_stock import VoidSignedBlank
from services.bidding.commands.papers import (
    IssueContract,
    OpenDealPack,
    RecordSignedBlank,
    VoidContract,
    VoidDealPack,
)

#: For what a listing is cancelled because its contract is void.
_GROUNDS: Final[dict[str, VoidingCode]] = {ground: ground for ground in get_args(VoidingCode)}


def on_bidding(event: RecordedEvent) -> list[Send]:
    """The next paper."""
    match event.data:
        case FundsCollected() as collected:
            return [_contract(collected)]
        case ContractIssued() as issued:
            return _packs(issued)
        case ContractVoided() as voided:
            # From here, where packs are opened: so none is opened after it is void.
            by = VoidedBy(measure_id=voided.measure_id, ground=voided.ground, voided_on=voided.voided_on)
            return [
                *(_void_pack(voided, claim_id) for claim_id in voided.claims),
                *(_void_blank(voided.loan_id, blank, by) for blank in voided.blanks),
            ]
        case ListingCancelled() as cancelled if cancelled.code in _GROUNDS:
            contract = VoidContract(
                loan_id=cancelled.loan_id,
                borrower=cancelled.borrower,
                measure_id=cancelled.listing_id,
                ground=_GROUNDS[cancelled.code],
                voided_on=cancelled.cancelled_on,
            )
            return [Send("void-contract", _contract_of(cancelled.loan_id), contract)]
        case BlankSigned() as signed:
            blank = SignedBlank(stock_id=signed.stock_id, number=signed.number)
            recording = RecordSignedBlank(loan_id=signed.loan_id, blank=blank)
            return [Send("blank", _contract_of(signed.loan_id), recording)]
        case SignedBlankRecorded(voided=VoidedBy() as by) as late:
            return [_void_blank(late.loan_id, late.blank, by)]
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
                knew=voided.knew,
            )
            return [Send("void-contract", _contract_of(voided.loan_id), contract)]
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


def _void_blank(loan_id: str, blank: SignedBlank, by: VoidedBy) -> Send:
    command = VoidSignedBlank(number=blank.number, loan_id=loan_id, voided=by)
    return Send(f"void-blank:{_paper(blank)}", blank.stock_id, command)


def _paper(blank: SignedBlank) -> str:
    return f"{blank.stock_id}:{blank.number}"


def _contract_of(loan_id: str) -> str:
    return f"ctr_{loan_id.removeprefix('loan_')}"


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
    return Send("contract", _contract_of(collected.loan_id), contract)


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
        opened_by={
            LoanVoided: lambda voided: voided.loan_id,
            ListingCancelled: lambda cancelled: (cancelled.loan_id,) if cancelled.code in _GROUNDS else (),
        },
        closed_by={ContractVoided: lambda voided: voided.loan_id},
        steps=(
            Step(on=LoanVoided, send=VoidContract),
            Step(on=ListingCancelled, send=VoidContract),
            Step(on=ContractVoided, send=VoidDealPack),
        ),
    ),
    Saga(
        name="signed blank",
        why="The contract of a loan knows the papers of the stock that it was signed on.",
        opened_by={BlankSigned: lambda signed: f"{signed.stock_id}:{signed.number}"},
        closed_by={SignedBlankRecorded: lambda recorded: _paper(recorded.blank)},
        steps=(Step(on=BlankSigned, send=RecordSignedBlank),),
    ),
    Saga(
        name="void blank",
        why="The paper of the stock that a void contract was signed on is void.",
        opened_by={
            ContractVoided: lambda voided: tuple(_paper(blank) for blank in voided.blanks),
            SignedBlankRecorded: lambda late: (_paper(late.blank),) if late.voided else (),
        },
        closed_by={SignedBlankVoided: lambda voided: f"{voided.stock_id}:{voided.number}"},
        steps=(
            Step(on=ContractVoided, send=VoidSignedBlank),
            Step(on=SignedBlankRecorded, send=VoidSignedBlank),
        ),
    ),
)

"""The e-contract 电子合同 of a loan: written once, when its money is collected, with a certificate for each claim.

An event of its own beside `LoanFunded`, one stream per loan. It decides on hashes: the texts are written again from the event
whenever somebody wants to read them.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Literal, assert_never, get_args

from libs.events.bidding import Certificate, ClaimTerms, ContractIssued
from libs.events.codec import record
from libs.events.deciding import Aggregate, Context, Refused, WakeOn
from libs.events.onboarding import TextHash
from libs.events.void_papers import ContractVoided, SignedBlank, SignedBlankRecorded, VoidedBy
from services.bidding.commands.papers import IssueContract, RecordSignedBlank, VoidContract
from services.bidding.domain.contract_text import (
    CURRENT_VERSION,
    TEMPLATE,
    certificate_text,
    contract_text,
    hash_of,
    rows_of,
)
from services.bidding.domain.ids import contract_of
from services.bidding.domain.opening import BIDS_MAX
from services.bidding.domain.profile import Profile


@record
class NotIssued:
    """No contract yet. It may be void before it is written: its money moved, and the last of it is not collected. `blanks` are the
    papers of the stock that it was signed on."""

    kind: Literal["not_issued"] = "not_issued"
    voided: VoidedBy | None = None
    blanks: tuple[SignedBlank, ...] = ()


@record
class Issued:
    """Written, by this version of the template; the hash tells the same contract from another. It may be void since."""

    kind: Literal["issued"] = "issued"
    version: int
    content_hash: TextHash
    voided: VoidedBy | None = None
    blanks: tuple[SignedBlank, ...] = ()


ContractState = NotIssued | Issued


ContractCommand = IssueContract | VoidContract | RecordSignedBlank
ContractEvent = ContractIssued | ContractVoided | SignedBlankRecorded


def decide(
    command: ContractCommand, state: ContractState, context: Context, *, profile: Profile
) -> Sequence[ContractEvent]:
    """Write the contract, or say that it is void or signed on paper. Refusals stand on the commands."""
    match command:
        case IssueContract():
            return _issue(command, state, context, profile)
        case VoidContract():
            return _void(command, state)
        case RecordSignedBlank():
            return _record_blank(command, state)
        case _:
            assert_never(command)


def _record_blank(command: RecordSignedBlank, state: ContractState) -> Sequence[SignedBlankRecorded]:
    if command.blank in state.blanks:
        return []
    return [
        SignedBlankRecorded(
            contract_id=contract_of(command.loan_id),
            loan_id=command.loan_id,
            blank=command.blank,
            voided=state.voided,
        )
    ]


def _void(command: VoidContract, state: ContractState) -> Sequence[ContractVoided]:
    if state.voided is not None:
        return []
    return [
        ContractVoided(
            contract_id=contract_of(command.loan_id),
            loan_id=command.loan_id,
            borrower=command.borrower,
            measure_id=command.measure_id,
            ground=command.ground,
            voided_on=command.voided_on,
            claims=command.claims,
            blanks=state.blanks,
            knew=command.knew,
        )
    ]


def _issue(
    command: IssueContract, state: ContractState, context: Context, profile: Profile
) -> Sequence[ContractIssued]:
    del context  # a contract is dated by the funding
    contract_id = contract_of(command.loan_id)
    if command.annual_rate is None:
        raise Refused("rate_missing")
    _check_claims(command)
    match state:
        case Issued():
            if hash_of(contract_text(command, contract_id, state.version)) != state.content_hash:
                raise Refused("contract_exists")
            return []
        case NotIssued():
            pass
        case _:
            assert_never(state)
    content_hash = hash_of(contract_text(command, contract_id))
    return [
        ContractIssued(
            contract_id=contract_id,
            loan_id=command.loan_id,
            borrower=command.borrower,
            amount_fen=command.amount_fen,
            annual_rate=command.annual_rate,
            tenor_months=command.tenor_months,
            method=command.method,
            grade=command.grade,
            origination_fee_fen=command.origination_fee_fen,
            interest_fee_permille=command.interest_fee_permille,
            funded_on=command.funded_on,
            guarantor=command.guarantor,
            template=TEMPLATE,
            version=CURRENT_VERSION,
            content_hash=content_hash,
            claims=tuple(_certified(command, claim, contract_id, content_hash) for claim in command.claims),
            packs_due_on=None if state.voided else profile.packs_due_on(command.funded_on),
            rows=rows_of(command),
            repayment=command.repayment,
        )
    ]


def _check_claims(command: IssueContract) -> None:
    ids = [claim.claim_id for claim in command.claims]
    lent_fen = sum(claim.principal_fen for claim in command.claims)
    if not 1 <= len(ids) <= BIDS_MAX or len(dict.fromkeys(ids)) != len(ids) or lent_fen != command.amount_fen:
        raise Refused("invalid_claims")


def _certified(
    command: IssueContract, claim: ClaimTerms, contract_id: str, content_hash: TextHash
) -> Certificate:
    return Certificate(
        order=claim.order,
        claim_id=claim.claim_id,
        account_id=claim.account_id,
        investor=claim.investor,
        principal_fen=claim.principal_fen,
        certificate_hash=hash_of(certificate_text(command, claim, contract_id, content_hash)),
    )


def evolve(state: ContractState, event: ContractEvent) -> ContractState:
    """Fold one event: a text is never changed."""
    match event:
        case ContractIssued():
            return Issued(
                version=event.version,
                content_hash=event.content_hash,
                voided=state.voided,
                blanks=state.blanks,
            )
        case ContractVoided():
            return replace(state, voided=voided_by(event))
        case SignedBlankRecorded():
            return replace(state, blanks=(*state.blanks, event.blank))
        case _:
            assert_never(event)


def voided_by(event: ContractVoided) -> VoidedBy:
    """How it is void."""
    return VoidedBy(measure_id=event.measure_id, ground=event.ground, voided_on=event.voided_on)


def wake_on(_state: ContractState) -> WakeOn:
    """Time does nothing to it."""
    return None


def aggregate(profile: Profile) -> Aggregate:
    """The contract aggregate under a profile, which says whether lenders get deal packs, and when."""
    return Aggregate(
        name="contract",
        prefix="ctr",
        commands=get_args(ContractCommand),
        events=get_args(ContractEvent),
        state=ContractState,
        initial=NotIssued(),
        decide=partial(decide, profile=profile),
        evolve=evolve,
        wake_on=wake_on,
    )

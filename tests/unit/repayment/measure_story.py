"""Loan 7 is not paid as agreed: Col proposes an extension, Ria and Gus sign it, its three lenders are asked."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from libs.events.mandate import MandateAsked, MandateVoted, Voter
from libs.events.measures import (
    Extension,
    MeasureAdmitted,
    MeasureApproved,
    MeasureExecuted,
    MeasureFailed,
    MeasureProposed,
    MeasureRefused,
    MeasureSigned,
    MeasureStep,
    MeasureTerms,
    Waiver,
    WriteOff,
)
from libs.events.money import MAX_INTEGER
from libs.events.recovery_costs import PayeeConfirmed, RecoveryCostBooked
from libs.events.system import CommandRefused
from services.repayment.commands.measures import (
    AdmitMeasure,
    CompleteMeasure,
    FailMeasure,
    ProposeMeasure,
    SignMeasure,
    VoteOnMandate,
)
from tests.unit.given import TODAY

WHO: dict[str, Any] = {"measure_id": "msr_1", "loan_id": "loan_7"}
TERMS = Extension(months=2)
PAPERS: dict[str, Any] = {"reason": "income_lost", "evidence": ("vault:1",)}
VOTERS = (
    Voter(investor="usr_1", principal_fen=50_000),
    Voter(investor="usr_2", principal_fen=30_000),
    Voter(investor="usr_3", principal_fen=20_000),
)
UNTIL = TODAY + timedelta(days=10)
SIGN_UNTIL = TODAY + timedelta(days=30)

PROPOSE = ProposeMeasure(terms=TERMS, **PAPERS, **WHO)
PROPOSED = MeasureProposed(terms=TERMS, proposed_by="stf_col", proposed_on=TODAY, **PAPERS, **WHO)
ADMIT = AdmitMeasure(borrower="usr_bo", mandate="vote", voters=VOTERS, silence_consents=False)
ADMITTED = MeasureAdmitted(
    kind="extension",
    borrower="usr_bo",
    steps=("risk", "general_manager"),
    mandate="vote",
    voters=VOTERS,
    silence_consents=False,
    admitted_on=TODAY,
    sign_until=SIGN_UNTIL,
    **WHO,
)
IN_WORK = (PROPOSED, ADMITTED)


def sign(step: MeasureStep, **changed: Any) -> SignMeasure:
    """Whoever holds the post signs."""
    return SignMeasure(step=step, **changed)


def signed(step: MeasureStep, signer: str, following: MeasureStep | None) -> MeasureSigned:
    """He did."""
    return MeasureSigned(step=step, signer=signer, signed_on=TODAY, next_step=following, **WHO)


RIA = signed("risk", "stf_ria", "general_manager")
GUS = signed("general_manager", "stf_gus", None)
NO = MeasureRefused(step="general_manager", signer="stf_gus", code="not_proven", refused_on=TODAY, **WHO)
VOTE = MandateAsked(voters=VOTERS, until=UNTIL, silence_consents=False, **WHO)
VOTING = (*IN_WORK, RIA, GUS, VOTE)
YES, NAY = VoteOnMandate(agrees=True), VoteOnMandate(agrees=False)


def voted(who: int, fen: int, for_fen: int, against_fen: int = 0, *, agrees: bool = True) -> MandateVoted:
    """Lender `who` gave his word."""
    return MandateVoted(
        investor=f"usr_{who}",
        agrees=agrees,
        principal_fen=fen,
        for_fen=for_fen,
        against_fen=against_fen,
        **WHO,
    )


def approved(by: Any, for_fen: int, of_fen: int = 100_000, on: date = TODAY) -> MeasureApproved:
    """The loan does it next."""
    return MeasureApproved(terms=TERMS, mandate=by, for_fen=for_fen, of_fen=of_fen, approved_on=on, **WHO)


def failed(code: str, on: date = TODAY) -> MeasureFailed:
    """It came to nothing."""
    return MeasureFailed(code=code, failed_on=on, **WHO)


CARRIED = (*VOTING, voted(1, 50_000, 50_000), voted(3, 20_000, 70_000), approved("vote", 70_000))
EXECUTED = MeasureExecuted(kind="extension", executed_on=TODAY, **WHO)
COMPLETE, FAIL = CompleteMeasure(), FailMeasure(code="nothing_to_extend")


def by_clause(terms: MeasureTerms = TERMS) -> tuple[Any, ...]:
    """The contract has said yes before; only posts are asked."""
    admitted = replace(ADMITTED, mandate="clause", voters=())
    return (replace(PROPOSED, terms=terms), admitted)


#: Up to how much of a loan's penalty a post gives up, over its life.
WAIVABLE = {
    "collections_supervisor": 500_00,
    "risk": 5_000_00,
    "finance_supervisor": MAX_INTEGER,
}


def waiver(amount_fen: int, *steps: MeasureStep) -> tuple[MeasureProposed, MeasureAdmitted]:
    """A waiver that is proposed, and admitted with these steps."""
    terms = Waiver(amount_fen=amount_fen)
    admitted = replace(
        ADMITTED,
        kind="waiver",
        steps=steps,
        mandate="not_needed",
        voters=(),
        waivable_fen=WAIVABLE[steps[-1]],
    )
    return replace(PROPOSED, terms=terms), admitted


#: What a write-off costs, and whom it would pay.
COSTLY = WriteOff(ground="court", cost_fen=3_000, cost_account="acc_law")
COST_BOOKED = RecoveryCostBooked(
    loan_id="loan_7",
    borrower="usr_bo",
    measure_id="msr_1",
    cost_fen=3_000,
    account_id="acc_law",
    booked_on=TODAY,
)
PAYABLE = PayeeConfirmed(
    account_id="acc_law", owner="usr_law", measure_id="msr_1", loan_id="loan_7", terms=COSTLY, himself="usr_9"
)
NO_PAYEE = CommandRefused(
    command_type="bidding.ConfirmPayee",
    code="unknown_account",
    stream_id="acc_law",
    about={"payee_of": "msr_1"},
)

"""A measure: somebody proposes it, the loan says whether it could, posts sign it one after the other, its lenders give their word.

Every step is another person's, and nobody who proposes signs (processes.md 1.A, rule 5). Which post a step belongs to, the API asks
the staff. No step does anything to the loan: the complete measure sends it one command, and the loan decides on its state of that day.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import assert_never, get_args

from libs.events.deciding import Aggregate, Context, Refused, Wake, WakeOn
from libs.events.mandate import MandateAsked, MandateBy, MandateVoted, Voter
from libs.events.measures import (
    BranchMove,
    MeasureAdmitted,
    MeasureApproved,
    MeasureExecuted,
    MeasureFailed,
    MeasureProposed,
    MeasureRefused,
    MeasureSigned,
    MeasureTerms,
)
from services.repayment.commands.measures import (
    AdmitMeasure,
    CompleteMeasure,
    FailMeasure,
    ProposeMeasure,
    SignMeasure,
    VoteOnMandate,
)
from services.repayment.domain.himself import require_no_part
from services.repayment.domain.ids import require_loan, require_staff
from services.repayment.domain.mandate import Ballot, at_its_end, counted, has_carried, is_lost, vote_of
from services.repayment.domain.measure_chain import steps_of, waivable_fen
from services.repayment.domain.measure_state import (
    Approved,
    Ended,
    InWork,
    MeasureEvent,
    MeasureState,
    NotProposed,
    Proposal,
    Proposed,
    Signature,
    Voting,
    evolve,
)
from services.repayment.domain.profile import Profile, Rules
from services.repayment.domain.recovery_cost import require_other_payee

#: The phase of a day in which a vote ends (design.md 2.7): the last that repayment has.
VOTES_PHASE = 4

_End = CompleteMeasure | FailMeasure
MeasureCommand = ProposeMeasure | AdmitMeasure | SignMeasure | VoteOnMandate | _End


def decide(
    command: MeasureCommand | Wake, state: MeasureState, context: Context, *, profile: Profile
) -> Sequence[MeasureEvent]:
    """What a command does to a measure. Refusals stand on the commands."""
    match command:
        case Wake():
            return _pass(command, state)
        case ProposeMeasure():
            return _propose(command, state, context)
        case AdmitMeasure():
            return _admit(command, state, context, profile)
        case SignMeasure():
            return _sign(command, state, context, profile)
        case VoteOnMandate():
            return _vote(command, state, context)
        case CompleteMeasure() | FailMeasure():
            return _end(command, state, context)
        case _:
            assert_never(command)


# --- the proposal --------------------------------------------------------------------------------------------------


def _propose(command: ProposeMeasure, state: MeasureState, context: Context) -> Sequence[MeasureProposed]:
    proposal = Proposal(
        measure_id=command.measure_id,
        loan_id=command.loan_id,
        terms=command.terms,
        reason=command.reason,
        evidence=command.evidence,
        proposed_by=command.proposed_by or context.principal,
        debtor_id=command.debtor_id,
    )
    if not isinstance(state, NotProposed):
        if state.proposal == proposal:
            return []
        raise Refused("measure_exists")
    require_staff(proposal.proposed_by)
    require_loan(command.loan_id)
    if not command.evidence:
        raise Refused("evidence_missing")
    if isinstance(command.terms, BranchMove):
        _require_branches(command.terms, command.branch)
    return [
        MeasureProposed(
            measure_id=proposal.measure_id,
            loan_id=proposal.loan_id,
            terms=proposal.terms,
            reason=proposal.reason,
            evidence=proposal.evidence,
            proposed_by=proposal.proposed_by,
            proposed_on=context.business_date,
            debtor_id=proposal.debtor_id,
            himself=command.himself or "",
        )
    ]


def _require_branches(move: BranchMove, branch: str | None) -> None:
    """A loan goes from one's own branch to another."""
    if move.from_branch == move.to_branch:
        raise Refused("invalid_branch")
    if branch != move.from_branch:
        raise Refused("forbidden_branch")


def _admit(
    command: AdmitMeasure, state: MeasureState, context: Context, profile: Profile
) -> Sequence[MeasureAdmitted]:
    if isinstance(state, NotProposed):
        raise Refused("unknown_measure")
    if not isinstance(state, Proposed):
        return []
    proposal, rules = state.proposal, profile.on(context.business_date)
    return [
        MeasureAdmitted(
            measure_id=proposal.measure_id,
            loan_id=proposal.loan_id,
            kind=proposal.terms.kind,
            borrower=command.borrower,
            steps=steps_of(rules, proposal.terms, command.waived_before_fen),
            mandate=command.mandate,
            voters=command.voters,
            silence_consents=command.silence_consents,
            admitted_on=context.business_date,
            guarantor=command.guarantor,
            holders=command.holders,
            sign_until=_sign_until(rules, proposal.terms, context.business_date),
            waivable_fen=waivable_fen(rules, proposal.terms, command.waived_before_fen),
            flags=command.flags,
        )
    ]


def _sign_until(rules: Rules, terms: MeasureTerms, on: date) -> date:
    """What one branch releases another takes on the same day, or not at all (processes.md 1.P)."""
    return on if isinstance(terms, BranchMove) else on + timedelta(days=rules.signing_days)


# --- signatures ----------------------------------------------------------------------------------------------------


def _sign(
    command: SignMeasure, state: MeasureState, context: Context, profile: Profile
) -> Sequence[MeasureEvent]:
    signer = context.principal
    require_staff(signer)
    wanted = Signature(step=command.step, signer=signer, refused=command.refused is not None)
    match state:
        case NotProposed():
            raise Refused("unknown_measure")
        case Proposed():
            raise Refused("measure_not_admitted")
        case InWork() | Voting() | Approved() | Ended() if wanted in state.signed:
            return []
        case Ended():
            raise Refused("measure_ended")
        case InWork() | Voting() | Approved():
            if any(given.step == command.step for given in state.signed):
                raise Refused("step_signed")
        case _:
            assert_never(state)
    if not isinstance(state, InWork) or command.step != state.steps_left[0]:
        raise Refused("step_out_of_order")
    # The date may be past before the tick has reached this stream, as with a vote.
    if state.sign_until is not None and context.business_date > state.sign_until:
        raise Refused("measure_expired")
    _require_another(state, signer, command.himself)
    terms = state.proposal.terms
    require_other_payee(terms, command.himself)
    if isinstance(terms, BranchMove) and command.branch != terms.to_branch:
        raise Refused("forbidden_branch")
    if command.refused is not None:
        return [
            MeasureRefused(
                measure_id=state.proposal.measure_id,
                loan_id=state.proposal.loan_id,
                step=command.step,
                signer=signer,
                code=command.refused,
                refused_on=context.business_date,
                debtor_id=state.proposal.debtor_id,
            )
        ]
    left = state.steps_left[1:]
    signed = MeasureSigned(
        measure_id=state.proposal.measure_id,
        loan_id=state.proposal.loan_id,
        step=command.step,
        signer=signer,
        signed_on=context.business_date,
        next_step=left[0] if left else None,
    )
    return [signed] if left else [signed, _after_the_last(state, context, profile)]


def _require_another(state: InWork, signer: str, himself: str | None) -> None:
    """Whoever has a part in the loan is not asked, and nobody is asked twice."""
    require_no_part(himself, borrower=state.borrower, guarantor=state.guarantor, holders=state.holders)
    if signer in (state.proposal.proposed_by, *(given.signer for given in state.signed)):
        raise Refused("forbidden_second_signature")


def _after_the_last(state: InWork, context: Context, profile: Profile) -> MandateAsked | MeasureApproved:
    need = state.need
    if need.by != "vote":
        return replace(_approved(state.proposal, context, need.by), waivable_fen=state.waivable_fen)
    days = profile.on(context.business_date).mandate_days
    return MandateAsked(
        measure_id=state.proposal.measure_id,
        loan_id=state.proposal.loan_id,
        voters=need.voters,
        until=context.business_date + timedelta(days=days),
        silence_consents=need.silence_consents,
    )


# --- the lenders' word ---------------------------------------------------------------------------------------------


def _vote(command: VoteOnMandate, state: MeasureState, context: Context) -> Sequence[MeasureEvent]:
    # Whoever has no vote is told no more than that there is nothing for him.
    if context.principal not in {voter.investor for voter in _voters(state)}:
        raise Refused("unknown_measure")
    ballot = None if isinstance(state, NotProposed | Proposed | InWork) else state.ballot
    if ballot is None:
        raise Refused("no_vote_open")
    voter = vote_of(ballot, context.principal, agrees=command.agrees)
    if voter is None:
        return []
    # The date may be past before the tick has reached this stream: the vote ends with its day all the same.
    if not isinstance(state, Voting) or context.business_date > ballot.until:
        raise Refused("no_vote_open")
    after = counted(ballot, voter, agrees=command.agrees)
    voted = MandateVoted(
        measure_id=state.proposal.measure_id,
        loan_id=state.proposal.loan_id,
        investor=voter.investor,
        agrees=command.agrees,
        principal_fen=voter.principal_fen,
        for_fen=after.for_fen,
        against_fen=after.against_fen,
    )
    if has_carried(after):
        return [voted, _approved(state.proposal, context, "vote", after)]
    return (
        [voted, _failed(state.proposal, "mandate_denied", context.business_date)]
        if is_lost(after)
        else [voted]
    )


def _voters(state: MeasureState) -> tuple[Voter, ...]:
    match state:
        case NotProposed() | Proposed():
            return ()
        case InWork():
            return state.need.voters
        case Voting() | Approved() | Ended():
            return state.ballot.voters if state.ballot else ()
        case _:
            assert_never(state)


def _pass(wake: Wake, state: MeasureState) -> Sequence[MeasureApproved | MeasureFailed]:
    """The last day of its signatures, or of a vote, is over."""
    due = wake_on(state)
    if due is None or (wake.business_date, wake.phase) < due:
        return []
    assert isinstance(state, InWork | Voting), "only signatures and a vote have a last day"
    on = wake.business_date
    if isinstance(state, InWork):
        return [_failed(state.proposal, "expired", on)]
    given = at_its_end(state.ballot)
    if given is not None:
        return [_approval(state.proposal, on, given, state.ballot)]
    return [_failed(state.proposal, "mandate_expired", on)]


def wake_on(state: MeasureState) -> WakeOn:
    """The end of the days in which it is signed, then of its vote."""
    match state:
        case InWork(sign_until=date() as last):
            return last, VOTES_PHASE
        case Voting():
            return state.ballot.until, VOTES_PHASE
        case _:
            return None


# --- its end -------------------------------------------------------------------------------------------------------


def _end(command: _End, state: MeasureState, context: Context) -> Sequence[MeasureExecuted | MeasureFailed]:
    match state:
        case NotProposed():
            raise Refused("unknown_measure")
        case Ended():
            return []
        case Proposed() | InWork() | Voting() | Approved():
            proposal = state.proposal
        case _:
            assert_never(state)
    if isinstance(command, FailMeasure):
        return [_failed(proposal, command.code, context.business_date)]
    if not isinstance(state, Approved):
        raise Refused("measure_not_approved")
    return [
        MeasureExecuted(
            measure_id=proposal.measure_id,
            loan_id=proposal.loan_id,
            kind=proposal.terms.kind,
            executed_on=context.business_date,
            debtor_id=proposal.debtor_id,
        )
    ]


def _approved(
    proposal: Proposal, context: Context, by: MandateBy, ballot: Ballot | None = None
) -> MeasureApproved:
    return _approval(proposal, context.business_date, by, ballot)


def _approval(proposal: Proposal, on: date, by: MandateBy, ballot: Ballot | None) -> MeasureApproved:
    return MeasureApproved(
        measure_id=proposal.measure_id,
        loan_id=proposal.loan_id,
        terms=proposal.terms,
        mandate=by,
        for_fen=ballot.for_fen if ballot else 0,
        of_fen=ballot.of_fen if ballot else 0,
        approved_on=on,
    )


def _failed(proposal: Proposal, code: str, on: date) -> MeasureFailed:
    return MeasureFailed(
        measure_id=proposal.measure_id,
        loan_id=proposal.loan_id,
        code=code,
        failed_on=on,
        debtor_id=proposal.debtor_id,
    )


def measure_aggregate(profile: Profile) -> Aggregate:
    """The aggregate of the streams `msr_…` under a profile's limits and days."""
    return Aggregate(
        name="measure",
        prefix="msr",
        commands=get_args(MeasureCommand),
        events=get_args(MeasureEvent),
        state=MeasureState,
        initial=NotProposed(),
        decide=partial(decide, profile=profile),
        evolve=evolve,
        wake_on=wake_on,
    )

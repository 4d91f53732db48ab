"""The register of guarantors 担保方: who may stand in for loans, up to which sum together, and for which he does.

The platform strictly reviews whom it brings in (processes.md 1.J) and guarantees nothing itself (domain.md section 9, red line 2). Two
people admit a guarantor, for a year at most *(chosen: it is reviewed yearly)*, on terms that both of them name: what waits is not changed
under the eyes of whoever agrees to it, but refused or agreed to, and for less. He is jointly liable: a contract by which he is asked so
many days after a due date is no general guarantee, under which the debtor is sued first (Civil Code art. 687, 688). A loan counts from before its listing opens, because only
this stream sees all of them (docs/decisions/0009), until it is repaid, compensated or never came about.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import assert_never, get_args

from libs.events.deciding import Aggregate, Context, Refused, Wake, WakeOn
from libs.events.guarantees import (
    GuaranteeDeclined,
    GuaranteeReduced,
    GuaranteeReserved,
    GuarantorAdmitted,
    GuarantorProposed,
    GuarantorRefused,
    GuarantorSuspended,
)
from libs.events.reopening import GuaranteeRestored
from services.repayment.commands.guarantees import (
    AdmitGuarantor,
    ProposeGuarantor,
    ReduceGuarantee,
    RefuseGuarantor,
    ReserveGuarantee,
    RestoreGuarantee,
    SuspendGuarantor,
)
from services.repayment.domain.compensation_days import EXPIRY_PHASE
from services.repayment.domain.guaranteed import counts_for
from services.repayment.domain.guarantor_state import (
    Admitted,
    GuarantorEvent,
    GuarantorState,
    NotProposed,
    Proposed,
    Suspended,
    Terms,
    evolve,
    terms_of,
)
from services.repayment.domain.ids import staff, user_of_guarantor
from services.repayment.domain.profile import Profile, Rules

GuarantorCommand = (
    ProposeGuarantor
    | AdmitGuarantor
    | RefuseGuarantor
    | SuspendGuarantor
    | ReserveGuarantee
    | ReduceGuarantee
    | RestoreGuarantee
)


def decide(
    command: GuarantorCommand | Wake, state: GuarantorState, context: Context, *, profile: Profile
) -> Sequence[GuarantorEvent]:
    """The register's answer to a command. Refusals stand on the commands."""
    rules = profile.on(context.business_date)
    if isinstance(command, Wake):
        return _pass(command, state, profile)
    if isinstance(command, ProposeGuarantor):
        return _propose(rules, command, state, context)
    if isinstance(state, NotProposed):
        if isinstance(command, ReduceGuarantee | RestoreGuarantee):
            return []  # a loan opened by hand may name one who is not in the register
        if isinstance(command, RefuseGuarantor) and state.refused:
            return []
        raise Refused("unknown_guarantor")
    match command:
        case AdmitGuarantor():
            return _admit(rules, command, state, context)
        case RefuseGuarantor():
            return _refuse(command, state, context)
        case SuspendGuarantor():
            return _suspend(command, state, context)
        case ReserveGuarantee():
            return _reserve(command, state, context)
        case ReduceGuarantee():
            return _reduce(command, state)
        case RestoreGuarantee():
            return _restore(command, state)
        case _:
            assert_never(command)


# --- two people ----------------------------------------------------------------------------------------------------


def _judge(command: ProposeGuarantor | AdmitGuarantor | RefuseGuarantor, context: Context) -> str:
    """The member of staff who acts, and is not the guarantor himself."""
    who = staff(context)
    if command.himself == user_of_guarantor(command.guarantor):
        raise Refused("forbidden_guarantor")
    return who


def _propose(
    rules: Rules, command: ProposeGuarantor, state: GuarantorState, context: Context
) -> Sequence[GuarantorProposed]:
    user_of_guarantor(command.guarantor)
    who, on = _judge(command, context), context.business_date
    if not on < command.valid_to <= on + timedelta(days=rules.guarantor_days):
        raise Refused("invalid_date")
    if command.liability not in rules.liabilities:
        raise Refused("liability_not_taken")
    _require_worth(rules, command)
    proposed = GuarantorProposed(
        guarantor=command.guarantor,
        limit_fen=command.limit_fen,
        valid_to=command.valid_to,
        file=command.file,
        proposed_by=who,
        proposed_on=on,
        liability=command.liability,
        net_assets_fen=command.net_assets_fen,
        elsewhere_fen=command.elsewhere_fen,
        sign_until=min(on + timedelta(days=rules.signing_days), command.valid_to),
    )
    waiting = None if isinstance(state, NotProposed) else state.proposal
    if waiting is None or _is_stale(rules, waiting, on):
        return [proposed]
    if replace(waiting, proposed_on=on, sign_until=proposed.sign_until) == terms_of(proposed):
        return []
    raise Refused("proposal_waits")


def _require_worth(rules: Rules, command: ProposeGuarantor) -> None:
    """All that he guarantees, here and elsewhere, is a multiple of what he owns at most, where his file says it."""
    if command.net_assets_fen is None:
        return
    if command.limit_fen + command.elsewhere_fen > rules.guarantor_multiple * command.net_assets_fen:
        raise Refused("limit_too_high")


def _is_stale(rules: Rules, waiting: Terms, on: date) -> bool:
    """Whether nobody agreed to it for so long that its file has to be read again; the date may be past before the tick has reached it."""
    return on > _signs_until(rules, waiting)


def _signs_until(rules: Rules, waiting: Terms) -> date:
    """The last day on which somebody agrees to it, also where its event names none."""
    if waiting.sign_until is not None:
        return waiting.sign_until
    if waiting.proposed_on is None:
        return waiting.valid_to
    return min(waiting.valid_to, waiting.proposed_on + timedelta(days=rules.signing_days))


def _admit(
    rules: Rules, command: AdmitGuarantor, state: Proposed | Admitted | Suspended, context: Context
) -> Sequence[GuarantorAdmitted]:
    who, proposal, on = _judge(command, context), state.proposal, context.business_date
    if proposal is None:
        if isinstance(state, Suspended):
            raise Refused("nothing_proposed")
        return []
    if who == proposal.proposed_by:
        raise Refused("forbidden_same_person")
    limit_fen, valid_to = command.limit_fen or proposal.limit_fen, command.valid_to or proposal.valid_to
    if limit_fen > proposal.limit_fen or valid_to > proposal.valid_to:
        raise Refused("above_proposal")
    if on > valid_to:
        raise Refused("too_late")
    if _is_stale(rules, proposal, on):
        raise Refused("proposal_expired")
    return [
        GuarantorAdmitted(
            guarantor=state.guarantor,
            limit_fen=limit_fen,
            valid_to=valid_to,
            guaranteed_fen=0 if isinstance(state, Proposed) else state.guaranteed_fen,
            proposed_by=proposal.proposed_by,
            admitted_by=who,
            admitted_on=on,
            liability=proposal.liability,
        )
    ]


def _refuse(
    command: RefuseGuarantor, state: Proposed | Admitted | Suspended, context: Context
) -> Sequence[GuarantorRefused]:
    who = _judge(command, context)
    if state.proposal is None:
        return []
    return [
        GuarantorRefused(
            guarantor=state.guarantor, code=command.code, refused_by=who, refused_on=context.business_date
        )
    ]


def _suspend(
    command: SuspendGuarantor, state: Proposed | Admitted | Suspended, context: Context
) -> Sequence[GuarantorSuspended]:
    who = staff(context)
    match state:
        case Proposed():
            raise Refused("unknown_guarantor")
        case Suspended():
            return []
        case Admitted():
            return [
                GuarantorSuspended(
                    guarantor=state.guarantor,
                    code=command.code,
                    suspended_by=who,
                    suspended_on=context.business_date,
                )
            ]
        case _:
            assert_never(state)


# --- loans ---------------------------------------------------------------------------------------------------------


def _reserve(
    command: ReserveGuarantee, state: Proposed | Admitted | Suspended, context: Context
) -> Sequence[GuaranteeReserved | GuaranteeDeclined]:
    if not isinstance(state, Proposed) and counts_for(state.loans, command.loan_id):
        return []
    code = _why_not(command, state, context.business_date)
    if code is not None or not isinstance(state, Admitted):
        return [
            GuaranteeDeclined(
                guarantor=state.guarantor,
                application_id=command.application_id,
                loan_id=command.loan_id,
                amount_fen=command.amount_fen,
                code=code or "guarantor_not_admitted",
            )
        ]
    return [
        GuaranteeReserved(
            guarantor=state.guarantor,
            application_id=command.application_id,
            loan_id=command.loan_id,
            amount_fen=command.amount_fen,
            guaranteed_fen=state.guaranteed_fen + command.amount_fen,
            limit_fen=state.terms.limit_fen,
        )
    ]


def _why_not(command: ReserveGuarantee, state: Proposed | Admitted | Suspended, on: date) -> str | None:
    if isinstance(state, Proposed):
        return "guarantor_not_admitted"
    if isinstance(state, Suspended):
        return "guarantor_suspended"
    if command.borrower == user_of_guarantor(state.guarantor):
        return "guarantor_is_borrower"
    if on > state.terms.valid_to:
        return "guarantor_expired"
    is_above = state.guaranteed_fen + command.amount_fen > state.terms.limit_fen
    return "guarantor_limit_exceeded" if is_above else None


def _reduce(command: ReduceGuarantee, state: Proposed | Admitted | Suspended) -> Sequence[GuaranteeReduced]:
    before_fen = 0 if isinstance(state, Proposed) else counts_for(state.loans, command.loan_id)
    if isinstance(state, Proposed) or before_fen <= command.left_fen:
        return []
    amount_fen = before_fen - command.left_fen
    return [
        GuaranteeReduced(
            guarantor=state.guarantor,
            loan_id=command.loan_id,
            amount_fen=amount_fen,
            left_fen=command.left_fen,
            guaranteed_fen=state.guaranteed_fen - amount_fen,
        )
    ]


def _restore(
    command: RestoreGuarantee, state: Proposed | Admitted | Suspended
) -> Sequence[GuaranteeRestored | GuaranteeReduced]:
    """A correction says what is so: nobody is asked whether there is room, and a suspended guarantor stands in for it as before."""
    before_fen = 0 if isinstance(state, Proposed) else counts_for(state.loans, command.loan_id)
    if isinstance(state, Proposed) or command.owed_fen == before_fen:
        return []
    if command.owed_fen < before_fen:
        less = ReduceGuarantee(
            guarantor=command.guarantor, loan_id=command.loan_id, left_fen=command.owed_fen
        )
        return _reduce(less, state)
    amount_fen = command.owed_fen - before_fen
    return [
        GuaranteeRestored(
            guarantor=state.guarantor,
            loan_id=command.loan_id,
            amount_fen=amount_fen,
            left_fen=command.owed_fen,
            guaranteed_fen=state.guaranteed_fen + amount_fen,
        )
    ]


def _pass(wake: Wake, state: GuarantorState, profile: Profile) -> Sequence[GuarantorRefused]:
    """The last day on which somebody could agree to what is proposed is over."""
    due = wake_on(state, profile=profile)
    if due is None or (wake.business_date, wake.phase) < due:
        return []
    assert not isinstance(state, NotProposed), "only what is proposed has a last day"
    return [
        GuarantorRefused(
            guarantor=state.guarantor, code="expired", refused_by="", refused_on=wake.business_date
        )
    ]


def wake_on(state: GuarantorState, *, profile: Profile) -> WakeOn:
    """The end of the last day of what is proposed. Whether a guarantor is still valid is asked when it counts."""
    waiting = None if isinstance(state, NotProposed) else state.proposal
    if waiting is None:
        return None
    rules = profile.on(waiting.proposed_on or waiting.valid_to)
    return _signs_until(rules, waiting), EXPIRY_PHASE


def guarantor_aggregate(profile: Profile) -> Aggregate:
    """The aggregate of the streams `gua_…` under a profile's rules."""
    return Aggregate(
        name="guarantor",
        prefix="gua",
        commands=get_args(GuarantorCommand),
        events=get_args(GuarantorEvent),
        state=GuarantorState,
        initial=NotProposed(),
        decide=partial(decide, profile=profile),
        evolve=evolve,
        wake_on=partial(wake_on, profile=profile),
    )

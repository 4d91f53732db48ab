"""The last gate before a listing 放款条件: every paper is seen, the caps are kept today, and the guarantor has room for the loan."""

from collections.abc import Sequence

from libs.events.application import GuaranteeRequested, PrecedentsChecked
from libs.events.deciding import Context, Refused
from libs.events.onboarding import PrecedentsMet
from services.onboarding.commands import ConfirmPrecedents, MeetPrecedents
from services.onboarding.domain.application_state import (
    Accepted,
    ApplicationState,
    AtCapCheck,
    AtGuarantor,
    Ready,
)
from services.onboarding.domain.profile import CAPS_CHECKED, GUARANTOR_SIGNED, PRECEDENTS, Profile
from services.onboarding.domain.signing import (
    BEFORE_DISBURSEMENT,
    independent_staff,
    misplaced,
    require_in_time,
)


def check(
    command: ConfirmPrecedents, state: ApplicationState, context: Context, profile: Profile
) -> Sequence[PrecedentsChecked]:
    """All green, seen by somebody who had no part in the approval (processes.md 1.A rule 2, 1.G.4)."""
    if isinstance(state, AtCapCheck | AtGuarantor | Ready):
        return []
    if not isinstance(state, Accepted):
        raise misplaced(state)
    who = independent_staff(context, state.case, *BEFORE_DISBURSEMENT)
    require_in_time(state, context.business_date)
    needed = (*PRECEDENTS, GUARANTOR_SIGNED) if state.terms.guarantor else PRECEDENTS
    if tuple(sorted(command.checks)) != tuple(sorted(needed)):
        raise Refused("precedents_missing")
    if not profile.allows_cost(state.terms, context.business_date):
        raise Refused("invalid_rate")
    request = state.case.request
    return [
        PrecedentsChecked(
            application_id=request.application_id,
            loan_id=request.loan_id,
            applicant=request.applicant,
            checks=needed,
            checked_by=who,
        )
    ]


def meet(command: MeetPrecedents, state: ApplicationState) -> Sequence[PrecedentsMet | GuaranteeRequested]:
    """The caps are kept today, too: the listing may open, or the guarantor is asked first."""
    if isinstance(state, AtGuarantor | Ready):
        return []
    if not isinstance(state, AtCapCheck):
        raise misplaced(state)
    if state.terms.guarantor:
        request = state.case.request
        return [
            GuaranteeRequested(
                application_id=request.application_id,
                loan_id=request.loan_id,
                applicant=request.applicant,
                guarantor=state.terms.guarantor,
                amount_fen=state.terms.amount_fen,
                exposure_fen=command.exposure_fen,
                related_to_staff=command.related_to_staff,
            )
        ]
    return _met(state, command.exposure_fen, related_to_staff=command.related_to_staff)


def confirm_guarantee(state: ApplicationState) -> Sequence[PrecedentsMet]:
    """The guarantor's limit has room, too."""
    if isinstance(state, Ready):
        return []
    if not isinstance(state, AtGuarantor):
        raise misplaced(state)
    return _met(state, state.exposure_fen, related_to_staff=state.related_to_staff)


def _met(
    state: AtCapCheck | AtGuarantor, exposure_fen: int | None, *, related_to_staff: bool
) -> Sequence[PrecedentsMet]:
    request, borrower, terms = state.case.request, state.case.borrower, state.terms
    return [
        PrecedentsMet(
            application_id=request.application_id,
            loan_id=request.loan_id,
            borrower=request.applicant,
            borrower_kind=borrower.kind,
            region=borrower.region,
            product=request.product,
            purpose=request.purpose,
            owner=borrower.owner,
            related=borrower.related,
            amount_fen=terms.amount_fen,
            annual_rate=terms.annual_rate,
            tenor_months=terms.tenor_months,
            grade=terms.grade,
            origination_fee_fen=terms.origination_fee_fen,
            interest_fee_permille=terms.interest_fee_permille,
            window_days=terms.window_days,
            method=terms.method,
            checks=(*state.checks, CAPS_CHECKED),
            checked_by=state.checked_by,
            exposure_fen=exposure_fen,
            related_to_staff=related_to_staff,
            repayment=terms.repayment,
            guarantor=terms.guarantor,
        )
    ]

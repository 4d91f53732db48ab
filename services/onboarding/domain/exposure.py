"""What a user may still borrow: every loan counts from its approval, and all of them together stay under the cap of the day.

It lives in the user's stream because a cap is a rule about one borrower: two applications of his meet here, one after the
other, whichever committee was quicker (rules.md 1.8).
"""

from collections.abc import Sequence

from libs.events.deciding import Context
from libs.events.money import MAX_INTEGER
from libs.events.onboarding import (
    ExposureConfirmed,
    ExposureDeclined,
    ExposureReduced,
    ExposureReleased,
    ExposureReserved,
    ExposureRevoked,
)
from libs.events.reopening import ExposureRestored
from services.onboarding.commands import (
    ConfirmExposure,
    ReduceExposure,
    ReleaseExposure,
    ReserveExposure,
    RestoreExposure,
)
from services.onboarding.domain.profile import Profile
from services.onboarding.domain.user_state import Registered, UserState, Verified


def reserve(
    command: ReserveExposure, state: Registered | Verified, context: Context, profile: Profile
) -> Sequence[ExposureReserved | ExposureDeclined]:
    """All of the borrower's loans together stay at or below the cap of the day (rules.md 1.8)."""
    customer = state.customer
    cap_fen = profile.cap_fen(customer.kind, context.business_date)
    before_fen = state.exposure_fen if isinstance(state, Verified) else 0
    after_fen = before_fen + command.amount_fen
    if not isinstance(state, Verified):
        code = "not_verified"
    elif state.exposure_of(command.loan_id) is not None:
        return []
    elif not _is_within(after_fen, cap_fen):
        code = "exposure_cap_exceeded"
    else:
        return [
            ExposureReserved(
                user_id=customer.user_id,
                application_id=command.application_id,
                loan_id=command.loan_id,
                amount_fen=command.amount_fen,
                exposure_after_fen=after_fen,
                cap_fen=cap_fen,
                owner=customer.owner,
                related=customer.related,
            )
        ]
    return [
        ExposureDeclined(
            user_id=customer.user_id,
            application_id=command.application_id,
            loan_id=command.loan_id,
            amount_fen=command.amount_fen,
            exposure_fen=before_fen,
            cap_fen=cap_fen,
            code=code,
        )
    ]


def _is_within(exposure_fen: int, cap_fen: int | None) -> bool:
    return exposure_fen <= (MAX_INTEGER if cap_fen is None else cap_fen)


def confirm(
    command: ConfirmExposure, state: UserState, context: Context, profile: Profile
) -> Sequence[ExposureConfirmed | ExposureRevoked]:
    """Look again before a listing opens and before money moves: a cap may have come into force, or come down, since approval.

    A loan that does not fit any more stops counting at once, so no second step can forget it.
    """
    counted = state.exposure_of(command.loan_id) if isinstance(state, Verified) else None
    if counted is None or not isinstance(state, Verified):
        left_fen = state.exposure_fen if isinstance(state, Verified) else 0
        return [_revoked(command, 0, left_fen, None, "exposure_unknown")]
    cap_fen = profile.cap_fen(state.customer.kind, context.business_date)
    if not _is_within(state.exposure_fen, cap_fen):
        left_fen = state.exposure_fen - counted.amount_fen
        return [_revoked(command, counted.amount_fen, left_fen, cap_fen, "exposure_cap_exceeded")]
    return [
        ExposureConfirmed(
            user_id=command.user_id,
            application_id=command.application_id,
            loan_id=command.loan_id,
            exposure_fen=state.exposure_fen,
            cap_fen=cap_fen,
            step=command.step,
            related_to_staff=bool(state.customer.ties),
        )
    ]


def _revoked(
    command: ConfirmExposure, counted_fen: int, left_fen: int, cap_fen: int | None, code: str
) -> ExposureRevoked:
    return ExposureRevoked(
        user_id=command.user_id,
        application_id=command.application_id,
        loan_id=command.loan_id,
        amount_fen=counted_fen,
        exposure_after_fen=left_fen,
        cap_fen=cap_fen,
        code=code,
        step=command.step,
    )


def reduce(command: ReduceExposure, state: UserState) -> Sequence[ExposureReduced | ExposureReleased]:
    """A loan that was repaid to the last fen does not count any more, so it is released at once."""
    exposure = state.exposure_of(command.loan_id) if isinstance(state, Verified) else None
    if exposure is None or not isinstance(state, Verified):
        return []
    if command.amount_fen >= exposure.amount_fen:
        return release(
            ReleaseExposure(user_id=command.user_id, loan_id=command.loan_id, reason="repaid"), state
        )
    return [
        ExposureReduced(
            user_id=state.customer.user_id,
            loan_id=command.loan_id,
            amount_fen=command.amount_fen,
            loan_exposure_after_fen=exposure.amount_fen - command.amount_fen,
            exposure_after_fen=state.exposure_fen - command.amount_fen,
        )
    ]


def restore(
    command: RestoreExposure, state: UserState
) -> Sequence[ExposureRestored | ExposureReduced | ExposureReleased]:
    """What is owed counts, above the cap too: a correction says what is so, and asks for nothing."""
    if not isinstance(state, Verified):
        return []
    exposure = state.exposure_of(command.loan_id)
    more_fen = command.owed_fen - (exposure.amount_fen if exposure else 0)
    if more_fen < 0:
        less = ReduceExposure(user_id=command.user_id, loan_id=command.loan_id, amount_fen=-more_fen)
        return reduce(less, state)
    if more_fen == 0:
        return []
    return [
        ExposureRestored(
            user_id=state.customer.user_id,
            loan_id=command.loan_id,
            amount_fen=more_fen,
            loan_exposure_after_fen=command.owed_fen,
            exposure_after_fen=state.exposure_fen + more_fen,
        )
    ]


def release(command: ReleaseExposure, state: UserState) -> Sequence[ExposureReleased]:
    """The loan never comes about, or is repaid."""
    exposure = state.exposure_of(command.loan_id) if isinstance(state, Verified) else None
    if exposure is None or not isinstance(state, Verified):
        return []
    return [
        ExposureReleased(
            user_id=state.customer.user_id,
            loan_id=command.loan_id,
            amount_fen=exposure.amount_fen,
            exposure_after_fen=state.exposure_fen - exposure.amount_fen,
            reason=command.reason,
        )
    ]

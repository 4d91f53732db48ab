"""What a redemption remembers: its form, who has signed what, until when, and how its events change that."""

from dataclasses import replace
from datetime import date
from typing import Literal, assert_never

from libs.events.codec import record
from libs.events.money import Count, PositiveFen
from libs.events.redemption import (
    RedemptionApproved,
    RedemptionAsked,
    RedemptionDeclined,
    RedemptionFormCompleted,
    RedemptionLapsed,
    RedemptionReason,
    RedemptionRefused,
    RedemptionReleased,
    RedemptionReleaseRefused,
    RedemptionSold,
    RedemptionStep,
)

#: All steps in their order.
STEPS: tuple[RedemptionStep, ...] = (
    "market_specialist",
    "department_head",
    "branch_general_manager",
    "market_director",
    "release",
)


@record
class Form:
    """What the lender asked for."""

    redemption_id: str
    investor: str
    account_id: str
    offer_id: str
    reason: RedemptionReason
    price_permille: Count
    principal_fen: PositiveFen | None


@record
class Signed:
    """Who did a step; `refused` where he refused."""

    step: RedemptionStep
    signer: str
    refused: bool = False


@record
class NotAsked:
    """No such redemption."""

    kind: Literal["not_asked"] = "not_asked"


@record
class Asked:
    """The offer that was named is asked whether it stayed unsold; it always answers."""

    kind: Literal["asked"] = "asked"
    form: Form


@record
class InWork:
    """The form is complete: it waits for `next_step` until the end of `deadline`."""

    kind: Literal["in_work"] = "in_work"
    form: Form
    claim_id: str
    loan_id: str
    completed_on: date
    deadline: date
    next_step: RedemptionStep
    signed: tuple[Signed, ...] = ()


@record
class Released:
    """The sale stands in the order book; how it ends, its offer says."""

    kind: Literal["released"] = "released"
    form: Form
    completed_on: date
    sale_offer_id: str
    signed: tuple[Signed, ...]


@record
class Ended:
    """Declined, refused, sold or lapsed."""

    kind: Literal["ended"] = "ended"
    form: Form
    signed: tuple[Signed, ...]


RedemptionState = NotAsked | Asked | InWork | Released | Ended
RedemptionEvent = (
    RedemptionAsked
    | RedemptionDeclined
    | RedemptionFormCompleted
    | RedemptionApproved
    | RedemptionRefused
    | RedemptionReleaseRefused
    | RedemptionReleased
    | RedemptionSold
    | RedemptionLapsed
)


def evolve(state: RedemptionState, event: RedemptionEvent) -> RedemptionState:
    """Fold one event. Never refuses: what happened, happened."""
    match event:
        case RedemptionAsked():
            return Asked(form=_form(event))
        case RedemptionDeclined():
            assert isinstance(state, Asked), "only what was asked is declined"
            return Ended(form=state.form, signed=())
        case RedemptionFormCompleted():
            assert isinstance(state, Asked), "only what was asked is complete"
            return InWork(
                form=state.form,
                claim_id=event.claim_id,
                loan_id=event.loan_id,
                completed_on=event.completed_on,
                deadline=event.deadline,
                next_step=event.next_step,
            )
        case RedemptionApproved():
            assert isinstance(state, InWork), "only a complete form is approved"
            signed = (*state.signed, Signed(step=event.step, signer=event.signer))
            return replace(state, next_step=event.next_step, signed=signed)
        case RedemptionRefused():
            assert isinstance(state, InWork), "only a complete form is refused"
            last = Signed(step=event.step, signer=event.signer, refused=True)
            return Ended(form=state.form, signed=(*state.signed, last))
        case RedemptionReleaseRefused():
            assert isinstance(state, InWork), "only what was approved waits for its release"
            last = Signed(step="release", signer=event.signer, refused=True)
            return Ended(form=state.form, signed=(*state.signed, last))
        case RedemptionReleased():
            assert isinstance(state, InWork), "only a complete form is released"
            return Released(
                form=state.form,
                completed_on=state.completed_on,
                sale_offer_id=event.sale_offer_id,
                signed=(*state.signed, Signed(step="release", signer=event.signer)),
            )
        case RedemptionSold() | RedemptionLapsed():
            assert isinstance(state, InWork | Released), "only what goes on ends"
            return Ended(form=state.form, signed=state.signed)
        case _:
            assert_never(event)


def _form(event: RedemptionAsked) -> Form:
    return Form(
        redemption_id=event.redemption_id,
        investor=event.investor,
        account_id=event.account_id,
        offer_id=event.offer_id,
        reason=event.reason,
        price_permille=event.price_permille,
        principal_fen=event.principal_fen,
    )

"""What onboarding does next about an event of its own, of bidding or of repayment, and the table of its sagas.

Pure: an event carries all that the next step needs. Exposure that was reserved is released by every way on which no loan
comes about, and goes down with every principal that comes back.
"""

import services.onboarding.policies.guarantees as guarantees
import services.onboarding.policies.reopening as reopening
from libs.events.application import (
    ApplicantRecorded,
    ApplicationApproved,
    ApplicationDeclined,
    ApplicationLapsed,
    ApplicationRejected,
    ApplicationSubmitted,
    ExposureRequested,
    PrecedentsChecked,
    TermsDeclined,
)
from libs.events.bidding import (
    AccountClosed,
    AccountClosureDeclined,
    FundingRequested,
    ListingCancelled,
    ListingExpired,
    ListingRefused,
)
from libs.events.codec import name_of
from libs.events.in_kind import DebtSettledInKind
from libs.events.onboarding import (
    ApplicantConfirmed,
    ApplicantDeclined,
    ErasureDeclined,
    ErasureRequested,
    ExposureConfirmed,
    ExposureDeclined,
    ExposureReleased,
    ExposureReserved,
    ExposureRevoked,
    PrecedentsMet,
    Recheck,
    ReferralCredited,
    RelationDeclared,
    StaffAppointed,
    StaffTieRecorded,
    UserErased,
    UserRegistered,
)
from libs.events.records import RecordedEvent
from libs.events.repayment import LoanRepaid, PaymentReceived
from libs.events.sagas import Saga, Send, Step
from libs.events.system import CommandRefused
from services.onboarding.commands import (
    ApproveApplication,
    BindOwner,
    CompleteErasure,
    ConfirmApplicant,
    ConfirmExposure,
    CreditReferral,
    DeclineApplicant,
    DeclineErasure,
    DeclineExposure,
    FailPrecedents,
    MeetPrecedents,
    RecordApplicant,
    RecordRelation,
    RecordStaffTie,
    ReduceExposure,
    ReleaseApplicant,
    ReleaseExposure,
    ReserveExposure,
)


def on_onboarding(event: RecordedEvent) -> list[Send]:
    """Referrals, relations, and an application's questions to its applicant's stream."""
    match event.data:
        case UserRegistered(referrer=str() as referrer) as registered:
            credit = CreditReferral(user_id=referrer, referred=registered.user_id)
            return [Send("referral", referrer, credit)]
        case ReferralCredited(owner=str() as owner) as credited:
            return [Send("owner", credited.referred, BindOwner(user_id=credited.referred, owner=owner))]
        case RelationDeclared() as declared:
            return _related(declared)
        case StaffAppointed(user_id=str() as user_id) as appointed:
            return [_tie("himself", user_id, appointed.staff_id, himself=True)]
        case StaffTieRecorded() as known:
            return [_tie(f"staff:{one}", one, known.staff_id, himself=False) for one in known.related]
        case ApplicationSubmitted() as submitted:
            confirm = ConfirmApplicant(user_id=submitted.applicant, application_id=submitted.application_id)
            about = {"application_id": submitted.application_id}
            return [Send("applicant", submitted.applicant, confirm, about)]
        case ApplicantConfirmed() | ApplicantDeclined() as answer:
            return [Send("applicant", answer.application_id, _applicant(answer))]
        case ExposureRequested() as asked:
            reserve = ReserveExposure(
                user_id=asked.applicant,
                application_id=asked.application_id,
                loan_id=asked.loan_id,
                amount_fen=asked.amount_fen,
            )
            return [Send("reserve", asked.applicant, reserve, {"application_id": asked.application_id})]
        case ExposureReserved() | ExposureDeclined() as answer:
            return [Send("reserved", answer.application_id, _exposure(answer))]
        case CommandRefused() as refused:
            return _undo(refused)
        case _:
            return _on_the_way(event)


def _on_the_way(event: RecordedEvent) -> list[Send]:
    """An application whose precedents are checked, and one that ends."""
    match event.data:
        case PrecedentsChecked() as checked:
            return [_confirm(checked.applicant, checked.application_id, checked.loan_id, "precedents")]
        case ExposureConfirmed(step="precedents") as kept:
            met = MeetPrecedents(
                application_id=kept.application_id,
                exposure_fen=kept.exposure_fen,
                related_to_staff=kept.related_to_staff,
            )
            return [Send("caps", kept.application_id, met)]
        case ExposureRevoked(step="precedents") as revoked:
            failed = FailPrecedents(application_id=revoked.application_id, code=revoked.code)
            return [Send("caps", revoked.application_id, failed)]
        case TermsDeclined() as declined:
            return [_release(declined.applicant, declined.loan_id, "terms_declined")]
        case ApplicationLapsed() as lapsed if lapsed.reserved_fen > 0:
            return [_release(lapsed.applicant, lapsed.loan_id, "application_lapsed")]
        case ApplicationDeclined(stage="at_guarantor") as declined:
            released = _release(declined.applicant, declined.loan_id, "guarantor_declined")
            return [released, _ended(declined)]
        case ApplicationDeclined() | ApplicationRejected() | ApplicationLapsed() as ended:
            return [_ended(ended)]
        case _:
            return []


def _ended(ended: ApplicationDeclined | ApplicationRejected | ApplicationLapsed) -> Send:
    release = ReleaseApplicant(user_id=ended.applicant, application_id=ended.application_id)
    return Send("ended", ended.applicant, release)


def on_bidding(event: RecordedEvent) -> list[Send]:
    """A listing that came to nothing releases what its application reserved, one that is to be funded has its caps looked at;
    and an account says whether its owner may leave.

    A listing that an operator opened, or that is older than applications, names no borrower or no loan that counts.
    """
    match event.data:
        case ListingExpired(borrower="") | ListingCancelled(borrower=""):
            return []
        case ListingExpired() as ended:
            return [_release(ended.borrower, ended.loan_id, "listing_expired")]
        case ListingCancelled() as ended:
            return [_release(ended.borrower, ended.loan_id, "listing_cancelled")]
        case ListingRefused() as refused:
            return [_release(refused.borrower, refused.loan_id, "listing_refused")]
        case FundingRequested() as asked:
            return [_confirm(asked.borrower, asked.application_id, asked.loan_id, "funding")]
        case AccountClosed() as closed:
            return [Send("erasure", closed.owner, CompleteErasure(user_id=closed.owner))]
        case AccountClosureDeclined() as declined:
            kept = DeclineErasure(user_id=declined.owner, code=declined.code)
            return [Send("erasure", declined.owner, kept)]
        case _:
            return []


def on_repayment(event: RecordedEvent) -> list[Send]:
    """Principal that came back, or that a thing stands for, does not count against the borrower's cap any more."""
    match event.data:
        case PaymentReceived() | DebtSettledInKind() as paid:
            less_fen = paid.principal_before_fen - paid.principal_after_fen
            reduce = ReduceExposure(user_id=paid.borrower, loan_id=paid.loan_id, amount_fen=less_fen)
            return [Send("reduce", paid.borrower, reduce)] if less_fen > 0 else []
        case LoanRepaid() as repaid:
            return [_release(repaid.borrower, repaid.loan_id, "repaid")]
        case _:
            return []


def _related(declared: RelationDeclared) -> list[Send]:
    """A relation holds both ways, and whoever is related to staff knows it."""
    sends = []
    if not declared.by_other:
        back = RecordRelation(user_id=declared.related, related=declared.user_id)
        sends.append(Send("relation", declared.related, back))
    ties = [_tie(f"staff:{staff}", declared.related, staff, himself=False) for staff in declared.staff]
    return [*sends, *ties]


def _tie(slot: str, user_id: str, staff_id: str, *, himself: bool) -> Send:
    return Send(slot, user_id, RecordStaffTie(user_id=user_id, staff_id=staff_id, himself=himself))


def _applicant(answer: ApplicantConfirmed | ApplicantDeclined) -> RecordApplicant | DeclineApplicant:
    if isinstance(answer, ApplicantDeclined):
        return DeclineApplicant(application_id=answer.application_id, code=answer.code)
    return RecordApplicant(
        application_id=answer.application_id,
        kind=answer.kind,
        region=answer.region,
        owner=answer.owner,
        related=answer.related,
    )


def _exposure(answer: ExposureReserved | ExposureDeclined) -> ApproveApplication | DeclineExposure:
    if isinstance(answer, ExposureDeclined):
        return DeclineExposure(application_id=answer.application_id, code=answer.code)
    return ApproveApplication(
        application_id=answer.application_id, owner=answer.owner, related=answer.related
    )


def _confirm(user_id: str, application_id: str, loan_id: str, step: Recheck) -> Send:
    again = ConfirmExposure(user_id=user_id, application_id=application_id, loan_id=loan_id, step=step)
    return Send("confirm", user_id, again)


def _release(user_id: str, loan_id: str, reason: str) -> Send:
    return Send("release", user_id, ReleaseExposure(user_id=user_id, loan_id=loan_id, reason=reason))


def _undo(refused: CommandRefused) -> list[Send]:
    """Nobody of that name: the applicant never registered, or has been forgotten since."""
    application_id = refused.about.get("application_id")
    if application_id is None:
        return []
    if refused.command_type == name_of(ConfirmApplicant):
        return [
            Send(
                "applicant",
                application_id,
                DeclineApplicant(application_id=application_id, code=refused.code),
            )
        ]
    if refused.command_type == name_of(ReserveExposure):
        return [
            Send(
                "reserved", application_id, DeclineExposure(application_id=application_id, code=refused.code)
            )
        ]
    return []


def _on_repayment(event: RecordedEvent) -> list[Send]:
    return [*on_repayment(event), *guarantees.on_repayment(event), *reopening.on_repayment(event)]


POLICIES = {"onboarding": on_onboarding, "bidding": on_bidding, "repayment": _on_repayment}


def _reserved(lapsed: ApplicationLapsed) -> tuple[str, ...]:
    return (lapsed.loan_id,) if lapsed.reserved_fen > 0 else ()


SAGAS = (
    Saga(
        name="referral",
        why="Who was brought by a customer belongs to that customer's owner; an unknown code leaves him to the pool.",
        opened_by={},
        closed_by={},
        steps=(
            Step(on=UserRegistered, send=CreditReferral),
            Step(on=ReferralCredited, send=BindOwner),
        ),
    ),
    Saga(
        name="relation",
        why="A relation holds both ways: a borrower's listing names all who may not lend to him.",
        opened_by={},
        closed_by={},
        steps=(Step(on=RelationDeclared, send=RecordRelation),),
    ),
    Saga(
        name="staff tie",
        why="Loans of staff and of those related to staff are marked, so each of them knows that he is one.",
        opened_by={},  # a tie that is known says nothing, so nothing would close it
        closed_by={},
        steps=(
            Step(on=StaffAppointed, send=RecordStaffTie),
            Step(on=StaffTieRecorded, send=RecordStaffTie),
            Step(on=RelationDeclared, send=RecordStaffTie),
        ),
    ),
    Saga(
        name="applicant",
        why="Only the user's own stream knows whether he is verified, and who owns him and is related to him.",
        opened_by={ApplicationSubmitted: lambda submitted: submitted.application_id},
        closed_by={
            ApplicantRecorded: lambda recorded: recorded.application_id,
            ApplicationDeclined: lambda declined: declined.application_id,
        },
        steps=(
            Step(
                on=ApplicationSubmitted,
                send=ConfirmApplicant,
                declined_by=(ApplicantDeclined, CommandRefused),
                compensation=DeclineApplicant,
            ),
            Step(on=ApplicantConfirmed, send=RecordApplicant),
        ),
        expected_refusals=(ConfirmApplicant,),
    ),
    Saga(
        name="approval",
        why="A loan is approved only with its amount reserved under the borrower's cap, which only his stream can count.",
        opened_by={ExposureRequested: lambda asked: asked.application_id},
        closed_by={
            ApplicationApproved: lambda approved: approved.application_id,
            ApplicationDeclined: lambda declined: declined.application_id,
        },
        steps=(
            Step(
                on=ExposureRequested,
                send=ReserveExposure,
                declined_by=(ExposureDeclined, CommandRefused),
                compensation=DeclineExposure,
            ),
            Step(on=ExposureReserved, send=ApproveApplication),
        ),
        expected_refusals=(ReserveExposure,),
    ),
    Saga(
        name="recheck",
        why="A cap may have come into force since approval: it is looked at again before the listing opens and before it is funded.",
        opened_by={PrecedentsChecked: lambda checked: checked.application_id},
        closed_by={
            PrecedentsMet: lambda ready: ready.application_id,
            ApplicationDeclined: lambda declined: declined.application_id,
        },
        steps=(
            Step(on=PrecedentsChecked, send=ConfirmExposure),
            Step(on=FundingRequested, send=ConfirmExposure),
            Step(on=ExposureConfirmed, send=MeetPrecedents),
            Step(on=ExposureRevoked, send=FailPrecedents),
        ),
    ),
    Saga(
        name="applicant released",
        why="Who has an application under way is not forgotten; one that ended does not hold him.",
        opened_by={},  # an application that ended before its applicant was confirmed held nobody
        closed_by={},
        steps=(
            Step(on=ApplicationDeclined, send=ReleaseApplicant),
            Step(on=ApplicationRejected, send=ReleaseApplicant),
            Step(on=ApplicationLapsed, send=ReleaseApplicant),
        ),
    ),
    Saga(
        name="erasure",
        why="Whoever has money or claims here cannot be forgotten, and only his account knows.",
        opened_by={ErasureRequested: lambda asked: asked.user_id},
        closed_by={
            UserErased: lambda erased: erased.user_id,
            ErasureDeclined: lambda declined: declined.user_id,
        },
        steps=(
            Step(on=AccountClosed, send=CompleteErasure),
            Step(on=AccountClosureDeclined, send=DeclineErasure),
        ),
    ),
    Saga(
        name="release",
        why="What was reserved for a loan that never comes about is free for another.",
        opened_by={
            TermsDeclined: lambda declined: declined.loan_id,
            ApplicationDeclined: lambda declined: (
                (declined.loan_id,) if declined.stage == "at_guarantor" else ()
            ),
            ApplicationLapsed: _reserved,
        },
        closed_by={ExposureReleased: lambda released: released.loan_id},
        steps=(
            Step(on=TermsDeclined, send=ReleaseExposure),
            Step(on=ApplicationDeclined, send=ReleaseExposure),
            Step(on=ApplicationLapsed, send=ReleaseExposure),
            Step(on=ListingExpired, send=ReleaseExposure),
            Step(on=ListingCancelled, send=ReleaseExposure),
            Step(on=ListingRefused, send=ReleaseExposure),
        ),
    ),
    Saga(
        name="repay",
        why="Principal that came back, and a loan that is repaid, leave room under the cap.",
        opened_by={},
        closed_by={},
        steps=(
            Step(on=PaymentReceived, send=ReduceExposure),
            Step(on=DebtSettledInKind, send=ReduceExposure),
            Step(on=LoanRepaid, send=ReleaseExposure),
        ),
    ),
    *guarantees.SAGAS,
    *reopening.SAGAS,
)

"""From an application to a place under its guarantor's limit, and from a compensation that was signed to claims that are his.

Money that was taken and is not owed comes back as any payment does: PaymentReturned and OverpaymentReturned are bidding's to answer.
"""

from libs.events.application import ApplicationDeclined, GuaranteeRequested
from libs.events.bidding import ListingCancelled, ListingExpired, ListingRefused
from libs.events.compensation import (
    ClaimsSubrogated,
    CompensationDebitDeclined,
    CompensationDebited,
    CompensationDeclined,
    CompensationExecuted,
)
from libs.events.corrections import LoanRestated
from libs.events.guarantees import GuaranteeDeclined
from libs.events.in_kind import DebtSettledInKind
from libs.events.onboarding import PrecedentsMet
from libs.events.records import RecordedEvent
from libs.events.repayment import PaymentReceived, PaymentReturned
from libs.events.sagas import Saga, Send, Step
from libs.events.system import CommandRefused
from libs.events.voidance import LoanVoided
from services.repayment.commands.compensation import DeclineCompensation, RecordCompensation
from services.repayment.commands.guarantees import ReduceGuarantee, ReserveGuarantee, RestoreGuarantee

#: Bidding's command whose refusal means that the guarantor has no account that could pay.
_DEBIT = "bidding.DebitCompensation"
#: Our own, whose refusal means that the loan did not take the guarantor's money.
_RECORD = "repayment.RecordCompensation"


def on_onboarding(event: RecordedEvent) -> list[Send]:
    """A loan that is about to be listed asks for a place under its guarantor's limit."""
    match event.data:
        case GuaranteeRequested() as asked:
            reserve = ReserveGuarantee(
                guarantor=asked.guarantor,
                application_id=asked.application_id,
                loan_id=asked.loan_id,
                borrower=asked.applicant,
                amount_fen=asked.amount_fen,
            )
            about = {"application_id": asked.application_id}
            return [Send("guarantee", asked.guarantor, reserve, about)]
        case _:
            return []


def on_bidding(event: RecordedEvent) -> list[Send]:
    """The guarantor's account answers; a listing that came to nothing needs no guarantor."""
    match event.data:
        case CompensationDebited() as paid:
            return [_record(paid)]
        case CompensationDebitDeclined() as declined:
            return [_decline(declined.loan_id, declined.compensation_id, declined.code)]
        case CommandRefused() as refused if refused.command_type == _DEBIT and refused.about:
            about = refused.about
            return [_decline(about["loan_id"], about["compensation_id"], refused.code)]
        case ListingExpired() | ListingCancelled() | ListingRefused() as ended if ended.guarantor:
            return [_reduce(ended.guarantor, ended.loan_id, 0)]
        case _:
            return []


def on_repayment(event: RecordedEvent) -> list[Send]:
    """What is repaid, and what the guarantor paid himself, does not count against his limit any more; and money of his that the loan
    cannot take ends the asking."""
    match event.data:
        case PaymentReceived() as paid if paid.guarantor:
            if paid.principal_before_fen == paid.principal_after_fen:
                return []
            return [_reduce(paid.guarantor, paid.loan_id, paid.principal_after_fen)]
        case LoanRestated() as loan if loan.guarantor:
            owed_fen = loan.principal_after_fen if loan.guaranteed_fen is None else loan.guaranteed_fen
            restore = RestoreGuarantee(guarantor=loan.guarantor, loan_id=loan.loan_id, owed_fen=owed_fen)
            return [Send("guarantee", loan.guarantor, restore)]
        case CommandRefused() as refused if refused.command_type == _RECORD and refused.about:
            about = refused.about  # bidding gives the money back by the same refusal
            return [_decline(about["loan_id"], about["payment_id"], refused.code)]
        case DebtSettledInKind() as settled if settled.guarantor:
            return [_reduce(settled.guarantor, settled.loan_id, settled.principal_after_fen)]
        case LoanVoided() as voided if voided.guarantor:
            return [_reduce(voided.guarantor, voided.loan_id, 0)]
        case ClaimsSubrogated() as paid_for:
            return [_reduce(paid_for.guarantor, paid_for.loan_id, paid_for.guaranteed_fen)]
        case _:
            return []


def _reduce(guarantor: str, loan_id: str, left_fen: int) -> Send:
    reduce = ReduceGuarantee(guarantor=guarantor, loan_id=loan_id, left_fen=left_fen)
    return Send("guarantee", guarantor, reduce)


def _record(paid: CompensationDebited) -> Send:
    command = RecordCompensation(
        compensation_id=paid.compensation_id,
        account_id=paid.account_id,
        amount_fen=paid.amount_fen,
        value_date=paid.value_date,
    )
    about = {
        "loan_id": paid.loan_id,
        "payment_id": paid.compensation_id,
        "account_id": paid.account_id,
        "amount_fen": str(paid.amount_fen),
    }
    return Send("compensation", paid.loan_id, command, about)


def _decline(loan_id: str, compensation_id: str, code: str) -> Send:
    return Send("compensation", loan_id, DeclineCompensation(compensation_id=compensation_id, code=code))


SAGAS = (
    Saga(
        name="guarantee",
        why="A loan is listed with a guarantor only while his limit has room, and only his own stream sees all that he guarantees.",
        opened_by={GuaranteeRequested: lambda asked: asked.application_id},
        closed_by={
            PrecedentsMet: lambda met: met.application_id,
            ApplicationDeclined: lambda declined: declined.application_id,
        },
        steps=(
            Step(
                on=GuaranteeRequested,
                send=ReserveGuarantee,
                declined_by=(GuaranteeDeclined, CommandRefused),
            ),
        ),
        expected_refusals=(ReserveGuarantee,),
    ),
    Saga(
        name="compensation",
        why="The guarantor pays and is owed what he paid for, or nothing is done and his money is his.",
        opened_by={CompensationExecuted: lambda executed: executed.compensation_id},
        closed_by={
            ClaimsSubrogated: lambda paid_for: paid_for.compensation_id,
            CompensationDeclined: lambda declined: declined.compensation_id,
        },
        steps=(
            Step(on=CompensationDebited, send=RecordCompensation, declined_by=(PaymentReturned,)),
            Step(on=CompensationDebitDeclined, send=DeclineCompensation),
            Step(on=CommandRefused, send=DeclineCompensation),
        ),
        expected_refusals=(RecordCompensation,),
    ),
    Saga(
        name="guarantee reduced",
        why="What a guarantor stands in for no more leaves room under his limit; what a correction makes owed again takes it again.",
        opened_by={},  # a loan that counts no more says nothing, so nothing would close it
        closed_by={},
        steps=(
            Step(on=PaymentReceived, send=ReduceGuarantee),
            Step(on=ClaimsSubrogated, send=ReduceGuarantee),
            Step(on=LoanRestated, send=RestoreGuarantee),
            Step(on=LoanVoided, send=ReduceGuarantee),
            Step(on=DebtSettledInKind, send=ReduceGuarantee),
            Step(on=ListingExpired, send=ReduceGuarantee),
            Step(on=ListingCancelled, send=ReduceGuarantee),
            Step(on=ListingRefused, send=ReduceGuarantee),
        ),
    ),
)

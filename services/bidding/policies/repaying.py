"""Money that repayment decides about moves in our accounts: debits, distributions with their fees, and returns; and who has died pays none."""

from libs.events.bidding import (
    FeeCredited,
    FundsCollected,
    InstallmentDebited,
    InstallmentDebitFailed,
    InvestorCredited,
    LoanPaymentReturned,
)
from libs.events.flags import LoanFlagged, LoanUnflagged
from libs.events.measures import MeasureFailed, MeasureProposed, WriteOff
from libs.events.records import RecordedEvent
from libs.events.recovery_costs import PayeeConfirmed, RecoveryCostPaid, payee_of
from libs.events.repayment import (
    DebitRequested,
    InstallmentDue,
    OverpaymentReturned,
    PaymentReturned,
    RepaymentDistributed,
)
from libs.events.sagas import Saga, Send, Step
from libs.events.system import CommandRefused
from services.bidding.commands import (
    FEE_ACCOUNT,
    ConfirmPayee,
    CreditFee,
    CreditInvestor,
    DebitInstallment,
    RecordDeathFlag,
    ReturnPayment,
)

#: Commands of repayment that carry money of an account of ours; a refusal brings the ids back to return it.
_CARRIES_MONEY = ("repayment.RecordPayment", "repayment.RecordDebit", "repayment.RecordCompensation")


def on_repayment(event: RecordedEvent) -> list[Send]:
    """Debits, distributions and returns: money that repayment decides about moves in our accounts. A death on one loan is known to them all
    by the account that they have in common."""
    match event.data:
        case InstallmentDue(asked=False):
            return []
        case InstallmentDue() | DebitRequested() as asked:
            debit = DebitInstallment(
                loan_id=asked.loan_id,
                debit_id=asked.debit_id,
                requested_fen=asked.debit_fen,
                value_date=asked.value_date,
            )
            return [Send("debit", asked.borrower_account, debit)]
        case RepaymentDistributed() as distributed:
            return _distribute(distributed)
        case OverpaymentReturned() as over:
            return [_return(over.account_id, over.loan_id, over.payment_id, over.amount_fen, "overpayment")]
        case RecoveryCostPaid() as cost:
            return [_cost(cost)]
        case PaymentReturned() as returned:
            return [
                _return(
                    returned.account_id,
                    returned.loan_id,
                    returned.payment_id,
                    returned.amount_fen,
                    returned.code,
                )
            ]
        case MeasureProposed() as proposed if payee_of(proposed.terms):
            return [_payee(proposed)]
        case LoanFlagged(flag="death") | LoanUnflagged(flag="death") as told:
            return [_died(event, told)]
        case CommandRefused() as refused if _is_refused_payment(refused):
            about = refused.about
            amount_fen = int(about["amount_fen"])
            return [
                _return(about["account_id"], about["loan_id"], about["payment_id"], amount_fen, refused.code)
            ]
        case _:
            return []


def _died(event: RecordedEvent, told: LoanFlagged | LoanUnflagged) -> Send:
    assert event.sequence is not None, "a loan's word stands in its stream"
    word = RecordDeathFlag(loan_id=told.loan_id, said=event.sequence, stands=isinstance(told, LoanFlagged))
    return Send("death", f"acc_{told.borrower.removeprefix('usr_')}", word)


def _distribute(distributed: RepaymentDistributed) -> list[Send]:
    """Each holder his share, the platform its fees; a share that the fee eats up is not sent."""
    sends = [
        Send(
            f"credit:{line.claim_id}",
            line.account_id,
            CreditInvestor(
                loan_id=distributed.loan_id,
                claim_id=line.claim_id,
                distribution_id=distributed.distribution_id,
                principal_fen=line.principal_fen,
                interest_fen=line.interest_fen,
                fee_fen=line.fee_fen,
                penalty_fen=line.penalty_fen,
            ),
        )
        for line in distributed.lines
        if line.principal_fen + line.interest_fen + line.penalty_fen > line.fee_fen
    ]
    if distributed.fee_fen > 0:
        sends.append(fee_of(distributed.loan_id, distributed.distribution_id, distributed.fee_fen))
    return sends


def fee_of(loan_id: str, fee_id: str, amount_fen: int) -> Send:
    """A fee for the platform's account; `fee_id` names its cause."""
    return Send("fee", FEE_ACCOUNT, CreditFee(loan_id=loan_id, fee_id=fee_id, amount_fen=amount_fen))


def _return(account_id: str, loan_id: str, payment_id: str, amount_fen: int, reason: str) -> Send:
    back = ReturnPayment(loan_id=loan_id, payment_id=payment_id, amount_fen=amount_fen, reason=reason)
    return Send("return", account_id, back)


def _cost(paid: RecoveryCostPaid) -> Send:
    """A cost's part of a payment goes to whom it is owed, under a name of its own: the payer may be given back of the same payment."""
    credit = ReturnPayment(
        loan_id=paid.loan_id,
        payment_id=_cost_of(paid),
        amount_fen=paid.amount_fen,
        reason="recovery_cost",
    )
    return Send("cost", paid.account_id, credit)


def _payee(proposed: MeasureProposed) -> Send:
    """Who would be paid what a recovery cost is asked before its loan is: an account that nobody has takes no money."""
    assert isinstance(proposed.terms, WriteOff), "only a write-off says a cost"
    confirm = ConfirmPayee(
        measure_id=proposed.measure_id,
        loan_id=proposed.loan_id,
        terms=proposed.terms,
        himself=proposed.himself,
    )
    return Send("payee", payee_of(proposed.terms), confirm, {"payee_of": proposed.measure_id})


def _cost_of(paid: RecoveryCostPaid) -> str:
    return f"cost:{paid.payment_id}"


def _is_refused_payment(refused: CommandRefused) -> bool:
    return refused.command_type in _CARRIES_MONEY and "payment_id" in refused.about


def _credits(distributed: RepaymentDistributed) -> tuple[str, ...]:
    return tuple(
        f"{distributed.distribution_id}/{send.command.claim_id}"
        for send in _distribute(distributed)
        if isinstance(send.command, CreditInvestor)
    )


SAGAS = (
    Saga(
        name="debit",
        why="What a loan asks for is taken from the borrower's account, and the answer says how much there was.",
        opened_by={
            InstallmentDue: lambda due: due.debit_id if due.asked else (),
            DebitRequested: lambda requested: requested.debit_id,
        },
        closed_by={
            InstallmentDebited: lambda debited: debited.debit_id,
            InstallmentDebitFailed: lambda failed: failed.debit_id,
        },
        steps=(
            Step(on=InstallmentDue, send=DebitInstallment),
            Step(on=DebitRequested, send=DebitInstallment),
        ),
    ),
    Saga(
        name="death",
        why="Nothing is taken from the account of who has died, for whichever of his loans, until the last of them says that it was another.",
        opened_by={},  # a word that a later one has overtaken says nothing, so nothing would close it
        closed_by={},
        steps=(
            Step(on=LoanFlagged, send=RecordDeathFlag),
            Step(on=LoanUnflagged, send=RecordDeathFlag),
        ),
    ),
    Saga(
        name="distribute",
        why="What the borrower paid is credited to the claim holders of that moment.",
        opened_by={RepaymentDistributed: _credits},
        closed_by={InvestorCredited: lambda credited: f"{credited.distribution_id}/{credited.claim_id}"},
        steps=(Step(on=RepaymentDistributed, send=CreditInvestor),),
    ),
    Saga(
        name="fee",
        why="The platform's fee of a loan or a distribution reaches its fee account.",
        opened_by={
            FundsCollected: lambda collected: (
                (f"origination:{collected.loan_id}",) if collected.origination_fee_fen else ()
            ),
            RepaymentDistributed: lambda distributed: (
                (distributed.distribution_id,) if distributed.fee_fen else ()
            ),
        },
        closed_by={FeeCredited: lambda credited: credited.fee_id},
        steps=(Step(on=FundsCollected, send=CreditFee), Step(on=RepaymentDistributed, send=CreditFee)),
    ),
    Saga(
        name="payee of a cost",
        why="Before a loan is asked for a write-off that says a cost, the account that is named says whether it could be paid.",
        opened_by={MeasureProposed: lambda proposed: proposed.measure_id if payee_of(proposed.terms) else ()},
        closed_by={
            PayeeConfirmed: lambda confirmed: confirmed.measure_id,
            MeasureFailed: lambda failed: failed.measure_id,
        },
        steps=(Step(on=MeasureProposed, send=ConfirmPayee, declined_by=(CommandRefused,)),),
        expected_refusals=(ConfirmPayee,),
    ),
    Saga(
        name="return",
        why="Money that a loan did not take, in part or at all, comes back to who paid it; what of it is a recovery's cost goes to whom that is owed.",
        opened_by={
            PaymentReturned: lambda returned: returned.payment_id,
            OverpaymentReturned: lambda over: over.payment_id,
            RecoveryCostPaid: _cost_of,
            CommandRefused: lambda refused: (
                (refused.about["payment_id"],) if _is_refused_payment(refused) else ()
            ),
        },
        closed_by={LoanPaymentReturned: lambda returned: returned.payment_id},
        steps=(
            Step(on=PaymentReturned, send=ReturnPayment),
            Step(on=OverpaymentReturned, send=ReturnPayment),
            Step(on=RecoveryCostPaid, send=ReturnPayment),
            Step(on=CommandRefused, send=ReturnPayment),
        ),
    ),
)

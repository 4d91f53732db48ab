"""From a loan that was put right to the money that moved: every account told, collected, and paid on.

The order is the order of safety: what is owed is booked, then taken where there is money, and only what was taken is paid out. Nothing
of it can be declined; what is missing waits, and is seen (`corrections`).
"""

from libs.events.adjustments import (
    AdjustmentDebited,
    CorrectionCollected,
    CorrectionOpened,
    FeeAdjusted,
)
from libs.events.corrections import AdjustingLine, LoanRestated, Share
from libs.events.records import RecordedEvent
from libs.events.sagas import Saga, Send, Step
from services.bidding.commands import FEE_ACCOUNT
from services.bidding.commands.adjustments import (
    BookAdjustment,
    CreditAdjustment,
    OpenSettlement,
    RecordCollected,
)


def on_repayment(event: RecordedEvent) -> list[Send]:
    """What a loan's correction moves is settled."""
    match event.data:
        case LoanRestated() as restated:
            opened = OpenSettlement(
                correction_id=restated.correction_id,
                loan_id=restated.loan_id,
                booking=restated.booking,
                lines=(*restated.lines, *_platform(restated)),
            )
            return [Send("open-settlement", settlement_of(restated.correction_id), opened)]
        case _:
            return []


def on_bidding(event: RecordedEvent) -> list[Send]:
    """Accounts hear what they owe, the settlement what they gave, and who is next in the order gets it."""
    match event.data:
        case CorrectionOpened() as opened:
            return [
                Send(
                    f"adjust:{line.account_id}",
                    line.account_id,
                    BookAdjustment(
                        correction_id=opened.correction_id,
                        loan_id=opened.loan_id,
                        booking=opened.booking,
                        line=line,
                    ),
                )
                for line in opened.lines
            ]
        case AdjustmentDebited() | FeeAdjusted() as taken:
            if isinstance(taken, FeeAdjusted) and taken.amount_fen >= 0:
                return []
            collected = RecordCollected(account_id=taken.account_id, rest_fen=taken.rest_fen)
            return [Send("collected", settlement_of(taken.correction_id), collected)]
        case CorrectionCollected() as collected:
            return [_credit(collected, share) for share in collected.paid]
        case _:
            return []


def settlement_of(correction_id: str) -> str:
    """The stream of a settlement: `adj_` + the suffix of its correction's `cor_…`, or a measure's whole id."""
    return f"adj_{correction_id.removeprefix('cor_')}"


def _platform(restated: LoanRestated) -> list[AdjustingLine]:
    """The platform is the last in the order."""
    if not restated.platform_fen:
        return []
    return [
        AdjustingLine(
            account_id=FEE_ACCOUNT,
            principal_fen=0,
            interest_fen=0,
            penalty_fen=0,
            fee_fen=-restated.platform_fen,
            returned_fen=0,
            amount_fen=restated.platform_fen,
        )
    ]


def _credit(collected: CorrectionCollected, share: Share) -> Send:
    credit = CreditAdjustment(
        account_id=share.account_id,
        correction_id=collected.correction_id,
        loan_id=collected.loan_id,
        booking=collected.booking,
        amount_fen=share.amount_fen,
    )
    return Send(f"pay:{share.account_id}", share.account_id, credit)


SAGAS = (
    Saga(
        name="settlement",
        why="What a correction takes from those who had too much goes to those who had too little; who has nothing owes it, as long as it takes.",
        opened_by={LoanRestated: lambda restated: restated.correction_id},
        closed_by={CorrectionOpened: lambda opened: opened.correction_id},
        steps=(
            Step(on=LoanRestated, send=OpenSettlement),
            Step(on=CorrectionOpened, send=BookAdjustment),
            Step(on=AdjustmentDebited, send=RecordCollected),
            Step(on=FeeAdjusted, send=RecordCollected),
        ),
    ),
    Saga(
        name="correction pay-out",
        why="What was collected for a correction reaches the accounts that it belongs to.",
        opened_by={},  # an account may be paid in several parts, which no name tells apart
        closed_by={},
        steps=(Step(on=CorrectionCollected, send=CreditAdjustment),),
    ),
)

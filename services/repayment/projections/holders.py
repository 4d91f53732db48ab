"""Who holds how much of a loan, beside its rows: what the expectation of a holder's payments is computed from.

It is a part of the loan's own document: its stream writes both, so rows and holders are of one moment. `held` is what each claim is
owed, `shared` what the last principal that came was to each: where no principal is owed any more, what a loan of another order of
payment still asks for is shared by that (loan_state.py `weights`). `subrogated` are the instalments that a guarantor has paid for, by his
claim, `rescheduled` the numbers from which others took their place, both with the place in the loan's stream: what was replaced after
he paid is his no more (guarantee.py `replaced_from`), and a projection cannot look. `lines` are what he paid their holders.
"""

from collections.abc import Sequence
from typing import Final

from libs.events.claims import ClaimTransferred
from libs.events.compensation import ClaimsSubrogated
from libs.events.corrections import Standing
from libs.events.in_kind import DebtSettledInKind
from libs.events.records import RecordedEvent
from libs.events.repayment import LoanOpened, RepaymentDistributed
from libs.events.rescheduling import ScheduleChanged
from libs.events.views import Add, Op, Set, Unset

_SHARED: Final = "shared"


def opened(loan: LoanOpened) -> Sequence[Op]:
    """Every claim is owed what was lent."""
    return [_held(loan.loan_id, claim.claim_id, claim.principal_fen) for claim in loan.claims]


def distributed(shared: RepaymentDistributed) -> Sequence[Op]:
    """Every holder is owed his part of the principal less."""
    less = [_held(shared.loan_id, line.claim_id, -line.principal_fen) for line in shared.lines]
    parts = {line.claim_id: line.principal_fen for line in shared.lines if line.principal_fen}
    return [*less, Set(shared.loan_id, _SHARED, parts)] if parts else less


def settled(in_kind: DebtSettledInKind) -> Sequence[Op]:
    """What an asset stands for is owed no more."""
    less = [_held(in_kind.loan_id, share.claim_id, -share.principal_fen) for share in in_kind.shares]
    parts = {share.claim_id: share.principal_fen for share in in_kind.shares if share.principal_fen}
    return [*less, Set(in_kind.loan_id, _SHARED, parts)] if parts else less


def transferred(sold: ClaimTransferred) -> Sequence[Op]:
    """What was sold is owed to the buyer's new claim; a claim that was sold whole is nobody's any more, so it goes."""
    amount_fen = sold.claim.principal_fen
    seller = (
        _held(sold.loan_id, sold.sold_claim_id, -amount_fen)
        if sold.left_fen
        else Unset(sold.loan_id, _at(sold.sold_claim_id))
    )
    return [seller, _held(sold.loan_id, sold.claim.claim_id, amount_fen)]


def restated(standing: Standing, loan_id: str) -> Sequence[Op]:
    """What each claim is owed after a correction, and by what it shares where that is no principal."""
    owed: list[Op] = [Set(loan_id, _at(claim.claim_id), claim.principal_fen) for claim in standing.claims]
    if not standing.weights:
        return owed
    weighed = zip(standing.claims, standing.weights, strict=True)
    return [*owed, Set(loan_id, _SHARED, {claim.claim_id: fen for claim, fen in weighed})]


def repaid(loan_id: str) -> Sequence[Op]:
    """Nobody is owed anything."""
    return [Unset(loan_id, "held"), Unset(loan_id, _SHARED)]


def passed(change: ClaimTransferred | ClaimsSubrogated) -> Sequence[Op]:
    """A claim is somebody else's: he bought it, or paid for it as a guarantor."""
    return transferred(change) if isinstance(change, ClaimTransferred) else subrogated(change)


def subrogated(paid_for: ClaimsSubrogated) -> Sequence[Op]:
    """The guarantor's new claim; the distribution of the same record makes the others less."""
    return [_held(paid_for.loan_id, paid_for.claim.claim_id, paid_for.principal_fen)]


def owned(event: RecordedEvent) -> Sequence[Op]:
    """Whose alone instalments are, or are no more, from this place in the loan's stream on."""
    match event.data:
        case ClaimsSubrogated() as paid_for:
            claim = paid_for.claim
            parts = ("number", "principal_fen", "interest_fen")
            own = {
                "first": claim.first,
                "through": claim.through,
                "at": event.sequence,
                "paid_on": paid_for.value_date.isoformat(),
                "lines": [{part: getattr(line, part) for part in parts} for line in paid_for.lines],
            }
            return [Set(paid_for.loan_id, f"subrogated.{claim.claim_id}", own)]
        case ScheduleChanged() as change:
            return [Set(change.loan_id, f"rescheduled.{change.rows[0].number}", event.sequence)]
        case _:
            return []


def _held(loan_id: str, claim_id: str, amount_fen: int) -> Op:
    """So much more of the loan's outstanding principal is owed to a claim."""
    return Add(loan_id, _at(claim_id), amount_fen)


def _at(claim_id: str) -> str:
    return f"held.{claim_id}"

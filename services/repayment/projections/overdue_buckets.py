"""How much of the book is late, and how late: one document per bucket with sums, one per running loan behind them.

`bucket:<name>` counts loans and their whole outstanding principal (what PAR needs, rules.md 1.5), `segment:<region>:<product>:<bucket>`
the same of one region and product; `region:<region>` and `product:<product>` count the loans of all buckets and, beside them,
those that are late. `loan:<id>` is a row, so that every sum can be followed down to its loans and from there to their events.
A loan's region is its borrower's for good, whichever branch looks after it since: its row says both, and `moved` finds the loans that
ever changed hands, so that sums by branch are those by region with these loans taken from one to the other.
`written_off` stands beside all of them: the loans that are off the balance, what is owed of them, what came back since.

`overdue_principal_fen` is what of the principal is overdue, that of missed instalments; the rest is normal. Whatever event changes it
says it before and after.

What is overdue is a sum too, and a loan's event says only what it is after it. A case's place in the collection queue says both,
before and after (libs.events.collections): so these sums are moved by collections, and at rest are the sums of the loans' rows.
"""

from collections.abc import Sequence
from typing import Final, get_args

from libs.events.collections import CaseClosed, CaseRanked, QueueEntry
from libs.events.corrections import LoanRestated
from libs.events.in_kind import DebtSettledInKind
from libs.events.lateness import LatenessJudged
from libs.events.measures import LoanMoved, LoanWrittenOff, PenaltyWaived, RecoveryReceived
from libs.events.overdue import OverduePrincipal
from libs.events.records import RecordedEvent
from libs.events.repayment import (
    LoanOpened,
    LoanRepaid,
    OverdueBucketChanged,
    PaymentMissed,
    PaymentReceived,
    PenaltyCharged,
)
from libs.events.views import Add, Delete, Op, Set, SetOnce, View

#: Where every loan begins and where it has returned to when it is repaid.
_CURRENT = "current"
_SaysOverduePrincipal = (
    OverdueBucketChanged | LoanWrittenOff | PaymentMissed | PaymentReceived | DebtSettledInKind | LoanRestated
)
_SAYS_OVERDUE_PRINCIPAL: Final = get_args(_SaysOverduePrincipal)
#: Where it is once it is written off: in no bucket of the running book.
_WRITTEN_OFF = "written_off"


def project(event: RecordedEvent) -> Sequence[Op]:
    """Changes of the buckets' sums (added to by all loans) and of the loan's own row; amounts in fen."""
    ops, data = _projected(event), event.data
    if isinstance(data, _SAYS_OVERDUE_PRINCIPAL) and data.overdue_principal is not None:
        return [*ops, *_split(data, data.overdue_principal)]
    return ops


def _projected(event: RecordedEvent) -> Sequence[Op]:
    match event.data:
        case LoanOpened() as loan:
            return [*_opened(loan), _source(loan.loan_id, event)]
        case PaymentReceived() | DebtSettledInKind() as payment:
            return [*_received(payment), _source(payment.loan_id, event)]
        case PaymentMissed(overdue_after_fen=int(overdue_fen)) as missed:
            return [Set(_row(missed.loan_id), "overdue_fen", overdue_fen), _source(missed.loan_id, event)]
        case LatenessJudged() as late if late.penalty_fen:
            row = _row(late.loan_id)
            return [Set(row, "overdue_fen", late.overdue_after_fen), _source(late.loan_id, event)]
        case PenaltyCharged() | PenaltyWaived() as changed:
            row = _row(changed.loan_id)
            return [Set(row, "overdue_fen", changed.overdue_after_fen), _source(changed.loan_id, event)]
        case LoanWrittenOff() as loss:
            return [*_written_off(loss), _source(loss.loan_id, event)]
        case RecoveryReceived() as recovery:
            return [Add(_WRITTEN_OFF, "recovered_fen", recovery.amount_fen)]
        case LoanMoved() as move:
            row = _row(move.loan_id)
            branch = [Set(row, "branch", move.to_branch), Set(row, "moved", True)]
            return [*branch, _source(move.loan_id, event)]
        case OverdueBucketChanged() as change:
            return [*_moved(change), _source(change.loan_id, event)]
        case LoanRestated() as restated:
            return [*_restated(restated), _source(restated.loan_id, event)]
        case LoanRepaid() as repaid:
            return [*_counted(repaid, _CURRENT, -1, 0), Delete(_row(repaid.loan_id))]
        case CaseRanked() as ranked:
            before = [] if ranked.before is None else _owing(ranked.before, -ranked.before.overdue_fen)
            return [*before, *_owing(ranked.entry, ranked.entry.overdue_fen)]
        case CaseClosed() as closed:
            return _owing(closed.entry, -closed.entry.overdue_fen)
        case _:
            return []


def _opened(loan: LoanOpened) -> Sequence[Op]:
    row = _row(loan.loan_id)
    return [
        *_counted(loan, _CURRENT, 1, loan.principal_fen),
        Set(row, "kind", "loan"),
        Set(row, "loan_id", loan.loan_id),
        Set(row, "borrower", loan.borrower),
        Set(row, "bucket", _CURRENT),
        Set(row, "region", loan.region),
        Set(row, "product", loan.product),
        *_branch(loan.loan_id, loan.region, loan.region),
        Set(row, "since", loan.funded_on.isoformat()),
        Set(row, "principal_fen", loan.principal_fen),
        Set(row, "overdue_principal_fen", 0),
        Set(row, "overdue_fen", 0),
    ]


def _received(payment: PaymentReceived | DebtSettledInKind) -> Sequence[Op]:
    row = _row(payment.loan_id)
    return [
        *_counted(payment, payment.bucket, 0, payment.principal_after_fen - payment.principal_before_fen),
        Set(row, "principal_fen", payment.principal_after_fen),
        Set(row, "overdue_fen", payment.overdue_after_fen),
    ]


def _moved(change: OverdueBucketChanged) -> Sequence[Op]:
    row = _row(change.loan_id)
    return [
        *_counted(change, change.from_bucket, -1, -change.principal_fen),
        *_counted(change, change.to_bucket, 1, change.principal_fen),
        Set(row, "kind", _kind(change.to_bucket)),
        Set(row, "bucket", change.to_bucket),
        Set(row, "since", change.changed_on.isoformat()),
        Set(row, "overdue_fen", change.overdue_fen),
    ]


def _split(of: _SaysOverduePrincipal, said: OverduePrincipal) -> Sequence[Op]:
    """Loans that are written off are in no bucket."""
    ops: list[Op] = [Set(_row(of.loan_id), "overdue_principal_fen", said.after_fen)]
    for bucket, fen in ((said.from_bucket, -said.before_fen), (said.to_bucket, said.after_fen)):
        if fen and bucket != _WRITTEN_OFF:
            segment = f"segment:{of.region}:{of.product}:{bucket}"
            docs = (f"bucket:{bucket}", segment, f"region:{of.region}", f"product:{of.product}")
            ops += [Add(doc, "overdue_principal_fen", fen) for doc in docs]
    return ops


def _owing(case: QueueEntry, overdue_fen: int) -> Sequence[Op]:
    """So much more is overdue where a case is counted; in which stage its bucket is collected is the same for all its cases."""
    ops = _counted(case, case.bucket, 0, 0, overdue_fen)
    if case.bucket == _WRITTEN_OFF:
        return ops
    docs = (f"bucket:{case.bucket}", f"segment:{case.region}:{case.product}:{case.bucket}")
    return [*ops, *(SetOnce(doc, "stage", case.stage) for doc in docs)]


def _restated(loan: LoanRestated) -> Sequence[Op]:
    """A loan that was repaid is counted again, as current since today: where it is late, or written off, the next event moves it."""
    row, bucket = _row(loan.loan_id), loan.from_bucket or _CURRENT
    principal_fen = loan.principal_after_fen - loan.principal_before_fen
    return [
        *_counted(loan, bucket, int(loan.from_bucket is None), principal_fen),
        Set(row, "kind", _kind(bucket)),
        Set(row, "loan_id", loan.loan_id),
        Set(row, "borrower", loan.borrower),
        Set(row, "bucket", bucket),
        Set(row, "region", loan.region),
        Set(row, "product", loan.product),
        *_branch_of(loan),
        *([Set(row, "since", loan.restated_on.isoformat())] if loan.from_bucket is None else []),
        *([Set(row, "overdue_principal_fen", 0)] if loan.from_bucket is None else []),
        Set(row, "principal_fen", loan.principal_after_fen),
        Set(row, "overdue_fen", loan.overdue_after_fen),
        *([Add(_WRITTEN_OFF, "recovered_fen", loan.recovered_fen)] if loan.recovered_fen else []),
    ]


def _branch(loan_id: str, branch: str, region: str) -> Sequence[Op]:
    return [Set(_row(loan_id), "branch", branch), Set(_row(loan_id), "moved", branch != region)]


def _branch_of(loan: LoanRestated) -> Sequence[Op]:
    """One of before rules 8 does not say who looks after the loan: what its row says stays, and one that is counted again, which has no
    row, is its region's."""
    if not loan.branch and loan.from_bucket is not None:
        return []
    return _branch(loan.loan_id, loan.branch or loan.region, loan.region)


def _kind(bucket: str) -> str:
    return _WRITTEN_OFF if bucket == _WRITTEN_OFF else "loan"


def _written_off(loss: LoanWrittenOff) -> Sequence[Op]:
    row = _row(loss.loan_id)
    return [
        *_counted(loss, loss.from_bucket, -1, -loss.principal_fen),
        *_counted(loss, _WRITTEN_OFF, 1, loss.principal_fen),
        Set(row, "kind", _WRITTEN_OFF),
        Set(row, "bucket", _WRITTEN_OFF),
        Set(row, "since", loss.written_off_on.isoformat()),
        Set(row, "overdue_fen", loss.overdue_after_fen),
    ]


def _source(loan_id: str, event: RecordedEvent) -> Op:
    """The last event behind a row: where its numbers can be followed down to."""
    return Set(_row(loan_id), f"src.{event.stream}", event.address)


def _counted(
    of: LoanOpened
    | PaymentReceived
    | DebtSettledInKind
    | OverdueBucketChanged
    | LoanRepaid
    | LoanWrittenOff
    | LoanRestated
    | QueueEntry,
    bucket: str,
    loans: int,
    principal_fen: int,
    overdue_fen: int = 0,
) -> Sequence[Op]:
    if bucket == _WRITTEN_OFF:
        return [
            SetOnce(_WRITTEN_OFF, "kind", "written_off_sum"),
            Add(_WRITTEN_OFF, "loans", loans),
            Add(_WRITTEN_OFF, "principal_fen", principal_fen),
            Add(_WRITTEN_OFF, "recovered_fen", 0),
            *([Add(_WRITTEN_OFF, "overdue_fen", overdue_fen)] if overdue_fen else []),
        ]
    whole, part = f"bucket:{bucket}", f"segment:{of.region}:{of.product}:{bucket}"
    ops: list[Op] = [
        SetOnce(whole, "kind", "bucket"),
        SetOnce(part, "kind", "segment"),
        SetOnce(part, "region", of.region),
        SetOnce(part, "product", of.product),
    ]
    for doc in (whole, part):
        ops += [
            SetOnce(doc, "bucket", bucket),
            Add(doc, "loans", loans),
            Add(doc, "principal_fen", principal_fen),
            Add(doc, "overdue_principal_fen", 0),
            Add(doc, "overdue_fen", overdue_fen),
        ]
    late = int(bucket != _CURRENT)
    for kind, name in (("region", of.region), ("product", of.product)):
        doc = f"{kind}:{name}"
        ops += [
            SetOnce(doc, "kind", kind),
            SetOnce(doc, kind, name),
            Add(doc, "loans", loans),
            Add(doc, "principal_fen", principal_fen),
            Add(doc, "late_loans", late * loans),
            Add(doc, "late_principal_fen", late * principal_fen),
            Add(doc, "overdue_principal_fen", 0),
            Add(doc, "overdue_fen", overdue_fen),
        ]
    return ops


def _row(loan_id: str) -> str:
    return f"loan:{loan_id}"


VIEW = View(
    name="repayment.overdue-buckets",
    version=10,
    reads=(
        LoanOpened,
        PaymentReceived,
        PaymentMissed,
        PenaltyCharged,
        LatenessJudged,
        PenaltyWaived,
        OverdueBucketChanged,
        LoanWrittenOff,
        RecoveryReceived,
        LoanMoved,
        LoanRepaid,
        LoanRestated,
        DebtSettledInKind,
        CaseRanked,
        CaseClosed,
    ),
    project=project,
    indexes=("kind", "bucket", "region", "product", "branch", "moved"),
)

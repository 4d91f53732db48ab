"""The register of loans that were written off (核销): off the balance, still owed and pursued (processes.md 1.P).

A loan's row keeps what was owed part by part when it was written off, for good, and what became of it: `recovered_fen` came in money,
`in_kind_fen` a thing took the place of, `waived_fen` was given up, `lapsed_fen` was not owed yet on the day as of which the rest was settled,
`corrected_fen` corrections made of it; the rest is `left_…`:

    written_off = recovered + in kind + waived + lapsed − corrected + left

Beside it stands what its pursuit cost, `cost_fen`, and what of that was paid from what came, which is no part of `recovered_fen`.

`segment:<region>:<product>` and `sum` add the rows up: every change of a row is an addition, and made to all three. A row stays when
nothing is left of it, so what was recovered of all losses stands here for good.
"""

from collections.abc import Iterable, Mapping, Sequence

from libs.events.corrections import LoanRestated, OwedChange
from libs.events.in_kind import DebtSettledInKind
from libs.events.measures import LoanWrittenOff, PenaltyWaived, RecoveryReceived
from libs.events.records import RecordedEvent
from libs.events.recovery_costs import RecoveryCostBooked, RecoveryCostPaid
from libs.events.repayment import AllocationLine, PaymentReceived
from libs.events.views import Add, Op, Set, SetOnce, View

#: The bucket in which events name a loan that was written off.
_WRITTEN_OFF = "written_off"
#: The document that all rows are added up in.
SUM = "sum"
PARTS = ("principal_fen", "interest_fen", "fee_fen", "penalty_fen")

_Event = (
    LoanWrittenOff
    | PaymentReceived
    | RecoveryReceived
    | DebtSettledInKind
    | PenaltyWaived
    | LoanRestated
    | RecoveryCostBooked
    | RecoveryCostPaid
)


def project(event: RecordedEvent) -> Sequence[Op]:
    """Changes of the loan's row and of the sums that it is in; amounts in fen. Nothing of a loan that was not written off."""
    match event.data:
        case LoanWrittenOff() as loss:
            return [*_row(loss), *_moved(loss, event, _written_off(loss))]
        case PaymentReceived(bucket="written_off") as payment:
            lapsed_fen = -_left(payment.lapsed)["left_fen"]
            left = _left([*payment.allocation, *payment.lapsed])
            return _moved(payment, event, {"lapsed_fen": lapsed_fen, **left})
        case RecoveryReceived() as recovery:
            return _moved(recovery, event, {"recovered_fen": recovery.amount_fen})
        case RecoveryCostBooked() as cost:
            return _moved(cost, event, {"cost_fen": cost.cost_fen})
        case RecoveryCostPaid() as paid:
            return _moved(paid, event, {"cost_paid_fen": paid.amount_fen})
        case DebtSettledInKind(bucket="written_off") as settled:
            return _moved(settled, event, {"in_kind_fen": settled.settled_fen, **_left(settled.lines)})
        case PenaltyWaived(bucket="written_off") as waiver:
            fen = waiver.waived_fen
            return _moved(waiver, event, {"waived_fen": fen, "left_penalty_fen": -fen, "left_fen": -fen})
        case LoanRestated(owed=OwedChange() as owed) as restated:
            return _moved(restated, event, _corrected(restated, owed))
        case LoanRestated() as restated if restated.recovered_fen or restated.from_bucket == _WRITTEN_OFF:
            return _moved(restated, event, _corrected(restated, _owed_before(restated)))
        case _:
            return []


def _row(loss: LoanWrittenOff) -> Sequence[Op]:
    row = _name(loss)
    fields = {
        "kind": "loan",
        "loan_id": loss.loan_id,
        "region": loss.region,
        "product": loss.product,
        "ground": loss.ground,
        "written_off_on": loss.written_off_on.isoformat(),
    }
    return [Set(row, name, value) for name, value in fields.items()]


def _written_off(loss: LoanWrittenOff) -> Mapping[str, int]:
    owed = {part: getattr(loss, part) for part in PARTS}
    return {
        "loans": 1,
        "given_up_fen": loss.dropped_interest_fen + loss.dropped_fee_fen,
        **_parts("written_off", owed),
        **_parts("left", owed),
        **dict.fromkeys(
            (
                "recovered_fen",
                "in_kind_fen",
                "waived_fen",
                "lapsed_fen",
                "corrected_fen",
                "cost_fen",
                "cost_paid_fen",
            ),
            0,
        ),
    }


def _left(lines: Iterable[AllocationLine]) -> Mapping[str, int]:
    return _parts("left", {part: -sum(getattr(line, part) for line in lines) for part in PARTS})


def _corrected(restated: LoanRestated, owed: OwedChange) -> Mapping[str, int]:
    """What it makes owed and recovered, beyond what was written off: of what was forgiven it says only how much over the loan's life."""
    change = _parts("left", {part: getattr(owed, part) for part in PARTS})
    recovered_fen = restated.recovered_fen
    moved = {"recovered_fen": recovered_fen, "corrected_fen": change["left_fen"] + recovered_fen}
    return {**change, **moved, "cost_paid_fen": restated.cost_paid_fen}


def _owed_before(restated: LoanRestated) -> OwedChange:
    """Of a loss of before rules 8, which did not say it: the principal alone is known (docs/decisions/0025)."""
    return OwedChange(
        principal_fen=restated.principal_after_fen - restated.principal_before_fen,
        interest_fen=0,
        fee_fen=0,
        penalty_fen=0,
    )


def _parts(name: str, parts: Mapping[str, int]) -> Mapping[str, int]:
    return {f"{name}_{part}": fen for part, fen in parts.items()} | {f"{name}_fen": sum(parts.values())}


def _moved(of: _Event, event: RecordedEvent, changes: Mapping[str, int]) -> Sequence[Op]:
    """The same additions to the row and to its sums."""
    row, segment = _name(of), f"segment:{of.region}:{of.product}"
    return [
        *(Add(doc, name, fen) for doc in (row, segment, SUM) for name, fen in changes.items()),
        SetOnce(segment, "kind", "segment"),
        SetOnce(segment, "region", of.region),
        SetOnce(segment, "product", of.product),
        SetOnce(SUM, "kind", "sum"),
        Set(row, f"src.{event.stream}", event.address),
    ]


def _name(of: _Event) -> str:
    return f"loan:{of.loan_id}"


VIEW = View(
    name="repayment.off-balance",
    version=4,
    reads=(
        LoanWrittenOff,
        PaymentReceived,
        RecoveryReceived,
        DebtSettledInKind,
        PenaltyWaived,
        LoanRestated,
        RecoveryCostBooked,
        RecoveryCostPaid,
    ),
    project=project,
    indexes=("kind", "region", "product"),
)

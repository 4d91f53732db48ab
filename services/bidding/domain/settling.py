"""The settlement of a correction: collected first, then paid on in the stated order; never a fen before it is there.

It holds no money, only the count of it: the money lies in the correction's clearing, and these are its two sides.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, assert_never

from libs.events.adjustments import CorrectionCollected, CorrectionOpened, CorrectionSettled
from libs.events.codec import record
from libs.events.corrections import CorrectionBooking, Share
from libs.events.deciding import Aggregate, Context, Refused, WakeOn
from services.bidding.commands.adjustments import OpenSettlement, RecordCollected


@record
class NotOpened:
    """Nothing is to be settled."""

    kind: Literal["not_opened"] = "not_opened"


@record
class Settling:
    """`owing` is what each account has not given back yet, `due` what is not paid on yet, in its order; both empty when settled."""

    kind: Literal["settling"] = "settling"
    correction_id: str
    loan_id: str
    booking: CorrectionBooking
    owing: tuple[Share, ...]
    due: tuple[Share, ...]
    settled: bool = False


SettlementState = NotOpened | Settling
SettlementEvent = CorrectionOpened | CorrectionCollected | CorrectionSettled
SettlementCommand = OpenSettlement | RecordCollected


def decide(
    command: SettlementCommand, state: SettlementState, _context: Context
) -> Sequence[SettlementEvent]:
    """What a command does to a settlement. Refusals stand on the commands."""
    match command:
        case OpenSettlement():
            return _open(command) if isinstance(state, NotOpened) else []
        case RecordCollected():
            if isinstance(state, NotOpened):
                raise Refused("unknown_settlement")
            return _collect(command, state)
        case _:
            assert_never(command)


def _open(command: OpenSettlement) -> Sequence[SettlementEvent]:
    accounts = {line.account_id for line in command.lines}
    if len(accounts) != len(command.lines) or sum(line.amount_fen for line in command.lines) != 0:
        raise Refused("invalid_lines")
    opened = CorrectionOpened(
        correction_id=command.correction_id,
        loan_id=command.loan_id,
        booking=command.booking,
        lines=command.lines,
    )
    moved_fen = sum(max(0, line.amount_fen) for line in command.lines)
    return [opened, *_settled(command, moved_fen)]


def _collect(command: RecordCollected, state: Settling) -> Sequence[SettlementEvent]:
    owing = next((share for share in state.owing if share.account_id == command.account_id), None)
    if owing is None:
        if state.settled or command.rest_fen == 0:
            return []
        raise Refused("unknown_account")
    amount_fen = owing.amount_fen - command.rest_fen
    if amount_fen <= 0:
        return []
    open_fen = sum(share.amount_fen for share in state.owing) - amount_fen
    collected = CorrectionCollected(
        correction_id=state.correction_id,
        loan_id=state.loan_id,
        booking=state.booking,
        account_id=command.account_id,
        amount_fen=amount_fen,
        paid=_paid(state.due, amount_fen),
        open_fen=open_fen,
    )
    return [collected, *_settled(state, open_fen)]


def _paid(due: Sequence[Share], amount_fen: int) -> tuple[Share, ...]:
    """The first in the order gets all of his before the next gets any."""
    paid: list[Share] = []
    for share in due:
        fen = min(amount_fen, share.amount_fen)
        amount_fen -= fen
        if fen:
            paid.append(Share(account_id=share.account_id, amount_fen=fen))
    return tuple(paid)


def _settled(of: OpenSettlement | Settling, open_fen: int) -> Sequence[CorrectionSettled]:
    return [] if open_fen else [CorrectionSettled(correction_id=of.correction_id, loan_id=of.loan_id)]


def evolve(state: SettlementState, event: SettlementEvent) -> SettlementState:
    """Fold one event. Never refuses: what happened, happened."""
    if isinstance(event, CorrectionOpened):
        return Settling(
            correction_id=event.correction_id,
            loan_id=event.loan_id,
            booking=event.booking,
            owing=_shares([(line.account_id, -line.amount_fen) for line in event.lines]),
            due=_shares([(line.account_id, line.amount_fen) for line in event.lines]),
        )
    assert isinstance(state, Settling), "only what was opened is settled"
    match event:
        case CorrectionCollected():
            gave = Share(account_id=event.account_id, amount_fen=event.amount_fen)
            return replace(state, owing=_less(state.owing, (gave,)), due=_less(state.due, event.paid))
        case CorrectionSettled():
            return replace(state, settled=True)
        case _:
            assert_never(event)


def _shares(amounts: Sequence[tuple[str, int]]) -> tuple[Share, ...]:
    return tuple(Share(account_id=account_id, amount_fen=fen) for account_id, fen in amounts if fen > 0)


def _less(shares: Sequence[Share], taken: Sequence[Share]) -> tuple[Share, ...]:
    fen = {share.account_id: share.amount_fen for share in taken}
    return _shares([(share.account_id, share.amount_fen - fen.get(share.account_id, 0)) for share in shares])


def wake_on(_state: SettlementState) -> WakeOn:
    """Time does nothing to a settlement: it waits for money."""
    return None


AGGREGATE = Aggregate(
    name="settlement",
    prefix="adj",
    commands=(OpenSettlement, RecordCollected),
    events=(CorrectionOpened, CorrectionCollected, CorrectionSettled),
    state=SettlementState,
    initial=NotOpened(),
    decide=decide,
    evolve=evolve,
    wake_on=wake_on,
)

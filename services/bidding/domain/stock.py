"""Blank contracts 空白合同: printed at headquarters, a monthly quota to the branch and on to its representatives, signed, returned in two
copies or void, counted every month (processes.md 1.G.7).

Nobody has blanks that he has not said he has, nobody counts, voids or archives his own, and a difference stops the hand-overs until
a second person explains it. Which post a step belongs to, the API asks the staff.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from functools import partial
from typing import Final, assert_never, get_args

from libs.events.contract_stock import (
    SEEN_MAX,
    STOCK_MAX,
    BlankReturned,
    BlankSigned,
    BlanksVoided,
    Numbers,
    Party,
    Place,
    StockCounted,
    StockDifferenceExplained,
    StockHandedOver,
    StockPrinted,
    StockTaken,
)
from libs.events.deciding import Aggregate, Context, Refused, Wake, WakeOn
from libs.events.void_papers import SignedBlankVoided
from services.bidding.commands.contract_stock import (
    CountContracts,
    ExplainDifference,
    HandOverContracts,
    PrintContracts,
    ReturnContract,
    SignContract,
    TakeContracts,
    VoidContracts,
    VoidSignedBlank,
)
from services.bidding.domain.ids import listing_of, require_staff
from services.bidding.domain.profile import Profile
from services.bidding.domain.stock_state import (
    BLANK,
    PLACES,
    InStock,
    Lot,
    NotPrinted,
    StockEvent,
    StockState,
    evolve,
)

#: How many copies of a signed contract the branch keeps (processes.md 2.2).
COPIES: Final = 2
#: The most papers that a count may say it saw (chosen): five times what there can be.
PAPERS_MAX: Final = 1_000
_BRANCH = re.compile(r"[A-Za-z0-9-]{1,20}", re.ASCII)

_Step = (
    HandOverContracts
    | TakeContracts
    | SignContract
    | ReturnContract
    | VoidContracts
    | CountContracts
    | ExplainDifference
)
StockCommand = PrintContracts | _Step | VoidSignedBlank


def stock_of(branch: str, month: date, party: Party) -> str:
    """The stock of a branch and month: one for each party. Refused: `invalid_branch`, `invalid_month` (not the first of one)."""
    if _BRANCH.fullmatch(branch) is None:
        raise Refused("invalid_branch")
    if month.day != 1:
        raise Refused("invalid_month")
    return f"stock_{branch}_{month:%Y%m}_{party}"


def decide(
    command: StockCommand | Wake, state: StockState, context: Context, *, profile: Profile
) -> Sequence[StockEvent]:
    """What a command does to a stock. Refusals stand on the commands."""
    if isinstance(command, Wake):
        return []
    if isinstance(command, VoidSignedBlank):
        return _void_signed(command, state)
    require_staff(context.principal)
    if isinstance(command, PrintContracts):
        return _print(command, state, context, profile)
    if isinstance(command, SignContract):
        listing_of(command.loan_id)
    if isinstance(state, NotPrinted):
        raise Refused("unknown_stock")
    match command:
        case HandOverContracts():
            return _hand_over(command, state, context)
        case TakeContracts():
            return _take(command, state, context)
        case SignContract():
            return _sign(command, state, context)
        case ReturnContract():
            return _return(command, state, context)
        case VoidContracts():
            return _void(command, state, context)
        case CountContracts():
            return _count(command, state, context)
        case ExplainDifference():
            return _explain(command, state, context)
        case _:
            assert_never(command)


def _print(
    command: PrintContracts, state: StockState, context: Context, profile: Profile
) -> Sequence[StockPrinted]:
    if command.party == "lender" and not profile.offline_selling_allowed:
        raise Refused("offline_selling_forbidden")
    stock_id = stock_of(command.branch, command.month, command.party)
    if not command.rep_quota <= command.quota <= STOCK_MAX:
        raise Refused("invalid_quota")
    if isinstance(state, InStock):
        if (command.quota, command.rep_quota) != (state.quota, state.rep_quota):
            raise Refused("stock_exists")
        return []
    return [
        StockPrinted(
            stock_id=stock_id,
            branch=command.branch,
            month=command.month,
            party=command.party,
            quota=command.quota,
            rep_quota=command.rep_quota,
            printer=context.principal,
        )
    ]


# --- hand-overs ----------------------------------------------------------------------------------------------------


def _hand_over(command: HandOverContracts, state: InStock, context: Context) -> Sequence[StockHandedOver]:
    require_staff(command.to)
    lots = _blanks(state, command.numbers)
    if any(lot.holder != context.principal for lot in lots):
        raise Refused("not_holder")
    if command.to == context.principal:
        raise Refused("forbidden_second_signature")
    if all(lot.offered_to == command.to for lot in lots):
        return []
    place = _moving(state, lots, command.to)
    return [
        StockHandedOver(
            stock_id=state.stock_id,
            numbers=command.numbers,
            giver=context.principal,
            receiver=command.to,
            place=place,
        )
    ]


def _take(command: TakeContracts, state: InStock, context: Context) -> Sequence[StockTaken]:
    lots = _blanks(state, command.numbers)
    # who has printed them has never received them: for him there is nothing to say either
    if all(lot.holder == context.principal and not lot.offered_to for lot in lots):
        return []
    if any(lot.offered_to != context.principal for lot in lots):
        raise Refused("not_receiver")
    if len({lot.holder for lot in lots}) > 1:
        raise Refused("mixed_range")
    place = _moving(state, lots, context.principal)
    return [
        StockTaken(
            stock_id=state.stock_id,
            numbers=command.numbers,
            giver=lots[0].holder,
            receiver=context.principal,
            place=place,
        )
    ]


def _moving(state: InStock, lots: Sequence[Lot], receiver: str) -> Place:
    """Where these go next. Whoever of the branch has them is whose they are; of a representative's, each was his once."""
    if state.unexplained:
        raise Refused("difference_unexplained")
    if len({lot.status for lot in lots}) > 1:
        raise Refused("mixed_range")
    place: Place = "branch" if lots[0].status == "printed" else "rep"
    had = sum(
        lot.size
        for lot in state.lots
        if lot.holder == receiver and lot.status not in ("printed", "at_branch")
    )
    if place == "rep" and had + sum(lot.size for lot in lots) > state.rep_quota:
        raise Refused("quota_exceeded")
    return place


# --- what becomes of them ------------------------------------------------------------------------------------------


def _sign(command: SignContract, state: InStock, context: Context) -> Sequence[BlankSigned]:
    lot = _one(state, command.number)
    if lot.status in ("signed", "returned") and lot.loan_id == command.loan_id:
        return []
    if lot.status not in BLANK:
        raise Refused("contract_used")
    if lot.holder != context.principal:
        raise Refused("not_holder")
    if lot.status != PLACES["rep"]:
        raise Refused("not_issued")
    if lot.offered_to:
        raise Refused("contract_offered")
    if any(other.loan_id == command.loan_id for other in state.lots):
        raise Refused("loan_signed")
    return [
        BlankSigned(
            stock_id=state.stock_id, number=command.number, loan_id=command.loan_id, rep=context.principal
        )
    ]


def _return(command: ReturnContract, state: InStock, context: Context) -> Sequence[BlankReturned]:
    lot = _one(state, command.number)
    match lot.status:
        case "returned":
            return []
        case "void":
            raise Refused("contract_void")
        case "printed" | "at_branch" | "with_rep":
            raise Refused("not_signed")
        case "signed":
            pass
        case _:
            assert_never(lot.status)
    if lot.holder == context.principal:
        raise Refused("forbidden_second_signature")
    if command.copies != COPIES:
        raise Refused("copies_missing")
    return [
        BlankReturned(
            stock_id=state.stock_id,
            number=command.number,
            loan_id=lot.loan_id,
            copies=command.copies,
            rep=lot.holder,
            receiver=context.principal,
        )
    ]


def _void(command: VoidContracts, state: InStock, context: Context) -> Sequence[BlanksVoided]:
    lots = _lots(state, command.numbers)
    if all(lot.code == command.code for lot in lots):
        return []
    if any(lot.status not in BLANK for lot in lots):
        raise Refused("contract_used")
    if any(lot.holder == context.principal for lot in lots):
        raise Refused("own_stock")
    return [
        BlanksVoided(
            stock_id=state.stock_id, numbers=command.numbers, code=command.code, by=context.principal
        )
    ]


def _void_signed(command: VoidSignedBlank, state: StockState) -> Sequence[SignedBlankVoided]:
    if isinstance(state, NotPrinted):
        raise Refused("unknown_stock")
    lot = _one(state, command.number)
    if lot.loan_id != command.loan_id:
        raise Refused("not_signed")
    if lot.voided_for:
        return []
    return [
        SignedBlankVoided(
            stock_id=state.stock_id,
            number=command.number,
            loan_id=command.loan_id,
            voided=command.voided,
        )
    ]


def _lots(state: InStock, numbers: Numbers) -> Sequence[Lot]:
    if not numbers.first <= numbers.last <= state.quota:
        raise Refused("unknown_number")
    return state.within(numbers)


def _one(state: InStock, number: int) -> Lot:
    return _lots(state, Numbers(first=number, last=number))[0]


def _blanks(state: InStock, numbers: Numbers) -> Sequence[Lot]:
    lots = _lots(state, numbers)
    if any(lot.status not in BLANK for lot in lots):
        raise Refused("contract_used")
    return lots


# --- counting ------------------------------------------------------------------------------------------------------


def _count(command: CountContracts, state: InStock, context: Context) -> Sequence[StockCounted]:
    if any(numbers.first > numbers.last for numbers in command.seen):
        raise Refused("invalid_range")
    papers = sum(numbers.last - numbers.first + 1 for numbers in command.seen)
    if len(command.seen) > SEEN_MAX or papers > PAPERS_MAX:
        raise Refused("invalid_count")
    blank = [lot for lot in state.lots if lot.status in BLANK]
    if any(lot.holder == context.principal for lot in blank):
        raise Refused("own_stock")
    month = context.business_date.replace(day=1)
    last = state.count
    if last is not None and last.month == month:
        if (last.seen, last.counter) == (command.seen, context.principal):
            return []
        raise Refused("month_counted")
    if state.unexplained:
        raise Refused("difference_unexplained")
    seen = Counter(each for numbers in command.seen for each in range(numbers.first, numbers.last + 1))
    expected = Counter(each for lot in blank for each in range(lot.first, lot.last + 1))
    return [
        StockCounted(
            stock_id=state.stock_id,
            branch=state.branch,
            month=month,
            expected=len(expected),
            counted=papers,
            seen=command.seen,
            missing=_ranges(each for each in expected if each not in seen),
            unexpected=_ranges(each for each in seen if each not in expected),
            twice=_ranges(each for each, times in seen.items() if times > 1),
            counter=context.principal,
        )
    ]


def _ranges(found: Iterable[int]) -> tuple[Numbers, ...]:
    ranges: list[Numbers] = []
    for each in sorted(found):
        if ranges and ranges[-1].last + 1 == each:
            ranges[-1] = Numbers(first=ranges[-1].first, last=each)
        else:
            ranges.append(Numbers(first=each, last=each))
    return tuple(ranges)


def _explain(
    command: ExplainDifference, state: InStock, context: Context
) -> Sequence[StockDifferenceExplained]:
    last = state.count
    if last is None or not last.differs:
        raise Refused("nothing_to_explain")
    if last.code == command.code:
        return []
    if last.code is not None:
        raise Refused("difference_explained")
    if last.counter == context.principal:
        raise Refused("forbidden_second_signature")
    return [
        StockDifferenceExplained(
            stock_id=state.stock_id,
            branch=state.branch,
            month=last.month,
            code=command.code,
            by=context.principal,
        )
    ]


def wake_on(_state: StockState) -> WakeOn:
    """Never: whether a month was counted, the view shows."""
    return None


def aggregate(profile: Profile) -> Aggregate:
    """The stock under a profile, which says whether lenders may be sold anything offline."""
    return Aggregate(
        name="contract stock",
        prefix="stock",
        commands=get_args(StockCommand),
        events=get_args(StockEvent),
        state=StockState,
        initial=NotPrinted(),
        decide=partial(decide, profile=profile),
        evolve=evolve,
        wake_on=wake_on,
    )

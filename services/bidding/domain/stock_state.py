"""What a stock of blank contracts remembers: runs of numbers that share a fate, and the last count."""

from dataclasses import replace
from datetime import date
from typing import Literal, assert_never

from libs.events.codec import record
from libs.events.contract_stock import (
    BlankReturned,
    BlankSigned,
    BlanksVoided,
    DifferenceCode,
    Number,
    Numbers,
    Party,
    Place,
    StockCounted,
    StockDifferenceExplained,
    StockHandedOver,
    StockPrinted,
    StockTaken,
    StockVoidCode,
)
from libs.events.onboarding import Code
from libs.events.void_papers import SignedBlankVoided
from libs.events.voiding import VoidingCode

Status = Literal["printed", "at_branch", "with_rep", "signed", "returned", "void"]
#: What is neither signed nor void: it can be given on, and a count should find it.
BLANK: tuple[Status, ...] = ("printed", "at_branch", "with_rep")
#: What blanks are where a hand-over brought them.
PLACES: dict[Place, Status] = {"branch": "at_branch", "rep": "with_rep"}


@record
class Lot:
    """Numbers next to each other that share all the rest. `holder` has them, or had them last; `offered_to` is who has not yet said
    that he has them, empty where nobody is asked; `loan_id` is what one was signed for, `voided_for` why that is void, `code` why blanks
    are."""

    first: Number
    last: Number
    status: Status
    holder: str
    offered_to: str = ""
    loan_id: str = ""
    code: StockVoidCode | Literal[""] = ""
    voided_for: VoidingCode | Literal[""] = ""

    @property
    def size(self) -> int:
        """How many they are."""
        return self.last - self.first + 1


@record
class Count:
    """The last count, and why it differs: None while nobody has said so."""

    month: date
    seen: tuple[Numbers, ...]
    counter: str
    differs: bool
    code: DifferenceCode | None = None


@record
class NotPrinted:
    """No such stock."""

    kind: Literal["not_printed"] = "not_printed"


@record
class InStock:
    """A branch's quota of a month. `lots` are in the order of their numbers, without a gap from 1 to `quota`."""

    kind: Literal["in_stock"] = "in_stock"
    stock_id: str
    branch: Code
    month: date
    party: Party
    quota: Number
    rep_quota: Number
    lots: tuple[Lot, ...]
    count: Count | None = None

    def within(self, numbers: Numbers) -> tuple[Lot, ...]:
        """The lots of these numbers, cut at their ends."""
        return tuple(
            replace(lot, first=max(lot.first, numbers.first), last=min(lot.last, numbers.last))
            for lot in self.lots
            if lot.first <= numbers.last and numbers.first <= lot.last
        )

    @property
    def unexplained(self) -> bool:
        """Whether the last count differs and nobody has said why."""
        return self.count is not None and self.count.differs and self.count.code is None


StockState = NotPrinted | InStock
StockEvent = (
    StockPrinted
    | StockHandedOver
    | StockTaken
    | BlankSigned
    | BlankReturned
    | BlanksVoided
    | SignedBlankVoided
    | StockCounted
    | StockDifferenceExplained
)


def evolve(state: StockState, event: StockEvent) -> StockState:
    """Fold one event. Never refuses: what happened, happened."""
    if isinstance(event, StockPrinted):
        return _printed(event)
    assert isinstance(state, InStock), "only a stock that is printed has a history"
    match event:
        case StockHandedOver():
            return _changed(state, event.numbers, offered_to=event.receiver)
        case StockTaken():
            status = PLACES[event.place]
            return _changed(state, event.numbers, status=status, holder=event.receiver, offered_to="")
        case BlankSigned():
            one = Numbers(first=event.number, last=event.number)
            return _changed(state, one, status="signed", loan_id=event.loan_id)
        case BlankReturned():
            return _changed(state, Numbers(first=event.number, last=event.number), status="returned")
        case BlanksVoided():
            return _changed(state, event.numbers, status="void", code=event.code, offered_to="")
        case SignedBlankVoided():
            one = Numbers(first=event.number, last=event.number)
            return _changed(state, one, voided_for=event.voided.ground)
        case StockCounted():
            differs = bool(event.missing or event.unexpected or event.twice)
            count = Count(month=event.month, seen=event.seen, counter=event.counter, differs=differs)
            return replace(state, count=count)
        case StockDifferenceExplained():
            assert state.count is not None, "only what was counted is explained"
            return replace(state, count=replace(state.count, code=event.code))
        case _:
            assert_never(event)


def _printed(event: StockPrinted) -> InStock:
    return InStock(
        stock_id=event.stock_id,
        branch=event.branch,
        month=event.month,
        party=event.party,
        quota=event.quota,
        rep_quota=event.rep_quota,
        lots=(Lot(first=1, last=event.quota, status="printed", holder=event.printer),),
    )


def _changed(state: InStock, numbers: Numbers, **fields: str) -> InStock:
    """These numbers with another fate; neighbours that share theirs are one lot again."""
    lots: list[Lot] = []
    before = state.within(Numbers(first=1, last=numbers.first - 1)) if numbers.first > 1 else ()
    after = (
        state.within(Numbers(first=numbers.last + 1, last=state.quota)) if numbers.last < state.quota else ()
    )
    # their names and values are those of Lot's fields, which the store checks when it reads them back
    changed = (replace(lot, **fields) for lot in state.within(numbers))  # type: ignore[arg-type]
    for lot in (*before, *changed, *after):
        if lots and replace(lots[-1], first=lot.first, last=lot.last) == lot:
            lots[-1] = replace(lots[-1], last=lot.last)
        else:
            lots.append(lot)
    return replace(state, lots=tuple(lots))

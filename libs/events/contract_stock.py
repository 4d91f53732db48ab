"""Events of `bidding` about blank contracts: a branch's quota of one month, printed and sealed at headquarters, number by number.

They are told in ranges of numbers, both ends included; a number belongs to its stock, so `stock_id` and number name one paper.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from libs.events.codec import event, record
from libs.events.money import Count
from libs.events.onboarding import Code

#: The largest quota of a branch in a month (chosen): what one stream remembers stays small.
STOCK_MAX = 200
#: How many ranges a count may say (chosen).
SEEN_MAX = 200

Number = Annotated[int, Field(ge=1, le=99_999)]
"""A blank contract's number in its stock."""

Party = Literal["borrower", "lender"]
"""With whom such a contract is signed."""

Place = Literal["branch", "rep"]
"""Where a hand-over brings blanks: from headquarters to the branch, from there to a representative."""

StockVoidCode = Literal["spoiled", "lost", "stolen", "outdated", "surplus"]
"""Why blank contracts are void."""

DifferenceCode = Literal["counted_wrong", "lost", "stolen", "destroyed", "misfiled", "forged"]
"""Where a difference between what should lie there and what was counted comes from."""


@record
class Numbers:
    """From `first` to `last`, both included."""

    first: Number
    last: Number


@event("bidding.StockPrinted.v1")
class StockPrinted:
    """A branch's blank contracts of a month exist, numbered from 1 to `quota` and sealed; a representative gets at most `rep_quota`."""

    stock_id: str
    branch: Code
    month: date
    party: Party
    quota: Number
    rep_quota: Number
    printer: str


@event("bidding.StockHandedOver.v1")
class StockHandedOver:
    """Whoever has these gives them to another, who has them only once he says so."""

    stock_id: str
    numbers: Numbers
    giver: str
    receiver: str
    place: Place


@event("bidding.StockTaken.v1")
class StockTaken:
    """The receiver has them: they are his to answer for."""

    stock_id: str
    numbers: Numbers
    giver: str
    receiver: str
    place: Place


@event("bidding.BlankSigned.v1")
class BlankSigned:
    """A representative's blank was signed for a loan."""

    stock_id: str
    number: Number
    loan_id: str
    rep: str


@event("bidding.BlankReturned.v1")
class BlankReturned:
    """A signed contract came back to the branch in `copies` copies, for its archive."""

    stock_id: str
    number: Number
    loan_id: str
    copies: Count
    rep: str
    receiver: str


@event("bidding.BlanksVoided.v1")
class BlanksVoided:
    """These are never signed any more."""

    stock_id: str
    numbers: Numbers
    code: StockVoidCode
    by: str


@event("bidding.StockCounted.v1")
class StockCounted:
    """Somebody counted what is blank and not void: `missing` should be there, `unexpected` should not, `twice` was seen twice.

    A count that found none of these needs no explanation.
    """

    stock_id: str
    branch: Code
    month: date
    expected: Count
    counted: Count
    seen: tuple[Numbers, ...]
    missing: tuple[Numbers, ...]
    unexpected: tuple[Numbers, ...]
    twice: tuple[Numbers, ...]
    counter: str


@event("bidding.StockDifferenceExplained.v1")
class StockDifferenceExplained:
    """Another person than who counted says where the difference of that month comes from."""

    stock_id: str
    branch: Code
    month: date
    code: DifferenceCode
    by: str

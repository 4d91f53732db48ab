"""Routes of blank contracts. A token's scope lets somebody knock, his post lets him in; whose turn it is, the log decides."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final

from fastapi import Depends, Query

from libs.events import contract_stock as events
from libs.runtime.http import Order, ThisPage, ThisPrincipal, ViewReader, id_path, scopes, view_reader
from libs.runtime.http.posts import holds, post
from libs.runtime.http.problems import Problem
from services.bidding.api.papers import Staff
from services.bidding.api.router import router
from services.bidding.api.stock_shapes import (
    CountDone,
    CountIn,
    DifferenceIn,
    HandOverIn,
    PrintIn,
    RangeIn,
    ReturnIn,
    SignatureIn,
    StockDone,
    StockOut,
    StocksOut,
    VoidIn,
)
from services.bidding.commands import contract_stock as commands
from services.bidding.domain.stock import stock_of

StockId = Annotated[str, id_path("stock")]
Stocks = Annotated[ViewReader, Depends(view_reader("bidding.contract-stock"))]

#: Who meets customers with a contract. Headquarters is administration, which knocks as `admin`; that the clerk of files keeps a branch's
#: papers, as its specialist of general administration, is chosen (processes.md 1.A).
_REP: Final = "customer_manager"
_CLERK: Final = "loan_clerk"
Rep = Annotated[None, Depends(post("bidding", _REP))]
Clerk = Annotated[None, Depends(post("bidding", _CLERK))]


def _or_headquarters(*roles: str) -> Callable[..., Coroutine[Any, Any, None]]:
    """A dependency: its caller is of headquarters, or holds one of these posts. Raises Problem 403 `forbidden_post`."""

    async def check(staff: Staff, principal: ThisPrincipal) -> None:
        if not principal.may("admin") and not await holds(staff, principal.subject, *roles):
            raise Problem(403, "forbidden_post")

    return check


House = Annotated[None, Depends(_or_headquarters(_CLERK))]
Holder = Annotated[None, Depends(_or_headquarters(_CLERK, _REP))]


@router.read("/contract-stock", scopes("admin", "contract_stock"), answer=StocksOut)
async def read_stock(
    stocks: Stocks,
    page: ThisPage,
    _: House,
    branch: Annotated[str | None, Query(description="Only this branch's.", examples=["CN-31"])] = None,
) -> StocksOut:
    """Stocks of blank contracts, how many papers came to each place, and the last count of each."""
    where = {} if branch is None else {"branch": branch}
    found, following = await stocks.page(page, where=where)
    return StocksOut(items=[StockOut.of(document) for document in found], next=following)


@router.command(
    "/contract-stock", scopes("admin"), answer=StockDone, answers={events.StockPrinted: StockDone.of}
)
async def print_contracts(body: PrintIn) -> Order:
    """Print and seal a branch's quota of a month; for lenders not where nothing may be sold to them on paper."""
    stock = stock_of(body.branch, body.month, body.party)
    return Order(stock, commands.PrintContracts(**dict(body)))


@router.command(
    "/contract-stock/{stock}/hand-overs",
    scopes("admin", "contract_stock", "customer_manager"),
    answer=StockDone,
    answers={events.StockHandedOver: StockDone.of},
)
async def hand_over(stock: StockId, body: HandOverIn, _: Holder) -> Order:
    """Give blanks that one has to another, who confirms that he has them."""
    return Order(stock, commands.HandOverContracts(numbers=body.numbers, to=body.to))


@router.command(
    "/contract-stock/{stock}/receipts",
    scopes("admin", "contract_stock", "customer_manager"),
    answer=StockDone,
    answers={events.StockTaken: StockDone.of},
)
async def take(stock: StockId, body: RangeIn, _: Holder) -> Order:
    """Confirm that one has the blanks that somebody gives him."""
    return Order(stock, commands.TakeContracts(numbers=body.numbers))


@router.command(
    "/contract-stock/{stock}/signatures",
    scopes("customer_manager"),
    answer=StockDone,
    answers={events.BlankSigned: StockDone.of},
)
async def sign(stock: StockId, body: SignatureIn, _: Rep) -> Order:
    """A blank of one's own was signed for a loan."""
    return Order(stock, commands.SignContract(number=body.number, loan_id=body.loan_id))


@router.command(
    "/contract-stock/{stock}/returns",
    scopes("contract_stock"),
    answer=StockDone,
    answers={events.BlankReturned: StockDone.of},
)
async def take_back(stock: StockId, body: ReturnIn, _: Clerk) -> Order:
    """Receive a signed contract in two copies for the branch's archive."""
    return Order(stock, commands.ReturnContract(number=body.number, copies=body.copies))


@router.command(
    "/contract-stock/{stock}/voidings",
    scopes("admin", "contract_stock"),
    answer=StockDone,
    answers={events.BlanksVoided: StockDone.of},
)
async def void(stock: StockId, body: VoidIn, _: House) -> Order:
    """Blanks that another has are void."""
    return Order(stock, commands.VoidContracts(numbers=body.numbers, code=body.code))


@router.command(
    "/contract-stock/{stock}/counts",
    scopes("admin", "contract_stock"),
    answer=CountDone,
    answers={events.StockCounted: CountDone.of},
)
async def count(stock: StockId, body: CountIn, _: House) -> Order:
    """Say which papers were seen; the answer is how they differ from what should be there."""
    return Order(stock, commands.CountContracts(seen=tuple(each.numbers for each in body.seen)))


@router.command(
    "/contract-stock/{stock}/explanations",
    scopes("admin", "contract_stock"),
    answer=StockDone,
    answers={events.StockDifferenceExplained: StockDone.of},
)
async def explain_difference(stock: StockId, body: DifferenceIn, _: House) -> Order:
    """Say where the last count's difference comes from; who counted does not."""
    return Order(stock, commands.ExplainDifference(code=body.code))

"""Routes of blank contracts. The token's scope `papers` lets somebody knock, his post lets him in; whose turn it is, the log decides."""

from typing import Annotated, Final

from fastapi import Depends, Query

from libs.events import contract_stock as events
from libs.runtime.http import Order, ThisPage, ViewReader, id_path, scopes, view_reader
from libs.runtime.http.posts import post
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

#: Who prints at headquarters, who keeps a branch's papers, and who meets customers (processes.md 1.A; that the clerk of files is the
#: branch's specialist of general administration is chosen).
_REPS: Final = ("customer_manager", "market_specialist")
_HOUSE: Final = ("admin", "loan_clerk")
Printer = Annotated[None, Depends(post("bidding", "admin"))]
Clerk = Annotated[None, Depends(post("bidding", "loan_clerk"))]
Rep = Annotated[None, Depends(post("bidding", *_REPS))]
House = Annotated[None, Depends(post("bidding", *_HOUSE))]
Holder = Annotated[None, Depends(post("bidding", *_HOUSE, *_REPS))]


@router.read("/contract-stock", scopes("papers"), answer=StocksOut)
async def read_stock(
    stocks: Stocks,
    page: ThisPage,
    _: House,
    branch: Annotated[str | None, Query(description="Only this branch's.")] = None,
) -> StocksOut:
    """Stocks of blank contracts, how many papers came to each place, and the last count of each."""
    where = {} if branch is None else {"branch": branch}
    found, following = await stocks.page(page, where=where)
    return StocksOut(items=[StockOut.of(document) for document in found], next=following)


@router.command(
    "/contract-stock", scopes("papers"), answer=StockDone, answers={events.StockPrinted: StockDone.of}
)
async def print_contracts(body: PrintIn, _: Printer) -> Order:
    """Print and seal a branch's quota of a month; for lenders not where nothing may be sold to them on paper."""
    stock = stock_of(body.branch, body.month, body.party)
    return Order(stock, commands.PrintContracts(**dict(body)))


@router.command(
    "/contract-stock/{stock}/hand-overs",
    scopes("papers"),
    answer=StockDone,
    answers={events.StockHandedOver: StockDone.of},
)
async def hand_over(stock: StockId, body: HandOverIn, _: Holder) -> Order:
    """Give blanks that one has to another, who confirms that he has them."""
    return Order(stock, commands.HandOverContracts(numbers=body.numbers, to=body.to))


@router.command(
    "/contract-stock/{stock}/receipts",
    scopes("papers"),
    answer=StockDone,
    answers={events.StockTaken: StockDone.of},
)
async def take(stock: StockId, body: RangeIn, _: Holder) -> Order:
    """Confirm that one has the blanks that somebody gives him."""
    return Order(stock, commands.TakeContracts(numbers=body.numbers))


@router.command(
    "/contract-stock/{stock}/signatures",
    scopes("papers"),
    answer=StockDone,
    answers={events.BlankSigned: StockDone.of},
)
async def sign(stock: StockId, body: SignatureIn, _: Rep) -> Order:
    """A blank of one's own was signed for a loan."""
    return Order(stock, commands.SignContract(number=body.number, loan_id=body.loan_id))


@router.command(
    "/contract-stock/{stock}/returns",
    scopes("papers"),
    answer=StockDone,
    answers={events.BlankReturned: StockDone.of},
)
async def take_back(stock: StockId, body: ReturnIn, _: Clerk) -> Order:
    """Receive a signed contract in two copies for the branch's archive."""
    return Order(stock, commands.ReturnContract(number=body.number, copies=body.copies))


@router.command(
    "/contract-stock/{stock}/voidings",
    scopes("papers"),
    answer=StockDone,
    answers={events.BlanksVoided: StockDone.of},
)
async def void(stock: StockId, body: VoidIn, _: House) -> Order:
    """Blanks that another has are void."""
    return Order(stock, commands.VoidContracts(numbers=body.numbers, code=body.code))


@router.command(
    "/contract-stock/{stock}/counts",
    scopes("papers"),
    answer=CountDone,
    answers={events.StockCounted: CountDone.of},
)
async def count(stock: StockId, body: CountIn, _: House) -> Order:
    """Say which papers were seen; the answer is how they differ from what should be there."""
    return Order(stock, commands.CountContracts(seen=tuple(each.numbers for each in body.seen)))


@router.command(
    "/contract-stock/{stock}/explanations",
    scopes("papers"),
    answer=StockDone,
    answers={events.StockDifferenceExplained: StockDone.of},
)
async def explain_difference(stock: StockId, body: DifferenceIn, _: House) -> Order:
    """Say where the last count's difference comes from; who counted does not."""
    return Order(stock, commands.ExplainDifference(code=body.code))

"""Routes of repayment: the business calendar, a borrower's own loan, the book's overdue buckets."""

from datetime import date
from typing import Annotated

from fastapi import Depends, Query, Request

from libs.events import repayment as events
from libs.events.money import money_context
from libs.runtime.http import (
    DayField,
    Order,
    ServiceRouter,
    Sight,
    ThisPage,
    ThisPrincipal,
    ViewReader,
    edge_of,
    id_path,
    not_found,
    scopes,
    view_reader,
)
from libs.runtime.http.problems import refusal
from services.repayment import commands
from services.repayment.api.overdue_shapes import (
    BucketOut,
    BucketsOut,
    ProductOut,
    ProductsOut,
    RegionOut,
    RegionsOut,
    SegmentOut,
    SegmentsOut,
)
from services.repayment.api.shapes import (
    CalendarIn,
    CalendarOut,
    ClaimOut,
    ClaimsOut,
    LoanOut,
    LoansOut,
    PayoffOut,
    SettlementOut,
)
from services.repayment.domain.business_calendar import CALENDAR_STREAM
from services.repayment.domain.profile import CURRENT, profile_named
from services.repayment.domain.settling import payoff_fen, settlement
from services.repayment.projections.calendar import CALENDAR

router = ServiceRouter("repayment", "What is owed, to whom, what was paid, and the business calendar.")

#: Regions and products are onboarding's codes (libs.events.onboarding).
_CODE = "^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$"

Loans = Annotated[ViewReader, Depends(view_reader("repayment.loans"))]
Claims = Annotated[ViewReader, Depends(view_reader("repayment.claims"))]
Buckets = Annotated[ViewReader, Depends(view_reader("repayment.overdue-buckets"))]
Calendars = Annotated[ViewReader, Depends(view_reader("repayment.calendar"))]


async def _today(calendars: Calendars) -> date | None:
    """The open business date; None before the view has seen one."""
    document = await calendars.find(CALENDAR)
    return None if document is None else date.fromisoformat(document["business_date"])


Today = Annotated[date | None, Depends(_today)]


# --- calendar ------------------------------------------------------------------------------------------------------


@router.command(
    "/calendar",
    scopes("operator"),
    answer=CalendarOut,
    answers={events.CalendarOpened: CalendarOut.opened},
)
async def open_calendar(body: CalendarIn) -> Order:
    """Start the platform's calendar on its first business date."""
    return Order(CALENDAR_STREAM, commands.OpenCalendar(business_date=body.business_date))


@router.command(
    "/calendar/close",
    scopes("operator"),
    answer=CalendarOut,
    answers={events.BusinessDayCloseStarted: CalendarOut.closing},
    status=200,
)
async def close_business_day(body: CalendarIn) -> Order:
    """Close a business date. A closed one stays closed; the next one cannot be closed before it is open, and none from before the first."""
    return Order(CALENDAR_STREAM, commands.CloseBusinessDay(business_date=body.business_date))


# --- loans ---------------------------------------------------------------------------------------------------------


async def _visible_loan(
    loan: Annotated[str, id_path("loan")], loans: Loans, principal: ThisPrincipal
) -> LoanOut:
    """The loan in the path, for its borrower and for operators; for everybody else there is none."""
    document = await loans.get(loan, missing="unknown_loan")
    if document["borrower"] != principal.subject and not principal.may("operator"):
        raise not_found("unknown_loan")
    return LoanOut.of(document)


VisibleLoan = Annotated[LoanOut, Depends(_visible_loan)]


def payable_on(loan: LoanOut, day: date, today: date | None) -> None:
    """A loan takes payments of this value date. Raises the problems `before_funding`, and `date_passed` for a day that is over."""
    if day < loan.funded_on:
        raise refusal("before_funding")
    if today is not None and day < today:
        raise refusal("date_passed")


@router.read("/loans", scopes("loan:own"), answer=LoansOut)
async def read_loans(loans: Loans, page: ThisPage, principal: ThisPrincipal) -> LoansOut:
    """One's own loans."""
    found, following = await loans.page(page, where={"borrower": principal.subject})
    return LoansOut(items=[LoanOut.of(document) for document in found], next=following)


@router.read("/loans/{loan}/payoff", scopes("loan:own", "operator"), answer=PayoffOut)
async def read_payoff(
    request: Request,
    loan: VisibleLoan,
    today: Today,
    on: Annotated[DayField, Query(description="The value date.")],
) -> PayoffOut:
    """What settles the loan on a value date: the function that decides the payment computes the quote.

    Refused: `date_passed`, `before_funding`."""
    payable_on(loan, on, today)
    if loan.state == "repaid":
        return PayoffOut(id=loan.id, value_date=on, amount_fen=0)
    rules = profile_named(edge_of(request).settings.profile).on(loan.funded_on)
    with money_context():
        amount_fen = payoff_fen(loan.book(), on, rules) + loan.cost_fen
        return PayoffOut(id=loan.id, value_date=on, amount_fen=amount_fen)


@router.read("/loans/{loan}/settlement", scopes("loan:own", "operator"), answer=SettlementOut)
async def read_settlement(
    request: Request,
    loan: VisibleLoan,
    today: Today,
    valid_to: Annotated[DayField, Query(description="The last day on which the amount is enough.")],
) -> SettlementOut:
    """The offer of an early end: what settles the loan on any day until `valid_to`, if nothing else is paid before. What is too
    much on an earlier day comes back.

    Refused: `date_passed`, `before_funding`."""
    payable_on(loan, valid_to, today)
    if loan.state == "repaid":
        return SettlementOut.of(loan, valid_to, ())
    rules = profile_named(edge_of(request).settings.profile).on(loan.funded_on)
    with money_context():
        return SettlementOut.of(loan, valid_to, settlement(loan.book(), valid_to, rules))


@router.read("/claims", scopes("claim:own"), answer=ClaimsOut)
async def read_claims(
    claims: Claims, loans: Loans, today: Today, page: ThisPage, principal: ThisPrincipal
) -> ClaimsOut:
    """The loans in which the caller holds claims: what he is owed, what came back, and how each loan stands."""
    found, following = await claims.page(page, where={"investor": principal.subject})
    items = [ClaimOut.of(claim, await loans.find(claim["loan_id"]), today) for claim in found]
    return ClaimsOut(items=items, next=following)


# --- how late the book is ------------------------------------------------------------------------------------------

BOOK_READERS = scopes("operator", "analyst")

RegionQuery = Annotated[str | None, Query(pattern=_CODE, description="Only this region.", examples=["CN-31"])]
ProductQuery = Annotated[
    str | None, Query(pattern=_CODE, description="Only this product.", examples=["consumer"])
]


@router.read("/overdue-buckets", BOOK_READERS, answer=BucketsOut)
async def read_overdue_buckets(buckets: Buckets, page: ThisPage) -> BucketsOut:
    """The running book by lateness."""
    found, following = await buckets.page(page, where={"kind": "bucket"})
    items = sorted(map(BucketOut.of, found), key=lambda item: (item.bucket != CURRENT, item.bucket))
    return BucketsOut(items=items, next=following)


@router.live(
    "/live/overdue-buckets",
    BOOK_READERS,
    view="repayment.overdue-buckets",
    shown=BucketOut.of,
    answer=BucketOut,
)
async def watch_overdue_buckets() -> Sight:
    """The running book by lateness, live: every change of a bucket."""
    return Sight({"kind": "bucket"})


@router.read("/overdue-segments", BOOK_READERS, answer=SegmentsOut)
async def read_overdue_segments(
    buckets: Buckets, page: ThisPage, region: RegionQuery = None, product: ProductQuery = None
) -> SegmentsOut:
    """The running book by lateness, region and product."""
    asked = {"region": region, "product": product}
    where = {name: value for name, value in asked.items() if value is not None}
    found, following = await buckets.page(page, where={"kind": "segment"} | where)
    return SegmentsOut(items=[SegmentOut.of(row) for row in found], next=following)


@router.read("/overdue-regions", BOOK_READERS, answer=RegionsOut)
async def read_overdue_regions(buckets: Buckets, page: ThisPage) -> RegionsOut:
    """The running book by region: all of it, and what of it is late."""
    found, following = await buckets.page(page, where={"kind": "region"})
    return RegionsOut(items=[RegionOut.of(row) for row in found], next=following)


@router.read("/overdue-products", BOOK_READERS, answer=ProductsOut)
async def read_overdue_products(buckets: Buckets, page: ThisPage) -> ProductsOut:
    """The running book by product: all of it, and what of it is late."""
    found, following = await buckets.page(page, where={"kind": "product"})
    return ProductsOut(items=[ProductOut.of(row) for row in found], next=following)

"""Routes of bidding. Each says who may call it; an owner's account follows from his token and is compared with the path.

Refusals of the log are listed on the commands (services/bidding/commands.py) and reach the caller as problems.
"""

from typing import Annotated

from fastapi import Depends

from libs.events import bidding as events
from libs.events.scheduling import ListingScheduled
from libs.runtime.http import (
    BankSignature,
    NoFields,
    Order,
    Sight,
    ThisCall,
    ThisPage,
    ThisPrincipal,
    ViewReader,
    id_path,
    not_found,
    scopes,
    view_reader,
)
from libs.runtime.http.posts import post
from services.bidding import commands
from services.bidding.api.browsing import ThisBrowsing
from services.bidding.api.router import router
from services.bidding.api.shapes import (
    AccountOpenedOut,
    AccountOut,
    AccountsOut,
    AmountIn,
    BankAnswerIn,
    BidIn,
    BidOut,
    HeldAccountOut,
    ListingIn,
    ListingOpenedOut,
    ListingOut,
    ListingsOut,
    LoanPaymentIn,
    LoanPaymentOut,
    ReviewableOut,
    ReviewablesOut,
    ReviewIn,
    ReviewOut,
    TopUpOut,
    UnrequestedIn,
    UnrequestedOut,
    WithdrawalOut,
    is_published,
)
from services.bidding.api.worklists import BY_AGE, Himself, Signers, Staff
from services.bidding.bank_answers import TOP_UP_ROUTE, WITHDRAWAL_ROUTE, order_of

AccountId = Annotated[str, id_path("acc")]
Balances = Annotated[ViewReader, Depends(view_reader("bidding.balances"))]
Listings = Annotated[ViewReader, Depends(view_reader("bidding.open-listings"))]

#: Finance, of which two look at a full listing: who pays out and who confirms that money arrived. Not the finance
#: supervisor, who votes in the committee: approval and disbursement are different people (processes.md 1.A).
FINANCE = ("cashier", "accountant")
Finance = Annotated[None, Depends(post("bidding", *FINANCE))]


async def _own_account(account: AccountId, principal: ThisPrincipal) -> str:
    """The account in the path, if it is the caller's: other people's accounts do not exist for him."""
    if account != f"acc_{principal.subject.removeprefix('usr_')}" or not principal.subject.startswith("usr_"):
        raise not_found("unknown_account")
    return account


OwnAccount = Annotated[str, Depends(_own_account)]


# --- one's own account ---------------------------------------------------------------------------------------------


@router.command(
    "/accounts",
    scopes("account:own"),
    answer=AccountOpenedOut,
    answers={events.AccountOpened: AccountOpenedOut.of},
)
async def open_account(call: ThisCall, body: NoFields | None = None) -> Order:  # noqa: ARG001  # its shape is checked
    """Open the caller's own custody account; its id shares the suffix of his user id."""
    if not call.principal.subject.startswith("usr_"):
        raise not_found("unknown_account")
    account = f"acc_{call.principal.subject.removeprefix('usr_')}"
    return Order(account, commands.OpenAccount(owner=call.principal.subject))


@router.read("/accounts/{account}", scopes("account:own"), answer=AccountOut)
async def read_account(account: OwnAccount, balances: Balances, principal: ThisPrincipal) -> AccountOut:
    """The caller's own account: what is available, what is held, and what brought it there."""
    document = await balances.get(account, missing="unknown_account")
    # Ids alone do not tell: acc_fees is the platform's, whoever calls himself usr_fees.
    if document.get("owner") != principal.subject:
        raise not_found("unknown_account")
    return AccountOut.of(document)


@router.command(
    "/accounts/{account}/top-ups",
    scopes("account:own"),
    answer=TopUpOut,
    answers={events.TopUpRequested: TopUpOut.requested},
)
async def request_top_up(account: OwnAccount, body: AmountIn, call: ThisCall) -> Order:
    """Ask the bank to collect money; its call-back decides."""
    return Order(account, commands.RequestTopUp(top_up_id=call.mint("top"), amount_fen=body.amount_fen))


@router.command(
    "/accounts/{account}/withdrawals",
    scopes("account:own"),
    answer=WithdrawalOut,
    answers={events.WithdrawalRequested: WithdrawalOut.requested},
)
async def request_withdrawal(account: OwnAccount, body: AmountIn, call: ThisCall) -> Order:
    """Ask for money to be paid out; it is held until the bank's call-back."""
    return Order(
        account, commands.RequestWithdrawal(withdrawal_id=call.mint("wdr"), amount_fen=body.amount_fen)
    )


@router.command(
    "/accounts/{account}/bids",
    scopes("bid:own"),
    answer=BidOut,
    answers={events.FundsHeld: BidOut.of},
)
async def place_bid(account: OwnAccount, body: BidIn, call: ThisCall) -> Order:
    """Hold an amount for a listing. The listing decides on the bid next, in the order of the log."""
    bid = commands.PlaceBid(
        bid_id=call.mint("bid"),
        hold_id=call.mint("hold"),
        listing_id=body.listing_id,
        amount_fen=body.amount_fen,
        allow_partial=body.allow_partial,
    )
    return Order(account, bid)


@router.command(
    "/accounts/{account}/loan-payments",
    scopes("loan:own"),
    answer=LoanPaymentOut,
    answers={events.LoanPaymentDebited: LoanPaymentOut.of},
)
async def pay_loan(account: OwnAccount, body: LoanPaymentIn, call: ThisCall) -> Order:
    """Pay on a loan from the caller's available money. The loan takes what is owed; the rest comes back."""
    payment = commands.PayLoan(
        payment_id=call.mint("pay"),
        loan_id=body.loan_id,
        amount_fen=body.amount_fen,
        settle=body.settle,
        prepay=body.prepay,
        replaces=body.replaces or "",
    )
    return Order(account, payment)


# --- balances of many accounts -------------------------------------------------------------------------------------

#: Whoever runs or studies the platform sees every account; a customer his own.
BALANCE_READERS = scopes("account:own", "operator", "analyst")


async def _visible_accounts(principal: ThisPrincipal) -> Sight:
    """The same for pages and for the stream, so that the stream never tells more than a page shows."""
    if principal.may("operator") or principal.may("analyst"):
        # the collection of a loan may be seen in the view before the opening of its borrower's account
        return Sight({}, sees=lambda document: "owner" in document)
    return Sight({"owner": principal.subject})


VisibleAccounts = Annotated[Sight, Depends(_visible_accounts)]


@router.read("/accounts", BALANCE_READERS, answer=AccountsOut)
async def read_accounts(balances: Balances, page: ThisPage, visible: VisibleAccounts) -> AccountsOut:
    """Balances of all accounts, the platform's fee account among them, for those who run or study the platform; for a
    customer, his own."""
    found, following = await balances.page(page, where=visible.where)
    items = [HeldAccountOut.of(document) for document in found if visible.shows(document)]
    return AccountsOut(items=items, next=following)


@router.live(
    "/live/accounts",
    BALANCE_READERS,
    view="bidding.balances",
    shown=HeldAccountOut.of,
    answer=HeldAccountOut,
)
async def watch_accounts(visible: VisibleAccounts) -> Sight:
    """Balances, live: every change of an account that the caller may see."""
    return visible


# --- listings ------------------------------------------------------------------------------------------------------


@router.command(
    "/listings",
    scopes("operator"),
    answer=ListingOpenedOut,
    answers={events.ListingOpened: ListingOpenedOut.of, ListingScheduled: ListingOpenedOut.scheduled},
)
async def open_listing(body: ListingIn, call: ThisCall) -> Order:
    """Open a loan request for bids, now or on a day to come. Listing and loan share the suffix of their ids."""
    return Order(call.mint("lst"), commands.OpenListing(loan_id=call.mint("loan"), **dict(body)))


#: Whoever may bid, and whoever runs the platform.
LISTING_READERS = scopes("listing:read", "operator")


@router.read("/listings", LISTING_READERS, answer=ListingsOut)
async def read_listings(listings: Listings, page: ThisPage, browsing: ThisBrowsing) -> ListingsOut:
    """Listings that are open for bids: those that are asked for, in the order that is asked for."""
    found, following = await listings.page(page, where=browsing.where, order=browsing.order)
    return ListingsOut(items=[ListingOut.of(document) for document in found], next=following)


@router.live(
    "/live/listings",
    LISTING_READERS,
    view="bidding.open-listings",
    shown=ListingOut.of,
    answer=ListingOut,
)
async def watch_listings() -> Sight:
    """Listings, live, from the moment they are open until they are funded or end: what is raised, what is left, and their state."""
    return Sight({}, sees=is_published)


@router.read("/listings/{listing}", LISTING_READERS, answer=ListingOut)
async def read_listing(listing: Annotated[str, id_path("lst")], listings: Listings) -> ListingOut:
    """One listing, whatever became of it; before it is published it does not exist for those who might bid."""
    document = await listings.get(listing, missing="unknown_listing")
    if not is_published(document):
        raise not_found("unknown_listing")
    return ListingOut.of(document)


@router.read("/reviews", scopes("finance"), answer=ReviewablesOut)
async def read_reviews(listings: Listings, page: ThisPage, staff: Staff, _: Finance) -> ReviewablesOut:
    """Full listings above the threshold, which wait for two people of finance, oldest first, and who may still sign each."""
    found, following = await listings.page(page, where={"state": "in_review"}, order=BY_AGE)
    signers = await Signers.of(staff, *FINANCE)
    return ReviewablesOut(
        items=[ReviewableOut.waiting(document, signers.who_may(document)) for document in found],
        next=following,
    )


@router.command(
    "/listings/{listing}/reviews",
    scopes("finance"),
    answer=ReviewOut,
    answers={events.ListingReviewed: ReviewOut.of},
)
async def review_listing(
    listing: Annotated[str, id_path("lst")], body: ReviewIn, himself: Himself, _: Finance
) -> Order:
    """Approve or reject a full listing; two different people approve, one rejects. Who it is, the token says."""
    return Order(listing, commands.ReviewListing(verdict=body.verdict, himself=himself))


# --- the custodian bank --------------------------------------------------------------------------------------------


@router.command(
    TOP_UP_ROUTE,
    BankSignature(),
    answer=TopUpOut,
    answers={events.FundsDeposited: TopUpOut.deposited, events.TopUpFailed: TopUpOut.failed},
    status=200,
    needs_key=False,
)
async def confirm_top_up(
    account: AccountId, top_up: Annotated[str, id_path("top")], body: BankAnswerIn
) -> Order:
    """The bank's answer to a top-up. Only a pending one can be answered; the same reference again is the same answer."""
    return order_of("collect", account, top_up, body.answer())


@router.command(
    "/bank/unrequested/{booking}",
    BankSignature(),
    answer=UnrequestedOut,
    answers={events.UnrequestedMoneyReceived: UnrequestedOut.of},
    status=200,
    needs_key=False,
)
async def receive_unrequested(booking: Annotated[str, id_path("bankref")], body: UnrequestedIn) -> Order:
    """Money came in that answers no request; `booking` is `bankref_` and the bank's reference. The same again is the same."""
    money = commands.RecordUnrequestedMoney(booking_id=booking, amount_fen=body.amount_fen)
    return Order(booking, money, key=str(body.amount_fen))


@router.command(
    WITHDRAWAL_ROUTE,
    BankSignature(),
    answer=WithdrawalOut,
    answers={events.FundsWithdrawn: WithdrawalOut.paid, events.WithdrawalFailed: WithdrawalOut.failed},
    status=200,
    needs_key=False,
)
async def confirm_withdrawal(
    account: AccountId, withdrawal: Annotated[str, id_path("wdr")], body: BankAnswerIn
) -> Order:
    """The bank's answer to a withdrawal, under the same rules."""
    return order_of("pay_out", account, withdrawal, body.answer())

"""Whatever people do and in whatever order it arrives: nobody is overdrawn, nothing overfunded, no fen is lost."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import services.bidding.domain.account as account
import services.bidding.domain.listing as listing
from libs.events.bidding import Bid, BidDeclined, BidPlaced, LoanFunded
from libs.events.deciding import Wake
from libs.events.money import MAX_INTEGER
from services.bidding.commands import (
    CaptureHold,
    ConfirmTopUp,
    ConfirmWithdrawal,
    CreditInvestor,
    CreditProceeds,
    DebitInstallment,
    FundListing,
    OpenAccount,
    OpenListing,
    PayLoan,
    PlaceBid,
    RecordBid,
    RecordCapture,
    ReduceHold,
    ReleaseHold,
    RequestTopUp,
    RequestWithdrawal,
    ReturnPayment,
)
from services.bidding.domain.account_state import Open as OpenAccountState
from services.bidding.domain.listing_state import Expired, Funded
from services.bidding.domain.profile import DEMO
from services.bidding.projections import VIEWS
from services.bidding.projections.balances import SUMS
from tests.unit.bidding.specs import ANN, OPENED
from tests.unit.bidding.town import Town
from tests.unit.documents import documents
from tests.unit.given import TODAY, context, fold, step

ACCOUNT, LISTING = account.aggregate(DEMO), listing.aggregate(DEMO)

# --- one account ---------------------------------------------------------------------------------------------------

ids = st.sampled_from(["1", "2", "3"])
amounts = st.one_of(st.integers(1, 1_000_00), st.sampled_from([1, 100_00, MAX_INTEGER - 1, MAX_INTEGER]))
account_commands = st.one_of(
    st.builds(RequestTopUp, top_up_id=ids, amount_fen=amounts),
    st.builds(ConfirmTopUp, top_up_id=ids, bank_reference=ids, amount_fen=amounts, succeeded=st.booleans()),
    st.builds(RequestWithdrawal, withdrawal_id=ids, amount_fen=amounts),
    st.builds(
        ConfirmWithdrawal, withdrawal_id=ids, bank_reference=ids, amount_fen=amounts, succeeded=st.booleans()
    ),
    st.builds(PlaceBid, bid_id=ids, hold_id=ids, listing_id=st.just("lst_1"), amount_fen=amounts),
    st.builds(ReleaseHold, hold_id=ids, reason=st.just("listing_full")),
    st.builds(ReduceHold, hold_id=ids, keep_fen=amounts),
    st.builds(CaptureHold, hold_id=ids, loan_id=ids, amount_fen=st.none() | amounts),
    st.builds(CreditProceeds, loan_id=ids, amount_fen=amounts),
    st.builds(DebitInstallment, loan_id=ids, debit_id=ids, requested_fen=amounts, value_date=st.just(TODAY)),
    st.builds(PayLoan, payment_id=ids, loan_id=ids, amount_fen=amounts, settle=st.booleans()),
    st.builds(ReturnPayment, loan_id=ids, payment_id=ids, amount_fen=amounts, reason=st.just("overpayment")),
    st.builds(
        CreditInvestor,
        loan_id=ids,
        claim_id=ids,
        distribution_id=ids,
        principal_fen=amounts,
        interest_fen=amounts,
        fee_fen=st.integers(0, 100),
    ),
)


def follow_up(state: OpenAccountState, draw: Any) -> Any:
    """Often the bank answers what was asked: otherwise random answers would almost never fit."""
    for requests, confirm, name in (
        (state.top_ups, ConfirmTopUp, "top_up_id"),
        (state.withdrawals, ConfirmWithdrawal, "withdrawal_id"),
    ):
        for request_id, amount_fen in requests.pending.items():
            if draw(st.booleans()):
                reference = f"B{draw(st.integers(1, 99))}"
                answer: dict[str, Any] = {name: request_id, "succeeded": draw(st.booleans())}
                return confirm(bank_reference=reference, amount_fen=amount_fen, **answer)
    return draw(account_commands)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_an_account_is_never_overdrawn_and_its_postings_are_its_balances(data: st.DataObject) -> None:
    """After any commands: available >= 0, held is the sum of what is held, and an independent ledger agrees."""
    state: Any = fold(ACCOUNT, (OPENED,))
    ledger: Counter[str] = Counter()
    for _ in range(data.draw(st.integers(0, 25), label="commands")):
        outcome = step(ACCOUNT, state, follow_up(state, data.draw), context(principal=ANN))
        state = outcome.state
        for event in outcome.events:
            for posting in getattr(event, "postings", ()):
                ledger[posting.account] += posting.amount_fen
        held_fen = sum(hold.amount_fen for hold in state.holds.values())
        assert state.available_fen >= 0
        assert state.held_fen == held_fen + sum(state.withdrawals.pending.values())
        assert state.available_fen + state.held_fen <= MAX_INTEGER
        assert (ledger["available:acc_ann"], ledger["held:acc_ann"]) == (state.available_fen, state.held_fen)
        assert sum(ledger.values()) == 0


# --- one listing ---------------------------------------------------------------------------------------------------

listing_amounts = st.integers(1, 30_000_00) | st.sampled_from([100_000_00, 100_000_01, 8_000_000_000_00])


def terms(amount_fen: int) -> OpenListing:
    """Bea asks for this much."""
    return OpenListing(
        loan_id="loan_1",
        borrower="usr_bea",
        amount_fen=amount_fen,
        annual_rate=Decimal("0.12"),
        tenor_months=12,
        grade="B",
        window_days=5,
        origination_fee_fen=0,
        interest_fee_permille=100,
    )


@settings(max_examples=40, deadline=None)
@given(listing_amounts, st.data())
def test_a_listing_is_never_overfunded_and_its_claims_are_its_amount(
    amount_fen: int, data: st.DataObject
) -> None:
    """After any bids: raised <= amount, bids are numbered without gap and sum to what is raised; claims sum to the loan."""
    (opened,) = (outcome := step(LISTING, LISTING.initial, terms(amount_fen), context())).events
    state, bids = outcome.state, list[Bid]()
    for number in range(data.draw(st.integers(1, 25), label="bids")):
        remaining_fen = amount_fen - sum(bid.amount_fen for bid in bids)
        steps = st.integers(1, 12).map(lambda count: min(count * opened.bid_min_fen, MAX_INTEGER))
        bid_fen = data.draw(st.one_of(steps, st.just(max(1, remaining_fen)), st.integers(1, amount_fen)))
        investor = data.draw(st.sampled_from(["ann", "bea", "cem"]))
        command = RecordBid(
            bid_id=f"bid_{number}",
            hold_id=f"hold_{number}",
            account_id=f"acc_{investor}",
            investor=f"usr_{investor}",
            amount_fen=bid_fen,
            allow_partial=data.draw(st.booleans()),
        )
        day = TODAY + timedelta(days=data.draw(st.sampled_from([0, 5, 6])))
        outcome = step(LISTING, state, command, context(day))
        state = outcome.state
        first = outcome.events[0]
        assert isinstance(first, BidPlaced | BidDeclined)
        if isinstance(first, BidPlaced):
            bids.append(first.bid)
            assert first.bid.investor != "usr_bea"
            assert first.raised_after_fen == sum(bid.amount_fen for bid in bids) <= amount_fen
            assert first.bid.amount_fen + first.excess_fen == bid_fen
            assert first.excess_fen == 0 or (command.allow_partial and first.remaining_after_fen == 0)
            assert first.remaining_after_fen == amount_fen - first.raised_after_fen
            assert (len(outcome.events) == 2) == (first.remaining_after_fen == 0)
        assert [bid.order for bid in bids] == list(range(1, len(bids) + 1))
    outcome = step(LISTING, state, FundListing(), context())
    if outcome.refused is None:
        (funded,) = outcome.events
        assert isinstance(funded, LoanFunded)
        assert funded.bids == tuple(bids)
        assert sum(claim.principal_fen for claim in funded.claims) == amount_fen
        state = outcome.state
        for bid in data.draw(st.permutations(bids)):
            state = step(
                LISTING, state, RecordCapture(hold_id=bid.hold_id, amount_fen=bid.amount_fen), context()
            ).state
        assert isinstance(state, Funded)
    else:
        wake = Wake(business_date=TODAY + timedelta(days=5), phase=1)
        (expired,) = step(LISTING, state, wake, context(wake.business_date)).events
        assert expired.bids == tuple(bids)


# --- the whole of bidding ------------------------------------------------------------------------------------------

INVESTORS = ("ann", "cem", "dan")
GOING_OUT = ("withdrawn_fen", "invested_fen", "fees_fen", "repaid_fen", "bought_fen")


def rich_town(choose: Any) -> Town:
    """Three investors with 2,000 yuan each and two listings of 1,500.50 yuan, of a borrower who is one of them and one not."""
    town = Town()
    for name in INVESTORS:
        account, owner = f"acc_{name}", f"usr_{name}"
        town.does(account, OpenAccount(owner=owner))
        town.does(account, RequestTopUp(top_up_id="top_1", amount_fen=2_000_00), owner)
        paid_in = ConfirmTopUp(top_up_id="top_1", bank_reference="B1", amount_fen=2_000_00, succeeded=True)
        town.does(account, paid_in)
    for loan, borrower, fee_fen in (("1", "bea", 30_00), ("2", "ann", 0)):
        listing = OpenListing(
            loan_id=f"loan_{loan}",
            borrower=f"usr_{borrower}",
            amount_fen=1_500_50,
            annual_rate=Decimal("0.12"),
            tenor_months=12,
            grade="B",
            window_days=1,
            origination_fee_fen=fee_fen,
            interest_fee_permille=100,
        )
        town.does(f"lst_{loan}", listing)
        town.deliver(choose)
    return town


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_every_hold_ends_in_a_loan_or_back_with_its_investor(data: st.DataObject) -> None:
    """Random bids, deliveries in any order, the day's end: nothing stays held or in clearing, and the views agree."""

    def choose(count: int) -> int:
        return data.draw(st.integers(0, count - 1))

    town = rich_town(choose)
    for number in range(data.draw(st.integers(0, 10), label="bids")):
        name = data.draw(st.sampled_from(INVESTORS))
        bid = PlaceBid(
            bid_id=f"bid_{number}",
            hold_id=f"hold_{number}",
            listing_id=data.draw(st.sampled_from(["lst_1", "lst_2", "lst_unknown"])),
            amount_fen=data.draw(st.sampled_from([99_00, 100_00, 500_00, 500_50, 1_000_00, 1_500_50])),
            allow_partial=data.draw(st.booleans()),
        )
        town.does(f"acc_{name}", bid, f"usr_{name}")
        for _ in range(data.draw(st.integers(0, 3))):
            town.deliver(choose)
    town.wake(TODAY)
    town.today += timedelta(days=1)
    town.wake(town.today)
    town.settle(choose)
    town.today += timedelta(days=1)
    town.settle(choose)
    check_quiet(town)
    check_views(town, data)


def check_quiet(town: Town) -> None:
    """No saga is open: every listing has ended, no money is held, and only a bid on nothing was ever refused."""
    assert all(isinstance(town.states[stream], Funded | Expired) for stream in ("lst_1", "lst_2"))
    accounts = [
        state for stream, state in town.states.items() if stream.startswith("acc_") and stream != "acc_fees"
    ]
    assert all(state.held_fen == 0 and not state.holds for state in accounts)
    assert set(town.refused) <= {("bidding.RecordBid", "unknown_listing")}
    fees_fen = getattr(town.states.get("acc_fees"), "balance_fen", 0)
    assert sum(state.available_fen for state in accounts) + fees_fen == len(INVESTORS) * 2_000_00


def check_views(town: Town, data: st.DataObject) -> None:
    """Views of another interleaving are the same; balances explain themselves; custody is zero and clearing empty."""
    histories = list(town.histories.values())
    in_order = [event for history in histories for event in history]
    heads = [stream for stream, history in enumerate(histories) for _ in history]
    left = [list(history) for history in histories]
    shuffled = [left[stream].pop(0) for stream in data.draw(st.permutations(heads))]
    shown = {view.name: documents(view, in_order) for view in VIEWS}
    assert shown == {view.name: documents(view, shuffled) for view in VIEWS}
    for stream, document in shown["bidding.balances"].items():
        if stream != "acc_fees":
            explained = sum(-document[field] if field in GOING_OUT else document[field] for field in SUMS)
            assert document["available_fen"] == town.states[stream].available_fen == explained
            assert document["held_fen"] == 0
    assert shown["bidding.custody"].pop("books")["total_fen"] == 0
    custody = {name: document["balance_fen"] for name, document in shown["bidding.custody"].items()}
    assert all(balance == 0 for name, balance in custody.items() if name.startswith(("clearing", "held")))
    assert sum(custody.values()) == 0

"""The secondary market in bidding: who may offer and take, for how long, and that money follows the claim or comes back."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from libs.events.deciding import Wake
from libs.events.sagas import Send
from services.bidding.commands.market import ReleasePurchase, SettleOffer
from services.bidding.domain.account import aggregate as account_aggregate
from services.bidding.domain.contract_text import UnknownVersion, hash_of
from services.bidding.domain.listing import aggregate as listing_aggregate
from services.bidding.domain.offer import aggregate as offer_aggregate
from services.bidding.domain.offer_state import Open, Taken, Unsold
from services.bidding.domain.profile import CN_P2P_2016, DEMO
from services.bidding.domain.transfer_text import transfer_text
from services.bidding.policies import POLICIES
from tests.unit.bidding import listing_story as story
from tests.unit.bidding import market_story as market
from tests.unit.bidding.specs import ANN, OPENED, Spec, on
from tests.unit.documents import recorded
from tests.unit.given import TODAY, context, fold, given

OFFER, LAWFUL_OFFER = offer_aggregate(DEMO), offer_aggregate(CN_P2P_2016)
ACCOUNT = account_aggregate(DEMO)
LISTING = listing_aggregate(DEMO)
ASKED = (market.REQUESTED,)
STANDS = (*ASKED, market.OPENED)
TAKEN = (*STANDS, market.TAKEN)
SOLD = (*TAKEN, market.SETTLED)
WITHDRAWN = (*STANDS, market.WITHDRAWN)
EXPIRED = (*STANDS, market.EXPIRED)
RICH = (market.CEM, replace(market.RELEASED, available_after_fen=500_00))
WANTS = (*RICH, market.HELD)


def spec(
    says: str, history: tuple[Any, ...], when: Any, then: Any, who: str = "bidding-reads-bidding"
) -> Spec:
    """A rule of an offer, asked for by a policy unless somebody is named."""
    return Spec(says, history, when, then, on(principal=who))


ask, take = market.ASK, market.TAKE
SPECS = [
    spec("a holder offers his claim", (), ask, (market.REQUESTED,), ANN),
    spec("once", ASKED, ask, (), ANN),
    spec("nobody offers another's", (), ask, "unknown_claim", "usr_cem"),
    spec("nor as nobody", (), replace(ask, seller="usr_"), "invalid_owner", "usr_"),
    spec("a claim of the loan that is named", (), replace(ask, loan_id="loan_2"), "invalid_claim", ANN),
    spec("not a loan", (), replace(ask, claim_id="clm_1"), "invalid_claim", ANN),
    spec("not too cheap", (), replace(ask, price_permille=899), "invalid_price", ANN),
    spec("not too dear", (), replace(ask, price_permille=1_101), "invalid_price", ANN),
    spec(
        "as cheap as the band ends",
        (),
        replace(ask, price_permille=900),
        (replace(market.REQUESTED, price_permille=900),),
        ANN,
    ),
    spec(
        "as dear as it ends",
        (),
        replace(ask, price_permille=1_100),
        (replace(market.REQUESTED, price_permille=1_100),),
        ANN,
    ),
    spec("for a day at least", (), replace(ask, window_days=0), "invalid_window", ANN),
    spec("and ten at most", (), replace(ask, window_days=11), "invalid_window", ANN),
    spec(
        "a redemption releases one until its deadline",
        (),
        replace(ask, redemption_id="rdm_1", until=date(2024, 4, 5)),
        (replace(market.REQUESTED, redemption_id="rdm_1", until=date(2024, 4, 5)),),
    ),
    spec(
        "that is not over",
        (),
        replace(ask, redemption_id="rdm_1", until=TODAY - timedelta(days=1)),
        "invalid_window",
    ),
    spec("the loan's reservation opens it", ASKED, market.RESERVE, (market.OPENED,)),
    spec(
        "with its manner, and those whom the listing knew",
        ASKED,
        replace(market.RESERVE, method="bullet", related=market.RELATED),
        (replace(market.OPENED, method="bullet", related=market.RELATED),),
    ),
    spec(
        "from before offers said until when",
        (replace(market.REQUESTED, until=None),),
        market.RESERVE,
        (market.OPENED,),
    ),
    spec("once, whatever became of it", EXPIRED, market.RESERVE, ()),
    spec("but not what was never asked for", (), market.RESERVE, "unknown_offer"),
    spec("the loan's refusal ends it", ASKED, market.REFUSE, (market.REFUSED,)),
    spec("before it opens only", STANDS, market.REFUSE, ()),
    spec("if there is one", (), market.REFUSE, "unknown_offer"),
    spec("the first buyer has it", STANDS, take, (market.TAKEN,)),
    spec("and has it", TAKEN, take, ()),
    spec("also when it is sold", SOLD, take, ()),
    spec("the second has not", TAKEN, replace(take, hold_id="hold_2"), "offer_taken"),
    spec("nor the third", SOLD, replace(take, hold_id="hold_3"), "offer_ended"),
    spec("nobody has what ended", EXPIRED, take, "offer_ended"),
    spec("or never opened", ASKED, take, "offer_not_open"),
    spec("or was refused", (*ASKED, market.REFUSED), take, "unknown_offer"),
    spec("or never was", (), take, "unknown_offer"),
    spec("the seller is no buyer", STANDS, replace(take, buyer=ANN), "own_offer"),
    spec("nor is the borrower", STANDS, replace(take, buyer="usr_bea"), "own_loan"),
    spec("nor his relations", STANDS, replace(take, related=("usr_bea",)), "related_party"),
    spec(
        "nor whom only the listing knew as such",
        (*ASKED, replace(market.OPENED, related=market.RELATED)),
        replace(take, buyer="usr_cousin"),
        "related_party",
    ),
    spec("nor who holds too little", STANDS, replace(take, held_fen=400_07), "below_maximum"),
    spec(
        "nor whose assessment is over",
        STANDS,
        replace(take, suitability_level="C5", suitability_valid_to=date(2024, 3, 14)),
        "suitability_expired",
    ),
    spec(
        "nor who does not bear the risk",
        STANDS,
        replace(take, suitability_level="C1", suitability_valid_to=EXPIRED[-1].expires_on),
        "unsuitable",
    ),
    spec("what the loan does not give this buyer is open again", TAKEN, market.REOPEN, (market.REOPENED,)),
    spec(
        "what it gives nobody any more is closed",
        TAKEN,
        replace(market.REOPEN, code="claim_not_reserved"),
        (market.CLOSED_ON_BUYER,),
    ),
    spec("once", STANDS, market.REOPEN, ()),
    spec("not over another buyer", TAKEN, replace(market.REOPEN, hold_id="hold_2"), ()),
    spec("nor over nothing", (), market.REOPEN, "unknown_offer"),
    spec("the loan's end ends it", STANDS, market.CLOSE, (market.CLOSED,)),
    spec("also before it has opened", ASKED, market.CLOSE, (market.GONE,)),
    spec("which it then never does", (*ASKED, market.GONE), market.RESERVE, ()),
    spec("not while its transfer is decided", TAKEN, market.CLOSE, ()),
    spec("nor where nothing was", (), market.CLOSE, "unknown_offer"),
    spec("its seller withdraws it", STANDS, market.WITHDRAW, (market.WITHDRAWN,), ANN),
    spec("once", WITHDRAWN, market.WITHDRAW, (), ANN),
    spec("nobody else", STANDS, market.WITHDRAW, "unknown_offer", "usr_cem"),
    spec("not before it is open", ASKED, market.WITHDRAW, "offer_not_open", ANN),
    spec("not from its buyer", TAKEN, market.WITHDRAW, "offer_taken", ANN),
    spec("not after its end", EXPIRED, market.WITHDRAW, "offer_ended", ANN),
    spec("what is paid is settled and certified", TAKEN, market.SETTLE, (market.SETTLED,)),
    spec("once", SOLD, market.SETTLE, ()),
    spec("not what nobody took", STANDS, market.SETTLE, "offer_not_taken"),
    spec("nor what never was", (), market.SETTLE, "unknown_offer"),
    spec(
        "the end of its window expires it",
        STANDS,
        Wake(business_date=market.EXPIRES, phase=1),
        (market.EXPIRED,),
    ),
    spec("not before", STANDS, Wake(business_date=TODAY, phase=1), ()),
    spec("nor from its buyer", TAKEN, Wake(business_date=market.EXPIRES, phase=1), ()),
]
LISTING_SPECS = [
    spec(
        "the listing says whom it knew",
        (story.opened(related=market.RELATED),),
        market.CONFIRM,
        (replace(market.CONFIRMED, related=market.RELATED),),
    ),
    spec("or that there is none", (), market.CONFIRM, (market.CONFIRMED,)),
]
LAWFUL_SPECS = [
    spec("under the law the seller bears a published fee", ASKED, market.RESERVE, (market.LAWFUL,)),
    spec("who was not assessed buys nothing", (*ASKED, market.LAWFUL), take, "unsuitable"),
    spec(
        "and nobody more than the cap, which the loan counts",
        (*ASKED, market.LAWFUL),
        replace(take, suitability_level="C2", suitability_valid_to=TODAY),
        (replace(market.TAKEN, fee_permille=5, investor_cap_fen=120_000_00),),
    ),
]
ACCOUNT_SPECS = [
    spec("a buyer's money is held, as much as it can cost", RICH, market.WANT, (market.HELD,), "usr_cem"),
    spec("once", WANTS, market.WANT, (), "usr_cem"),
    spec(
        "of what he has",
        (*RICH, replace(market.HELD, hold_id="hold_0")),
        market.WANT,
        "insufficient_available",
        "usr_cem",
    ),
    spec("it comes back", WANTS, market.LET_GO, (market.RELEASED,)),
    spec("once", RICH, market.LET_GO, ()),
    spec("to an account", (), market.LET_GO, "unknown_account"),
    spec("or is paid, and the rest comes back", WANTS, market.CAPTURE, (market.CAPTURED,)),
    spec("if it is held", RICH, market.CAPTURE, "unknown_hold"),
    spec("the seller gets it less the fee", (OPENED,), market.CREDIT, (market.CREDITED,)),
    spec(
        "of which something is left",
        (OPENED,),
        replace(market.CREDIT, sale=replace(market.SALE, fee_fen=397_84)),
        "invalid_fee",
    ),
    spec("and the platform the fee", (), market.FEE, (market.FEE_CREDITED,)),
]


@pytest.mark.parametrize("row", SPECS, ids=lambda row: row.says)
def test_an_offer(row: Spec) -> None:
    """Each rule of an offer, one row each."""
    row.check(OFFER)


@pytest.mark.parametrize("row", LISTING_SPECS, ids=lambda row: row.says)
def test_a_listing_is_asked_before_its_loan_is_offered(row: Spec) -> None:
    """Who was related to the borrower on the day of approval, only the listing knows."""
    row.check(LISTING)


@pytest.mark.parametrize("row", LAWFUL_SPECS, ids=lambda row: row.says)
def test_an_offer_under_the_law(row: Spec) -> None:
    """Fee, suitability and cap are the profile's."""
    row.check(LAWFUL_OFFER)


@pytest.mark.parametrize("row", ACCOUNT_SPECS, ids=lambda row: row.says)
def test_the_money_of_a_sale(row: Spec) -> None:
    """Each step of the money in the accounts of buyer, seller and platform."""
    row.check(ACCOUNT)


def test_what_is_invested_follows_the_claim() -> None:
    """The principal leaves the seller's account with his money and comes to the buyer's with his payment."""
    buyer = fold(ACCOUNT, (*WANTS, market.CAPTURED))
    seller = fold(ACCOUNT, (OPENED, market.CREDITED))
    assert (buyer.invested_fen, seller.invested_fen) == (400_00, -400_00)
    assert buyer.purchases == ()


@pytest.mark.parametrize(
    "code", ["blocked_window", "above_investor_cap", "above_maximum", "value_date_passed"]
)
def test_what_passes_leaves_an_offer_open(code: str) -> None:
    """The loan refuses this buyer or this day, and the claim is reserved still: others may take it."""
    back = replace(market.REOPENED, code=code)
    given(OFFER, *TAKEN).when(replace(market.REOPEN, code=code)).then(back)


def test_a_buyer_is_in_time_on_the_last_day() -> None:
    """The window ends with its day, not before."""
    taken = replace(market.TAKEN, taken_on=market.EXPIRES)
    given(OFFER, *STANDS).when(market.TAKE, context(market.EXPIRES)).then(taken)


def test_an_offer_whose_last_day_is_over_is_over_all_the_same() -> None:
    """Its window ends for a buyer when the date has changed, whatever the tick has come to."""
    late = context(market.EXPIRES + timedelta(days=1))
    given(OFFER, *STANDS).when(market.TAKE, late).then_refused("offer_ended")


def test_an_offer_that_opens_after_its_window_ends_at_once() -> None:
    """The loan answered late: nobody sees an offer that is over, and its claim is not kept for a day more."""
    late = market.EXPIRES + timedelta(days=1)
    opened = replace(market.OPENED, opened_on=late)
    over = replace(market.EXPIRED, opened_on=late, expired_on=late)
    given(OFFER, *ASKED).when(market.RESERVE, context(late)).then(opened, over)
    again = replace(market.EXPIRED, expired_on=late)
    given(OFFER, *TAKEN).when(market.REOPEN, context(late)).then(market.REOPENED, again)
    on_time = context(market.EXPIRES)
    given(OFFER, *TAKEN).when(market.REOPEN, on_time).then(market.REOPENED)


def test_an_offer_that_opened_again_after_its_window_ends_with_the_next_day() -> None:
    """As older rules have left some: it wakes for its end while it is open only, and again when the loan gives it back late."""
    assert OFFER.wake_on(fold(OFFER, TAKEN)) is None
    back = fold(OFFER, (*TAKEN, market.REOPENED))
    assert isinstance(back, Open)
    later = market.EXPIRES + timedelta(days=3)
    wake = Wake(business_date=later, phase=1)
    due = OFFER.wake_on(back)
    assert due is not None
    assert due < (later, 1)
    expired = replace(market.EXPIRED, expired_on=later)
    given(OFFER, *TAKEN, market.REOPENED).when(wake).then(expired)


def test_a_finished_offer_remembers_how_it_ended() -> None:
    """Seller, claim, dates and what was left unsold stay known: a redemption asks."""
    terms = fold(OFFER, STANDS).terms
    assert fold(OFFER, EXPIRED) == Unsold(terms=terms, how="expired", ended_on=market.EXPIRES)
    assert fold(OFFER, WITHDRAWN) == Unsold(terms=terms, how="withdrawn", ended_on=TODAY)
    closed = Unsold(terms=terms, how="closed", ended_on=TODAY, code="loan_repaid")
    assert fold(OFFER, (*STANDS, market.CLOSED)) == closed
    assert isinstance(fold(OFFER, TAKEN), Taken)


def test_the_certificate_of_a_sale_is_the_same_text_for_ever() -> None:
    """Version 1 says who bought what for how much, by one hash; a version that this release lacks is told."""
    assert hash_of(transfer_text(market.SETTLED)) == market.SETTLED.certificate_hash
    assert market.SETTLED.certificate_hash == CERTIFICATE_1
    text = transfer_text(market.SETTLED)
    assert all(part in text for part in ("clm_1_3", "clm_1_1", "40000 fen", "39600 fen", "184 fen", "0.12"))
    with pytest.raises(UnknownVersion):
        transfer_text(replace(market.SETTLED, version=2))


#: The hash of version 1 for the story's sale: a version is never edited.
CERTIFICATE_1 = "2017dc013650f7595c6f3576cedbad40842179ea84c68b08dcf18db32eabbec9"

# --- policies ------------------------------------------------------------------------------------------------------

SEND_BACK = Send("release:hold_1", "acc_cem", ReleasePurchase(hold_id="hold_1", reason="offer_taken"))
ANSWERS: list[tuple[str, Any, list[Send]]] = [
    ("repayment", market.RESERVED, [Send("reserved", "lst_1", market.CONFIRM)]),
    ("bidding", market.CONFIRMED, [Send("reserved", "offer_1", market.RESERVE)]),
    ("repayment", market.NOT_RESERVED, [Send("refuse-offer", "offer_1", market.REFUSE)]),
    (
        "bidding",
        market.HELD,
        [Send("take", "offer_1", market.TAKE, {"hold_id": "hold_1", "account_id": "acc_cem"})],
    ),
    ("bidding", market.NOT_TAKEN, [SEND_BACK]),
    ("repayment", market.NOT_TRANSFERRED, [Send("reopen-offer", "offer_1", market.REOPEN)]),
    (
        "bidding",
        market.REOPENED,
        [replace(SEND_BACK, command=ReleasePurchase(hold_id="hold_1", reason="above_investor_cap"))],
    ),
    ("bidding", market.CLOSED, []),
    (
        "bidding",
        market.CLOSED_ON_BUYER,
        [replace(SEND_BACK, command=ReleasePurchase(hold_id="hold_1", reason="claim_not_reserved"))],
    ),
    ("repayment", market.freed("loan_repaid"), [Send("close-offer", "offer_1", market.CLOSE)]),
    ("repayment", market.freed("offer_expired"), []),
    ("repayment", market.TRANSFERRED, [Send("capture-purchase", "acc_cem", market.CAPTURE)]),
    (
        "bidding",
        market.CAPTURED,
        [Send("sale", "acc_ann", market.CREDIT), Send("fee", "acc_fees", market.FEE)],
    ),
    (
        "bidding",
        replace(market.CAPTURED, sale=replace(market.SALE, fee_fen=0)),
        [Send("sale", "acc_ann", replace(market.CREDIT, sale=replace(market.SALE, fee_fen=0)))],
    ),
    ("bidding", market.CREDITED, [Send("settle", "offer_1", SettleOffer(sale=market.SALE))]),
]


@pytest.mark.parametrize(("source", "event", "sends"), ANSWERS)
def test_each_event_of_a_sale_is_answered(source: str, event: Any, sends: list[Send]) -> None:
    """The next step goes to its stream, and every decline gives the buyer his money back."""
    assert POLICIES[source](recorded(event, service=source)) == sends

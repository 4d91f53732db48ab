"""The views of bidding say the same of the same facts, in whatever order partitions bring them."""

from dataclasses import replace
from typing import Any

import pytest

from libs.events.bidding import (
    ContractIssued,
)
from libs.events.codec import decode_object
from libs.events.market import OfferSettled
from libs.events.views import View
from services.bidding.domain.redemption_state import STEPS
from services.bidding.projections import VIEWS
from services.bidding.projections.balances import VIEW as BALANCES
from services.bidding.projections.bank_days import BREAKS as BANK_BREAKS
from services.bidding.projections.bank_requests import VIEW as BANK_REQUESTS
from services.bidding.projections.bids import VIEW as BIDS
from services.bidding.projections.listings import VIEW as LISTINGS
from services.bidding.projections.market import OFFERS, TRANSFERS
from services.bidding.projections.papers import CONTRACTS, PACKS
from services.bidding.projections.redemptions import VIEW as REDEMPTIONS
from tests.unit.bidding import account_story as account
from tests.unit.bidding import bank_day_story as bank_days
from tests.unit.bidding import listing_story as listing
from tests.unit.bidding import market_story as market
from tests.unit.bidding import paper_story as papers
from tests.unit.bidding.views_story import (
    ANN,
    BANK_DAY,
    BUYER,
    CORRECTED,
    CREDITED,
    CY,
    DAYS,
    ENDS,
    EVERYTHING,
    EXPIRED,
    FEES,
    FLEW,
    GUARANTOR,
    LEFT,
    LISTED,
    LOAN_OF,
    MORE_OFFERS,
    OFFER,
    ORDERS,
    PACK,
    PAPERS,
    PASSED,
    PUBLISHED,
    REDEEMED,
    REVIEWED,
    SCHEDULED,
    SELLER,
    STAFF,
    STOCK,
    TRADER,
    TURNED_DOWN,
    UNREQUESTED,
    VOUCHERS,
)
from tests.unit.documents import documents, history, nested, turn_about
from tests.unit.given import AT


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_replaying_and_interleaving_change_nothing(view: View) -> None:
    """A fresh fold of the same events, and of the same events in another order of streams, gives equal documents."""
    first = documents(view, EVERYTHING)
    assert first
    assert documents(view, EVERYTHING) == first
    streams = (ANN, LISTED, FEES, EXPIRED, REVIEWED, LEFT, PASSED, STAFF, UNREQUESTED, CY, PAPERS, PACK)
    more = (
        PUBLISHED,
        TURNED_DOWN,
        VOUCHERS,
        CREDITED,
        SCHEDULED,
        BANK_DAY,
        LOAN_OF,
        ORDERS,
        GUARANTOR,
        BUYER,
    )
    traded = (STOCK, OFFER, MORE_OFFERS, TRADER, SELLER, REDEEMED, *ENDS, DAYS)
    corrected = [[event] for event in CORRECTED[3:]]
    assert documents(view, turn_about(*streams, *more, *traded, CORRECTED[:3], *corrected)) == first


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_every_type_that_a_view_reads_changes_it(view: View) -> None:
    """A view reads no type of event in vain, and this history has one of each."""
    changing = {
        type(event.data) for event in EVERYTHING if type(event.data) in view.reads and view.project(event)
    }
    assert changing == set(view.reads)


def test_balances_follow_an_account_from_deposit_to_repayment() -> None:
    """Balances are those after the last event; the sums say what brought them there and add up to them."""
    ann = documents(BALANCES, EVERYTHING)["acc_ann"]
    sums = {
        "deposited_fen": 500_00,
        "withdrawn_fen": 50_00,
        "invested_fen": 300_00,
        "principal_back_fen": 23_40,
        "interest_fen": 3_00,
        "penalty_fen": 0,
        "fees_fen": 20_30,
        "borrowed_fen": 1_000_50,
        "repaid_fen": 148_85,
        "vouchers_fen": 0,
        "bought_fen": 0,
        "sold_fen": 0,
        "adjusted_fen": 0,
        "assets_fen": 0,
        "owed_fen": 0,
    }
    who = {"account_id": "acc_ann", "owner": "usr_ann", "state": "open"}
    source = {"src.acc_ann": "bidding/0/19/0", "src.lst_1": "bidding/0/8/0"}
    assert ann == who | sums | source | {"available_fen": 1_007_75, "held_fen": 0}
    assert ann["available_fen"] + ann["held_fen"] == (
        sums["deposited_fen"]
        - sums["withdrawn_fen"]
        - sums["invested_fen"]
        + sums["principal_back_fen"]
        + sums["interest_fen"]
        + sums["penalty_fen"]
        - sums["fees_fen"]
        + sums["borrowed_fen"]
        - sums["repaid_fen"]
        + sums["vouchers_fen"]
        - sums["bought_fen"]
        + sums["sold_fen"]
    )


def test_a_bid_is_shown_by_its_account_and_its_listing_in_any_order() -> None:
    """The account says what was asked and held, the listing what it took; a part leaves less held."""
    held = history("acc_ann", account.HELD_FUNDS, account.REDUCED)
    bid = replace(listing.accepted(1, listing.FIRST), bid_id="bid_1", amount_fen=100_00)
    answered = history("lst_1", replace(listing.PLACED, bid=bid, excess_fen=200_00))
    expected = {
        "bid_id": "bid_1",
        "owner": "usr_ann",
        "account_id": "acc_ann",
        "listing_id": "lst_1",
        "asked_fen": 300_00,
        "allow_partial": False,
        "hold": "held",
        "held_fen": 100_00,
        "answer": "accepted",
        "accepted_fen": 100_00,
        "order": 1,
        "src.acc_ann": "bidding/0/2/0",
        "src.lst_1": "bidding/0/1/0",
    }
    for told in ([*held, *answered], [*answered, *held]):
        assert documents(BIDS, told) == {"bid_1": expected}


def test_a_new_account_is_shown_with_zeros() -> None:
    """An account without money has every field, so that nobody must guess what a missing one means."""
    shown = documents(BALANCES, ANN[:1])["acc_ann"]
    assert {field for field, value in shown.items() if value == 0} == {
        "available_fen",
        "held_fen",
        "deposited_fen",
        "withdrawn_fen",
        "invested_fen",
        "principal_back_fen",
        "interest_fen",
        "penalty_fen",
        "fees_fen",
        "borrowed_fen",
        "repaid_fen",
        "vouchers_fen",
        "bought_fen",
        "sold_fen",
        "adjusted_fen",
        "assets_fen",
        "owed_fen",
    }


def test_what_the_bank_has_not_answered_is_open_and_nothing_else() -> None:
    """A request is there with all that the order to the bank says until its answer comes, whichever it is."""
    assert documents(BANK_REQUESTS, EVERYTHING) == {
        "acc_cy:top_9": {
            "request_id": "top_9",
            "kind": "collect",
            "account_id": "acc_cy",
            "owner": "usr_cy",
            "amount_fen": 70_00,
            "card_ref": "card_" + "c3" * 16,
            "business_date": "2024-03-15",
            "asked_at": "2024-03-15T10:30:00+00:00",
            "src.acc_cy": "bidding/0/3/0",
        }
    }
    asked_out = documents(BANK_REQUESTS, ANN[:11])["acc_ann:wdr_1"]
    assert (asked_out["kind"], asked_out["amount_fen"], asked_out["card_ref"]) == ("pay_out", 50_00, None)


def test_the_fee_account_belongs_to_nobody() -> None:
    """The platform's account is shown with its balance, under an owner that is no person."""
    assert documents(BALANCES, FEES) == {
        "acc_fees": {
            "account_id": "acc_fees",
            "owner": "platform",
            "available_fen": 20_30,
            "held_fen": 0,
            "fees_received_fen": 20_30,
            "src.acc_fees": "bidding/0/2/0",
        }
    }


def test_a_listing_is_shown_as_it_fills_and_ends() -> None:
    """A listing's document carries its terms, how far it is, and its state after each event."""
    terms = {
        "listing_id": "lst_1",
        "loan_id": "loan_1",
        "borrower": "usr_bea",
        "amount_fen": 1_000_50,
        "bid_min_fen": 100_00,
        "annual_rate": "0.12",
        "rate_units": 12_000_000,
        "tenor_months": 12,
        "grade": "B",
        "closes_on": "2024-03-20",
        "opened_at": AT.isoformat(),
        "origination_fee_fen": 20_00,
        "interest_fee_permille": 100,
        "product": "",
        "region": "",
        "owner": None,
        "application_id": "",
        "reviews": 0,
        "reviews_needed": 0,
        "newcomers_only": False,
        "related_to_staff": False,
    }
    one_bid = documents(LISTINGS, LISTED[:2])["lst_1"]
    progress = {"state": "open", "raised_fen": 900_00, "remaining_fen": 100_50, "bids": 1}
    assert one_bid == terms | progress | {"src.lst_1": "bidding/0/2/0"}
    states = [documents(LISTINGS, LISTED[:count])["lst_1"]["state"] for count in (1, 3, 4, 5, 8)]
    assert states == ["open", "open", "filled", "funding", "funded"]
    assert documents(LISTINGS, LISTED)["lst_1"]["funded_on"] == "2024-03-18"
    assert documents(LISTINGS, EXPIRED)["lst_2"]["state"] == "expired"


def test_a_listing_in_review_shows_who_has_approved_it_and_how_it_ended() -> None:
    """Above the threshold it is `in_review`, with its reviewers in order; a rejection is its end."""
    waiting = documents(LISTINGS, REVIEWED[:5])["lst_3"]
    shown = {name: waiting[name] for name in ("state", "reviews", "reviews_needed", "reviewers.1", "owner")}
    assert shown == {
        "state": "in_review",
        "reviews": 1,
        "reviews_needed": 2,
        "reviewers.1": "stf_fin",
        "owner": "stf_own",
    }
    rejected = documents(LISTINGS, REVIEWED)["lst_3"]
    assert (rejected["state"], rejected["code"], rejected["reviewers.2"]) == (
        "cancelled",
        "review_rejected",
        "stf_fan",
    )


def test_a_contract_is_kept_whole() -> None:
    """The document gives the event back that was issued, so its texts can be written again, also once it is void."""
    kept = documents(CONTRACTS, EVERYTHING)["loan_1"]
    assert decode_object(ContractIssued, kept["contract"]) == papers.ISSUED
    assert (kept["borrower"], kept["src.ctr_1"]) == ("usr_bea", "bidding/0/2/0")
    assert (kept["voided_on"], kept["void_for"]) == ("2024-04-20", "fraud")


def test_a_pack_shows_what_it_waits_for_and_who_signed() -> None:
    """The document follows the pack from step to step, through being sent back, to its delivery."""

    def after(*events: Any) -> dict[str, Any]:
        shown = documents(PACKS, history("pack_1_1", *events))["pack_1_1"]
        return {
            name: shown[name] for name in ("next_step", "sent_back", "is_overdue", "channel", "delivered_on")
        }

    waiting = {"sent_back": None, "is_overdue": False, "channel": None, "delivered_on": None}
    assert after(papers.PACK_OPENED) == waiting | {"next_step": "receipt"}
    assert after(*papers.ISSUED_PACK, papers.LATE) == waiting | {"next_step": "review", "is_overdue": True}
    back = (*papers.ISSUED_PACK, papers.SENT_BACK)
    assert after(*back) == waiting | {"next_step": "receipt", "sent_back": "wrong_list"}
    assert after(*back, papers.RECEIPT) == waiting | {"next_step": "claim_list"}
    sent = {"next_step": None, "channel": "email", "delivered_on": "2024-03-20"}
    assert after(*papers.DELIVERED_PACK) == waiting | sent
    void = documents(PACKS, history("pack_1_1", *papers.ISSUED_PACK, papers.PACK_VOID))["pack_1_1"]
    assert (void["next_step"], void["voided_on"]) == (None, "2024-04-20")
    shown = nested("pack_1_1", documents(PACKS, EVERYTHING)["pack_1_1"])
    assert shown["investor"] == "usr_ann"
    assert shown["signers"] == {
        "receipt": "stf_acc",
        "claim_list": "stf_ria",
        "review": "stf_liz",
        "seal_legal_representative": "stf_gus",
        "seal_company": "stf_abe",
        "delivery": "stf_cus",
    }


def test_a_sale_is_shown_on_both_sides_and_in_the_order_book() -> None:
    """Price and interest leave the buyer, come to the seller with the fee among his fees; the offer tells what was sold, and the
    bought claim's sale stands whole under its id.
    """
    balances = documents(BALANCES, EVERYTHING)
    buyer, seller = balances["acc_cem"], balances["acc_dee"]
    assert (buyer["bought_fen"], buyer["available_fen"], buyer["held_fen"]) == (397_84, 102_16, 0)
    assert (seller["sold_fen"], seller["fees_fen"], seller["available_fen"]) == (397_84, 1_98, 395_86)
    offers = documents(OFFERS, EVERYTHING)
    states = ["settled", "refused", "withdrawn", "expired", "closed"]
    assert [offers[f"offer_{number}"]["state"] for number in range(1, 6)] == states
    assert offers["offer_1"]["rate_units"] == 12_000_000
    assert offers["offer_1"]["sale.price_fen"] == 396_00
    (bought,) = documents(TRANSFERS, EVERYTHING).items()
    assert bought[0] == "clm_1_3"
    assert decode_object(OfferSettled, bought[1]["sold"]) == market.SETTLED


def test_a_redemption_shows_what_it_waits_for_and_its_month_what_came_of_it() -> None:
    """The work list goes by `stage`; a month counts who asked in it and what was sold in it; the clock is one partition's."""
    shown = documents(REDEMPTIONS, EVERYTHING)
    stages = [documents(REDEMPTIONS, REDEEMED[:count])["rdm_1"]["stage"] for count in range(1, 9)]
    assert stages == ["form", *STEPS, "sale", "sold"]
    assert [shown[f"rdm_{number}"]["stage"] for number in range(2, 6)] == [
        "declined",
        "refused",
        "lapsed",
        "refused",
    ]
    assert shown["month:2024-03"] == {"asked": 5}
    assert shown["month:2024-04"] == {"sold": 1, "amount_fen": 853_72, "days_used": 15}
    assert shown["~clock"] == {"business_date": "2024-03-16"}
    assert shown["rdm_1"]["signers.release"] == "stf_cas"
    assert shown["rdm_1"]["deadline"] == "2024-04-08"


def test_a_difference_is_shown_from_its_first_day_to_its_end() -> None:
    """Closed by a file, matched with that of another day, or explained by one person and resolved by another."""
    shown = documents(BANK_BREAKS, EVERYTHING)
    ends = {doc: (fields["state"], fields["code"]) for doc, fields in shown.items()}
    assert ends == {
        bank_days.T: ("closed", "closed_by_file"),
        bank_days.H: ("resolved", "timing"),
        bank_days.L: ("resolved", "timing"),
        bank_days.E: ("resolved", "bank_corrected"),
        FLEW.break_id: ("resolved", "timing"),
        FLEW.counterpart: ("resolved", "timing"),
    }
    assert (shown[FLEW.counterpart]["reference"], shown[FLEW.counterpart]["bank_fen"]) == ("B6", 0)
    gone = {doc for doc, fields in shown.items() if fields["is_gone"]}
    assert gone == {bank_days.E, FLEW.counterpart}, "over, and in no file any more"
    assert (shown[bank_days.H]["counterpart"], shown[bank_days.H]["ended_on"]) == (bank_days.L, "2024-03-15")
    assert (shown[bank_days.E]["explained_by"], shown[bank_days.E]["resolved_by"]) == ("stf_ufa", "stf_lin")

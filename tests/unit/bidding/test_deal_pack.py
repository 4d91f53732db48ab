"""The deal pack of a claim: each step in its turn and by another person, sent back, overdue once, delivered as its lender wishes."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from libs.events.deciding import Wake
from services.bidding.commands.papers import (
    ChooseDelivery,
    ConfirmReceipt,
    DeliverDealPack,
    IssueClaimList,
    ReviewDealPack,
    SealDealPack,
)
from services.bidding.domain.deal_pack import AGGREGATE
from tests.unit.bidding.paper_story import (
    BY_EMAIL,
    CLAIM_LIST,
    DELIVERED_PACK,
    DUE,
    FIRST_SEAL,
    ISSUED_PACK,
    LAST_SEAL,
    LATE,
    PACK_OPENED,
    PACK_VOID,
    RECEIPT,
    REVIEWED,
    SEALED_PACK,
    SENT,
    SENT_BACK,
    open_pack,
    opened,
    sealed,
    void_pack,
)
from tests.unit.bidding.specs import ANN, Spec, on
from tests.unit.given import fold, given

SEND_BACK = ReviewDealPack(sent_back="wrong_list")
LEGAL_REPRESENTATIVE, COMPANY, GUARANTOR = (
    SealDealPack(seal="legal_representative"),
    SealDealPack(seal="company"),
    SealDealPack(seal="guarantor"),
)
GUARANTEED = (opened(guarantor="gua_1"), *SEALED_PACK[1:-2])
SECOND_OF_THREE = sealed("company", "stf_abe", 1, "seal_guarantor")
SENT_BACK_PACK = (*ISSUED_PACK, SENT_BACK)


def spec(says: str, history: tuple[Any, ...], when: Any, then: Any, who: str = "") -> Spec:
    """A rule of a pack, for whoever acts, two days after the loan was funded."""
    return Spec(says, history, when, then, on(date(2024, 3, 20), who))


SPECS = [
    spec("a claim's pack is opened", (), open_pack(), (PACK_OPENED,)),
    spec("once", ISSUED_PACK, open_pack(), ()),
    spec("a pack is of a claim", (), open_pack(claim_id="loan_1"), "invalid_claim"),
    spec("accounting confirms the receipt", (PACK_OPENED,), ConfirmReceipt(), (RECEIPT,), "stf_acc"),
    spec("a receipt is confirmed once", ISSUED_PACK, ConfirmReceipt(), (), "stf_acc"),
    spec("a pack that is not there has no steps", (), ConfirmReceipt(), "unknown_pack", "stf_acc"),
    spec("only staff signs", (PACK_OPENED,), ConfirmReceipt(), "forbidden_not_staff", ANN),
    spec("risk writes the claim list", (PACK_OPENED, RECEIPT), IssueClaimList(), (CLAIM_LIST,), "stf_ria"),
    spec("a claim list is written once", ISSUED_PACK, IssueClaimList(), (), "stf_ria"),
    spec("no claims before the money", (PACK_OPENED,), IssueClaimList(), "step_out_of_order", "stf_ria"),
    spec(
        "who confirmed the money does not list the claims",
        (PACK_OPENED, RECEIPT),
        IssueClaimList(),
        "forbidden_second_signature",
        "stf_acc",
    ),
    spec(
        "nobody signs about his own claim",
        ISSUED_PACK,
        ReviewDealPack(himself="usr_ann"),
        "forbidden_holder",
        "stf_liz",
    ),
    spec(
        "of whatever step",
        (PACK_OPENED, RECEIPT),
        IssueClaimList(himself="usr_ann"),
        "forbidden_holder",
        "stf_ria",
    ),
    spec(
        "nor the borrower about the papers of his loan",
        (PACK_OPENED,),
        ConfirmReceipt(himself="usr_bea"),
        "forbidden_borrower",
        "stf_acc",
    ),
    spec(
        "nor who stands in for it",
        (opened(guarantor="gua_1"), RECEIPT),
        IssueClaimList(himself="usr_1"),
        "forbidden_guarantor",
        "stf_ria",
    ),
    spec(
        "whoever is no party signs, a customer or not",
        ISSUED_PACK,
        ReviewDealPack(himself="usr_cem"),
        (REVIEWED,),
        "stf_liz",
    ),
    spec("a pack is void, in work or delivered", ISSUED_PACK, void_pack(), (PACK_VOID,)),
    spec("of what was sent as well", DELIVERED_PACK, void_pack(), (PACK_VOID,)),
    spec("it is void once", (*ISSUED_PACK, PACK_VOID), void_pack(), ()),
    spec("where there is no pack there is nothing to void", (), void_pack(), ()),
    spec(
        "a void pack has no steps any more",
        (*ISSUED_PACK, PACK_VOID),
        ReviewDealPack(),
        "pack_voided",
        "stf_liz",
    ),
    spec(
        "nor is it sent",
        (PACK_OPENED, PACK_VOID),
        ChooseDelivery(channel="email"),
        "pack_voided",
        ANN,
    ),
    spec("nor overdue", (*ISSUED_PACK, PACK_VOID), Wake(business_date=DUE, phase=1), ()),
    spec(
        "a pack is void of a claim",
        ISSUED_PACK,
        replace(void_pack(), claim_id="loan_1"),
        "invalid_claim",
    ),
    spec("legal reviews", ISSUED_PACK, ReviewDealPack(), (REVIEWED,), "stf_liz"),
    spec("a review is done once", SEALED_PACK, ReviewDealPack(), (), "stf_liz"),
    spec(
        "no review before the issue", (PACK_OPENED, RECEIPT), ReviewDealPack(), "step_out_of_order", "stf_liz"
    ),
    spec(
        "who issues claim papers does not review them",
        ISSUED_PACK,
        ReviewDealPack(),
        "forbidden_second_signature",
        "stf_ria",
    ),
    spec("legal sends back with a code", ISSUED_PACK, SEND_BACK, (SENT_BACK,), "stf_liz"),
    spec("sent back is sent back", SENT_BACK_PACK, SEND_BACK, (), "stf_liz"),
    spec("what was found right is not sent back", SEALED_PACK, SEND_BACK, "pack_reviewed", "stf_liz"),
    spec("what is delivered is not sent back", DELIVERED_PACK, SEND_BACK, "pack_reviewed", "stf_liz"),
    spec("a pack that came back begins anew", SENT_BACK_PACK, ConfirmReceipt(), (RECEIPT,), "stf_acc"),
    spec("it is not reviewed before that", SENT_BACK_PACK, ReviewDealPack(), "step_out_of_order", "stf_liz"),
    spec(
        "a step of the first round still binds",
        (*SENT_BACK_PACK, RECEIPT),
        IssueClaimList(),
        "forbidden_second_signature",
        "stf_liz",
    ),
    spec(
        "the legal representative seals first",
        (*ISSUED_PACK, REVIEWED),
        LEGAL_REPRESENTATIVE,
        (FIRST_SEAL,),
        "stf_gus",
    ),
    spec("the company seals next", SEALED_PACK[:-1], COMPANY, (LAST_SEAL,), "stf_abe"),
    spec("a seal is set once", SEALED_PACK, COMPANY, (), "stf_abe"),
    spec("no seal before the review", ISSUED_PACK, LEGAL_REPRESENTATIVE, "step_out_of_order", "stf_gus"),
    spec("seals have an order", (*ISSUED_PACK, REVIEWED), COMPANY, "step_out_of_order", "stf_abe"),
    spec("nobody sets two seals", SEALED_PACK[:-1], COMPANY, "forbidden_second_signature", "stf_gus"),
    spec("no guarantor, no seal of one", SEALED_PACK, GUARANTOR, "seal_not_needed", "stf_leo"),
    spec("nor of one that is delivered", DELIVERED_PACK, GUARANTOR, "seal_not_needed", "stf_leo"),
    spec(
        "a guarantor seals last",
        (*GUARANTEED, sealed("legal_representative", "stf_gus", 2, "seal_company"), SECOND_OF_THREE),
        GUARANTOR,
        (sealed("guarantor", "stf_leo", 0, "delivery"),),
        "stf_leo",
    ),
    spec(
        "the lender says how he wants it", (PACK_OPENED,), ChooseDelivery(channel="email"), (BY_EMAIL,), ANN
    ),
    spec("the same wish again is no news", (PACK_OPENED, BY_EMAIL), ChooseDelivery(channel="email"), (), ANN),
    spec(
        "others have no pack here", (PACK_OPENED,), ChooseDelivery(channel="email"), "unknown_pack", "usr_cem"
    ),
    spec("what is sent is sent", DELIVERED_PACK, ChooseDelivery(channel="post"), "pack_delivered", ANN),
    spec("customer service sends it", DELIVERED_PACK[:-1], DeliverDealPack(), (SENT,), "stf_cus"),
    spec("it is sent once", DELIVERED_PACK, DeliverDealPack(), (), "stf_cus"),
    spec("nobody guesses the way", SEALED_PACK, DeliverDealPack(), "delivery_not_chosen", "stf_cus"),
    spec(
        "nothing goes out unsealed",
        (*ISSUED_PACK, BY_EMAIL),
        DeliverDealPack(),
        "step_out_of_order",
        "stf_cus",
    ),
    spec(
        "whoever sealed does not send",
        DELIVERED_PACK[:-1],
        DeliverDealPack(),
        "forbidden_second_signature",
        "stf_abe",
    ),
    spec("the due day ends, and it is overdue", ISSUED_PACK, Wake(business_date=DUE, phase=1), (LATE,)),
    spec("overdue is said once", (*ISSUED_PACK, LATE), Wake(business_date=DUE, phase=1), ()),
    spec("it is not overdue the day before", ISSUED_PACK, Wake(business_date=date(2024, 3, 20), phase=1), ()),
    spec("what is delivered is never overdue", DELIVERED_PACK, Wake(business_date=DUE, phase=1), ()),
]


@pytest.mark.parametrize("row", SPECS, ids=lambda row: row.says)
def test_the_pack(row: Spec) -> None:
    """Each rule of a pack, one row each."""
    row.check(AGGREGATE)


def test_a_pack_wakes_at_the_end_of_its_due_day_until_that_is_said() -> None:
    """One wake, and none for a pack that is delivered."""
    assert AGGREGATE.wake_on(fold(AGGREGATE, ISSUED_PACK)) == (DUE, 1)
    assert AGGREGATE.wake_on(fold(AGGREGATE, (*ISSUED_PACK, LATE))) is None
    assert AGGREGATE.wake_on(fold(AGGREGATE, DELIVERED_PACK)) is None


def test_a_pack_that_was_sent_back_is_delivered_by_the_same_people() -> None:
    """The second round is signed by those of the first, each his own step; nobody else is needed and none signs twice."""
    history = [*SENT_BACK_PACK, BY_EMAIL]
    for command, who in (
        (ConfirmReceipt(), "stf_acc"),
        (IssueClaimList(), "stf_ria"),
        (ReviewDealPack(), "stf_liz"),
        (LEGAL_REPRESENTATIVE, "stf_gus"),
        (COMPANY, "stf_abe"),
        (DeliverDealPack(), "stf_cus"),
    ):
        history += given(AGGREGATE, *history).when(command, on(date(2024, 3, 20), who)).events
    assert history[-1] == SENT

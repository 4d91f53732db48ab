"""What the policy of standing orders does about each event."""

from dataclasses import replace
from datetime import date
from typing import Any

from libs.events.bidding import AccountClosed
from libs.events.sagas import Send
from libs.events.system import CommandRefused
from services.bidding.commands import OpenAccount, ReleaseHold
from services.bidding.commands.standing import (
    ConsiderOrders,
    ReturnBids,
    ReturnSpent,
)
from tests.unit.bidding import listing_story as listing
from tests.unit.bidding import voucher_story as vouchers
from tests.unit.bidding.standing_story import (
    ABOUT,
    ABOUT_BIDS,
    ANNS,
    ANSWERED,
    ASK_ANN,
    BY_ORDER,
    CEMS,
    END_CLOSED,
    HOLD,
    LEAVE,
    OPENED,
    QUEUE,
    QUEUED,
    RECORD_BIDS,
    SERVED,
    UNBID,
    answers,
    bids,
    held,
    held_funds,
    late,
    looked,
    nothing_held,
    over,
    record_dropped,
    record_held,
    took,
)


def go_on(listing_id: str, after_turn: int) -> Send:
    """The service goes on."""
    return Send("consider", QUEUE, ConsiderOrders(listing_id=listing_id, after_turn=after_turn))


def _refused(command: str, about: dict[str, str]) -> CommandRefused:
    return CommandRefused(command_type=command, code="unknown_account", stream_id="x", about=about)


#: What the policy does about each event.
ANSWERS: list[tuple[str, Any, list[Send]]] = [
    (
        "bidding",
        listing.OPENED,
        [Send("account", "acc_bea", OpenAccount(owner="usr_bea")), QUEUED],
    ),
    ("bidding", OPENED, []),
    ("bidding", looked(ASK_ANN), [Send("hold:hold_auto1", "acc_ann", HOLD, ABOUT)]),
    ("bidding", looked(to_turn=1_000, more=True), [go_on("lst_1", 1_000)]),
    ("bidding", looked(to_turn=7), []),
    (
        "bidding",
        held_funds(500_00, 100_00),
        [Send("held", QUEUE, record_held(ANNS))],
    ),
    (
        "bidding",
        nothing_held("keeps_back"),
        [Send("dropped", QUEUE, record_dropped("ann", "keeps_back"))],
    ),
    (
        "bidding",
        _refused("bidding.HoldForOrder", ABOUT),
        [Send("dropped", QUEUE, record_dropped("ann", "unknown_account"))],
    ),
    ("bidding", held(ANNS), []),
    ("bidding", bids(ANNS, CEMS), [Send("bids", "lst_1", RECORD_BIDS, ABOUT_BIDS)]),
    (
        "bidding",
        _refused("bidding.RecordBids", ABOUT_BIDS),
        [Send("bids", QUEUE, ReturnBids(listing_id="lst_1", chunk=1, code="unknown_account"))],
    ),
    (
        "bidding",
        ANSWERED,
        [Send("answers", QUEUE, answers(took("ann", 500_00), took("cem", 400_00), remaining_fen=100_50))],
    ),
    ("bidding", SERVED, []),
    (
        "bidding",
        UNBID,
        [
            Send(
                "release:hold_auto1",
                "acc_ann",
                ReleaseHold(hold_id="hold_auto1", reason="unknown_listing"),
            )
        ],
    ),
    ("bidding", late("ann"), []),
    (
        "bidding",
        late("ann", 1),
        [Send("release:hold_auto1", "acc_ann", ReleaseHold(hold_id="hold_auto1", reason="answered_late"))],
    ),
    ("bidding", over("listing_full", 3), []),
    ("bidding", over("listing_full", 3, "lst_2"), [go_on("lst_2", 0)]),
    (
        "bidding",
        replace(BY_ORDER, loan_id=""),
        [
            Send("release:hold_a", "acc_ann", ReleaseHold(hold_id="hold_a", reason="listing_expired")),
            END_CLOSED,
            Send("spent", QUEUE, ReturnSpent(listing_id="lst_1", bids=(took("ann", 900_00),))),
        ],
    ),
    (
        "bidding",
        listing.taken_back("operator", "duplicate", *BY_ORDER.bids),
        [
            Send("release:hold_a", "acc_ann", ReleaseHold(hold_id="hold_a", reason="listing_cancelled")),
            Send("vouchers", "marketing", vouchers.CANCELLED_LISTING),
            END_CLOSED,
            Send("spent", QUEUE, ReturnSpent(listing_id="lst_1", bids=(took("ann", 900_00),))),
        ],
    ),
    (
        "bidding",
        AccountClosed(account_id="acc_ann", owner="usr_ann", closed_on=date(2024, 3, 15)),
        [Send("order", QUEUE, LEAVE)],
    ),
]

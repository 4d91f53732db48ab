"""Each event is answered by its next commands, and every decline by the command that undoes."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from libs.events.bidding import (
    ContractIssued,
    FundsCollected,
    ListingRefused,
)
from libs.events.codec import name_of
from libs.events.compensation import CompensationDebitDeclined
from libs.events.deal_packs import (
    DealPackOpened,
)
from libs.events.market import OfferClosed, OfferExpired, OfferRefused, OfferWithdrawn
from libs.events.onboarding import (
    CardBound,
    ErasureRequested,
    ExposureConfirmed,
    ExposureRevoked,
    PrecedentsMet,
    RelationDeclared,
    SuitabilityAssessed,
    UserVerified,
)
from libs.events.redemption import RedemptionLapsed
from libs.events.repayment import (
    DebitRequested,
    DistributionLine,
    InstallmentDue,
    LoanRepaid,
    OverpaymentReturned,
    PaymentReturned,
    RepaymentDistributed,
)
from libs.events.sagas import Saga, Send, Step
from libs.events.system import CommandHadNoEffect, CommandRefused
from services.bidding.commands import (
    CaptureHold,
    ConfirmFunding,
    CreditFee,
    CreditInvestor,
    CreditProceeds,
    DebitInstallment,
    FundListing,
    OpenAccount,
    RecordBid,
    RecordCapture,
    RecordCard,
    ReduceHold,
    RejectFunding,
    ReleaseHold,
    ReturnPayment,
)
from services.bidding.commands.compensation import DebitCompensation
from services.bidding.domain import aggregates
from services.bidding.domain.profile import DEMO
from services.bidding.policies import POLICIES, SAGAS
from tests.unit.bidding import account_story as account
from tests.unit.bidding import listing_story as listing
from tests.unit.bidding import market_story as market
from tests.unit.bidding import paper_story as papers
from tests.unit.bidding import redemption_story as redemption
from tests.unit.bidding import standing_story as standing
from tests.unit.bidding import test_adjusting, test_compensation, test_market
from tests.unit.bidding import voucher_story as vouchers
from tests.unit.documents import recorded

DUE = date(2024, 4, 15)
REFUSED_BID = CommandRefused(
    command_type="bidding.RecordBid",
    code="unknown_listing",
    stream_id="lst_1",
    about={"hold_id": "hold_1", "account_id": "acc_ann"},
)
REFUSED_PAYMENT = CommandRefused(
    command_type="repayment.RecordPayment",
    code="unknown_loan",
    stream_id="loan_1",
    about={"payment_id": "pay_1", "account_id": "acc_ann", "amount_fen": "10000", "loan_id": "loan_1"},
)
REFUSED_DEBIT = CommandRefused(
    command_type="repayment.RecordDebit",
    code="internal",
    stream_id="loan_1",
    about={"payment_id": "dbt_1", "account_id": "acc_bea", "amount_fen": "8885", "loan_id": "loan_1"},
)
ASKED: dict[str, Any] = {
    "loan_id": "loan_1",
    "borrower": "usr_bea",
    "borrower_account": "acc_bea",
    "debit_id": "dbt_1_20240415",
    "debit_fen": 88_85,
    "value_date": DUE,
}
INSTALLMENT_DUE = InstallmentDue(number=1, due_on=DUE, principal_fen=78_85, interest_fen=10_00, **ASKED)
DEBIT_REQUESTED = DebitRequested(**ASKED)
BACK: dict[str, Any] = {
    "loan_id": "loan_1",
    "payment_id": "pay_1",
    "account_id": "acc_ann",
    "amount_fen": 100_00,
}
OVERPAID = OverpaymentReturned(**BACK)
NOT_TAKEN = PaymentReturned(code="loan_repaid", **BACK)


def line(order: int, who: str, principal_fen: int, interest_fen: int, fee_fen: int) -> DistributionLine:
    """One holder's share."""
    return DistributionLine(
        claim_id=f"clm_1_{order}",
        account_id=f"acc_{who}",
        investor=f"usr_{who}",
        principal_fen=principal_fen,
        interest_fen=interest_fen,
        fee_fen=fee_fen,
    )


def distributed(*lines: DistributionLine) -> RepaymentDistributed:
    """A payment, split."""
    return RepaymentDistributed(
        loan_id="loan_1",
        distribution_id="dst_1",
        payment_id="pay_1",
        value_date=DUE,
        principal_fen=sum(each.principal_fen for each in lines),
        interest_fen=sum(each.interest_fen for each in lines),
        fee_fen=sum(each.fee_fen for each in lines),
        lines=lines,
    )


DISTRIBUTED = distributed(line(1, "ann", 70_90, 9_00, 90), line(2, "cem", 7_95, 1_00, 10))
FREE = distributed(line(1, "ann", 70_90, 9_00, 0), line(2, "cem", 0, 1, 0), line(3, "dan", 0, 0, 0))
EATEN_UP = distributed(line(1, "ann", 0, 1, 1))
FREE_LOAN = FundsCollected(
    funded_on=listing.FUNDED_ON, claims=listing.CLAIMS, **(listing.KNOWN | {"origination_fee_fen": 0})
)


def credit(order: int, who: str, principal_fen: int, interest_fen: int, fee_fen: int) -> Send:
    """The command that a share becomes."""
    share = CreditInvestor(
        loan_id="loan_1",
        claim_id=f"clm_1_{order}",
        distribution_id="dst_1",
        principal_fen=principal_fen,
        interest_fen=interest_fen,
        fee_fen=fee_fen,
    )
    return Send(f"credit:clm_1_{order}", f"acc_{who}", share)


def give_back(account_id: str, payment_id: str, amount_fen: int, reason: str) -> Send:
    """Money returns."""
    command = ReturnPayment(loan_id="loan_1", payment_id=payment_id, amount_fen=amount_fen, reason=reason)
    return Send("return", account_id, command)


def release(hold_id: str, reason: str, who: str = "ann") -> Send:
    """A hold is released."""
    return Send(f"release:{hold_id}", f"acc_{who}", ReleaseHold(hold_id=hold_id, reason=reason))


DEBIT = DebitInstallment(loan_id="loan_1", debit_id="dbt_1_20240415", requested_fen=88_85, value_date=DUE)
DECLINED = listing.declined(listing.FIRST, "listing_full")
FEE = CreditFee(loan_id="loan_1", fee_id="origination:loan_1", amount_fen=20_00)
INTEREST_FEE = CreditFee(loan_id="loan_1", fee_id="dst_1", amount_fen=1_00)
HOLD = {"hold_id": "hold_1", "account_id": "acc_ann"}
BID_SENT = RecordBid(
    bid_id="bid_1", hold_id="hold_1", account_id="acc_ann", investor="usr_ann", amount_fen=300_00
)

PARTLY_PLACED = listing.in_part(2, listing.bid("c", 200_00), 100_50, 1_000_50)
ASSESSED_BID = replace(account.HELD_FUNDS, suitability_level="C3", suitability_valid_to=date(2025, 3, 14))
ASSESSED_BID_SENT = replace(BID_SENT, suitability_level="C3", suitability_valid_to=date(2025, 3, 14))
RELATED_BID = replace(account.HELD_FUNDS, related=("usr_bea",))
VERIFIED = UserVerified(
    user_id="usr_ann",
    kind="person",
    region="sh",
    owner="stf_own",
    provider="stub",
    reference="ref_1",
    verified_on=date(2024, 3, 15),
)
CARD = "card_" + "a1" * 16
CARD_SENT = Send("card", "acc_ann", RecordCard(owner="usr_ann", card_ref=CARD))
ASSESSED = SuitabilityAssessed(
    user_id="usr_ann", level="C3", assessed_on=date(2024, 3, 15), valid_to=date(2025, 3, 14)
)
READY = PrecedentsMet(
    **(
        listing.TERMS
        | listing.APPLICATION
        | {"borrower_kind": "person", "purpose": "stock", "window_days": 5}
    )
)
RECHECKED: dict[str, Any] = {
    "user_id": "usr_bea",
    "application_id": "app_1",
    "loan_id": "loan_1",
    "cap_fen": 200_000_00,
    "step": "funding",
}
CAPS_KEPT = ExposureConfirmed(exposure_fen=1_000_50, **RECHECKED)
CAPS_BROKEN = ExposureRevoked(
    amount_fen=1_000_50, exposure_after_fen=0, code="exposure_cap_exceeded", **RECHECKED
)
LISTED = listing.open_listing(**listing.APPLICATION, borrower_kind="person", purpose="stock")

#: Declines that another service undoes, on its own streams.
UNDONE_BY_OTHERS = (ListingRefused, CompensationDebitDeclined)
#: Commands whose refusal another service hears: a guarantor without an account pays nothing, and his loan knows it.
TOLD_TO_OTHERS = (DebitCompensation,)

ANSWERS: list[tuple[str, Any, list[Send]]] = [
    *standing.ANSWERS,
    ("bidding", account.HELD_FUNDS, [Send("bid", "lst_1", BID_SENT, HOLD)]),
    ("bidding", DECLINED, [release("hold_a", "listing_full")]),
    ("bidding", REFUSED_BID, [release("hold_1", "unknown_listing")]),
    (
        "bidding",
        listing.EXPIRED,
        [release("hold_a", "listing_expired"), Send("vouchers", "marketing", vouchers.EXPIRED_LISTING)],
    ),
    ("bidding", vouchers.PAID, [Send("voucher", "acc_ann", vouchers.CREDIT)]),
    ("bidding", vouchers.GRANTED, []),
    ("bidding", listing.FILLED, [Send("fund", "lst_1", FundListing())]),
    ("bidding", listing.TO_REVIEW[-1], []),
    (
        "bidding",
        listing.CANCELLED,
        [
            release("hold_a", "listing_cancelled"),
            release("hold_b", "listing_cancelled", "cem"),
            Send("vouchers", "marketing", vouchers.CANCELLED_LISTING),
        ],
    ),
    ("bidding", ASSESSED_BID, [Send("bid", "lst_1", ASSESSED_BID_SENT, HOLD)]),
    ("bidding", RELATED_BID, [Send("bid", "lst_1", replace(BID_SENT, related=("usr_bea",)), HOLD)]),
    ("onboarding", VERIFIED, [Send("account", "acc_ann", OpenAccount(owner="usr_ann"))]),
    (
        "onboarding",
        replace(VERIFIED, card_ref=CARD),
        [CARD_SENT, Send("account", "acc_ann", OpenAccount(owner="usr_ann"))],
    ),
    ("onboarding", CardBound(user_id="usr_ann", card_ref=CARD), [CARD_SENT]),
    (
        "onboarding",
        replace(VERIFIED, related=("usr_bea", "usr_eve")),
        [
            Send("account", "acc_ann", OpenAccount(owner="usr_ann")),
            Send("relation:usr_bea", "acc_ann", account.RELATE),
            Send("relation:usr_eve", "acc_ann", replace(account.RELATE, related="usr_eve")),
        ],
    ),
    (
        "onboarding",
        RelationDeclared(user_id="usr_ann", related="usr_bea"),
        [Send("relation:usr_bea", "acc_ann", account.RELATE)],
    ),
    (
        "onboarding",
        RelationDeclared(user_id="usr_ann", related="usr_bea", by_other=True),
        [Send("relation:usr_bea", "acc_ann", account.RELATE)],
    ),
    (
        "onboarding",
        ErasureRequested(user_id="usr_ann", requested_on=DUE),
        [Send("close", "acc_ann", account.CLOSE)],
    ),
    # Whether it may go is for onboarding to hear, and so is what is asked of it about caps.
    ("bidding", account.stays("has_money"), []),
    ("bidding", listing.ASKED_CAPS, []),
    ("onboarding", CAPS_KEPT, [Send("caps", "lst_1", ConfirmFunding())]),
    ("onboarding", replace(CAPS_KEPT, step="precedents"), []),
    ("onboarding", CAPS_BROKEN, [Send("caps", "lst_1", RejectFunding(code="exposure_cap_exceeded"))]),
    ("onboarding", replace(CAPS_BROKEN, step="precedents"), []),
    ("onboarding", ASSESSED, [Send("suitability", "acc_ann", account.ASSESS)]),
    ("onboarding", READY, [Send("list", "lst_1", LISTED, {"loan_id": "loan_1", "application_id": "app_1"})]),
    (
        "onboarding",
        replace(READY, checked_by="stf_leo", exposure_fen=2_000_00),
        [
            Send(
                "list",
                "lst_1",
                replace(LISTED, prepared_by="stf_leo", owes_fen=2_000_00),
                {"loan_id": "loan_1", "application_id": "app_1"},
            )
        ],
    ),
    # Before it opens nobody holds money for it, and who may pay it out is a person.
    ("bidding", listing.PREPARED, []),
    ("bidding", listing.checked(), []),
    ("bidding", listing.PAYABLE, []),
    # What the listing says of an application's terms is for onboarding to hear; a voucher may wait for one that was scheduled.
    (
        "bidding",
        listing.turned_down_by("invalid_rate"),
        [Send("vouchers", "marketing", replace(vouchers.CANCELLED_LISTING, code="listing_refused"))],
    ),
    (
        "bidding",
        listing.FUNDED,
        [
            Send(
                "capture:hold_a",
                "acc_ann",
                CaptureHold(hold_id="hold_a", loan_id="loan_1", amount_fen=900_00),
            ),
            Send(
                "capture:hold_b",
                "acc_cem",
                CaptureHold(hold_id="hold_b", loan_id="loan_1", amount_fen=100_50),
            ),
        ],
    ),
    (
        "bidding",
        account.CAPTURED,
        [Send("captured", "lst_1", RecordCapture(hold_id="hold_1", amount_fen=300_00))],
    ),
    (
        "bidding",
        listing.COLLECTED,
        [
            Send("proceeds", "acc_bea", CreditProceeds(loan_id="loan_1", amount_fen=980_50)),
            Send("fee", "acc_fees", FEE),
            Send("contract", "ctr_1", papers.ISSUE),
            Send("vouchers", "marketing", vouchers.SETTLE),
        ],
    ),
    (
        "bidding",
        FREE_LOAN,
        [
            Send("proceeds", "acc_bea", CreditProceeds(loan_id="loan_1", amount_fen=1_000_50)),
            Send("contract", "ctr_1", papers.issue(origination_fee_fen=0)),
            Send("vouchers", "marketing", vouchers.SETTLE),
        ],
    ),
    (
        "bidding",
        papers.LAWFUL,
        [
            Send("pack:clm_1_1", "pack_1_1", papers.open_pack(1)),
            Send("pack:clm_1_2", "pack_1_2", papers.open_pack(2)),
        ],
    ),
    ("bidding", papers.ISSUED, []),
    ("bidding", listing.PLACED, []),
    ("bidding", PARTLY_PLACED, [Send("reduce", "acc_ann", ReduceHold(hold_id="hold_c", keep_fen=100_50))]),
    ("bidding", account.REDUCED, []),
    (
        "bidding",
        replace(account.HELD_FUNDS, allow_partial=True),
        [Send("bid", "lst_1", replace(BID_SENT, allow_partial=True), HOLD)],
    ),
    ("bidding", REFUSED_PAYMENT, []),
    ("repayment", INSTALLMENT_DUE, [Send("debit", "acc_bea", DEBIT)]),
    ("repayment", DEBIT_REQUESTED, [Send("debit", "acc_bea", DEBIT)]),
    (
        "repayment",
        DISTRIBUTED,
        [
            credit(1, "ann", 70_90, 9_00, 90),
            credit(2, "cem", 7_95, 1_00, 10),
            Send("fee", "acc_fees", INTEREST_FEE),
        ],
    ),
    ("repayment", FREE, [credit(1, "ann", 70_90, 9_00, 0), credit(2, "cem", 0, 1, 0)]),
    (
        "repayment",
        EATEN_UP,
        [Send("fee", "acc_fees", CreditFee(loan_id="loan_1", fee_id="dst_1", amount_fen=1))],
    ),
    ("repayment", OVERPAID, [give_back("acc_ann", "pay_1", 100_00, "overpayment")]),
    ("repayment", NOT_TAKEN, [give_back("acc_ann", "pay_1", 100_00, "loan_repaid")]),
    ("repayment", REFUSED_PAYMENT, [give_back("acc_ann", "pay_1", 100_00, "unknown_loan")]),
    ("repayment", REFUSED_DEBIT, [give_back("acc_bea", "dbt_1", 88_85, "internal")]),
    ("repayment", REFUSED_BID, []),
    ("repayment", LoanRepaid(loan_id="loan_1", borrower="usr_bea", repaid_on=DUE, early=False), []),
    ("repayment", CommandHadNoEffect(command_type="repayment.OpenLoan", stream_id="loan_1"), []),
    *test_market.ANSWERS,
    *redemption.ANSWERS,
    *test_compensation.ANSWERS,
    *test_adjusting.ANSWERS,
]


@pytest.mark.parametrize(("source", "event", "sends"), ANSWERS)
def test_each_event_is_answered(source: str, event: Any, sends: list[Send]) -> None:
    """An event's commands are these, to these streams, in slots of their own; other events are nobody's business here."""
    answer = POLICIES[source](recorded(event, service=source))
    assert answer == sends
    assert len({send.slot for send in answer}) == len(answer)


#: Sagas that wait for a refusal of repayment's; the others for one of their own commands.
TOLD_BY_REPAYMENT = ("return", "offer", "taken offer")


def answered(saga: Saga, kind: type, of: type | None = None) -> list[list[type]]:
    """The types of the commands that each event of a type above is answered with, where it concerns the saga at all. `of`: only
    refusals of this command.
    """
    told = [
        (event, sends)
        for service, event, sends in ANSWERS
        if type(event) is kind and _concerns(saga, service, event, sends)
    ]
    return [
        [type(send.command) for send in sends]
        for event, sends in told
        if of is None or not isinstance(event, CommandRefused) or event.command_type == name_of(of)
    ]


def _concerns(saga: Saga, service: str, event: Any, sends: list[Send]) -> bool:
    """A refusal is told by the service that refused; an offer that is closed on nobody has nobody to pay back,
    and one that ends tells a redemption only if it was released for one."""
    if isinstance(event, OfferRefused | OfferExpired | OfferWithdrawn | OfferClosed):
        is_redeemed = event.redemption_id is not None
        return bool(sends) and is_redeemed == (saga.name == "redemption sale")
    if not isinstance(event, CommandRefused):
        return True
    if saga.name in TOLD_BY_REPAYMENT:
        return bool(sends) and service == "repayment"
    own = {name_of(step.send) for step in saga.steps}
    return bool(sends) and service == "bidding" and event.command_type in own


@pytest.mark.parametrize(
    ("saga", "step"),
    [(saga, step) for saga in SAGAS for step in saga.steps],
    ids=lambda part: str(getattr(part, "name", "")),
)
def test_each_step_sends_its_command_and_each_decline_its_compensation(saga: Saga, step: Step) -> None:
    """The saga tables are what the policies do: the step's event sends its command, a decline sends what undoes it."""
    assert any(step.send in commands for commands in answered(saga, step.on))
    for declined in step.declined_by:
        if declined in UNDONE_BY_OTHERS or step.send in TOLD_TO_OTHERS:
            assert step.compensation is None
            continue
        assert step.compensation is not None
        compensations = answered(saga, declined, of=step.send)
        assert compensations
        assert all(step.compensation in commands for commands in compensations)


def test_the_sagas_cover_every_command_that_a_policy_sends() -> None:
    """No policy sends a command that no saga's table names, and all of them are commands of this service's aggregates."""
    sent = {type(send.command) for _, _, sends in ANSWERS for send in sends}
    named = {kind for saga in SAGAS for step in saga.steps for kind in (step.send, step.compensation) if kind}
    declared = {kind for aggregate in aggregates(DEMO) for kind in aggregate.commands}
    assert sent == named
    assert sent <= declared


def test_what_opens_a_saga_and_what_closes_it_share_their_key() -> None:
    """A saga that an event opened is closed by the event that ends the same thing."""
    by_name = {saga.name: saga for saga in SAGAS}
    credited = account.SHARED
    distribute, expire, fee, back = (by_name[name] for name in ("distribute", "expire", "fee", "return"))
    assert distribute.opened_by[RepaymentDistributed](DISTRIBUTED) == ("dst_1/clm_1_1", "dst_1/clm_1_2")
    assert distribute.closed_by[type(credited)](credited) == "dst_1/clm_1_1"
    assert expire.opened_by[type(listing.EXPIRED)](listing.EXPIRED) == ("hold_a",)
    assert fee.opened_by[type(FREE_LOAN)](FREE_LOAN) == ()
    assert fee.opened_by[type(listing.COLLECTED)](listing.COLLECTED) == ("origination:loan_1",)
    assert fee.closed_by[type(account.fee(1, 1))](account.fee(1, 1)) == "origination:loan_1"
    packs = by_name["deal pack"]
    assert packs.opened_by[ContractIssued](papers.LAWFUL) == ("pack_1_1", "pack_1_2")
    assert packs.opened_by[ContractIssued](papers.ISSUED) == ()
    assert packs.closed_by[DealPackOpened](papers.PACK_OPENED) == "pack_1_1"
    assert back.opened_by[CommandRefused](REFUSED_BID) == ()
    partial = by_name["partial bid"]
    assert partial.opened_by[type(PARTLY_PLACED)](listing.PLACED) == ()
    assert partial.opened_by[type(PARTLY_PLACED)](PARTLY_PLACED) == ("hold_c",)
    assert partial.closed_by[type(account.REDUCED)](account.REDUCED) == "hold_1"
    assert back.opened_by[CommandRefused](REFUSED_DEBIT) == ("dbt_1",)
    taken, sale_fee = by_name["taken offer"], by_name["transfer fee"]
    assert taken.closed_by[OfferClosed](market.CLOSED) == ()
    assert taken.closed_by[OfferClosed](market.CLOSED_ON_BUYER) == ("hold_1",)
    assert sale_fee.opened_by[type(market.CAPTURED)](market.CAPTURED) == ("transfer:offer_1",)
    assert sale_fee.closed_by[type(market.FEE_CREDITED)](market.FEE_CREDITED) == ("transfer:offer_1",)
    assert sale_fee.closed_by[type(market.FEE_CREDITED)](account.fee(1, 1)) == ()
    pairs = [
        ("list", READY, listing.APPLIED),
        ("list", READY, listing.turned_down_by("x")),
        ("list", READY, listing.PREPARED),
        ("fund", listing.TO_REVIEW[-1], listing.CANCELLED),
        ("bid", account.HELD_FUNDS, account.RELEASED),
        ("fund", listing.FILLED, listing.COLLECTED),
        ("pay out", listing.COLLECTED, account.PROCEEDS),
        ("contract", listing.COLLECTED, papers.ISSUED),
        ("voucher", vouchers.PAID, vouchers.CREDITED),
        ("debit", INSTALLMENT_DUE, account.NOTHING_TO_DEBIT),
        ("return", OVERPAID, account.GIVEN_BACK),
        ("offer", market.REQUESTED, market.OPENED),
        ("offer", market.REQUESTED, market.REFUSED),
        ("purchase", market.HELD, market.RELEASED),
        ("purchase", market.HELD, market.CAPTURED),
        ("taken offer", market.TAKEN, market.CAPTURED),
        ("taken offer", market.TAKEN, market.REOPENED),
        ("sale", market.CAPTURED, market.SETTLED),
    ]
    pairs += [
        ("redemption form", redemption.ASKED, redemption.COMPLETED),
        ("redemption form", redemption.ASKED, redemption.DECLINED),
        ("redemption sale", redemption.RELEASED, redemption.SOLD),
    ]
    lapsed = by_name["redemption sale"].closed_by[RedemptionLapsed]
    assert lapsed(redemption.lapsed("sale", "sale_expired")) == ("rdm_1",)
    assert lapsed(redemption.lapsed("release", "deadline_passed")) == ()
    for name, opening, closing in pairs:
        saga = by_name[name]
        assert saga.opened_by[type(opening)](opening) == saga.closed_by[type(closing)](closing)


@pytest.mark.parametrize("saga", SAGAS, ids=lambda saga: saga.name)
def test_every_expected_refusal_is_handled(saga: Saga) -> None:
    """A refusal that a saga expects does not alarm, so it must be undone: its step is declined by CommandRefused."""
    undone = [event.command_type for _, event, sends in ANSWERS if type(event) is CommandRefused and sends]
    for refused in saga.expected_refusals:
        steps = [step for step in saga.steps if step.send is refused]
        assert steps
        assert all(CommandRefused in step.declined_by for step in steps)
        assert name_of(refused) in undone or refused in TOLD_TO_OTHERS

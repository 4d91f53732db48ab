"""The tables of bidding's sagas are what its policies do: a step sends, a decline undoes, an end closes what was opened."""

from typing import Any

import pytest

from libs.events.assets import AssetSaleDeclined
from libs.events.bidding import (
    ContractIssued,
    ListingRefused,
)
from libs.events.codec import name_of
from libs.events.compensation import CompensationDebitDeclined
from libs.events.deal_packs import (
    DealPackOpened,
)
from libs.events.market import OfferClosed, OfferExpired, OfferRefused, OfferWithdrawn
from libs.events.redemption import RedemptionLapsed
from libs.events.repayment import (
    RepaymentDistributed,
)
from libs.events.sagas import Saga, Send, Step
from libs.events.system import CommandRefused
from services.bidding.commands import ConfirmPayee
from services.bidding.commands.assets import DebitAssetSale
from services.bidding.commands.compensation import DebitCompensation
from services.bidding.domain import aggregates
from services.bidding.domain.profile import DEMO
from services.bidding.policies import SAGAS
from tests.unit.bidding import account_story as account
from tests.unit.bidding import listing_story as listing
from tests.unit.bidding import market_story as market
from tests.unit.bidding import paper_story as papers
from tests.unit.bidding import redemption_story as redemption
from tests.unit.bidding import voucher_story as vouchers
from tests.unit.bidding.policy_story import ANSWERS, FREE_LOAN, PARTLY_PLACED, READY
from tests.unit.bidding.repaid_story import DISTRIBUTED, INSTALLMENT_DUE, OVERPAID, REFUSED_BID, REFUSED_DEBIT

#: Declines that another service undoes, on its own streams.
UNDONE_BY_OTHERS = (ListingRefused, CompensationDebitDeclined, AssetSaleDeclined)
#: Commands whose refusal another service hears: a guarantor, or the buyer of an asset, without an account pays nothing, and is paid no cost.
TOLD_TO_OTHERS = (DebitCompensation, DebitAssetSale, ConfirmPayee)

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

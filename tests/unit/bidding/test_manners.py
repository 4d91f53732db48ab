"""How a listed loan is repaid: taken over from the application, told to investors, handed on to the loan; or refused by name."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from libs.events.money import MAX_INTEGER
from libs.events.schedules.terms import RepaymentTerms
from services.bidding.commands import OpenListing
from services.bidding.domain.listing import aggregate
from services.bidding.domain.profile import CN_P2P_2016, DEMO, can_be_said
from services.bidding.policies.lending import on_onboarding
from services.bidding.policies.papers import on_bidding
from services.repayment.policies import POLICIES as REPAYMENT
from tests.unit.bidding import listing_story as listing
from tests.unit.bidding.policy_story import READY
from tests.unit.bidding.specs import on
from tests.unit.documents import recorded
from tests.unit.given import given

FLAT = RepaymentTerms(method="flat", period_fee_permille=1)
AGGREGATE = aggregate(DEMO)


def ask(**changed: Any) -> OpenListing:
    """Bea's loan is to be listed at a flat rate."""
    return listing.open_listing(**({"method": "flat", "repayment": FLAT} | changed))


def test_a_listing_opens_on_its_manner_of_repayment() -> None:
    """The event says it; on the same terms nothing is said again, on another manner the listing exists."""
    opened = listing.opened(repayment=FLAT)
    given(AGGREGATE).when(ask(), on()).then(opened)
    given(AGGREGATE, opened).when(ask(), on()).then()
    given(AGGREGATE, opened).when(ask(repayment=None), on()).then_refused("listing_exists")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"method": "bullet"}, "invalid_method"),
        ({"repayment": replace(FLAT, principal_grace=12)}, "invalid_grace"),
        ({"repayment": replace(FLAT, interest_grace=1)}, "invalid_grace"),
        ({"repayment": replace(FLAT, period_fee_permille=1_001)}, "invalid_fee"),
        (
            {"amount_fen": MAX_INTEGER // 2_000, "repayment": replace(FLAT, period_fee_permille=1_000)},
            "amount_too_large",
        ),
    ],
)
def test_a_listing_whose_loan_has_no_schedule_is_refused(changed: dict[str, Any], code: str) -> None:
    """Before anybody bids, and by the name that the ledger would use."""
    given(AGGREGATE).when(ask(**changed), on()).then_refused(code)


def test_the_largest_fee_can_be_said() -> None:
    """What may be owed counts the fee of each month and the days of the longest ones."""
    small = ask(amount_fen=10**9, annual_rate=Decimal(1), repayment=replace(FLAT, period_fee_permille=0))
    assert can_be_said(small)
    assert not can_be_said(replace(small, amount_fen=10**12))


def test_every_step_hands_the_manner_on() -> None:
    """From the precedents to the listing, from the collected money to the contract and to the loan."""
    [listed] = on_onboarding(recorded(replace(READY, repayment=FLAT, method="flat"), "app_1"))
    assert (listed.command.repayment, listed.command.method) == (FLAT, "flat")
    collected = recorded(replace(listing.COLLECTED, repayment=FLAT), "lst_1")
    [contract] = on_bidding(collected)
    assert (contract.command.repayment, contract.command.method) == (FLAT, "flat")
    [loan] = REPAYMENT["bidding"](collected)
    assert loan.command.repayment == FLAT


def test_a_lawful_listing_costs_at_most_the_ceiling_with_every_fee() -> None:
    """8 % flat over a year is 14.5 % in truth: turned down under the 13.8 % of March 2024, as `invalid_rate`."""
    law = aggregate(replace(CN_P2P_2016, fee_tables=()))
    lawful = listing.LAWFUL | {"method": "flat", "repayment": replace(FLAT, period_fee_permille=0)}
    dear = given(law).when(listing.open_listing(**(lawful | {"annual_rate": Decimal("0.08")})), on())
    assert dear.events[0].code == "invalid_rate"
    fair = given(law).when(listing.open_listing(**(lawful | {"annual_rate": Decimal("0.07")})), on())
    assert fair.events[0].disclosure.repayment == lawful["repayment"]
    assert fair.events[0].disclosure.template == 6
    assert fair.events[0].check_by > date(2024, 3, 1)

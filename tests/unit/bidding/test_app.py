"""The service as the runtime gets it: declared under a profile, nothing started."""

import pytest

from services.bidding.app import build


def test_the_service_is_built_for_a_profile() -> None:
    """A profile's name gives the whole service: its aggregates, a policy per source it reads, its sagas and views."""
    service = build("cn-p2p-2016")
    assert service.name == "bidding"
    assert [aggregate.prefix for aggregate in service.aggregates] == [
        "acc",
        "lst",
        "bankref",
        "ctr",
        "pack",
        "marketing",
        "offer",
        "rdm",
        "bankdays",
        "auto",
        "adj",
        "stock",
    ]
    assert sorted(service.policies) == ["bidding", "onboarding", "repayment"]
    assert [view.name for view in service.views] == [
        "bidding.balances",
        "bidding.open-listings",
        "bidding.bids",
        "bidding.custody",
        "bidding.bank-requests",
        "bidding.contracts",
        "bidding.deal-packs",
        "bidding.vouchers",
        "bidding.offers",
        "bidding.transfers",
        "bidding.redemptions",
        "bidding.bank-bookings",
        "bidding.bank-days",
        "bidding.bank-breaks",
        "bidding.account-proof",
        "bidding.lent",
        "bidding.standing-orders",
        "bidding.standing-order-log",
        "bidding.auto-invest",
        "bidding.contract-stock",
        "bidding.staff",
    ]
    assert len({saga.name for saga in service.sagas}) == len(service.sagas)


def test_a_service_without_a_profile_does_not_start() -> None:
    """A wrong setting is told at start, not at the first listing."""
    with pytest.raises(ValueError, match="no profile"):
        build("nowhere")

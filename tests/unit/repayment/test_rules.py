"""Rules are dated tables chosen by name, and the service is built from them."""

from datetime import date

import pytest

from libs.events.money import Rounding
from services.repayment.app import build
from services.repayment.domain.profile import PROFILES, Bucket, Profile, Rules, profile_named


@pytest.mark.parametrize("name", ["cn-p2p-2016", "demo"])
@pytest.mark.parametrize(
    ("dpd", "bucket"),
    [
        (0, "current"),
        (1, "M1"),
        (30, "M1"),
        (31, "M2"),
        (60, "M2"),
        (61, "M3"),
        (90, "M3"),
        (91, "M4"),
        (120, "M4"),
        (121, "M5"),
        (150, "M5"),
        (151, "M6"),
        (180, "M6"),
        (181, "M6+"),
        (9_999, "M6+"),
    ],
)
def test_bucket_edges(name: str, dpd: int, bucket: str) -> None:
    """M1 1–30 · M2 31–60 · M3 61–90 · M4 91–120 · M5 121–150 · M6 151–180 · M6+ > 180 unless a profile says otherwise."""
    assert bucket == profile_named(name).on(date(2024, 1, 1)).bucket_of(dpd)


def test_every_bucket_knows_where_the_next_begins() -> None:
    """The last has none."""
    rules = profile_named("demo").on(date(2024, 1, 1))
    assert [rules.dpd_after(bucket.name) for bucket in rules.buckets] == [1, 31, 61, 91, 121, 151, 181, None]
    assert [rules.rank_of(bucket.name) for bucket in rules.buckets] == list(range(8))


def test_a_profile_gives_the_rules_of_the_date() -> None:
    """A change of the table holds from its first day and never before."""
    old, new = (
        Rules(rounding=mode, day_basis=365, retry_days=(), buckets=(Bucket("current", 0),))
        for mode in (Rounding.HALF_EVEN, Rounding.HALF_UP)
    )
    profile = Profile("dated", ((date(2020, 1, 1), old), (date(2024, 1, 1), new)))
    assert [profile.on(day) for day in (date(2020, 1, 1), date(2023, 12, 31), date(2024, 1, 1))] == [
        old,
        old,
        new,
    ]
    with pytest.raises(ValueError, match="no rules for 2019-12-31"):
        profile.on(date(2019, 12, 31))


def test_an_unknown_profile_is_named_with_those_that_exist() -> None:
    """The sentence says what to choose."""
    with pytest.raises(ValueError, match="unknown profile 'x'; known: cn-p2p-2016, demo, demo-30-days"):
        build("x")


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_the_service_is_built_for_every_profile(name: str) -> None:
    """Six aggregates with their own prefixes, twelve views, and policies for four sources."""
    service = build(name)
    prefixes = [aggregate.prefix for aggregate in service.aggregates]
    assert prefixes == ["loan", "calendar", "msr", "gua", "ast", "cor"]
    assert [view.name for view in service.views] == [
        "repayment.loans",
        "repayment.claims",
        "repayment.overdue-buckets",
        "repayment.calendar",
        "repayment.loan-history",
        "repayment.measures",
        "repayment.guarantors",
        "repayment.compensations",
        "repayment.corrections",
        "repayment.assets",
        "repayment.off-balance",
        "repayment.staff",
    ]
    assert list(service.policies) == ["bidding", "repayment", "onboarding", "collections"]

"""The tables of a jurisdiction are in order, and a profile is found by its name."""

import pytest

from services.bidding.domain.profile import CN_P2P_2016, DEMO, profile_named


def test_the_demo_has_no_ceiling() -> None:
    """Real loan books come from anywhere, at any rate."""
    assert DEMO.rate_ceilings == ()


def test_tables_are_in_order() -> None:
    """A table's rows start one after the other, so that the last that started is the one in force."""
    for table in (CN_P2P_2016.rate_ceilings, CN_P2P_2016.automatic_reviews_fen):
        starts = [row[0] for row in table]
        assert starts == sorted(set(starts))


def test_a_profile_is_found_by_name() -> None:
    """A setting names a profile; a wrong name is told what there is."""
    assert profile_named("demo") is DEMO
    assert profile_named("cn-p2p-2016") is CN_P2P_2016
    with pytest.raises(ValueError, match=r"no profile us: choose demo or demo-30-days or cn-p2p-2016"):
        profile_named("us")

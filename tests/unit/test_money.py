"""Money is whole fen: rounded in one place, divided exactly, split without loss."""

from decimal import ROUND_UP, Decimal, getcontext, localcontext
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events.money import MAX_INTEGER, Rounding, divide_fen, money_context, split_fen

AMOUNTS = st.integers(0, MAX_INTEGER)
WEIGHTS = st.lists(st.integers(0, 10**12), min_size=1, max_size=40).filter(any)


def exactly_rounded(value: Fraction, mode: Rounding) -> int:
    """The oracle: rounding written down from its definition, on fractions."""
    below = floor(value)
    part = value - below
    if mode is Rounding.UP:
        return below + (part > 0)
    if part == Fraction(1, 2):
        return below + (mode is Rounding.HALF_UP or below % 2 == 1)
    return below + (part > Fraction(1, 2))


@pytest.mark.parametrize(
    ("mode", "expected_fen"), [(Rounding.HALF_UP, 1001), (Rounding.HALF_EVEN, 1000), (Rounding.UP, 1001)]
)
def test_the_tie_of_1000_50_at_one_percent_goes_where_its_mode_says(
    mode: Rounding, expected_fen: int
) -> None:
    """1 000.50 × 1 % = 10.005: 10.01 half-up, 10.00 half-even (rules.md 1)."""
    assert expected_fen == divide_fen(100_050, 100, mode)


@pytest.mark.parametrize("mode", Rounding)
def test_whole_amounts_are_never_changed_by_rounding(mode: Rounding) -> None:
    """No mode touches an amount that is whole already."""
    assert [divide_fen(fen * 7, 7, mode) for fen in (0, 1, MAX_INTEGER)] == [0, 1, MAX_INTEGER]


@given(AMOUNTS, st.integers(1, 10**30), st.sampled_from(Rounding))
def test_a_quotient_is_rounded_from_its_exact_value(dividend: int, divisor: int, mode: Rounding) -> None:
    """Dividing agrees with exact fractions for every mode, ties included."""
    assert exactly_rounded(Fraction(dividend, divisor), mode) == divide_fen(dividend, divisor, mode)


@pytest.mark.parametrize(("dividend", "divisor"), [(-1, 2), (1, 0), (1, -2)])
def test_a_quotient_without_meaning_is_an_error(dividend: int, divisor: int) -> None:
    """A negative amount or a divisor that is not above zero raises ValueError."""
    with pytest.raises(ValueError, match="quotient of money"):
        divide_fen(dividend, divisor)


def test_dividing_never_depends_on_the_callers_decimal_context() -> None:
    """A caller's precision or rounding mode changes no amount."""
    with localcontext() as ours:
        ours.prec = 3
        ours.rounding = ROUND_UP
        assert divide_fen(1_234_567_895, 10) == 123_456_790
        assert divide_fen(4, 10) == 0


def test_the_money_context_ends_with_its_block() -> None:
    """Inside the block decimals have 50 digits, outside whatever the caller had."""
    before = getcontext().prec
    with money_context():
        assert getcontext().prec == 50
        assert str(Decimal(1) / 3) == "0." + "3" * 50
    assert getcontext().prec == before


def test_888_49_over_three_equal_lenders() -> None:
    """The golden lender split: 296.17 / 296.16 / 296.16, the left-over fen to the first (rules.md 1.1)."""
    assert split_fen(88_849, [1, 1, 1]) == (29_617, 29_616, 29_616)


def test_rounding_each_share_by_itself_is_the_known_wrong_split() -> None:
    """Three shares rounded alone lose a fen of 888.49; the split does not."""
    rounded_alone = tuple(divide_fen(88_849, 3) for _ in range(3))
    assert sum(rounded_alone) == 88_848
    assert split_fen(88_849, [1, 1, 1]) != rounded_alone


def test_left_over_fen_go_to_the_largest_remainder_before_the_earlier_weight() -> None:
    """10 fen over 1 : 5 : 3 are 1.11, 5.56 and 3.33: the one left-over fen belongs to the second."""
    assert split_fen(10, [1, 5, 3]) == (1, 6, 3)


@given(AMOUNTS, WEIGHTS)
def test_a_split_loses_nothing_and_stays_within_a_fen_of_the_exact_share(
    total_fen: int, weights: list[int]
) -> None:
    """Parts sum to the total, none is negative, each is its exact share floored or one fen more."""
    parts = split_fen(total_fen, weights)
    assert sum(parts) == total_fen
    for part, weight in zip(parts, weights, strict=True):
        exact = Fraction(total_fen * weight, sum(weights))
        assert floor(exact) <= part <= floor(exact) + 1
        assert part == 0 or weight > 0


@given(st.data(), WEIGHTS)
def test_no_part_exceeds_its_weight_when_the_total_does_not_exceed_their_sum(
    data: st.DataObject, weights: list[int]
) -> None:
    """Splitting principal among claims never takes one below zero."""
    total_fen = data.draw(st.integers(0, sum(weights)))
    assert all(part <= weight for part, weight in zip(split_fen(total_fen, weights), weights, strict=True))


@pytest.mark.parametrize(("total_fen", "weights"), [(-1, [1]), (1, [1, -1]), (1, [0, 0]), (1, [])])
def test_a_split_without_meaning_is_an_error(total_fen: int, weights: list[int]) -> None:
    """A negative total or weight, or nobody to give to, raises ValueError."""
    with pytest.raises(ValueError, match=r"a split needs|nothing has weight"):
        split_fen(total_fen, weights)


def test_nothing_among_nobody_is_nothing() -> None:
    """Zero can be split among claims that are all repaid."""
    assert split_fen(0, [0, 0]) == (0, 0)

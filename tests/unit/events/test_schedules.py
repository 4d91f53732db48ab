"""The schedule is the contract: every golden and every known wrong number of rules.md 1.1 and 1.2, and refusals by name."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

import pytest

from libs.events.deciding import Refused
from libs.events.money import Rounding
from libs.events.repayment import ScheduleRow
from libs.events.schedules.day_count import year_fraction
from libs.events.schedules.due_dates import due_date, shifted
from libs.events.schedules.rows import MONTH, installment_fen, interest_fen, schedule
from libs.events.schedules.terms import PLAIN, DayCount, Method, RepaymentTerms, require_sound
from libs.events.working_days import CHINA, WEEKENDS

FUNDED_ON = date(2024, 1, 15)
LAKH: dict[str, Any] = {
    "amount_fen": 10_000_000,
    "annual_rate": Decimal("0.12"),
    "months": 12,
    "funded_on": FUNDED_ON,
}


def _parts(terms: RepaymentTerms, **changed: Any) -> list[tuple[int, int]]:
    return [(row.principal_fen, row.interest_fen) for row in schedule(terms, **LAKH | changed).rows]


# --- methods (rules.md 1.1) ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [Rounding.HALF_UP, Rounding.HALF_EVEN])
def test_100_000_at_12_percent_over_12_months(mode: Rounding) -> None:
    """A = 8,884.88, first row 7,884.88 + 1,000.00, last payment 8,884.85, total interest 6,618.53, in both modes."""
    plan = schedule(replace(PLAIN, rounding=mode), **LAKH)
    first, last = plan.rows[0], plan.rows[-1]
    assert plan.installment_fen == 888_488
    assert first == ScheduleRow(
        number=1, due_on=date(2024, 2, 15), principal_fen=788_488, interest_fen=100_000
    )
    assert last.principal_fen + last.interest_fen == 888_485
    assert sum(row.interest_fen for row in plan.rows) == 661_853
    assert sum(row.principal_fen for row in plan.rows) == 10_000_000


@pytest.mark.parametrize(
    ("principal_fen", "rate", "months", "expected_fen", "wrong_fen"),
    [
        (10_000_000, "0.0999", 36, 322_625, 322_700),
        (13_000, "0.20", 12, 1_204, 1_300),
        (942_500, "0.158", 36, 33_043, 33_100),
        (1_000_000, "0.092", 36, 31_893, 31_900),
        (980_000, "0.12", 12, 87_072, 87_100),
        (1_000_000, "0.12", 12, 88_849, 88_900),
    ],
    ids=["L#31", "L#1452", "Prosper 193129", "Prosper 1209647", "9,800", "the loan of 1.6"],
)
def test_golden_instalments(
    principal_fen: int, rate: str, months: int, expected_fen: int, wrong_fen: int
) -> None:
    """3,226.25 where Frappe gave 3,227.00 (L#31), 12.04 where it gave 13.00 (L#1452): never rounded up to a whole unit."""
    asked_fen = installment_fen(principal_fen, Decimal(rate), (MONTH,) * months, Rounding.HALF_UP)
    assert asked_fen == expected_fen != wrong_fen


def test_equal_principal() -> None:
    """8,333.33 eleven times and 8,333.37; interest 1,000.00, 916.67 … 83.33; 6,500.00 in all."""
    rows = _parts(RepaymentTerms(method="equal_principal"))
    assert [principal for principal, _ in rows] == [833_333] * 11 + [833_337]
    interest = [part for _, part in rows]
    assert (interest[:2], interest[-1], sum(interest)) == ([100_000, 91_667], 8_333, 650_000)


def test_interest_first() -> None:
    """1,000.00 each month, the last payment 101,000.00."""
    rows = _parts(RepaymentTerms(method="interest_first"))
    assert rows == [(0, 100_000)] * 11 + [(10_000_000, 100_000)]


def test_bullet_by_the_day_on_its_own_basis() -> None:
    """1 % for a 60-day loan of 100,000 on a 360 basis costs 1,000.00; Fineract's fixed 365 made 1,013.89 of it (J-2359)."""
    terms = RepaymentTerms(method="bullet", interest_by="day", day_count="act_360")
    # 2 January to 2 March 2024 are 60 days
    rows = schedule(
        terms, amount_fen=10_000_000, annual_rate=Decimal("0.06"), months=2, funded_on=date(2024, 1, 2)
    ).rows
    assert rows == (
        ScheduleRow(number=1, due_on=date(2024, 3, 2), principal_fen=10_000_000, interest_fen=100_000),
    )
    assert rows[0].interest_fen != 101_389


def test_bullet_by_the_month() -> None:
    """P·r·n at the end, simple."""
    assert _parts(RepaymentTerms(method="bullet")) == [(10_000_000, 1_200_000)]


def test_flat() -> None:
    """Interest on the first principal all the time: 10,000 at 0.6 % a month are 60.00 each month and 893.33 to pay."""
    rows = _parts(RepaymentTerms(method="flat"), amount_fen=1_000_000, annual_rate=Decimal("0.072"))
    assert rows == [(83_333, 6_000)] * 11 + [(83_337, 6_000)]


def test_methods_differ() -> None:
    """No two methods give the same interest for one loan: different schedule types gave the same once (L#42)."""
    methods: tuple[Method, ...] = ("equal_instalments", "equal_principal", "interest_first", "bullet")
    totals = [sum(interest for _, interest in _parts(RepaymentTerms(method=each))) for each in methods]
    assert totals[:2] == [661_853, 650_000]
    assert totals[2:] == [1_200_000, 1_200_000], "paid monthly or at the end: the same sum, at other times"


def test_a_tie_is_seen_as_a_tie() -> None:
    """1,000.50 at 1 %: 10.01 half-up, 10.00 half-even, 10.01 up; 0.30 at 20 % for a month is exactly 30.5 fen."""
    modes = (Rounding.HALF_UP, Rounding.HALF_EVEN, Rounding.UP)
    assert [interest_fen(100_050, Decimal("0.12"), MONTH, mode) for mode in modes] == [1_001, 1_000, 1_001]
    assert [installment_fen(30, Decimal("0.20"), (MONTH,), mode) for mode in modes] == [31, 30, 31]
    assert interest_fen(100_001, Decimal("0.12"), MONTH, Rounding.UP) == 1_001


def test_an_instalment_is_never_less_than_a_fen() -> None:
    """Three fen over 36 months, without and with interest: a schedule always makes progress, and ends early."""
    for rate in ("0", "0.0001"):
        assert installment_fen(3, Decimal(rate), (MONTH,) * 36, Rounding.HALF_UP) == 1
    methods: tuple[Method, ...] = ("equal_instalments", "equal_principal", "flat")
    for method in methods:
        rows = _parts(
            RepaymentTerms(method=method),
            amount_fen=3,
            annual_rate=Decimal(0),
            months=5,
        )
        assert rows == [(1, 0), (1, 0), (1, 0), (0, 0), (0, 0)]


# --- grace and fees ------------------------------------------------------------------------------------------------


def test_grace_on_principal_asks_interest_only() -> None:
    """Three months of 1,000.00, then nine equal instalments of what is owed."""
    rows = _parts(replace(PLAIN, principal_grace=3))
    assert rows[:3] == [(0, 100_000)] * 3
    asked_fen = installment_fen(10_000_000, Decimal("0.12"), (MONTH,) * 9, Rounding.HALF_UP)
    assert rows[3] == (asked_fen - 100_000, 100_000)
    assert sum(principal for principal, _ in rows) == 10_000_000


def test_grace_on_interest_asks_it_later_without_interest_on_it() -> None:
    """Two months ask for nothing, the third for three months' interest."""
    with_grace = replace(PLAIN, principal_grace=3, interest_grace=2)
    assert _parts(with_grace)[:3] == [(0, 0), (0, 0), (0, 300_000)]
    assert _parts(with_grace)[3:] == _parts(replace(PLAIN, principal_grace=3))[3:]


def test_a_fee_stands_with_each_instalment_that_is_left() -> None:
    """Two per mille of the amount in every row; none once a tiny loan is repaid early."""
    with_fee = replace(PLAIN, period_fee_permille=2)
    assert [row.fee_fen for row in schedule(with_fee, **LAKH).rows] == [20_000] * 12
    tiny = schedule(
        replace(with_fee, period_fee_permille=500),
        amount_fen=3,
        annual_rate=Decimal(0),
        months=5,
        funded_on=FUNDED_ON,
    )
    assert [row.fee_fen for row in tiny.rows] == [2, 2, 2, 0, 0]


# --- days (rules.md 1.2) -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "until", "day_count", "expected"),
    [
        (date(2023, 1, 15), date(2023, 3, 31), "act_365f", Fraction(75, 365)),
        (date(2023, 1, 15), date(2023, 3, 31), "30_360_us", Fraction(76, 360)),
        (date(2023, 1, 15), date(2023, 3, 31), "30e_360", Fraction(75, 360)),
        (date(2024, 2, 29), date(2024, 3, 31), "act_360", Fraction(31, 360)),
        (date(2024, 2, 29), date(2024, 3, 31), "30_360_us", Fraction(32, 360)),
        (date(2024, 2, 29), date(2024, 3, 31), "30e_360", Fraction(31, 360)),
        (date(2024, 1, 30), date(2024, 3, 31), "30_360_us", Fraction(60, 360)),
        (date(2024, 1, 31), date(2024, 2, 29), "30_360_us", Fraction(29, 360)),
        (date(2023, 12, 1), date(2024, 3, 1), "act_act_isda", Fraction(31, 365) + Fraction(60, 366)),
        (date(2023, 12, 1), date(2024, 3, 1), "act_365f", Fraction(91, 365)),
        (date(2023, 12, 1), date(2024, 3, 1), "act_360", Fraction(91, 360)),
        (date(2024, 3, 1), date(2024, 3, 1), "act_act_isda", Fraction(0)),
        (date(2024, 3, 2), date(2024, 3, 1), "30e_360", Fraction(0)),
    ],
)
def test_day_counts(since: date, until: date, day_count: DayCount, expected: Fraction) -> None:
    """ISDA's pairs: 75, 76 and 75 days; 31, 32 and 31; and a year's end in a leap year."""
    assert year_fraction(since, until, day_count) == expected


def test_the_checked_parts_of_a_year() -> None:
    """1 Dec 2023 to 1 Mar 2024: 0.248866, 0.249315 and 0.252778 of a year."""
    counts: tuple[DayCount, ...] = ("act_act_isda", "act_365f", "act_360")
    parts = [year_fraction(date(2023, 12, 1), date(2024, 3, 1), each) for each in counts]
    assert [round(part * 10**6) for part in parts] == [248_866, 249_315, 252_778]


def test_a_broken_period_is_not_thirty_days() -> None:
    """By 30/360 the period of a shifted due day has its own length: Frappe made every one 30 days (rules.md 1.2)."""
    by_day = RepaymentTerms(
        method="interest_first",
        interest_by="day",
        day_count="30e_360",
        shift="following",
        calendar="weekends",
    )
    # 15 June 2024 is a Saturday: paid on the 17th, the next period is two days shorter
    rows = schedule(
        by_day, amount_fen=3_600_000, annual_rate=Decimal("0.1"), months=7, funded_on=FUNDED_ON
    ).rows
    assert [row.interest_fen for row in rows[3:6]] == [30_000, 32_000, 28_000]
    assert rows[4].due_on == date(2024, 6, 17)


def test_a_day_that_the_month_lacks_becomes_its_last_and_comes_back() -> None:
    """31 Jan -> 29 Feb (leap) -> 31 Mar -> 30 Apr; never 29 Mar."""
    assert [due_date(date(2024, 1, 31), number) for number in (1, 2, 3, 12, 13)] == [
        date(2024, 2, 29),
        date(2024, 3, 31),
        date(2024, 4, 30),
        date(2025, 1, 31),
        date(2025, 2, 28),
    ]


def test_a_holiday_moves_a_due_day() -> None:
    """31 Aug 2024 is a Saturday: following 2 Sep, modified 30 Aug. China's 1 Oct 2024 moves to the 8th, its worked Sunday stays."""
    saturday = date(2024, 8, 31)
    assert shifted(saturday, "none", WEEKENDS) == saturday
    assert shifted(saturday, "following", WEEKENDS) == date(2024, 9, 2)
    assert shifted(saturday, "modified_following", WEEKENDS) == date(2024, 8, 30)
    assert shifted(date(2024, 10, 1), "modified_following", CHINA) == date(2024, 10, 8)
    assert shifted(date(2024, 9, 29), "following", CHINA) == date(2024, 9, 29)


# --- refusals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "changed", "code"),
    [
        (PLAIN, {"amount_fen": 0}, "invalid_amount"),
        (PLAIN, {"amount_fen": -1}, "invalid_amount"),
        (PLAIN, {"amount_fen": 10**15 + 1}, "invalid_amount"),
        (PLAIN, {"amount_fen": 10**15}, "invalid_amount"),
        (PLAIN, {"amount_fen": 10**15 - 10**13}, "invalid_amount"),
        (replace(PLAIN, period_fee_permille=1_000), {"amount_fen": 10**14}, "invalid_amount"),
        (replace(PLAIN, interest_by="day"), {"amount_fen": 9 * 10**14}, "invalid_amount"),
        (PLAIN, {"annual_rate": Decimal("-0.01")}, "invalid_rate"),
        (PLAIN, {"annual_rate": Decimal("0.123456789")}, "invalid_rate"),
        (PLAIN, {"annual_rate": Decimal("10.00000001")}, "invalid_rate"),
        (PLAIN, {"annual_rate": Decimal("NaN")}, "invalid_rate"),
        (PLAIN, {"annual_rate": Decimal("Infinity")}, "invalid_rate"),
        (PLAIN, {"months": 0}, "invalid_tenor"),
        (PLAIN, {"months": 1_000}, "invalid_tenor"),
        (PLAIN, {"funded_on": date.max}, "invalid_date"),
        (replace(PLAIN, principal_grace=12), {}, "invalid_grace"),
        (replace(PLAIN, principal_grace=1, interest_grace=2), {}, "invalid_grace"),
        (RepaymentTerms(method="bullet", principal_grace=1), {}, "invalid_grace"),
        (replace(PLAIN, period_fee_permille=1_001), {}, "invalid_fee"),
    ],
)
def test_no_schedule_is_made_of_nonsense(terms: RepaymentTerms, changed: dict[str, Any], code: str) -> None:
    """What has no meaning is refused by its name."""
    with pytest.raises(Refused) as refused:
        schedule(terms, **LAKH | changed)
    assert refused.value.code == code


@pytest.mark.parametrize(("principal_fen", "months"), [(0, 12), (-1, 12), (1, 0)])
def test_an_instalment_without_meaning_is_an_error(principal_fen: int, months: int) -> None:
    """No principal or no period raises ValueError."""
    with pytest.raises(ValueError, match="an instalment needs"):
        installment_fen(principal_fen, Decimal("0.12"), (MONTH,) * months, Rounding.HALF_UP)


def test_the_longest_loan_has_a_schedule() -> None:
    """Fifty years by the day."""
    longest = RepaymentTerms(method="equal_instalments", interest_by="day", day_count="act_act_isda")
    rows = schedule(
        longest, amount_fen=5 * 10**13, annual_rate=Decimal("0.12345678"), months=600, funded_on=FUNDED_ON
    ).rows
    assert sum(row.principal_fen for row in rows) == 5 * 10**13


@pytest.mark.parametrize(
    "method", ["equal_instalments", "equal_principal", "interest_first", "bullet", "flat"]
)
@pytest.mark.parametrize("interest_by", ["month", "day"])
def test_whatever_has_a_schedule_can_be_said(method: Method, interest_by: Literal["month", "day"]) -> None:
    """The largest amount that is not refused: all that its instalments ask together is an integer that stands in an event."""
    terms = RepaymentTerms(
        method=method,
        interest_by=interest_by,
        day_count="act_360",
        shift="following",
        calendar="china",
        period_fee_permille=7,
    )
    low, high = 1, 10**15
    while high - low > 1:
        middle = (low + high) // 2
        try:
            require_sound(terms, **LAKH | {"amount_fen": middle})
        except Refused:
            high = middle
        else:
            low = middle
    rows = schedule(terms, **LAKH | {"amount_fen": low}).rows
    assert sum(row.principal_fen + row.interest_fen + row.fee_fen for row in rows) <= 10**15

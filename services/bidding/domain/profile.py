"""The rules of a jurisdiction as dated tables, chosen by profile name and business date: never a constant in a rule.

A changed row changes what is decided, so it raises the service's `rules` number.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeVar

from libs.events.bidding import RiskLevel
from libs.events.money import MAX_INTEGER

_Value = TypeVar("_Value")

#: A rate has at most eight decimals (libs.events.money.AnnualRate), so in this unit it is an integer.
_RATE_UNIT = 10**8


#: Finance's full-bid review above the threshold is done by two people (chosen).
REVIEWERS = 2

#: Grade A is for everybody, E for the aggressive only (chosen); AA is the best grade of the demo's book.
_GRADE_LEVELS: tuple[tuple[date, tuple[tuple[str, RiskLevel], ...]], ...] = (
    (date.min, (("AA", "C1"), ("A", "C1"), ("B", "C2"), ("C", "C3"), ("D", "C4"), ("E", "C5"))),
)
_HIGHEST_LEVEL: RiskLevel = "C5"


@dataclass(frozen=True, slots=True)
class Profile:
    """What bidding obeys under one name. A dated table holds (in force since, value), oldest first.

    Before its first row a table sets no limit. Amounts are in the currency's minor unit (`_fen`).
    """

    name: str
    rate_ceilings: tuple[tuple[date, Decimal], ...]
    application_required: bool
    """Whether only an approved application may be listed: its exposure is reserved under the caps that onboarding keeps."""
    verification_required: bool
    """Whether only onboarding's verification of its owner opens an account; nobody opens one by himself."""
    window_days_max: int
    tenor_months_max: int
    suitability_required: bool
    """Whether an investor whom nobody has assessed may not bid."""
    automatic_reviews_fen: tuple[tuple[date, int], ...] = ()
    """The largest amount of a listing whose full-bid review passes by itself."""
    grade_levels: tuple[tuple[date, tuple[tuple[str, RiskLevel], ...]], ...] = _GRADE_LEVELS
    """The risk level that each grade needs at least; a grade that the table lacks needs the highest."""

    def rate_ceiling(self, on: date) -> Decimal | None:
        """The highest annual cost of borrowing (fees included) of a listing opened on this date."""
        return _in_force(self.rate_ceilings, on)

    def level_needed(self, grade: str, on: date) -> RiskLevel:
        """The least risk level of an investor who bids on a listing of this grade."""
        table = _in_force(self.grade_levels, on) or ()
        return next((level for name, level in table if name == grade), _HIGHEST_LEVEL)

    def reviews_needed(self, amount_fen: int, on: date) -> int:
        """How many people must review a filled listing of this amount: none at or under the threshold, two above."""
        threshold_fen = _in_force(self.automatic_reviews_fen, on)
        return 0 if threshold_fen is None or amount_fen <= threshold_fen else REVIEWERS


def _in_force(table: tuple[tuple[date, _Value], ...], on: date) -> _Value | None:
    started = [value for since, value in table if since <= on]
    return started[-1] if started else None


def cost_is_within(
    ceiling: Decimal, *, amount_fen: int, fee_fen: int, annual_rate: Decimal, months: int
) -> bool:
    """Whether a loan in equal monthly instalments, paid out less an up-front fee, costs at most `ceiling` a year.

    The cost is the monthly internal rate of return times twelve (rules.md 1.6). It is at most the ceiling exactly when
    the instalments, discounted at ceiling/12, are worth no more than what was paid out:
    P·r·(1+r)^n/((1+r)^n − 1) · ((1+c)^n − 1)/(c·(1+c)^n) <= P − fee with r = rate/12, c = ceiling/12; without interest
    the instalment is P/n. Multiplied out in integers, so that a rate at the ceiling itself is never one digit above it.
    """
    year = 12 * _RATE_UNIT
    rate, limit = int(annual_rate * _RATE_UNIT), int(ceiling * _RATE_UNIT)
    none: int = year**months
    by_rate: int = (year + rate) ** months
    by_limit: int = (year + limit) ** months
    paid_out_fen = amount_fen - fee_fen
    if rate == 0:
        return year * amount_fen * (by_limit - none) <= paid_out_fen * limit * by_limit * months
    return amount_fen * rate * by_rate * (by_limit - none) <= paid_out_fen * limit * by_limit * (
        by_rate - none
    )


#: The highest rate there is (10 a year), for a century: so many times what was owed may come on top of it as penalty.
_CENTURY_OF_PENALTY = 1_010


def can_be_said(amount_fen: int, annual_rate: Decimal, months: int) -> bool:
    """Whether whatever may ever be owed on a loan is an integer that may stand in an event: refused before money moves.

    The interest of equal instalments is at most that of the whole amount until the end: P·(1 + rate·n/12); penalty comes
    on top of what is late (docs/decisions/0005).
    """
    year = 12 * _RATE_UNIT
    owed = amount_fen * (year + int(annual_rate * _RATE_UNIT) * months)
    return owed * (1 + _CENTURY_OF_PENALTY) <= MAX_INTEGER * year


#: 4 x the central bank's benchmark rate of loans up to one year (chinabankingnews.com/benchmark-lending-rate for the rows
#: of 2015, the earlier ones from general knowledge), the limit of private lending until 2015-08-31 (domain.md section 2).
_FOUR_BANK_RATES = (
    (date(2012, 7, 6), Decimal("0.2400")),
    (date(2014, 11, 22), Decimal("0.2240")),
    (date(2015, 3, 1), Decimal("0.2140")),
    (date(2015, 5, 11), Decimal("0.2040")),
    (date(2015, 6, 28), Decimal("0.1940")),
    (date(2015, 8, 26), Decimal("0.1840")),
)

#: 24 % is protected and everything above 36 % void (domain.md section 2): what lies between is paid at the borrower's
#: will and cannot be claimed, so a listing may promise no more than what is protected.
_PROTECTED = ((date(2015, 9, 1), Decimal("0.24")),)

#: 4 x one-year LPR (rules.md 1.7) by the day of its publication; 3.85 % and its date are the source's, the later rows come
#: from general knowledge, checked against the press for 2021-11 (3.85 %), 2025-01 (3.10 %) and 2026-01 (3.00 %).
_FOUR_LPR = (
    (date(2020, 8, 20), Decimal("0.1540")),
    (date(2021, 12, 20), Decimal("0.1520")),
    (date(2022, 1, 20), Decimal("0.1480")),
    (date(2022, 8, 22), Decimal("0.1460")),
    (date(2023, 6, 20), Decimal("0.1420")),
    (date(2023, 8, 21), Decimal("0.1380")),
    (date(2024, 7, 22), Decimal("0.1340")),
    (date(2024, 10, 21), Decimal("0.1240")),
    (date(2025, 5, 20), Decimal("0.1200")),
)

#: Real loan books from anywhere: no ceiling; the unit of money is the book's minor unit (a cent, say). An operator may list a
#: loan by hand and people may open accounts without onboarding, so nobody need be assessed; every full listing passes review
#: by itself.
DEMO = Profile(
    name="demo",
    rate_ceilings=(),
    application_required=False,
    verification_required=False,
    window_days_max=10,
    tenor_months_max=120,
    suitability_required=False,
)

#: The 2016 Interim Measures: what one borrower may owe on one platform (art. 17; rules.md 1.8) is kept by onboarding, which
#: reserves it before a listing opens, so nothing is listed by hand. The bidding window of 10 days is our choice (domain.md section 3), and
#: so is the threshold of 100,000 yuan, half a person's cap, up to which a full listing passes review by itself.
CN_P2P_2016 = Profile(
    name="cn-p2p-2016",
    rate_ceilings=_FOUR_BANK_RATES + _PROTECTED + _FOUR_LPR,
    application_required=True,
    verification_required=True,
    window_days_max=10,
    tenor_months_max=120,
    suitability_required=True,
    automatic_reviews_fen=((date.min, 100_000_00),),
)


def profile_named(name: str) -> Profile:
    """The profile of a setting. Raises ValueError for a name that does not exist."""
    for profile in (DEMO, CN_P2P_2016):
        if profile.name == name:
            return profile
    raise ValueError(f"there is no profile {name}: choose {DEMO.name} or {CN_P2P_2016.name}")

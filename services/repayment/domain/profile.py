"""The rules that are settings: dated tables, chosen by the profile's name and a business date.

They are code, not configuration, because a decision must be recomputable from the log and the code alone. A loan lives
under the rules of the day it was funded on, for life: a later change of the table never reaches a contract that stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from libs.events.cost import CEILINGS_CN
from libs.events.guarantees import Liability
from libs.events.measures import MeasureStep
from libs.events.money import MAX_INTEGER, Rounding
from libs.events.pauses import PauseCause
from libs.events.repayment import LoanClass

#: The bucket of a loan that is not overdue, in every profile.
CURRENT = "current"
#: And of one that was written off, which is in none of the running book's.
WRITTEN_OFF = "written_off"


@dataclass(frozen=True, slots=True)
class Bucket:
    """An overdue bucket: its name and the smallest DPD (days past due) that belongs to it."""

    name: str
    dpd_from: int


#: Five classes 五级分类 by DPD (2023 Measures, in force 1 Jul 2023; domain.md section 4): any overdue at least special-mention,
#: more than 90 days substandard, more than 270 doubtful, more than 360 loss. Class and smallest DPD, best first.
FIVE_CLASSES: tuple[tuple[LoanClass, int], ...] = (
    ("normal", 0),
    ("special_mention", 1),
    ("substandard", 91),
    ("doubtful", 271),
    ("loss", 361),
)

#: Up to which amount (fen) penalty is given up with which last signature (chosen); the last gives up any.
WAIVER_LIMITS: tuple[tuple[MeasureStep, int], ...] = (
    ("collections_supervisor", 500_00),
    ("risk", 5_000_00),
    ("finance_supervisor", MAX_INTEGER),
)

#: libs.events.money.AnnualRate: at most eight decimals, at most 10.
_RATE_DECIMALS, _RATE_MAX = 8, Decimal(10)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a profile fixes for the loans of one period.

    `day_basis` divides actual days (interest to the day); `retry_days` are the days after a due date on which an unpaid
    rest is asked from the borrower's account again; `buckets` rise from `current` at DPD 0. Penalty interest is the
    contract's rate times `penalty_multiple` (domain.md section 4), at most `penalty_cap` a year; an instalment paid within
    `penalty_grace_days` of its due date costs none. A claim changes hands not within `blocked_days` of a due date, on either
    side, and in parts of at least `part_min_fen` (both chosen; domain.md section 3). What is prepaid in part, beyond what is due, is
    at least `prepay_min_fen` (chosen).

    Of measures (processes.md 1.P): interest is no income beyond `accrual_dpd_max` days overdue; a loan is written off from
    `write_off_dpd` on; who may give up how much penalty is in `waiver_limits`, from the lowest post to the highest, each of which signs
    after those below and all of which count what the loan was forgiven before; a measure, and the sale of an asset, is signed within `signing_days`, a compensation
    within `compensation_days` (both chosen); lenders vote for `mandate_days`; a restructured loan is observed for `observed_days` and
    `observed_periods`. A pause is for one of `pause_causes`, of at most `pause_days_max` days, and a loan has at most
    `pause_year_days_max` of them in a calendar year (all chosen). What takes the place of money was valued at most `valuation_days` before (half a
    year, as of collateral: processes.md 1.D), and its sale costs at most `disposal_cost_permille` of the price (chosen).

    Of guarantors (processes.md 1.J): one is admitted for at most `guarantor_days`, answers as `liabilities` say, and for all loans together,
    here and elsewhere, for at most `guarantor_multiple` times its net assets (chosen). What is proposed of one waits for `signing_days`.
    """

    rounding: Rounding
    day_basis: int
    retry_days: tuple[int, ...]
    buckets: tuple[Bucket, ...]
    penalty_multiple: Decimal = Decimal("1.5")
    penalty_cap: Decimal | None = None
    penalty_grace_days: int = 3
    classes: tuple[tuple[LoanClass, int], ...] = FIVE_CLASSES
    blocked_days: int = 3
    part_min_fen: int = 100_00
    accrual_dpd_max: int = 90
    write_off_dpd: int = 360
    waiver_limits: tuple[tuple[MeasureStep, int], ...] = WAIVER_LIMITS
    mandate_days: int = 10
    observed_days: int = 365
    observed_periods: int = 2
    prepay_min_fen: int = 100_00
    signing_days: int = 30
    valuation_days: int = 183
    disposal_cost_permille: int = 200
    compensation_days: int = 10
    guarantor_days: int = 366
    guarantor_multiple: int = 10
    liabilities: tuple[Liability, ...] = ("joint",)
    pause_causes: tuple[PauseCause, ...] = ("illness", "disaster", "fraud_report", "system_fault")
    pause_days_max: int = 90
    pause_year_days_max: int = 120

    def penalty_rate(self, annual_rate: Decimal) -> Decimal:
        """The annual rate of penalty interest of a contract; a digit beyond the eighth is dropped, for the debtor."""
        cap = _RATE_MAX if self.penalty_cap is None else self.penalty_cap
        rate = min(annual_rate * self.penalty_multiple, cap)
        return Decimal(int(rate.scaleb(_RATE_DECIMALS))).scaleb(-_RATE_DECIMALS)

    def class_of(self, dpd: int) -> LoanClass:
        """The class to which a DPD >= 0 belongs."""
        return [name for name, dpd_from in self.classes if dpd_from <= dpd][-1]

    def class_rank(self, name: LoanClass) -> int:
        """A class's place from 0 (the best). Raises ValueError for a name that the table lacks."""
        return [known for known, _ in self.classes].index(name)

    def class_dpd_after(self, name: LoanClass) -> int | None:
        """The DPD at which the next worse class begins, None after the last."""
        worse = self.classes[self.class_rank(name) + 1 :]
        return worse[0][1] if worse else None

    def bucket_of(self, dpd: int) -> str:
        """The bucket to which a DPD >= 0 belongs."""
        return [bucket.name for bucket in self.buckets if bucket.dpd_from <= dpd][-1]

    def rank_of(self, bucket: str) -> int:
        """A bucket's place from 0 (`current`). Raises ValueError for a name that the table lacks."""
        return [known.name for known in self.buckets].index(bucket)

    def dpd_after(self, bucket: str) -> int | None:
        """The DPD at which the next worse bucket begins, None after the last."""
        worse = self.buckets[self.rank_of(bucket) + 1 :]
        return worse[0].dpd_from if worse else None


#: domain.md section 4: current 0 · M1 1–30 · M2 31–60 · M3 61–90 · M4 91–120 · M5 121–150 · M6 151–180 · M6+ > 180
_BY_MONTH = (
    Bucket(CURRENT, 0),
    Bucket("M1", 1),
    Bucket("M2", 31),
    Bucket("M3", 61),
    Bucket("M4", 91),
    Bucket("M5", 121),
    Bucket("M6", 151),
    Bucket("M6+", 181),
)

#: The other reading, of roll rates (rules.md 1.4): 0–29, 30–59, 60–89, 90+. Here, too, who is not late is apart, so its first begins at 1;
#: and its last begins a day before a class is worse by it, which is by *more* than 90 days.
_BY_THIRTY = (
    Bucket(CURRENT, 0),
    Bucket("1-29", 1),
    Bucket("30-59", 30),
    Bucket("60-89", 60),
    Bucket("90+", 90),
)

#: Half-up (domain.md section 4), actual/365 fixed (rules.md 1.2), three retries, penalty at 1.5 times the contract's rate after
#: three days of grace, in which the platform itself still retries the debit (chosen).
_STANDARD = Rules(rounding=Rounding.HALF_UP, day_basis=365, retry_days=(1, 2, 3), buckets=_BY_MONTH)

#: profile name -> (first day on which the rules hold, rules), oldest first
PROFILES: Mapping[str, tuple[tuple[date, Rules], ...]] = {
    "demo": ((date.min, _STANDARD),),
    "demo-30-days": ((date.min, replace(_STANDARD, buckets=_BY_THIRTY)),),
    "cn-p2p-2016": (
        (date.min, _STANDARD),
        # The ceiling on the yearly cost of borrowing holds with the penalty in it (rules.md 1.7).
        *((since, replace(_STANDARD, penalty_cap=ceiling)) for since, ceiling in CEILINGS_CN),
    ),
}


@dataclass(frozen=True, slots=True)
class Profile:
    """A named profile: its dated table of rules."""

    name: str
    dated: tuple[tuple[date, Rules], ...]

    def on(self, day: date) -> Rules:
        """The rules in force on a date. Raises ValueError for a date before the profile's first."""
        in_force = [rules for since, rules in self.dated if since <= day]
        if not in_force:
            raise ValueError(f"the profile {self.name} has no rules for {day}")
        return in_force[-1]


def profile_named(name: str) -> Profile:
    """The profile of that name. Raises ValueError naming those that exist."""
    if name not in PROFILES:
        raise ValueError(f"unknown profile {name!r}; known: {', '.join(sorted(PROFILES))}")
    return Profile(name, PROFILES[name])

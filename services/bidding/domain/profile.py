"""The rules of a jurisdiction as dated tables, chosen by profile name and business date: never a constant in a rule.

A changed row changes what is decided, so it raises the service's `rules` number.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, TypeVar

from libs.events.bidding import RiskLevel
from libs.events.cost import CEILINGS_CN, RATE_UNIT, Ceilings
from libs.events.fees import (
    FEES_CN,
    TRANSFER_FEES_CN,
    FeeTables,
    TransferFees,
    period_fee_of,
    started,
    version_of,
)
from libs.events.money import MAX_INTEGER
from libs.events.working_days import CHINA, WEEKENDS, WorkingDays, working_day_after, working_days_to
from services.bidding.commands import OpenListing

_Value = TypeVar("_Value")

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
    rate_ceilings: Ceilings
    application_required: bool
    """Whether only an approved application may be listed: its exposure is reserved under the caps that onboarding keeps."""
    verification_required: bool
    """Whether only onboarding's verification of its owner opens an account; nobody opens one by himself."""
    window_days_max: int
    tenor_months_max: int
    suitability_required: bool
    """Whether an investor whom nobody has assessed may not bid."""
    own_card_required: bool
    """Whether money comes from and goes to its owner's own-name card only (art. 28 and the custody guideline of Feb 2017)."""
    automatic_reviews_fen: tuple[tuple[date, int], ...] = ()
    """The largest amount of a listing whose full-bid review passes by itself."""
    grade_levels: tuple[tuple[date, tuple[tuple[str, RiskLevel], ...]], ...] = _GRADE_LEVELS
    """The risk level that each grade needs at least; a grade that the table lacks needs the highest."""
    pack_days: tuple[tuple[date, int], ...] = ()
    """Working days after funding by whose end a lender has his deal pack; before the first row his certificate is all."""
    working_days: WorkingDays = WEEKENDS
    check_required: bool = False
    """Whether a second person looks at a listing before it is published."""
    check_days: int = 10
    """How long a prepared listing waits for that look (chosen)."""
    review_days: int = 10
    """How long a full listing waits for its reviews, and a reviewed one for its pay-out (chosen)."""
    schedule_days_max: int = 30
    """How far ahead a listing may be scheduled (chosen)."""
    forbidden_purposes: tuple[tuple[date, tuple[str, ...]], ...] = ()
    """What no loan may be listed for."""
    fee_tables: FeeTables = ()
    """The published fees; where there are some, others are refused."""
    investor_caps_fen: tuple[tuple[date, int], ...] = ()
    """The most that one investor may have in one listing: nobody's savings hang on one borrower."""
    newcomer_caps_fen: tuple[tuple[date, int], ...] = ()
    """The most that one newcomer may have in one newcomer listing 新手标: it is there to be tried, by many."""
    staff_related: Literal["marked", "refused"] = "marked"
    """Whether a loan of staff, or of somebody related to staff, is listed with a mark or not at all (processes.md 1.N)."""
    price_bands_permille: tuple[tuple[date, tuple[int, int]], ...] = ((date.min, (900, 1100)),)
    """Least and highest price of a claim that is offered, per mille of its principal: ±10 % (chosen; domain.md section 3)."""
    offer_days_max: int = 10
    """How long an offer stands in the order book (chosen)."""
    transfer_fees: TransferFees = ()
    """The published fee of a sale; where there is none it costs nothing."""

    unsold_days: int = 3
    """Working days for which an own offer has stood unsold before a redemption may be asked for (chosen; domain.md section 3)."""
    evidence_days: int = 10
    """Working days for which an own offer that stayed unsold is evidence for a redemption, after its end (chosen)."""
    redemption_days: int = 15
    """Working days from the complete form of a redemption by whose end it is sold (processes.md 1.J)."""

    offline_selling_allowed: bool = True
    """Whether lenders may be sold anything on paper: only then are contracts printed for them (Interim Measures art. 10 and 16)."""

    order_misses_max: int = 5
    """Listings in a row that a standing order could not pay for, after which it is paused (chosen; the risk text says so): it would be asked each time."""

    def stood_unsold(self, opened_on: date, ended_on: date) -> bool:
        """Whether an offer that ended without a buyer is evidence for a redemption."""
        return self.working_days_to(opened_on, ended_on) >= self.unsold_days

    def is_fresh(self, ended_on: date, on: date) -> bool:
        """Whether an offer that ended on a day still says on another how the market is."""
        return self.working_days_to(ended_on, on) <= self.evidence_days

    def redeemed_by(self, completed_on: date) -> date | None:
        """The last day of a redemption whose form was complete on this day; None where the calendar ends before it: a day that is
        guessed is no promise."""
        last = working_day_after(self.working_days, completed_on, self.redemption_days)
        return last if self.working_days.knows(last) else None

    def working_days_to(self, day: date, until: date) -> int:
        """The working days after a day, up to and with another."""
        return working_days_to(self.working_days, day, until)

    def may_cost(self, price_permille: int, on: date) -> bool:
        """Whether a claim may be offered at this price on this day."""
        band = _in_force(self.price_bands_permille, on)
        return band is None or band[0] <= price_permille <= band[1]

    def packs_due_on(self, funded_on: date) -> date | None:
        """The last day for the deal packs of a loan, None where there are none."""
        days = _in_force(self.pack_days, funded_on)
        return None if days is None else working_day_after(self.working_days, funded_on, days)

    def investor_cap_fen(self, on: date) -> int | None:
        """The most that one investor may have in one listing on this day, in fen; None where nothing is said."""
        return _in_force(self.investor_caps_fen, on)

    def newcomer_cap_fen(self, on: date) -> int | None:
        """The most that one newcomer may have in one newcomer listing on this day, in fen; None where nothing is said."""
        return _in_force(self.newcomer_caps_fen, on)

    def purposes_forbidden(self, on: date) -> tuple[str, ...]:
        """The purposes that no loan may be listed for on this day."""
        return _in_force(self.forbidden_purposes, on) or ()

    def fees_version(self, terms: OpenListing, on: date) -> int | None:
        """The published version that the fees are from: any that has started, because they were agreed on before today. 0 where
        nothing is published, None where they are from none."""
        published = started(self.fee_tables, on)
        if not published:
            return 0
        return version_of(
            published,
            product=terms.product,
            amount_fen=terms.amount_fen,
            origination_fee_fen=terms.origination_fee_fen,
            interest_fee_permille=terms.interest_fee_permille,
            period_fee_permille=period_fee_of(terms.repayment),
        )

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


#: The highest rate there is (10 a year), for a century: so many times what was owed may come on top of it as penalty.
_CENTURY_OF_PENALTY = 1_010


def can_be_said(terms: OpenListing) -> bool:
    """Whether whatever may ever be owed on a loan is an integer that may stand in an event: refused before money moves.

    The interest is at most that of the whole amount until the end, P·(1 + rate·n/12), and by the day at most 31 days in 30
    of it; a fee of each period and penalty on what is late (docs/decisions/0005) come on top.
    """
    year = 12 * RATE_UNIT
    permille = 0 if terms.repayment is None else terms.repayment.period_fee_permille
    by_day = 0 if terms.repayment is None else int(terms.annual_rate * RATE_UNIT) // 30 + 1
    a_month = int(terms.annual_rate * RATE_UNIT) + by_day + permille * year // 1_000
    owed = terms.amount_fen * (year + a_month * terms.tenor_months)
    return owed * (1 + _CENTURY_OF_PENALTY) <= MAX_INTEGER * year


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
    own_card_required=False,
)

#: What the 2016 Interim Measures, art. 10 and 13, and later bans keep off the platforms (rules.md 1.8), by our codes for it.
_FORBIDDEN_PURPOSES = (
    (
        date.min,
        (
            "stocks",
            "futures",
            "securities",
            "equity_crowdfunding",
            "lending_on",
            "wealth_products",
            "down_payment",
            "campus",
            "gambling",
        ),
    ),
)

#: The same, where a loan's lateness is counted in buckets of thirty days (services.repayment.domain.profile).
DEMO_30_DAYS = replace(DEMO, name="demo-30-days")

#: The 2016 Interim Measures: what one borrower may owe on one platform (art. 17; rules.md 1.8) is kept by onboarding, which
#: reserves it before a listing opens, so nothing is listed by hand. The bidding window of 10 days is our choice (domain.md section 3), and
#: so is the threshold of 100,000 yuan, half a person's cap, up to which a full listing passes review by itself,
#: and the 120,000 yuan that one investor may have in one listing, and the 10,000 of a newcomer in one for newcomers. Loans of
#: staff are marked, as red line 3 of domain.md section 9 says. Lenders get deal packs, within 3 working days (chosen;
#: processes.md 1.G.6).
CN_P2P_2016 = Profile(
    name="cn-p2p-2016",
    rate_ceilings=CEILINGS_CN,
    application_required=True,
    verification_required=True,
    window_days_max=10,
    tenor_months_max=120,
    suitability_required=True,
    own_card_required=True,
    automatic_reviews_fen=((date.min, 100_000_00),),
    pack_days=((date.min, 3),),
    offline_selling_allowed=False,
    working_days=CHINA,
    check_required=True,
    investor_caps_fen=((date.min, 120_000_00),),
    newcomer_caps_fen=((date.min, 10_000_00),),
    forbidden_purposes=_FORBIDDEN_PURPOSES,
    fee_tables=FEES_CN,
    transfer_fees=TRANSFER_FEES_CN,
)


def profile_named(name: str) -> Profile:
    """The profile of a setting. Raises ValueError for a name that does not exist."""
    profiles = {profile.name: profile for profile in (DEMO, DEMO_30_DAYS, CN_P2P_2016)}
    if name not in profiles:
        raise ValueError(f"there is no profile {name}: choose {' or '.join(profiles)}")
    return profiles[name]

"""The rules of a jurisdiction as dated tables, chosen by profile name and business date: never a constant in a rule.

A changed row changes what is decided, so it raises the service's `rules` number.
"""

from dataclasses import dataclass, replace
from datetime import date

from libs.events.application import LoanTerms
from libs.events.cost import CEILINGS_CN, Ceilings
from libs.events.fees import FEES_CN, FeeTables, period_fee_of, started, version_of
from libs.events.onboarding import Code, Kind, Level
from libs.events.schedules.cost import is_allowed
from services.onboarding.domain.products import (
    BRIDGE,
    BUSINESS,
    CONSUMER,
    INSTALMENT_PLAN,
    PERSONAL,
    SEASONAL,
    Product,
)

Caps = tuple[tuple[date, int], ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """What onboarding obeys under one name. A dated table holds (in force since, value), oldest first.

    Before its first row a table sets no limit. Amounts are in the currency's minor unit (`_fen`), times in days.
    """

    name: str
    person_caps_fen: Caps
    organisation_caps_fen: Caps
    rate_ceilings: Ceilings
    products: tuple[Product, ...]
    answer_days: int = 30
    """How long papers may stay returned, conditions open, terms unanswered, precedents unchecked (domain.md section 2, chosen)."""
    suitability_days: int = 365
    """How long an assessment is valid (domain.md section 2, chosen)."""
    visit_days_max: int = 30
    """How old a field visit may be in a report (processes.md 1.E, chosen)."""
    report_days_max: int = 60
    """How old a report may be before the committee (processes.md 1.E, chosen)."""
    window_days_max: int = 10
    fee_tables: FeeTables = ()
    """The published fees; where there are some, no others are agreed on."""
    relations_max: int = 100
    """How many relations a user may declare (chosen)."""
    declared_by_max: int = 1_000
    """How many others may declare a relation with one user (chosen): each is verified and answers for it."""

    def cap_fen(self, kind: Kind, on: date) -> int | None:
        """The most that one borrower may owe on the platform on this date, in fen (rules.md 1.8)."""
        table = self.person_caps_fen if kind == "person" else self.organisation_caps_fen
        started = [cap_fen for since, cap_fen in table if since <= on]
        return started[-1] if started else None

    def allows_cost(self, terms: LoanTerms, on: date) -> bool:
        """Whether a loan on these terms costs, fee included, at most the ceiling of this date (red line 4)."""
        return is_allowed(
            self.rate_ceilings,
            on,
            terms=terms.repayment,
            amount_fen=terms.amount_fen,
            fee_fen=terms.origination_fee_fen,
            annual_rate=terms.annual_rate,
            months=terms.tenor_months,
        )

    def has_published(self, product: Code, terms: LoanTerms, on: date) -> bool:
        """Whether the fees of these terms are those in force on this date (processes.md 1.N)."""
        in_force = started(self.fee_tables, on)[:1]
        return not in_force or (
            version_of(
                in_force,
                product=product,
                amount_fen=terms.amount_fen,
                origination_fee_fen=terms.origination_fee_fen,
                interest_fee_permille=terms.interest_fee_permille,
                period_fee_permille=period_fee_of(terms.repayment),
            )
            is not None
        )

    def product(self, code: Code) -> Product | None:
        """What is offered under a name, None for a name that nothing is offered under."""
        return next((product for product in self.products if product.code == code), None)


#: The papers without which an intake is not complete: the R of the checklist (processes.md 1.D).
REQUIRED_PAPERS: dict[Kind, tuple[Code, ...]] = {
    "person": (
        "identity_card",
        "income_proof",
        "bank_statements",
        "asset_proof",
        "credit_report",
        "purpose_evidence",
    ),
    "organisation": (
        "identity_card",
        "business_licence",
        "representative_proof",
        "bank_statements",
        "accounts",
        "tax_returns",
        "credit_report",
        "purpose_evidence",
    ),
}

#: Every paper that may be handed in or asked for: the rows of the checklist (processes.md 1.D).
PAPERS: tuple[Code, ...] = (
    "identity_card",
    "business_licence",
    "operating_permit",
    "representative_proof",
    "income_proof",
    "bank_statements",
    "accounts",
    "tax_returns",
    "utility_bills",
    "contracts",
    "asset_proof",
    "credit_report",
    "guarantee_papers",
    "purpose_evidence",
    "consent",
)

#: What the disbursement post looks at before a listing may open (processes.md 1.G.4); the exposure stays reserved meanwhile.
PRECEDENTS: tuple[Code, ...] = (
    "approval_valid",
    "contract_signed",
    "guarantee_authentic",
    "conditions_fulfilled",
    "purpose_account_known",
)

#: Where the loan has a guarantor, his signature under the deed as well.
GUARANTOR_SIGNED: Code = "guarantor_signed"

#: What the platform itself looks at after them.
CAPS_CHECKED: Code = "caps_checked"

#: The suitability questionnaire: as many questions, answers from 1 (shuns risk) to 5; least sum of each level (chosen).
QUESTIONS = 8
_LEVELS: tuple[tuple[int, Level], ...] = ((34, "C5"), (28, "C4"), (22, "C3"), (16, "C2"), (8, "C1"))


def required_documents(kind: Kind) -> tuple[Code, ...]:
    """The papers that an applicant of this kind must hand in."""
    return REQUIRED_PAPERS[kind]


def level_of(answers: tuple[int, ...]) -> Level:
    """The suitability level of a whole questionnaire. Raises ValueError for answers that are none."""
    if len(answers) != QUESTIONS or any(not 1 <= answer <= 5 for answer in answers):
        raise ValueError("a questionnaire has one answer from 1 to 5 per question")
    total = sum(answers)
    return next(level for least, level in _LEVELS if total >= least)


#: Real loan books from anywhere: no caps, no ceiling.
DEMO = Profile(
    name="demo",
    person_caps_fen=(),
    organisation_caps_fen=(),
    rate_ceilings=(),
    products=(CONSUMER, BUSINESS, BRIDGE, SEASONAL, INSTALMENT_PLAN, PERSONAL),
)

#: The same, where a loan's lateness is counted in buckets of thirty days (services.repayment.domain.profile).
DEMO_30_DAYS = replace(DEMO, name="demo-30-days")

#: The 2016 Interim Measures, art. 17: 200,000 yuan outstanding per person and platform, 1,000,000 per organisation.
CN_P2P_2016 = Profile(
    name="cn-p2p-2016",
    person_caps_fen=((date(2016, 8, 24), 200_000_00),),
    organisation_caps_fen=((date(2016, 8, 24), 1_000_000_00),),
    rate_ceilings=CEILINGS_CN,
    products=(CONSUMER, BUSINESS, BRIDGE, SEASONAL, INSTALMENT_PLAN),
    fee_tables=FEES_CN,
)


def profile_named(name: str) -> Profile:
    """The profile of a setting. Raises ValueError for a name that does not exist."""
    profiles = {profile.name: profile for profile in (DEMO, DEMO_30_DAYS, CN_P2P_2016)}
    if name not in profiles:
        raise ValueError(f"there is no profile {name}: choose {' or '.join(profiles)}")
    return profiles[name]

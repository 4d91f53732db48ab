"""An application in which every step is signed by another person: who signed what keeps him from what comes later.

The stories of the other specs have one person of risk for three steps, where a rule about one of them hides behind the others.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations
from typing import Any

import pytest

from libs.events.fees import Fees
from services.onboarding.commands import AppointStaff, ConfirmPrecedents, FulfilCondition, ReviewEligibility
from services.onboarding.domain.application import aggregate
from services.onboarding.domain.profile import CN_P2P_2016, PRECEDENTS
from services.onboarding.domain.staff import AGGREGATE as STAFF
from services.onboarding.domain.staff import POSTS
from tests.unit.given import TODAY, given
from tests.unit.onboarding import stories as s

APPLICATION = aggregate(CN_P2P_2016)
ONE = ("second_guarantor",)
TO_COMMITTEE = (
    *s.AT_INTAKE,
    replace(s.CHECKED, checked_by="stf_checked"),
    replace(s.INTERVIEWED, held_by="stf_interviewed"),
    replace(s.REVIEWED, reviewed_by="stf_reviewed"),
    replace(s.REPORTED, investigator="stf_reported"),
    replace(s.CONVENED, convened_by="stf_convened", conditions=ONE),
)
AGREED = (
    *TO_COMMITTEE,
    *s.TWO_VOTES,
    s.voted("finance_supervisor", s.FS),
    replace(s.AGREED, conditions=ONE),
)
SIGNED = (*AGREED, replace(s.FULFILLED, marked_by="stf_marked", missing=0), s.ASKED, s.APPROVED, s.ACCEPTED)
CONFIRM = ConfirmPrecedents(application_id="app_1", checks=PRECEDENTS)
FULFIL = FulfilCondition(application_id="app_1", condition=ONE[0], evidence="doc_g")


@pytest.mark.parametrize("step", ["reviewed", "reported", "convened"])
def test_who_assessed_the_risk_votes_as_risk_assessor_or_not_at_all(step: str) -> None:
    """Each of the three by himself (processes.md 1.F)."""
    who = s.by(f"stf_{step}")
    given(APPLICATION, *TO_COMMITTEE).when(s.cast("general_manager"), who).then_refused(
        "forbidden_same_person"
    )
    given(APPLICATION, *TO_COMMITTEE).when(s.cast("risk_assessor"), who).then(
        s.voted("risk_assessor", f"stf_{step}")
    )


@pytest.mark.parametrize("step", ["checked", "interviewed"])
def test_sales_vote_in_no_office(step: str) -> None:
    """Who looked at the papers, and who held the interview."""
    for office in ("general_manager", "risk_assessor", "finance_supervisor"):
        outcome = given(APPLICATION, *TO_COMMITTEE).when(s.cast(office), s.by(f"stf_{step}"))
        outcome.then_refused("forbidden_same_person")


@pytest.mark.parametrize(
    "who",
    [
        *(f"stf_{step}" for step in ("checked", "interviewed", "reviewed", "reported", "convened", "marked")),
        s.GM,
        s.RA,
        s.FS,
    ],
)
def test_who_had_any_part_in_the_approval_does_not_check_its_precedents(who: str) -> None:
    """Each step by itself; a stranger to the case may."""
    given(APPLICATION, *SIGNED).when(CONFIRM, s.by(who)).then_refused("forbidden_same_person")
    given(APPLICATION, *SIGNED).when(CONFIRM, s.by(s.LEO)).then(s.SEEN)


def test_who_found_him_eligible_does_not_find_otherwise_afterwards() -> None:
    """The gate is passed; saying it again says nothing, saying the contrary is refused."""
    passed = given(APPLICATION, *s.AT_INVESTIGATION)
    contrary = ReviewEligibility(application_id="app_1", is_eligible=False, reasons=("age",))
    passed.when(contrary, s.by(s.RIA)).then_refused("wrong_stage")


def test_two_posts_never_meet_in_one_person() -> None:
    """Every pair of roles is either of one post or refused: risk and legal, approval and pay-out, all of them."""
    apart: Mapping[str, set[str]] = {
        "sales": {"customer_manager", "sales_director"},
        "assessment": {"risk", "risk_assessor"},
        "approval": {"general_manager", "finance_supervisor"},
        "disbursement": {"legal", "disbursement"},
        "cash": {"cashier"},
        "confirmation": {"accountant"},
        "recovery": {"collector", "collections_supervisor"},
        "service": {"customer_service"},
        "files": {"loan_clerk"},
        "administration": {"admin"},
        "market": {
            "market_specialist",
            "department_head",
            "branch_general_manager",
            "market_director",
        },
    }
    assert sorted(role for roles in apart.values() for role in roles) == sorted(POSTS)
    for pair in combinations(sorted(POSTS), 2):
        outcome = given(STAFF).when(AppointStaff(staff_id="stf_new", roles=pair), s.by("stf_adm"))
        together = any({*pair} <= roles for roles in apart.values())
        assert outcome.refused == (None if together else "conflicting_roles"), pair


def test_a_visit_counts_for_thirty_days_and_a_report_for_sixty() -> None:
    """The last day counts."""
    seen = [*s.ASPECTS]
    seen[4] = s.finding("guarantee", found_on=TODAY - timedelta(days=30))
    report = replace(s.REPORT, aspects=tuple(seen))
    assert given(APPLICATION, *s.AT_INVESTIGATION).when(report, s.by(s.RIA)).refused is None
    last = s.by(s.RIA, TODAY + timedelta(days=60))
    given(APPLICATION, *s.WITH_REPORT).when(s.CONVENE, last).then(s.CONVENED)


# --- the ceiling on the cost of borrowing (red line 4) ---------------------------------------------------------------

ANY_FEE = aggregate(replace(CN_P2P_2016, fee_tables=()))
FALLEN = aggregate(replace(CN_P2P_2016, rate_ceilings=((date.min, Decimal(1)), (TODAY, Decimal("0.123")))))


def test_nobody_votes_on_a_loan_that_costs_too_much() -> None:
    """The fee counts: the rate alone is at the ceiling of that day, 13.8 %."""
    at_ceiling = replace(s.TERMS, annual_rate=Decimal("0.138"), origination_fee_fen=0)
    convened = given(ANY_FEE, *s.WITH_REPORT).when(replace(s.CONVENE, terms=at_ceiling), s.by(s.RIA))
    assert convened.refused is None
    above = replace(at_ceiling, origination_fee_fen=1)
    given(ANY_FEE, *s.WITH_REPORT).when(replace(s.CONVENE, terms=above), s.by(s.RIA)).then_refused(
        "invalid_rate"
    )


@pytest.mark.parametrize("fees", [{"origination_fee_fen": 179_99}, {"interest_fee_permille": 99}])
def test_no_fee_is_agreed_on_that_is_not_published(fees: dict[str, Any]) -> None:
    """Not one fen, not one per mille beside the table, not a lower one; where nothing is published anything may be agreed on."""
    asked = replace(s.CONVENE, terms=replace(s.TERMS, **fees))
    given(APPLICATION, *s.WITH_REPORT).when(asked, s.by(s.RIA)).then_refused("fee_not_published")
    assert given(ANY_FEE, *s.WITH_REPORT).when(asked, s.by(s.RIA)).refused is None


def test_what_is_agreed_on_is_the_version_in_force() -> None:
    """An older version's fees are history once the next one has started, and the next one's are none before."""
    first = CN_P2P_2016.fee_tables[0]
    dearer = replace(first, version=2, since=TODAY, fees=(Fees("consumer", 3, 100),))
    later = replace(s.CONVENE, terms=replace(s.TERMS, origination_fee_fen=270_00))
    for since, asked, refused in (
        (TODAY, s.CONVENE, "fee_not_published"),
        (TODAY, later, None),
        (TODAY + timedelta(days=1), s.CONVENE, None),
        (TODAY + timedelta(days=1), later, "fee_not_published"),
    ):
        law = aggregate(replace(CN_P2P_2016, fee_tables=(first, replace(dearer, since=since))))
        assert given(law, *s.WITH_REPORT).when(asked, s.by(s.RIA)).refused == refused


@pytest.mark.parametrize(
    ("history", "command", "who", "said"),
    [
        (
            s.BEFORE_LAST_VOTE,
            s.cast("finance_supervisor"),
            s.FS,
            (s.voted("finance_supervisor", s.FS), s.AGREED, s.declined("invalid_rate", "at_committee")),
        ),
        (
            AGREED,
            FULFIL,
            s.RIA,
            (replace(s.FULFILLED, missing=0), s.declined("invalid_rate", "conditional")),
        ),
    ],
    ids=["last vote", "last condition"],
)
def test_a_ceiling_that_came_down_while_it_was_decided_ends_it(
    history: tuple[Any, ...], command: Any, who: str, said: tuple[Any, ...]
) -> None:
    """Nothing is reserved for a loan that may not be made."""
    given(FALLEN, *history).when(command, s.by(who)).then(*said)


def test_a_ceiling_that_came_down_since_the_signature_opens_no_listing() -> None:
    """The rate cap is looked at with the precedents (processes.md 1.G.4)."""
    given(FALLEN, *s.SIGNED).when(CONFIRM, s.by(s.LEO)).then_refused("invalid_rate")

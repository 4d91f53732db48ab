"""A measure needs a paper, its loan's yes, each post once and in order, each another person, and its lenders' word; each by its name."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from libs.events.deciding import Wake
from libs.events.measures import BranchMove, WriteOff
from services.repayment.commands.measures import AdmitMeasure
from services.repayment.domain.measure import measure_aggregate
from services.repayment.domain.profile import profile_named
from tests.unit.bidding.specs import Spec, on
from tests.unit.given import TODAY, given
from tests.unit.repayment.measure_story import (
    ADMIT,
    ADMITTED,
    CARRIED,
    COMPLETE,
    EXECUTED,
    FAIL,
    GUS,
    IN_WORK,
    NAY,
    NO,
    PROPOSE,
    PROPOSED,
    RIA,
    UNTIL,
    VOTE,
    VOTING,
    YES,
    approved,
    by_clause,
    failed,
    sign,
    signed,
    voted,
    waiver,
)

MEASURE = measure_aggregate(profile_named("demo"))
COL, RISK, MANAGER = (on(principal=who) for who in ("stf_col", "stf_ria", "stf_gus"))
ONE, TWO, THREE = (on(principal=f"usr_{number}") for number in (1, 2, 3))
FIRST, SECOND = sign("risk"), sign("general_manager")
REFUSED = (*IN_WORK, RIA, NO)
NOT_NEEDED = AdmitMeasure(borrower="usr_bo", mandate="not_needed", voters=(), silence_consents=False)
OVER = Wake(business_date=UNTIL, phase=4)
SILENT = tuple(
    replace(event, silence_consents=True) if event in (ADMITTED, VOTE) else event for event in VOTING
)

MOVE = BranchMove(from_branch="CN-31", to_branch="CN-44")
MOVING = (
    replace(PROPOSED, terms=MOVE),
    replace(
        ADMITTED,
        kind="branch_move",
        steps=("receiving_clerk",),
        mandate="not_needed",
        voters=(),
        sign_until=TODAY,
    ),
)
TAKEN = signed("receiving_clerk", "stf_ria", None)


def costly() -> tuple[Any, ...]:
    """In work, a write-off whose pursuit has cost what Law is owed."""
    terms = WriteOff(ground="court", cost_fen=3_000, cost_account="acc_law")
    return (replace(PROPOSED, terms=terms), replace(ADMITTED, kind="write_off"))


SPECS = [
    Spec("somebody of the staff proposes it", (), PROPOSE, (PROPOSED,), COL),
    Spec("once", (PROPOSED,), PROPOSE, (), COL),
    Spec("however far it has come", CARRIED, PROPOSE, (), COL),
    Spec("not otherwise", (PROPOSED,), replace(PROPOSE, reason="illness"), "measure_exists", COL),
    Spec("a policy names who", (), replace(PROPOSE, proposed_by="stf_col"), (PROPOSED,), on()),
    Spec("no customer does", (), PROPOSE, "forbidden_not_staff", ONE),
    Spec("for a loan", (), replace(PROPOSE, loan_id="lst_7"), "invalid_loan", COL),
    Spec("with a paper", (), replace(PROPOSE, evidence=()), "evidence_missing", COL),
    Spec("a loan leaves one's own branch", (), replace(PROPOSE, terms=MOVE, branch="CN-31"), (replace(PROPOSED, terms=MOVE),), COL),
    Spec("not another's", (), replace(PROPOSE, terms=MOVE, branch="CN-11"), "forbidden_branch", COL),
    Spec("for another", (), replace(PROPOSE, terms=replace(MOVE, to_branch="CN-31"), branch="CN-31"), "invalid_branch", COL),
    Spec("whose clerk takes it", MOVING, sign("receiving_clerk", branch="CN-44"), (TAKEN, replace(approved("not_needed", 0, 0), terms=MOVE)), RISK),
    Spec("on the same day", MOVING[:1], NOT_NEEDED, MOVING[1:], on()),
    Spec("and not the next", MOVING, sign("receiving_clerk", branch="CN-44"), "measure_expired", on(TODAY + timedelta(days=1), "stf_ria")),
    Spec("its evening ends it", MOVING, Wake(business_date=TODAY, phase=4), (failed("expired"),), on()),
    Spec("and no other branch's", MOVING, sign("receiving_clerk", branch="CN-31"), "forbidden_branch", RISK),
    Spec("the loan could do it", (PROPOSED,), ADMIT, (ADMITTED,), on()),
    Spec("once", IN_WORK, ADMIT, (), on()),
    Spec("nothing proposed, nothing admitted", (), ADMIT, "unknown_measure", on()),
    Spec("the first post signs", IN_WORK, FIRST, (RIA,), RISK),
    Spec("once", (*IN_WORK, RIA), FIRST, (), RISK),
    Spec("not again by another", (*IN_WORK, RIA), FIRST, "step_signed", MANAGER),
    Spec("nor otherwise", (*IN_WORK, RIA), replace(FIRST, refused="late"), "step_signed", RISK),
    Spec("not the second before it", IN_WORK, SECOND, "step_out_of_order", MANAGER),
    Spec("nor a post that has no part in it", IN_WORK, sign("risk_assessor"), "step_out_of_order", MANAGER),
    Spec("nor who proposed it", IN_WORK, FIRST, "forbidden_second_signature", COL),
    Spec("nor the same person twice", (*IN_WORK, RIA), SECOND, "forbidden_second_signature", RISK),
    Spec("nor whose account a loss's cost is paid to", costly(), replace(FIRST, himself="usr_law"), "forbidden_payee", RISK),
    Spec("nor whoever owes", IN_WORK, replace(FIRST, himself="usr_bo"), "forbidden_borrower", RISK),
    Spec("nor a customer", IN_WORK, FIRST, "forbidden_not_staff", ONE),
    Spec("nor before the loan has answered", (PROPOSED,), FIRST, "measure_not_admitted", RISK),
    Spec("nor what nobody proposed", (), FIRST, "unknown_measure", RISK),
    Spec("after the last its lenders are asked", (*IN_WORK, RIA), SECOND, (GUS, VOTE), MANAGER),
    Spec("or nobody: their contract says it", (*by_clause(), RIA), SECOND, (GUS, approved("clause", 0, 0)), MANAGER),
    Spec("a refusal ends it", (*IN_WORK, RIA), replace(SECOND, refused="not_proven"), (NO,), MANAGER),
    Spec("once", REFUSED, replace(SECOND, refused="not_proven"), (), MANAGER),
    Spec("it is not signed then", REFUSED, SECOND, "measure_ended", MANAGER),
    Spec("nobody signs during the vote", VOTING, sign("risk_assessor"), "step_out_of_order", on(principal="stf_x")),
    Spec("a lender agrees", VOTING, YES, (voted(1, 50_000, 50_000),), ONE),
    Spec("once", (*VOTING, voted(1, 50_000, 50_000)), YES, (), ONE),
    Spec("not otherwise", (*VOTING, voted(1, 50_000, 50_000)), NAY, "voted_otherwise", ONE),
    Spec("no stranger", VOTING, YES, "unknown_measure", on(principal="usr_9")),
    Spec("not before they are asked", (*IN_WORK, RIA), YES, "no_vote_open", ONE),
    Spec("nor what nobody proposed", (), YES, "unknown_measure", ONE),
    Spec("nor after its last day", VOTING, YES, "no_vote_open", on(UNTIL + timedelta(days=1), "usr_1")),
    Spec("on its last day he may", VOTING, YES, (voted(1, 50_000, 50_000),), on(UNTIL, "usr_1")),
    Spec("more than two thirds carry it", (*VOTING, voted(1, 50_000, 50_000)), YES, (voted(3, 20_000, 70_000), approved("vote", 70_000)), THREE),
    Spec("one half that says no ends it", VOTING, NAY, (voted(1, 50_000, 0, 50_000, agrees=False), failed("mandate_denied")), ONE),
    Spec("a fifth does not", VOTING, NAY, (voted(3, 20_000, 0, 20_000, agrees=False),), THREE),
    Spec("what is carried takes no more votes", CARRIED, YES, "no_vote_open", TWO),
    Spec("but knows those it had", CARRIED, YES, (), ONE),
    Spec("its last day ends a vote", (*VOTING, voted(1, 50_000, 50_000)), OVER, (failed("mandate_expired", UNTIL),), on(UNTIL)),
    Spec("where the contract says so silence is consent", SILENT, OVER, (approved("silence", 0, on=UNTIL),), on(UNTIL)),
    Spec("not a day before", SILENT, replace(OVER, business_date=UNTIL - timedelta(days=1)), (), on()),
    Spec("the loan has done it", CARRIED, COMPLETE, (EXECUTED,), on()),
    Spec("once", (*CARRIED, EXECUTED), COMPLETE, (), on()),
    Spec("not before all agreed", VOTING, COMPLETE, "measure_not_approved", on()),
    Spec("nor what nobody proposed", (), COMPLETE, "unknown_measure", on()),
    Spec("the loan cannot", CARRIED, FAIL, (failed("nothing_to_extend"),), on()),
    Spec("from the first", (PROPOSED,), FAIL, (failed("nothing_to_extend"),), on()),
    Spec("once", (PROPOSED, failed("nothing_to_extend")), FAIL, (), on()),
    Spec("nothing proposed, nothing failed", (), FAIL, "unknown_measure", on()),
]  # fmt: skip


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.says)
def test_measure(spec: Spec) -> None:
    """Each rule of a measure from its proposal to its end, in a sentence."""
    spec.check(MEASURE)


def test_exactly_two_thirds_are_not_more() -> None:
    """A vote needs more than two thirds of the principal: 66,666 and 33,334 of 100,000 differ by one fen from what carries."""
    voters = tuple(
        replace(voter, principal_fen=fen)
        for voter, fen in zip(ADMIT.voters, (40_000, 26_666, 33_334), strict=True)
    )
    history = (
        PROPOSED,
        replace(ADMITTED, voters=voters),
        RIA,
        GUS,
        replace(VOTE, voters=voters),
        voted(1, 40_000, 40_000),
    )
    given(MEASURE, *history).when(YES, TWO).then(voted(2, 26_666, 66_666))
    carried = (*history[:-1], voted(1, 40_000, 40_000), voted(2, 26_666, 66_666))
    given(MEASURE, *carried).when(YES, THREE).then(voted(3, 33_334, 100_000), approved("vote", 100_000))


def test_of_three_who_are_owed_the_same_all_must_agree() -> None:
    """Two of them are two thirds to the fen, and not more; so the first who says no has ended it."""
    voters = tuple(replace(voter, principal_fen=33_333) for voter in ADMIT.voters)
    asked = (PROPOSED, replace(ADMITTED, voters=voters), RIA, GUS, replace(VOTE, voters=voters))
    one, two = voted(1, 33_333, 33_333), voted(2, 33_333, 66_666)
    given(MEASURE, *asked, one).when(YES, TWO).then(two)
    last = voted(3, 33_333, 99_999)
    given(MEASURE, *asked, one, two).when(YES, THREE).then(last, approved("vote", 99_999, 99_999))
    no = voted(2, 33_333, 33_333, 33_333, agrees=False)
    given(MEASURE, *asked, one).when(NAY, TWO).then(no, failed("mandate_denied"))


@pytest.mark.parametrize(
    ("amount_fen", "steps"),
    [
        (500_00, ("collections_supervisor",)),
        (500_01, ("collections_supervisor", "risk")),
        (5_000_00, ("collections_supervisor", "risk")),
        (5_000_01, ("collections_supervisor", "risk", "finance_supervisor")),
    ],
)
def test_who_signs_a_waiver_says_its_amount(amount_fen: int, steps: tuple[str, ...]) -> None:
    """Up to his limit a post is the last; above it the next one signs as well (limits per role, chosen)."""
    proposed, admitted = waiver(amount_fen, *steps)  # type: ignore[arg-type]  # the table's own words
    given(MEASURE, proposed).when(NOT_NEEDED).then(admitted)
    last = signed("collections_supervisor", "stf_sue", None)
    if len(steps) == 1:
        done = replace(approved("not_needed", 0, 0), terms=proposed.terms, waivable_fen=admitted.waivable_fen)
        sue = on(principal="stf_sue")
        given(MEASURE, proposed, admitted).when(sign("collections_supervisor"), sue).then(last, done)

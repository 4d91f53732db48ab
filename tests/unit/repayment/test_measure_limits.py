"""What reviewers got past: small waivers that add up, signatures about oneself, a guarantor who is not asked, what nobody ends, and whose
vote a sold claim is."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from libs.events.deciding import Refused, Wake
from libs.events.mandate import Voter
from libs.events.measures import Extension, MeasureTerms, PenaltyWaived, Restructuring, Waiver, WriteOff
from libs.events.schedules.order import Allocation, PayOrder
from libs.events.schedules.terms import PLAIN
from services.repayment.commands.measures import AdmitMeasure, ExamineMeasure
from services.repayment.domain.loan_state import Running
from services.repayment.domain.mandate import need_of
from services.repayment.domain.measure import measure_aggregate
from services.repayment.domain.profile import profile_named
from tests.unit.bidding.specs import Spec, on
from tests.unit.given import TODAY, given
from tests.unit.repayment import guarantee_story as guarantee
from tests.unit.repayment.measure_story import (
    ADMIT,
    ADMITTED,
    CARRIED,
    GUS,
    IN_WORK,
    PROPOSE,
    PROPOSED,
    RIA,
    SIGN_UNTIL,
    VOTE,
    WAIVABLE,
    YES,
    approved,
    failed,
    sign,
    signed,
    voted,
    waiver,
)
from tests.unit.repayment.stories import (
    FIRST_DUE,
    LAST_DUE,
    LOAN,
    OPENED,
    applied,
    check_applied,
    days,
    in_time,
    pays,
)
from tests.unit.repayment.test_correcting_compensation import compensated
from tests.unit.repayment.test_correcting_measures import go_on
from tests.unit.repayment.test_trading import TRANSFERRED
from tests.unit.repayment.troubled_story import (
    CHARGED,
    EXTENDED,
    FINED,
    MARCH,
    PAID,
    TWO_MONTHS,
    done,
    examined,
    waived,
)

MEASURE = measure_aggregate(profile_named("demo"))
RISK, MANAGER, SUE = (on(principal=who) for who in ("stf_ria", "stf_gus", "stf_sue"))
FIRST, LAST = sign("risk"), sign("general_manager")

# --- whose penalty it is -------------------------------------------------------------------------------------------


def test_no_waiver_gives_away_what_the_guarantor_has_paid_for() -> None:
    """The first instalment is his, with its penalty of later days: nobody forgives it for him, as no restructuring gives it to others. What the
    second costs is the holders', who are asked by nobody either, and it is given up to the last fen; his stays owed to him."""
    lived = compensated()
    assert lived.say(ExamineMeasure(measure_id="msr_1", terms=Waiver(amount_fen=1))) == "nothing_to_waive"
    go_on(lived, days(FIRST_DUE, 45))
    given_up = lived.say(done(Waiver(amount_fen=50_000)))
    assert not isinstance(given_up, str)
    (event,) = [each for each in given_up if isinstance(each, PenaltyWaived)]
    assert [each.number for each in event.lines] == [2]
    state = lived.state
    assert isinstance(state, Running)
    assert [(each.number, each.owed_fen > 0) for each in state.book.penalties] == [(1, True), (2, False)]
    assert event.penalty_after_fen == state.book.penalty_fen


# --- whose word it is ----------------------------------------------------------------------------------------------


def test_lenders_of_whose_principal_nothing_is_left_are_asked_by_what_they_were_owed_last() -> None:
    """By the contract's order the principal was paid first; 20.07 of interest is owed to the three of them, and nobody else can give it up."""
    order = PayOrder(across="vertical", components=("principal", "interest", "fee", "penalty"))
    terms = replace(PLAIN, allocation=Allocation(performing=order, non_performing=order))
    opened = replace(OPENED, repayment=terms)
    paid = given(LOAN, opened).when(pays(LAST_DUE, 100_000), on(LAST_DUE))
    asked = ExamineMeasure(measure_id="msr_1", terms=WriteOff(ground="court"))
    (event,) = given(LOAN, opened, *paid.events).when(asked, on(LAST_DUE)).events
    each = ((1, 50_000), (2, 30_000), (3, 20_000))
    assert event.voters == tuple(Voter(investor=f"usr_{who}", principal_fen=fen) for who, fen in each)


def test_a_vote_that_nobody_has_is_not_begun() -> None:
    """It could only be lost after ten days: the measure hears at once that there is nobody to ask."""
    with pytest.raises(Refused, match="no_voters"):
        need_of(None, "write_off", ())
    assert "`no_voters`" in (ExamineMeasure.__doc__ or "")


# --- small waivers -------------------------------------------------------------------------------------------------

SMALL = waiver(200_00, "collections_supervisor")[0]
NOT_NEEDED = AdmitMeasure(borrower="usr_bo", mandate="not_needed", voters=(), silence_consents=False)


@pytest.mark.parametrize(
    ("before_fen", "steps"),
    [
        (300_00, ("collections_supervisor",)),
        (300_01, ("collections_supervisor", "risk")),
        (4_800_00, ("collections_supervisor", "risk")),
        (4_800_01, ("collections_supervisor", "risk", "finance_supervisor")),
    ],
)
def test_small_waivers_add_up(before_fen: int, steps: Any) -> None:
    """Who signs a waiver says its amount together with all that the loan was forgiven before, to the fen."""
    admitted = replace(waiver(200_00, *steps)[1], waivable_fen=WAIVABLE[steps[-1]])
    given(MEASURE, SMALL).when(replace(NOT_NEEDED, waived_before_fen=before_fen)).then(admitted)


def asked(terms: MeasureTerms, measure_id: str = "msr_1", himself: str = "") -> ExamineMeasure:
    """Whether the loan could do it."""
    return ExamineMeasure(measure_id=measure_id, terms=terms, himself=himself)


def up_to(fen: int, amount_fen: int = 100, measure_id: str = "msr_2") -> Any:
    """A waiver that is carried out with signatures that reach so far."""
    return replace(done(Waiver(amount_fen=amount_fen), measure_id), waivable_fen=fen)


#: A hundred fen were given up; 152 are owed still.
FORGIVEN = (*FINED, CHARGED, waived(100, 100))
AGAIN = replace(waived(100, 100), measure_id="msr_2", penalty_after_fen=52, overdue_after_fen=34_054)

WAIVERS = [
    Spec("the loan says what it was forgiven before", FORGIVEN, asked(Waiver(amount_fen=9), "msr_2"),
         (replace(examined("not_needed"), measure_id="msr_2", waived_before_fen=100),), on(MARCH)),
    Spec("to a waiver only", FORGIVEN, asked(TWO_MONTHS, "msr_2"),
         (replace(examined("vote", ADMIT.voters), measure_id="msr_2"),), on(MARCH)),
    Spec("another one within what its signatures reach", FORGIVEN, up_to(200), (AGAIN,), on(MARCH)),
    Spec("once", (*FORGIVEN, AGAIN), up_to(200), (), on(MARCH)),
    Spec("not a fen beyond: it was signed when less had been given up", FORGIVEN, up_to(199), "waiver_limit_passed", on(MARCH)),
    Spec("what is owed counts, not what was asked", FINED, up_to(252, 500), (CHARGED, replace(waived(500, 252), measure_id="msr_2")), on(MARCH)),
    Spec("one that was signed before there were sums is done", FORGIVEN, done(Waiver(amount_fen=100), "msr_2"), (AGAIN,), on(MARCH)),
]  # fmt: skip


@pytest.mark.parametrize("spec", WAIVERS, ids=lambda spec: spec.says)
def test_what_the_loan_was_forgiven_counts(spec: Spec) -> None:
    """The sum over the loan's life decides how far up a waiver goes, when it is asked for and when it is done."""
    check_applied(spec)


def test_the_last_signature_says_how_far_it_reaches() -> None:
    """The measure hands the loan the limit of whoever signed last."""
    proposed, admitted = waiver(200_00, "collections_supervisor")
    done_by = replace(approved("not_needed", 0, 0), terms=proposed.terms, waivable_fen=500_00)
    last = signed("collections_supervisor", "stf_sue", None)
    given(MEASURE, proposed, admitted).when(sign("collections_supervisor"), SUE).then(last, done_by)


# --- nobody about himself ------------------------------------------------------------------------------------------

#: Lenders 1 to 3 hold it, and G answers for it.
HELD = (PROPOSED, replace(ADMITTED, guarantor="gua_g", holders=("usr_1", "usr_2", "usr_3")))

SIGNERS = [
    Spec("he who proposes says who he is as a customer", (), replace(PROPOSE, himself="usr_9"), (replace(PROPOSED, himself="usr_9"),), on(principal="stf_col")),
    Spec("a holder does not sign", HELD, replace(FIRST, himself="usr_2"), "forbidden_holder", RISK),
    Spec("nor the guarantor", HELD, replace(FIRST, himself="usr_g"), "forbidden_guarantor", RISK),
    Spec("nor refuse it", HELD, replace(FIRST, himself="usr_g", refused="late"), "forbidden_guarantor", RISK),
    Spec("nor whoever owes", HELD, replace(FIRST, himself="usr_bo"), "forbidden_borrower", RISK),
    Spec("another customer does", HELD, replace(FIRST, himself="usr_9"), (RIA,), RISK),
    Spec("and whoever is none", HELD, FIRST, (RIA,), RISK),
    Spec("once", (*HELD, RIA), replace(FIRST, himself="usr_9"), (), RISK),
    Spec("the loan's guarantor and its holders are told", (PROPOSED,), replace(ADMIT, guarantor="gua_g", holders=("usr_1", "usr_2", "usr_3")), HELD[1:], on()),
]  # fmt: skip


@pytest.mark.parametrize("spec", SIGNERS, ids=lambda spec: spec.says)
def test_nobody_signs_about_himself(spec: Spec) -> None:
    """Who owes, answers for the loan or is owed has no part in what is done to it."""
    spec.check(MEASURE)


GUARANTEED = (replace(OPENED, guarantor="gua_g"),)
CONSENTED = Extension(months=2, guarantor_consent="vault:9")

PROPOSERS = [
    Spec("the borrower proposes nothing", GUARANTEED, asked(CONSENTED, himself="usr_bo"), "forbidden_borrower", on(MARCH)),
    Spec("nor his guarantor", GUARANTEED, asked(CONSENTED, himself="usr_g"), "forbidden_guarantor", on(MARCH)),
    Spec("nor who holds a claim", GUARANTEED, asked(CONSENTED, himself="usr_3"), "forbidden_holder", on(MARCH)),
    Spec("another customer may", GUARANTEED, asked(CONSENTED, himself="usr_9"), (replace(examined("vote", ADMIT.voters), guarantor="gua_g"),), on(MARCH)),
    Spec("it says who answers for it", GUARANTEED, asked(CONSENTED), (replace(examined("vote", ADMIT.voters), guarantor="gua_g"),), on(MARCH)),
]  # fmt: skip


@pytest.mark.parametrize("spec", PROPOSERS, ids=lambda spec: spec.says)
def test_nobody_proposes_about_himself(spec: Spec) -> None:
    """The loan knows who has a part in it, and refuses what he proposes; the measure fails by that name."""
    check_applied(spec)


# --- the guarantor's consent ---------------------------------------------------------------------------------------


def test_a_guarantor_consents_in_writing() -> None:
    """A loan that he answers for is not stretched without his paper, neither extended nor restructured: he would be free beyond the old
    term (processes.md 1.P). Asked and done, it is refused by name."""
    history = (GUARANTEED[0], *PAID[1:])
    given(LOAN, *history).when(asked(TWO_MONTHS), on(MARCH)).then_refused("consent_missing")
    given(LOAN, *history).when(done(TWO_MONTHS), on(MARCH)).then_refused("consent_missing")
    given(LOAN, *history).when(done(Restructuring(months=2)), on(MARCH)).then_refused("consent_missing")
    stretched = in_time(given(LOAN, *history).when(done(CONSENTED), on(MARCH)))
    stretched.then(applied(done(CONSENTED), MARCH), *EXTENDED)
    given(LOAN, *history, *EXTENDED).when(done(CONSENTED), on(MARCH)).then_nothing()
    consented = Restructuring(months=2, guarantor_consent="vault:9")
    given(LOAN, *history).when(done(consented), on(MARCH)).then_refused("nothing_overdue")


def test_who_has_paid_for_all_of_it_is_asked_as_a_holder() -> None:
    """He answers for nothing any more: no consent is missing, and no instalment is left to spread."""
    paid_for = replace(
        guarantee.SUBROGATED, covers="outstanding", claim=replace(guarantee.SUBROGATED.claim, through=None)
    )
    history = (*guarantee.LATE, *guarantee.SIGNED, guarantee.CHARGED, paid_for, guarantee.PAID_OUT)
    outcome = given(LOAN, *history).when(done(TWO_MONTHS), on(guarantee.DAY))
    outcome.then(*outcome.events)
    assert in_time(outcome).events[0].measure_id == "msr_1"


# --- what nobody ends ----------------------------------------------------------------------------------------------

OVER = Wake(business_date=SIGN_UNTIL, phase=4)
A_DAY_LATER = SIGN_UNTIL + timedelta(days=1)
ON_ITS_LAST_DAY = replace(RIA, signed_on=SIGN_UNTIL)
LATE_VOTE = replace(VOTE, until=SIGN_UNTIL + timedelta(days=10))

DAYS = [
    Spec("what nobody signs comes to nothing", IN_WORK, OVER, (failed("expired", SIGN_UNTIL),), on(SIGN_UNTIL)),
    Spec("what one has signed, too", (*IN_WORK, RIA), OVER, (failed("expired", SIGN_UNTIL),), on(SIGN_UNTIL)),
    Spec("once", (*IN_WORK, failed("expired", SIGN_UNTIL)), OVER, (), on(SIGN_UNTIL)),
    Spec("not before its last day is over", IN_WORK, replace(OVER, phase=3), (), on(SIGN_UNTIL)),
    Spec("on which it is signed", IN_WORK, FIRST, (ON_ITS_LAST_DAY,), on(SIGN_UNTIL, "stf_ria")),
    Spec("as the last of all", (*IN_WORK, RIA), LAST, (replace(GUS, signed_on=SIGN_UNTIL), LATE_VOTE), on(SIGN_UNTIL, "stf_gus")),
    Spec("no day later, whether the tick was here or not", IN_WORK, FIRST, "measure_expired", on(A_DAY_LATER, "stf_ria")),
    Spec("nor after it", (*IN_WORK, failed("expired", SIGN_UNTIL)), FIRST, "measure_ended", on(A_DAY_LATER, "stf_ria")),
    Spec("a vote has its own days", (*IN_WORK, RIA, GUS, VOTE), OVER, (failed("mandate_expired", SIGN_UNTIL),), on(SIGN_UNTIL)),
    Spec("what is carried waits for its loan alone", CARRIED, OVER, (), on(SIGN_UNTIL)),
]  # fmt: skip


@pytest.mark.parametrize("spec", DAYS, ids=lambda spec: spec.says)
def test_a_proposal_waits_for_thirty_days(spec: Spec) -> None:
    """No stale proposal is applied a year later: what is not signed in time has failed by its day's end."""
    spec.check(MEASURE)


# --- whose vote a sold claim is ------------------------------------------------------------------------------------

#: Lender 1 sells all that he lent to 9 after the measure was proposed.
SOLD = replace(TRANSFERRED, value_date=days(TODAY, -20))


def test_a_claim_that_is_sold_during_the_vote_votes_once_and_its_sellers_way() -> None:
    """Voters are those of the day of the proposal, as shareholders are those of a record day: who sold afterwards votes, his buyer does
    not, and the principal of the claim counts once, whoever votes first (docs/decisions/0025)."""
    told = examined("vote", ADMIT.voters)
    given(LOAN, OPENED).when(asked(TWO_MONTHS), on(MARCH)).then(told)
    # The loan is asked once: what is sold later changes nothing of what it said.
    given(LOAN, OPENED, told, SOLD).when(asked(TWO_MONTHS), on(MARCH)).then_nothing()
    voting = (*IN_WORK, RIA, GUS, VOTE)
    seller, buyer = on(principal="usr_1"), on(principal="usr_9")
    given(MEASURE, *voting).when(YES, seller).then(voted(1, 50_000, 50_000))
    given(MEASURE, *voting).when(YES, buyer).then_refused("unknown_measure")
    given(MEASURE, *voting, voted(1, 50_000, 50_000)).when(YES, buyer).then_refused("unknown_measure")
    assert sum(voter.principal_fen for voter in VOTE.voters) == 100_000


def test_a_measure_that_is_proposed_after_a_sale_asks_the_buyer() -> None:
    """All the principal has a vote on every measure: the seller's is the buyer's from the next proposal on."""
    voters = (*ADMIT.voters[1:], Voter(investor="usr_9", principal_fen=50_000))
    told = replace(examined("vote", voters), holders=("usr_2", "usr_3", "usr_9"))
    given(LOAN, OPENED, SOLD).when(asked(TWO_MONTHS), on(MARCH)).then(told)

"""Who may stand in for loans, up to which sum together: admitted by two people, asked before a listing opens."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from libs.events.deciding import Wake
from libs.events.guarantees import (
    GuaranteeDeclined,
    GuaranteeReduced,
    GuarantorAdmitted,
    GuarantorProposed,
    GuarantorRefused,
    GuarantorSuspended,
)
from libs.events.reopening import GuaranteeRestored
from services.repayment.domain.guaranteed import NONE, counts_for, with_loan
from services.repayment.domain.guarantor import guarantor_aggregate
from services.repayment.domain.profile import profile_named
from tests.unit.given import context, fold, given
from tests.unit.repayment.guarantee_story import (
    ADMIT,
    ADMITTED,
    DAY,
    DECLINE_TO,
    KNOWN,
    NOMINATE,
    NOMINATED,
    NOT_AGREED,
    REDUCE,
    RESERVE,
    RESERVE_MORE,
    RESERVED,
    RESTORE,
    SUSPEND,
    VALID_TO,
    by,
)
from tests.unit.repayment.stories import days

AGGREGATE = guarantor_aggregate(profile_named("demo"))
SUSPENDED = GuarantorSuspended(
    guarantor="gua_g", code="net_worth_too_small", suspended_by="stf_ria", suspended_on=DAY
)


def test_two_people_admit_a_guarantor() -> None:
    """One proposes by the file, another agrees; each of it once more says nothing."""
    given(AGGREGATE).when(NOMINATE, by("ria")).then(NOMINATED)
    given(AGGREGATE, NOMINATED).when(NOMINATE, by("ria")).then_nothing()
    given(AGGREGATE, NOMINATED).when(ADMIT, by("gm")).then(ADMITTED)
    given(AGGREGATE, NOMINATED, ADMITTED).when(ADMIT, by("gm")).then_nothing()
    given(AGGREGATE, NOMINATED).when(ADMIT, by("ria")).then_refused("forbidden_same_person")
    given(AGGREGATE, NOMINATED).when(ADMIT, context(DAY, "usr_g")).then_refused("forbidden_not_staff")
    given(AGGREGATE, NOMINATED).when(ADMIT, by("gm", days(VALID_TO, 1))).then_refused("too_late")
    given(AGGREGATE).when(ADMIT, by("gm")).then_refused("unknown_guarantor")


RICH = replace(NOMINATE, net_assets_fen=10_000)


@pytest.mark.parametrize(
    ("history", "command", "who", "code"),
    [
        ((), replace(NOMINATE, liability="general"), "ria", "liability_not_taken"),
        ((), replace(RICH, limit_fen=100_001), "ria", "limit_too_high"),
        ((), replace(RICH, elsewhere_fen=1), "ria", "limit_too_high"),
        ((NOMINATED,), replace(NOMINATE, file="doc_10"), "ria", "proposal_waits"),
        ((NOMINATED,), replace(NOMINATE, limit_fen=90_000), "ria", "proposal_waits"),
        ((NOMINATED,), replace(NOMINATE, valid_to=days(VALID_TO, -1)), "ria", "proposal_waits"),
        ((NOMINATED,), RICH, "ria", "proposal_waits"),
        ((NOMINATED,), NOMINATE, "rob", "proposal_waits"),
        ((*KNOWN, NOMINATED), replace(NOMINATE, file="doc_10"), "ria", "proposal_waits"),
        ((NOMINATED,), replace(ADMIT, limit_fen=100_001), "gm", "above_proposal"),
        ((NOMINATED,), replace(ADMIT, valid_to=days(VALID_TO, 1)), "gm", "above_proposal"),
        ((NOMINATED,), replace(ADMIT, valid_to=days(DAY, -1)), "gm", "too_late"),
        ((), replace(NOMINATE, himself="usr_g"), "ria", "forbidden_guarantor"),
        ((NOMINATED,), replace(ADMIT, himself="usr_g"), "gm", "forbidden_guarantor"),
        ((NOMINATED,), replace(DECLINE_TO, himself="usr_g"), "gm", "forbidden_guarantor"),
        ((), DECLINE_TO, "gm", "unknown_guarantor"),
    ],
)
def test_on_which_terms_he_is_not_admitted(history: Any, command: Any, who: str, code: str) -> None:
    """Liable otherwise, for more than ten times what he owns, otherwise than what waits, for more than that, or judged by himself: each is
    refused by its name."""
    given(AGGREGATE, *history).when(command, by(who)).then_refused(code)


def test_the_limit_is_ten_times_what_he_owns_at_most() -> None:
    """To the fen, with what he guarantees elsewhere; the event says both."""
    rich = replace(NOMINATED, net_assets_fen=10_000)
    given(AGGREGATE).when(RICH, by("ria")).then(rich)
    given(AGGREGATE, rich).when(RICH, by("ria")).then_nothing()
    elsewhere = replace(RICH, limit_fen=60_000, elsewhere_fen=40_000)
    given(AGGREGATE).when(elsewhere, by("ria")).then(replace(rich, limit_fen=60_000, elsewhere_fen=40_000))


def test_whoever_agrees_may_agree_to_less() -> None:
    """A lower limit and an earlier day than were proposed; the same once more says nothing."""
    less = replace(ADMITTED, limit_fen=80_000, valid_to=days(DAY, 90))
    named = replace(ADMIT, limit_fen=80_000, valid_to=days(DAY, 90))
    given(AGGREGATE, NOMINATED).when(named, by("gm")).then(less)
    given(AGGREGATE, NOMINATED, less).when(named, by("gm")).then_nothing()


def test_what_is_not_agreed_to_waits_no_more() -> None:
    """It is refused by a code, or taken back by whoever proposed it; then another may be proposed, and what was admitted stands."""
    given(AGGREGATE, NOMINATED).when(DECLINE_TO, by("gm")).then(NOT_AGREED)
    given(AGGREGATE, NOMINATED).when(DECLINE_TO, by("ria")).then(replace(NOT_AGREED, refused_by="stf_ria"))
    given(AGGREGATE, *KNOWN).when(DECLINE_TO, by("gm")).then_nothing()
    other = replace(NOMINATE, file="doc_10")
    given(AGGREGATE, NOMINATED, NOT_AGREED).when(other, by("ria")).then(replace(NOMINATED, file="doc_10"))
    given(AGGREGATE, *KNOWN, NOMINATED, NOT_AGREED).when(RESERVE).then_nothing()
    given(AGGREGATE, *KNOWN, NOMINATED, NOT_AGREED).when(ADMIT, by("gm")).then_nothing()


def test_what_waits_for_a_month_is_stale() -> None:
    """After thirty days nobody agrees to it, and another proposal takes its place."""
    day, after = days(DAY, 30), days(DAY, 31)
    given(AGGREGATE, NOMINATED).when(ADMIT, by("gm", day)).then(replace(ADMITTED, admitted_on=day))
    given(AGGREGATE, NOMINATED).when(ADMIT, by("gm", after)).then_refused("proposal_expired")
    given(AGGREGATE, NOMINATED).when(replace(NOMINATE, file="doc_10"), by("ria", day)).then_refused(
        "proposal_waits"
    )
    later = replace(NOMINATED, proposed_on=after, sign_until=days(after, 30))
    again = replace(later, file="doc_10")
    given(AGGREGATE, NOMINATED).when(replace(NOMINATE, file="doc_10"), by("ria", after)).then(again)
    given(AGGREGATE, NOMINATED).when(NOMINATE, by("ria", after)).then(later)
    given(AGGREGATE, NOMINATED).when(NOMINATE, by("ria", day)).then_nothing()


@pytest.mark.parametrize(
    "proposed", [NOMINATED, replace(NOMINATED, sign_until=None)], ids=["says its last day", "says none"]
)
def test_what_nobody_agrees_to_in_time_has_come_to_nothing(proposed: GuarantorProposed) -> None:
    """At the end of the thirtieth day, once; what was admitted before stands. It waits for no longer than it would be valid."""
    last = days(DAY, 30)
    over = Wake(business_date=last, phase=4)
    expired = GuarantorRefused(guarantor="gua_g", code="expired", refused_by="", refused_on=last)
    for history in ((proposed,), (*KNOWN, proposed), (*KNOWN, SUSPENDED, proposed)):
        waits = given(AGGREGATE, *history)
        assert AGGREGATE.wake_on(fold(AGGREGATE, history)) == (last, 4)
        waits.when(Wake(business_date=days(last, -1), phase=4)).then_nothing()
        waits.when(Wake(business_date=last, phase=2)).then_nothing()
        waits.when(over).then(expired)
        gone = given(AGGREGATE, *history, expired)
        assert AGGREGATE.wake_on(fold(AGGREGATE, [*history, expired])) is None
        gone.when(over).then_nothing()
    short = replace(NOMINATE, valid_to=days(DAY, 3))
    soon = replace(NOMINATED, valid_to=days(DAY, 3), sign_until=days(DAY, 3))
    given(AGGREGATE).when(short, by("ria")).then(soon)
    assert AGGREGATE.wake_on(fold(AGGREGATE, KNOWN)) is None


@pytest.mark.parametrize("valid_to", [DAY, days(DAY, 367)])
def test_nobody_is_admitted_for_more_than_a_year(valid_to: date) -> None:
    """A guarantor is reviewed yearly, so his last day is later than today and within a year."""
    asked = replace(NOMINATE, valid_to=valid_to)
    given(AGGREGATE).when(asked, by("ria")).then_refused("invalid_date")


def test_new_terms_keep_what_he_guarantees() -> None:
    """A later proposal that another admits takes the place of the terms, and the loans still count."""
    more = replace(NOMINATED, limit_fen=200_000)
    renewed = GuarantorAdmitted(
        guarantor="gua_g",
        limit_fen=200_000,
        valid_to=VALID_TO,
        guaranteed_fen=60_000,
        proposed_by="stf_ria",
        admitted_by="stf_gm",
        admitted_on=DAY,
    )
    given(AGGREGATE, *KNOWN, more).when(ADMIT, by("gm")).then(renewed)


def test_a_suspended_guarantor_takes_no_new_loans() -> None:
    """He is suspended once, and comes back by a new proposal only."""
    given(AGGREGATE, *KNOWN).when(SUSPEND, by("ria")).then(SUSPENDED)
    given(AGGREGATE, *KNOWN, SUSPENDED).when(SUSPEND, by("ria")).then_nothing()
    given(AGGREGATE, *KNOWN, SUSPENDED).when(ADMIT, by("gm")).then_refused("nothing_proposed")
    given(AGGREGATE).when(SUSPEND, by("ria")).then_refused("unknown_guarantor")


def test_a_loan_takes_its_place_under_the_limit() -> None:
    """It is reserved once, up to the limit to the fen; nobody of that name is refused."""
    given(AGGREGATE, NOMINATED, ADMITTED).when(RESERVE).then(RESERVED)
    given(AGGREGATE, *KNOWN).when(RESERVE).then_nothing()
    more = replace(
        RESERVED, application_id="app_8", loan_id="loan_8", amount_fen=40_000, guaranteed_fen=100_000
    )
    given(AGGREGATE, *KNOWN).when(RESERVE_MORE).then(more)
    given(AGGREGATE).when(RESERVE).then_refused("unknown_guarantor")


@pytest.mark.parametrize(
    ("history", "changed", "day", "code"),
    [
        ((NOMINATED,), {}, DAY, "guarantor_not_admitted"),
        ((*KNOWN, SUSPENDED), {}, DAY, "guarantor_suspended"),
        (KNOWN, {}, days(VALID_TO, 1), "guarantor_expired"),
        (KNOWN, {"amount_fen": 40_001}, DAY, "guarantor_limit_exceeded"),
        (KNOWN, {"borrower": "usr_g"}, DAY, "guarantor_is_borrower"),
    ],
)
def test_why_he_may_not(history: tuple[Any, ...], changed: dict[str, Any], day: date, code: str) -> None:
    """Not admitted, suspended, past his day, over his limit or for himself: declined by an event that names the application."""
    declined = GuaranteeDeclined(
        guarantor="gua_g",
        application_id="app_8",
        loan_id="loan_8",
        amount_fen=changed.get("amount_fen", 40_000),
        code=code,
    )
    given(AGGREGATE, *history).when(replace(RESERVE_MORE, **changed), context(day)).then(declined)


def test_what_is_repaid_leaves_room() -> None:
    """What still counts only ever goes down, in whatever order it is told; a suspended guarantor's as well."""
    reduced = GuaranteeReduced(
        guarantor="gua_g", loan_id="loan_7", amount_fen=40_000, left_fen=20_000, guaranteed_fen=20_000
    )
    given(AGGREGATE, *KNOWN).when(REDUCE).then(reduced)
    given(AGGREGATE, *KNOWN, SUSPENDED).when(REDUCE).then(reduced)
    given(AGGREGATE, *KNOWN, reduced).when(REDUCE).then_nothing()
    given(AGGREGATE, *KNOWN, reduced).when(replace(REDUCE, left_fen=30_000)).then_nothing()
    given(AGGREGATE, NOMINATED).when(REDUCE).then_nothing()
    given(AGGREGATE).when(REDUCE).then_nothing()
    gone = replace(reduced, amount_fen=20_000, left_fen=0, guaranteed_fen=0)
    given(AGGREGATE, *KNOWN, reduced).when(replace(REDUCE, left_fen=0)).then(gone)


def test_what_a_correction_makes_owed_again_counts_again() -> None:
    """Of a loan that was repaid as well, and above the limit: nobody is asked; what counts already says nothing."""
    gone = GuaranteeReduced(
        guarantor="gua_g", loan_id="loan_7", amount_fen=60_000, left_fen=0, guaranteed_fen=0
    )
    again = GuaranteeRestored(
        guarantor="gua_g", loan_id="loan_7", amount_fen=60_000, left_fen=60_000, guaranteed_fen=60_000
    )
    given(AGGREGATE, *KNOWN, gone).when(RESTORE).then(again)
    given(AGGREGATE, *KNOWN, SUSPENDED, gone).when(RESTORE).then(again)
    given(AGGREGATE, *KNOWN, gone, again).when(RESTORE).then_nothing()
    more = replace(again, left_fen=160_000, amount_fen=100_000, guaranteed_fen=160_000)
    given(AGGREGATE, *KNOWN).when(replace(RESTORE, owed_fen=160_000)).then(more)
    less = GuaranteeReduced(
        guarantor="gua_g", loan_id="loan_7", amount_fen=10_000, left_fen=50_000, guaranteed_fen=50_000
    )
    given(AGGREGATE, *KNOWN).when(replace(RESTORE, owed_fen=50_000)).then(less)
    given(AGGREGATE, NOMINATED).when(RESTORE).then_nothing()
    given(AGGREGATE).when(RESTORE).then_nothing()


_LOANS = st.sampled_from(("loan_1", "loan_11", "loan_2", "loan_;,%", "loan_", "x"))


@drawn(st.lists(st.tuples(_LOANS, st.integers(0, 9)), max_size=30))
def test_the_text_of_loans_is_a_mapping(changes: list[tuple[str, int]]) -> None:
    """Whatever comes in whatever order: of each loan counts what was said last, and nothing of one that counts no more is kept."""
    lines, kept = NONE, dict[str, int]()
    for loan, fen in changes:
        lines, kept[loan] = with_loan(lines, loan, fen), fen
    assert {loan: counts_for(lines, loan) for loan in kept} == kept
    assert lines.count(";") == sum(fen > 0 for fen in kept.values())

"""A debtor's cases and claims: opened by the first miss, staged by the bucket, closed when cured, worked by one."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from libs.events.collections import (
    ArrearsUpdated,
    CaseAssigned,
    CaseClosed,
    CasePaymentRecorded,
    CaseStageChanged,
    DebtorClaimed,
    DebtorReleased,
    MissAdded,
)
from services.collections.commands import CloseCase, Desk, RecordPenalty
from tests.unit.collections.stories import (
    ASSIGN,
    CASE,
    CHIEF,
    CLAIM,
    DEBTOR,
    DESK,
    KIM,
    LEE,
    LOAN,
    MISS,
    OPENED,
    OWED,
    RELEASE,
    at,
    debtor,
    entry,
    moved,
    pays,
    ranked,
)
from tests.unit.given import AT, TODAY

HALF_HOUR = AT + timedelta(minutes=30)
SECOND_MISS = replace(MISS, number=2, due_on=date(2024, 4, 14), dpd=32)


def test_the_first_miss_opens_the_case_and_ranks_it() -> None:
    """Early stage, due at once, its priority in the event."""
    debtor().when(MISS).then(OPENED, ranked(None, entry()))


def test_a_second_miss_adds_to_what_is_overdue() -> None:
    """The total of before the miss did not count it."""
    debtor(MISS).when(SECOND_MISS).then(
        MissAdded(
            debtor_id=DEBTOR,
            case_id=CASE,
            loan_id=LOAN,
            number=2,
            due_on=date(2024, 4, 14),
            overdue_fen=2 * OWED,
            dpd=32,
        ),
        ranked(entry(), entry(overdue_fen=2 * OWED, dpd=32, priority=1_013_206)),
    )


def test_a_miss_that_a_payment_has_already_counted_is_not_counted_twice() -> None:
    """In older records a payment of the day after the due date says a total with that instalment in it; its miss comes in the evening."""
    paid = pays("pay_1", 40_02, date(2024, 4, 15), 640_02)
    outcome = debtor(MISS, paid).when(SECOND_MISS)
    assert outcome.events[0].overdue_fen == 640_02


def test_a_miss_says_all_that_is_overdue_with_it() -> None:
    """A payment of the day after the due date counts nothing that the evening has not judged; the evening says what is overdue then."""
    paid = pays("pay_1", 40_02, date(2024, 4, 15), 300_00)
    for history, total in (((MISS, paid), 640_02), ((MISS,), 680_04), ((), 340_02)):
        miss = replace(SECOND_MISS, overdue_after_fen=total)
        assert debtor(*history).when(miss).events[0].overdue_fen == total


def test_a_worse_bucket_moves_the_case_to_its_stage_and_out_of_its_collectors_hands() -> None:
    """M2 is the middle stage; whoever worked the early one need not be able to work it."""
    before = entry(assigned_to=KIM)
    debtor(MISS, ASSIGN).when(moved("M2", 31, OWED)).then(
        ArrearsUpdated(
            debtor_id=DEBTOR,
            case_id=CASE,
            loan_id=LOAN,
            as_of=TODAY,
            overdue_fen=OWED,
            dpd=31,
            bucket="M2",
        ),
        CaseStageChanged(
            debtor_id=DEBTOR,
            case_id=CASE,
            loan_id=LOAN,
            changed_on=TODAY,
            from_stage="early",
            to_stage="mid",
            bucket="M2",
            dpd=31,
        ),
        ranked(before, entry(stage="mid", bucket="M2", dpd=31, priority=1_023_103)),
    )


def test_penalty_raises_what_is_overdue() -> None:
    """The case shows the total with the penalty in it."""
    penalty = RecordPenalty(loan_id=LOAN, dpd=3, overdue_fen=350_00, charged_on=TODAY)
    debtor(MISS).when(penalty).then(
        ArrearsUpdated(
            debtor_id=DEBTOR,
            case_id=CASE,
            loan_id=LOAN,
            as_of=TODAY,
            overdue_fen=350_00,
            dpd=3,
            bucket="M1",
        ),
        ranked(entry(), entry(overdue_fen=350_00, dpd=3, priority=1_010_303)),
    )


def test_a_payment_lowers_what_is_overdue() -> None:
    """The case takes over what the loan says is left."""
    debtor(MISS).when(pays("pay_1", 140_02, TODAY, 200_00)).then(
        CasePaymentRecorded(
            debtor_id=DEBTOR,
            case_id=CASE,
            loan_id=LOAN,
            payment_id="pay_1",
            amount_fen=140_02,
            value_date=TODAY,
            as_of=TODAY,
            overdue_fen=200_00,
        ),
        ranked(entry(), entry(overdue_fen=200_00, priority=1_010_102)),
    )


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (moved("current", 0, 0), "cured"),
        (CloseCase(loan_id=LOAN, repaid_on=TODAY), "repaid"),
    ],
)
def test_a_case_closes_when_nothing_is_overdue(command: object, reason: str) -> None:
    """Its last place in the queue goes with it, so that views can take it out."""
    debtor(MISS).when(command).then(
        CaseClosed(
            debtor_id=DEBTOR,
            case_id=CASE,
            loan_id=LOAN,
            closed_on=TODAY,
            reason=reason,
            opening=1,
            entry=entry(),
        )
    )


def test_a_new_miss_opens_the_case_again() -> None:
    """It is the same case in its second opening; a miss that it has seen opens nothing."""
    cured = debtor(MISS, moved("current", 0, 0))
    cured.when(MISS).then_nothing()
    opened = replace(OPENED, opening=2, number=2, due_on=date(2024, 4, 14), dpd=32)
    cured.when(SECOND_MISS).then(opened, ranked(None, entry(dpd=32, priority=1_013_203)))


def test_facts_of_a_loan_without_an_open_case_say_nothing() -> None:
    """There is nothing to collect on it."""
    other = replace(MISS, loan_id="loan_8")
    for facts in (
        moved("M2", 31, OWED),
        pays("pay_1", 1, TODAY, 0),
        CloseCase(loan_id=LOAN, repaid_on=TODAY),
    ):
        debtor(other).when(facts).then_nothing()
        debtor(MISS, moved("current", 0, 0)).when(facts).then_nothing()


def test_a_claim_gives_the_debtor_to_one_collector_for_half_an_hour() -> None:
    """All his cases show it: nobody else telephones him about another loan meanwhile."""
    other = replace(MISS, loan_id="loan_8")
    claimed: dict[str, Any] = {"claimed_by": LEE, "claimed_until": HALF_HOUR}
    outcome = debtor(MISS, other).when(CLAIM)
    assert outcome.events[0] == DebtorClaimed(
        debtor_id=DEBTOR, case_id=CASE, collector=LEE, claimed_at=AT, claimed_until=HALF_HOUR
    )
    assert [(said.case_id, said.entry) for said in outcome.events[1:]] == [
        (CASE, entry(**claimed)),
        ("case_8", entry(loan_id="loan_8", **claimed)),
    ]


def test_a_lease_holds_until_its_end_by_the_commands_time_and_not_a_second_longer() -> None:
    """At the thirtieth minute the debtor is free again, whatever clock anybody has."""
    claimed = debtor(MISS, CLAIM)
    other = replace(CLAIM, collector=KIM)
    claimed.when(other, at(29)).then_refused("claimed_by_another")
    assert claimed.when(other, at(30)).events[0].collector == KIM


def test_the_holder_of_a_lease_goes_on_by_claiming_again() -> None:
    """The same moment asked twice says nothing."""
    claimed = debtor(MISS, CLAIM)
    claimed.when(CLAIM).then_nothing()
    assert claimed.when(CLAIM, at(10)).events[0].claimed_until == AT + timedelta(minutes=40)


ELSEWHERE = replace(DESK, regions=("CN-11",))


@pytest.mark.parametrize(
    ("desk", "code", "given"),
    [
        (replace(DESK, stages=("late",)), "unknown_case", "forbidden_stage"),
        (ELSEWHERE, "unknown_case", "forbidden_region"),
        (replace(DESK, skills=("legal",)), "forbidden_skill", "forbidden_skill"),
        (Desk(stages=(), regions=(), skills=()), "unknown_case", "forbidden_stage"),
    ],
)
def test_nobody_claims_what_he_may_not_work(desk: Desk, code: str, given: str) -> None:
    """A case beyond the desk's stages and regions does not exist for its collector, unless he was given it; of those that do,
    stage, region and the stage's skill are held against the desk."""
    debtor(MISS).when(replace(CLAIM, desk=desk)).then_refused(code)
    to_lee = replace(ASSIGN, collector=LEE)
    debtor(MISS, to_lee).when(replace(CLAIM, desk=desk)).then_refused(given)


def test_what_is_beyond_the_desk_cannot_be_released() -> None:
    """Whether somebody holds such a debtor or nobody does is not told; his holder gives him back wherever his desk is now."""
    beyond = replace(RELEASE, desk=ELSEWHERE)
    for story in ((MISS,), (MISS, CLAIM)):
        debtor(*story).when(replace(beyond, released_by=KIM)).then_refused("unknown_debtor")
    assert debtor(MISS, CLAIM).when(beyond).events[0].released_by == LEE
    on_desk = replace(RELEASE, released_by=KIM, desk=DESK)
    debtor(MISS, CLAIM).when(on_desk).then_refused("claimed_by_another")
    debtor(MISS).when(on_desk).then_nothing()


def test_a_supervisor_assigns_a_case_and_gives_it_back_to_all() -> None:
    """An assigned case is claimed by its collector only."""
    assigned = CaseAssigned(debtor_id=DEBTOR, case_id=CASE, loan_id=LOAN, collector=KIM, assigned_by=CHIEF)
    debtor(MISS).when(ASSIGN).then(assigned, ranked(entry(), entry(assigned_to=KIM)))
    debtor(MISS, ASSIGN).when(CLAIM).then_refused("assigned_to_another")
    assert debtor(MISS, ASSIGN).when(replace(CLAIM, collector=KIM)).events
    assert debtor(MISS, ASSIGN, replace(ASSIGN, collector=None)).when(CLAIM).events


def test_a_claim_ends_early_by_its_holder_or_by_a_supervisor() -> None:
    """Nobody else; and a lease that has run out needs no ending."""
    claimed = debtor(MISS, CLAIM)
    shown = entry(claimed_by=LEE, claimed_until=HALF_HOUR)
    claimed.when(RELEASE).then(
        DebtorReleased(debtor_id=DEBTOR, collector=LEE, released_by=LEE, released_at=AT),
        ranked(shown, entry()),
    )
    claimed.when(replace(RELEASE, released_by=KIM)).then_refused("claimed_by_another")
    by_chief = replace(RELEASE, released_by=CHIEF, supervisor=True)
    assert claimed.when(by_chief).events[0].released_by == CHIEF
    claimed.when(RELEASE, at(30)).then_nothing()


def test_what_was_written_off_is_collected_in_the_stage_it_had() -> None:
    """The case leaves the running book's buckets with the amount that it has, and payments go on lowering it."""
    off, late = moved("written_off", 31, OWED), debtor(MISS, moved("M2", 31, OWED))
    before = entry(stage="mid", bucket="M2", dpd=31, priority=1_023_103)
    updated = ArrearsUpdated(
        debtor_id=DEBTOR,
        case_id=CASE,
        loan_id=LOAN,
        as_of=TODAY,
        overdue_fen=OWED,
        dpd=31,
        bucket="written_off",
    )
    late.when(off).then(updated, ranked(before, replace(before, bucket="written_off")))
    debtor(MISS, moved("M2", 31, OWED), off).when(off).then_nothing()
    paid = debtor(MISS, moved("M2", 31, OWED), off).when(pays("pay_1", 40_02, TODAY, 300_00)).events[-1]
    assert (paid.entry.bucket, paid.entry.stage, paid.entry.overdue_fen) == ("written_off", "mid", 300_00)

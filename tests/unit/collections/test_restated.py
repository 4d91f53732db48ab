"""A case follows its loan where a correction or a write-off puts it."""

from dataclasses import replace
from datetime import date

from libs.events.collections import ArrearsUpdated, CaseStageChanged
from tests.unit.collections.stories import (
    CASE,
    DEBTOR,
    LOAN,
    MISS,
    OPENED,
    OWED,
    RESTATED,
    debtor,
    entry,
    moved,
    pays,
    ranked,
)
from tests.unit.given import TODAY

UPDATED = ArrearsUpdated(
    debtor_id=DEBTOR,
    case_id=CASE,
    loan_id=LOAN,
    as_of=TODAY,
    overdue_fen=2 * OWED,
    dpd=31,
    bucket="M2",
)
STAGED = CaseStageChanged(
    debtor_id=DEBTOR,
    case_id=CASE,
    loan_id=LOAN,
    changed_on=TODAY,
    from_stage="early",
    to_stage="mid",
    bucket="M2",
    dpd=31,
)
WORSE = entry(stage="mid", bucket="M2", dpd=31, overdue_fen=2 * OWED, priority=1_023_106)


def test_a_case_says_what_is_overdue_after_a_correction() -> None:
    """Amount, days, bucket and stage are those of the loan; told twice it says nothing."""
    debtor(MISS).when(RESTATED).then(UPDATED, STAGED, ranked(entry(), WORSE))
    debtor(MISS, RESTATED).when(RESTATED).then_nothing()


def test_a_loan_that_is_late_without_the_error_has_a_case() -> None:
    """Also one whose case was closed, or that never had one: all that is overdue counts once, whatever misses are told after it."""
    opened = replace(OPENED, overdue_fen=2 * OWED, dpd=31)
    debtor().when(RESTATED).then(opened, UPDATED, STAGED, ranked(None, WORSE))
    cured = debtor(MISS, moved("current", 0, 0))
    cured.when(RESTATED).then(replace(opened, opening=2), UPDATED, STAGED, ranked(None, WORSE))
    later = replace(MISS, number=2, due_on=date(2024, 3, 14))
    debtor(replace(RESTATED, due_on=date(2024, 2, 13)), later).when(later).then_nothing()
    told = debtor(replace(RESTATED, due_on=date(2024, 2, 13))).when(later)
    assert told.events[0].overdue_fen == 2 * OWED


def test_a_loan_that_was_never_late_has_none() -> None:
    """A correction cures as a payment does, and of a loan without arrears it says nothing."""
    cured = debtor(MISS).when(replace(RESTATED, bucket="current", dpd=0, overdue_fen=0)).events
    assert cured == debtor(MISS).when(moved("current", 0, 0)).events
    debtor().when(replace(RESTATED, bucket="current", dpd=0, overdue_fen=0)).then_nothing()


def test_what_was_written_off_is_collected_in_the_stage_it_had() -> None:
    """The case leaves the running book's buckets with the amount that it has, and payments go on lowering it."""
    off = moved("written_off", 31, 2 * OWED)
    before = replace(WORSE, bucket="written_off")
    debtor(RESTATED).when(off).then(replace(UPDATED, bucket="written_off"), ranked(WORSE, before))
    debtor(RESTATED, off).when(off).then_nothing()
    paid = debtor(RESTATED, off).when(pays("pay_1", OWED, TODAY, OWED)).events[-1]
    assert (paid.entry.bucket, paid.entry.stage, paid.entry.overdue_fen) == ("written_off", "mid", OWED)

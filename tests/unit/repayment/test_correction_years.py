"""Corrections across a year's end: a third person allows them, and the loan looks in which year they come to it."""

from dataclasses import replace
from datetime import date

import pytest

from services.repayment.commands.corrections import CorrectPayment, DeclineCorrection, RefuseCorrection
from services.repayment.domain.correction import AGGREGATE
from tests.unit.given import given
from tests.unit.repayment.correction_story import (
    ACROSS,
    AUTHORISED,
    HEAD,
    NEXT_YEAR,
    PROPOSE,
    PROPOSED,
    SIGNED,
    SUPERVISE,
    WRONG,
    by,
    refused,
)
from tests.unit.repayment.stories import LOAN, OPEN, debit_id, debited, dues, on

REDATED = replace(WRONG, kind="redate", value_date=date(2025, 1, 1), to_date=date(2024, 12, 31))


def test_across_the_year_end_a_third_person_allows_it() -> None:
    """Supervisor and finance head, in whichever order, are two persons; then it is booked as of a prior year."""
    given(AGGREGATE, PROPOSED).when(SUPERVISE, by("stf_super", NEXT_YEAR)).then(SIGNED)
    given(AGGREGATE, PROPOSED, SIGNED).when(HEAD, by("stf_super", NEXT_YEAR)).then_refused("same_person")
    given(AGGREGATE, PROPOSED, SIGNED).when(HEAD, by("stf_head", NEXT_YEAR)).then(ACROSS)


@pytest.mark.parametrize(
    ("value_date", "to_date"),
    [(date(2025, 1, 1), date(2024, 12, 31)), (date(2024, 12, 31), date(2025, 1, 1))],
)
def test_a_date_across_the_year_end_is_allowed_by_the_finance_head_too(
    value_date: date, to_date: date
) -> None:
    """Whether the payment is moved out of the year or into it: something counts otherwise in the year that is over."""
    asked = replace(PROPOSE, kind="redate", value_date=value_date, to_date=to_date)
    redated = replace(REDATED, value_date=value_date, to_date=to_date)
    proposed = replace(PROPOSED, correction=redated, proposed_on=NEXT_YEAR, signatures=2)
    given(AGGREGATE).when(asked, by("stf_clerk", NEXT_YEAR)).then(proposed)
    given(AGGREGATE, proposed).when(SUPERVISE, by("stf_super", NEXT_YEAR)).then(SIGNED)
    given(AGGREGATE, proposed, SIGNED).when(HEAD, by("stf_head", NEXT_YEAR)).then(
        replace(ACROSS, correction=redated)
    )


def test_a_date_within_the_year_is_not() -> None:
    """Both of its days are this year's."""
    redated = replace(REDATED, to_date=date(2025, 1, 2))
    proposed = replace(PROPOSED, correction=redated)
    (allowed,) = given(AGGREGATE, proposed).when(SUPERVISE, by("stf_super", date(2025, 2, 1))).events
    assert allowed.booking == "same_year"


def test_what_was_allowed_in_its_year_and_comes_to_the_loan_in_the_next_waits_for_the_finance_head() -> None:
    """The loan refuses it by name; the supervisor's word stands, the finance head is asked, and nobody who has signed or proposed signs again."""
    ended = DeclineCorrection(code="year_ended")
    again = given(AGGREGATE, PROPOSED, AUTHORISED).when(ended, by("", NEXT_YEAR))
    again.then(SIGNED)
    waits = given(AGGREGATE, PROPOSED, AUTHORISED, SIGNED)
    waits.when(ended, by("", NEXT_YEAR)).then_nothing()
    waits.when(SUPERVISE, by("stf_super", NEXT_YEAR)).then_nothing()
    waits.when(HEAD, by("stf_super", NEXT_YEAR)).then_refused("same_person")
    waits.when(HEAD, by("stf_clerk", NEXT_YEAR)).then_refused("same_person")
    waits.when(RefuseCorrection(code="not_proved"), by("stf_head")).then(refused("not_proved", "stf_head"))
    waits.when(HEAD, by("stf_head", NEXT_YEAR)).then(ACROSS)


def test_the_people_of_a_correction_are_known_also_when_the_year_has_ended() -> None:
    """The loan is told all of them as customers: clerk, supervisor and finance head."""
    proposed = replace(PROPOSED, himself="usr_clerk")
    allowed = replace(AUTHORISED, people=("usr_clerk", "usr_super"))
    waits = given(AGGREGATE, proposed, allowed, SIGNED)
    waits.when(replace(HEAD, himself="usr_head"), by("stf_head", NEXT_YEAR)).then(
        replace(ACROSS, people=("usr_clerk", "usr_super", "usr_head"))
    )


def test_within_the_year_is_allowed_only_within_the_year() -> None:
    """Allowed on 31 December and come on 1 January: `year_ended`, and nothing has moved; as of the prior year it is done, also before the day has
    turned for this loan."""
    day, turned = date(2023, 12, 30), date(2024, 1, 1)
    opened = given(LOAN).when(replace(OPEN, funded_on=date(2023, 11, 30)), on(day)).events
    due = given(LOAN, *opened).when(dues(day), on(day)).events
    paid = given(LOAN, *opened, *due).when(debited(day, 34_002), on(day)).events
    asked = replace(WRONG, payment_id=debit_id(day), value_date=day)
    loan = given(LOAN, *opened, *due, *paid)
    within = CorrectPayment(correction=asked, booking="same_year")
    loan.when(within, on(turned)).then_refused("year_ended")
    assert loan.when(within, on(date(2023, 12, 31))).refused is None
    across = replace(within, booking="prior_year")
    for when in (date(2023, 12, 31), turned):
        told = loan.when(across, on(when)).events
        assert [event.booking for event in told[:2]] == ["prior_year"] * 2
    moved = replace(asked, kind="redate", value_date=turned, to_date=day)
    loan.when(replace(within, correction=moved), on(turned)).then_refused("year_ended")
    assert "`year_ended`" in (CorrectPayment.__doc__ or "")

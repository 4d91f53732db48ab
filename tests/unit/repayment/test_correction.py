"""Who may correct a booking, how many, and what becomes of the correction."""

from dataclasses import replace
from typing import Any

import pytest

from libs.events.corrections import CorrectionClosed
from services.repayment.commands.corrections import (
    CloseCorrection,
    DeclineCorrection,
    RecordCorrectionBooked,
    RefuseCorrection,
)
from services.repayment.domain.correction import AGGREGATE
from tests.unit.given import given
from tests.unit.repayment.correction_story import (
    AUTHORISED,
    BOOKED,
    HEAD,
    LATER,
    PAID_ON,
    PROPOSE,
    PROPOSED,
    SUPERVISE,
    by,
    refused,
)
from tests.unit.repayment.stories import days


def test_a_clerk_proposes_once() -> None:
    """The same again says nothing, another payment under its number is refused."""
    given(AGGREGATE).when(PROPOSE, by("stf_clerk")).then(PROPOSED)
    given(AGGREGATE, PROPOSED).when(PROPOSE, by("stf_clerk")).then_nothing()
    other = replace(PROPOSE, payment_id="pay_2")
    given(AGGREGATE, PROPOSED).when(other, by("stf_clerk")).then_refused("correction_exists")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": "redate"}, "invalid_date"),
        ({"to_date": PAID_ON}, "invalid_date"),
        ({"kind": "redate", "to_date": days(LATER, 1)}, "date_in_future"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_name(change: dict[str, Any], code: str) -> None:
    """A date where none belongs, none where one does, one to come."""
    given(AGGREGATE).when(replace(PROPOSE, **change), by("stf_clerk")).then_refused(code)


def test_another_person_allows_it() -> None:
    """Never the clerk himself; the same signature again says nothing; the finance head is not asked within the year."""
    given(AGGREGATE, PROPOSED).when(SUPERVISE, by("stf_super")).then(AUTHORISED)
    given(AGGREGATE, PROPOSED).when(SUPERVISE, by("stf_clerk")).then_refused("same_person")
    given(AGGREGATE, PROPOSED).when(HEAD, by("stf_head")).then_refused("not_asked")
    given(AGGREGATE, PROPOSED, AUTHORISED).when(SUPERVISE, by("stf_super")).then_nothing()
    given(AGGREGATE, PROPOSED, AUTHORISED).when(SUPERVISE, by("stf_other")).then_refused("correction_ended")
    given(AGGREGATE).when(SUPERVISE, by("stf_super")).then_refused("unknown_correction")


def test_on_its_own_day_it_is_a_same_day_error() -> None:
    """By the business date on which it is allowed."""
    (allowed,) = given(AGGREGATE, PROPOSED).when(SUPERVISE, by("stf_super", PAID_ON)).events
    assert allowed.booking == "same_day"


def test_a_person_or_the_loan_says_no() -> None:
    """Each once, by name, and nothing can be allowed after it."""
    no = RefuseCorrection(code="not_proved")
    given(AGGREGATE, PROPOSED).when(no, by("stf_super")).then(refused("not_proved", "stf_super"))
    ended = refused("not_proved", "stf_super")
    given(AGGREGATE, PROPOSED, ended).when(no, by("stf_super")).then_nothing()
    given(AGGREGATE, PROPOSED, AUTHORISED).when(no, by("stf_super")).then_refused("correction_ended")
    given(AGGREGATE, PROPOSED, ended).when(SUPERVISE, by("stf_super")).then_refused("correction_ended")
    decline = DeclineCorrection(code="unknown_payment")
    given(AGGREGATE, PROPOSED, AUTHORISED).when(decline, by("")).then(refused("unknown_payment", ""))
    given(AGGREGATE, PROPOSED, AUTHORISED, BOOKED).when(decline, by("")).then_nothing()


def test_it_is_booked_and_closed_when_its_money_has_moved() -> None:
    """Also when the end is heard before the beginning: each is said once."""
    booked, closed = RecordCorrectionBooked(open_fen=5), CloseCorrection()
    ended = CorrectionClosed(correction_id="cor_1", loan_id="loan_7", closed_on=LATER)
    given(AGGREGATE, PROPOSED, AUTHORISED).when(booked, by("")).then(BOOKED)
    given(AGGREGATE, PROPOSED, AUTHORISED, BOOKED).when(closed, by("")).then(ended)
    given(AGGREGATE, PROPOSED, AUTHORISED, ended).when(booked, by("")).then_nothing()
    given(AGGREGATE, PROPOSED, AUTHORISED, BOOKED, ended).when(closed, by("")).then_nothing()

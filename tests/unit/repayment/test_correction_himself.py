"""Nobody who has a part in a loan corrects what was booked on it, nor refuses that: its loan says who has one before anybody signs, and judges again
who asked and who allowed it when it is put right."""

from dataclasses import replace

import pytest

from libs.events.corrections import (
    CorrectionAdmitted,
    CorrectionAuthorised,
)
from libs.events.sagas import Send
from libs.events.system import CommandRefused
from services.repayment.commands.corrections import (
    AuthoriseCorrection,
    CorrectPayment,
    DeclineCorrection,
    ExamineCorrection,
    RefuseCorrection,
)
from services.repayment.domain.correction import AGGREGATE
from services.repayment.policies.correcting import on_repayment
from tests.unit.given import given
from tests.unit.repayment.correction_story import (
    ADMIT,
    AUTHORISED,
    CORRECT,
    EXAMINE,
    EXAMINED,
    HEAD,
    NEXT_YEAR,
    PAID,
    PROPOSE,
    PROPOSED,
    RESTATED,
    REVERSED,
    SIGNED,
    SUPERVISE,
    WRONG,
    by,
)
from tests.unit.repayment.stories import FIRST_DUE, LOAN, OPENED, SETTLED, amended, days, on
from tests.unit.repayment.test_policies import recorded

BY_ANN, BY_BOB = replace(PROPOSED, himself="usr_ann"), replace(SIGNED, himself="usr_bob")
ALLOW = replace(SUPERVISE, himself="usr_bob")
ALLOWED = replace(AUTHORISED, people=("usr_ann", "usr_bob"))


def test_a_correction_remembers_its_people_as_customers() -> None:
    """The clerk, the supervisor and the finance head, as the staff's register knows each; the last signature names them all."""
    given(AGGREGATE).when(replace(PROPOSE, himself="usr_ann"), by("stf_clerk")).then(BY_ANN)
    given(AGGREGATE, BY_ANN).when(PROPOSE, by("stf_clerk")).then_nothing()
    given(AGGREGATE, BY_ANN).when(ALLOW, by("stf_super")).then(ALLOWED)
    given(AGGREGATE, BY_ANN, ALLOWED).when(ALLOW, by("stf_super")).then_nothing()
    given(AGGREGATE, BY_ANN).when(ALLOW, by("stf_super", NEXT_YEAR)).then(BY_BOB)
    given(AGGREGATE, BY_ANN, BY_BOB).when(replace(HEAD, himself="usr_cy"), by("stf_head", NEXT_YEAR)).then(
        CorrectionAuthorised(
            correction=WRONG,
            booking="prior_year",
            role="finance_head",
            authorised_by="stf_head",
            authorised_on=NEXT_YEAR,
            people=("usr_ann", "usr_bob", "usr_cy"),
        )
    )


ADMITTED = CorrectionAdmitted(
    correction_id="cor_1",
    loan_id="loan_7",
    borrower="usr_bo",
    guarantor="gua_g",
    holders=("usr_1", "usr_2", "usr_3"),
)
PARTS = [("usr_bo", "forbidden_borrower"), ("usr_2", "forbidden_holder"), ("usr_g", "forbidden_guarantor")]


def test_its_loan_says_who_has_a_part_in_it() -> None:
    """Once, running or repaid; of no loan, nothing."""
    guaranteed = amended(OPENED, guarantor="gua_g")
    given(LOAN, guaranteed).when(EXAMINE, on(FIRST_DUE)).then(EXAMINED)
    given(LOAN, guaranteed, EXAMINED).when(EXAMINE, on(FIRST_DUE)).then_nothing()
    repaid = given(LOAN, guaranteed, *SETTLED).when(EXAMINE, on(FIRST_DUE))
    (told,) = repaid.events
    given(LOAN, guaranteed, *SETTLED, told).when(EXAMINE, on(FIRST_DUE)).then_nothing()
    given(LOAN).when(EXAMINE, on(FIRST_DUE)).then_refused("unknown_loan")


@pytest.mark.parametrize(("himself", "code"), PARTS)
def test_who_has_a_part_in_a_loan_asks_for_none_of_its_corrections(himself: str, code: str) -> None:
    """The loan says no before anybody signs, and the correction ends; one that has gone on meanwhile is the loan's to judge again."""
    guaranteed = amended(OPENED, guarantor="gua_g")
    given(LOAN, guaranteed).when(replace(EXAMINE, himself=himself), on(FIRST_DUE)).then_refused(code)
    assert f"`{code}`" in (ExamineCorrection.__doc__ or "")
    decline = DeclineCorrection(code=code, examined=True)
    declined = given(AGGREGATE, BY_ANN).when(decline, by(""))
    (ended,) = declined.events
    assert (ended.code, ended.refused_by) == (code, "")
    given(AGGREGATE, BY_ANN, ended).when(decline, by("")).then_nothing()
    given(AGGREGATE, BY_ANN, ALLOWED).when(decline, by("")).then_nothing()
    given(AGGREGATE, BY_ANN).when(DeclineCorrection(code=code), by("")).then_nothing()


def test_a_correction_knows_who_has_a_part_in_its_loan() -> None:
    """Once the loan has said so, once; what has gone on without it needs it no more."""
    given(AGGREGATE).when(ADMIT, by("")).then_refused("unknown_correction")
    given(AGGREGATE, BY_ANN).when(ADMIT, by("")).then(ADMITTED)
    given(AGGREGATE, BY_ANN, ADMITTED).when(ADMIT, by("")).then_nothing()
    given(AGGREGATE, BY_ANN, ALLOWED).when(ADMIT, by("")).then_nothing()


@pytest.mark.parametrize(("himself", "code"), PARTS)
def test_who_has_a_part_in_a_loan_neither_allows_nor_refuses_its_corrections(himself: str, code: str) -> None:
    """By name, at the first signature; a stranger does either, and before the loan has said who has a part it is the loan that says no."""
    known = given(AGGREGATE, BY_ANN, ADMITTED)
    known.when(replace(ALLOW, himself=himself), by("stf_super")).then_refused(code)
    known.when(replace(ALLOW, himself=himself), by("stf_super", NEXT_YEAR)).then_refused(code)
    refuse = RefuseCorrection(code="not_proved", himself=himself)
    known.when(refuse, by("stf_super")).then_refused(code)
    for command in (AuthoriseCorrection, RefuseCorrection):
        assert f"`{code}`" in (command.__doc__ or "")
    known.when(ALLOW, by("stf_super")).then(ALLOWED)
    assert known.when(replace(refuse, himself="usr_bob"), by("stf_super")).refused is None
    assert given(AGGREGATE, BY_ANN).when(refuse, by("stf_super")).refused is None


def test_its_loan_is_asked_and_what_it_says_comes_back() -> None:
    """Who asks for it is named as a customer; what the loan refuses ends the correction."""
    about = {"correction_id": "cor_1"}
    assert on_repayment(recorded(BY_ANN, "repayment", "cor_1")) == [Send("examine", "loan_7", EXAMINE, about)]
    anybody = replace(EXAMINE, himself=None)
    assert on_repayment(recorded(PROPOSED, "repayment", "cor_1")) == [
        Send("examine", "loan_7", anybody, about)
    ]
    assert on_repayment(recorded(EXAMINED, "repayment", "loan_7")) == [
        Send("admit-correction", "cor_1", ADMIT)
    ]
    refused = CommandRefused(
        command_type="repayment.ExamineCorrection", code="forbidden_holder", stream_id="loan_7", about=about
    )
    decline = DeclineCorrection(code="forbidden_holder", examined=True)
    assert on_repayment(recorded(refused, "repayment", "loan_7")) == [
        Send("decline-correction", "cor_1", decline)
    ]


def test_its_loan_hears_of_all_of_them() -> None:
    """The command that puts the loan right names whoever asked for it or allowed it."""
    (send,) = on_repayment(recorded(ALLOWED, "repayment", "cor_1"))
    asked = replace(CORRECT, people=("usr_ann", "usr_bob"))
    assert send == Send("correct", "loan_7", asked, {"correction_id": "cor_1"})


@pytest.mark.parametrize(
    ("himself", "code"),
    [("usr_bo", "forbidden_borrower"), ("usr_2", "forbidden_holder"), ("usr_g", "forbidden_guarantor")],
)
def test_nobody_corrects_a_loan_in_which_he_has_a_part(himself: str, code: str) -> None:
    """Whichever of its people owes, is owed or answers for it; the same of a loan that is repaid."""
    asked = replace(CORRECT, people=("usr_ann", himself))
    guaranteed = amended(OPENED, guarantor="gua_g")
    given(LOAN, guaranteed, *PAID).when(asked, on(FIRST_DUE)).then_refused(code)
    assert f"`{code}`" in (CorrectPayment.__doc__ or "")
    last = replace(asked, correction=replace(WRONG, payment_id="pay_0", value_date=days(FIRST_DUE, 1)))
    given(LOAN, guaranteed, *SETTLED).when(last, on(days(FIRST_DUE, 1))).then_refused(code)


def test_a_stranger_to_the_loan_corrects_it_once() -> None:
    """A member of staff who is a customer elsewhere does; what is put right says nothing again."""
    asked = replace(CORRECT, people=("usr_ann", "usr_bob"))
    given(LOAN, OPENED, *PAID).when(asked, on(FIRST_DUE)).then(REVERSED, RESTATED)
    given(LOAN, OPENED, *PAID, REVERSED, RESTATED).when(asked, on(FIRST_DUE)).then_nothing()

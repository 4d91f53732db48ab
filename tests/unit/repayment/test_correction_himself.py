"""Nobody who has a part in a loan corrects what was booked on it: who asked and who allowed it, the correction remembers, the loan judges."""

from dataclasses import replace

import pytest

from libs.events.corrections import CorrectionAuthorised, PaymentReversed
from libs.events.sagas import Send
from services.repayment.commands.corrections import CorrectPayment
from services.repayment.domain.correction import AGGREGATE
from services.repayment.policies.correcting import on_repayment
from tests.unit.given import given
from tests.unit.repayment.stories import FIRST_DUE, LOAN, OPENED, SETTLED, amended, days, on
from tests.unit.repayment.test_correction import (
    AUTHORISED,
    CORRECT,
    HEAD,
    NEXT_YEAR,
    PAID,
    PROPOSE,
    PROPOSED,
    RESTATED,
    SIGNED,
    SUPERVISE,
    WRONG,
    by,
)
from tests.unit.repayment.test_policies import recorded

BY_ANN, BY_BOB = replace(PROPOSED, himself="usr_ann"), replace(SIGNED, himself="usr_bob")
ALLOW = replace(SUPERVISE, himself="usr_bob")
ALLOWED = replace(AUTHORISED, people=("usr_ann", "usr_bob"))
REVERSED = PaymentReversed(
    loan_id="loan_7",
    borrower="usr_bo",
    payment_id="pay_1",
    correction_id="cor_1",
    booking="same_year",
    amount_fen=3_000,
    value_date=FIRST_DUE,
)


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

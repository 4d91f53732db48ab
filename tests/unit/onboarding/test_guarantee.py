"""An application with a guarantor: he is named to the committee, has signed before the money moves, and has room under his limit."""

from dataclasses import replace

import pytest

from libs.events.application import GuaranteeRequested
from libs.events.guarantees import GuaranteeDeclined, GuaranteeReserved
from libs.events.sagas import Send
from libs.events.system import CommandRefused
from services.onboarding.commands import (
    ConfirmGuarantee,
    ConfirmPrecedents,
    ConveneCommittee,
    FailPrecedents,
    MeetPrecedents,
    ReleaseApplicant,
    ReleaseExposure,
)
from services.onboarding.domain.application import aggregate
from services.onboarding.domain.profile import CAPS_CHECKED, DEMO, GUARANTOR_SIGNED, PRECEDENTS
from services.onboarding.domain.terms import hash_of, text_of
from tests.unit.onboarding import stories as s
from tests.unit.onboarding.stories import Spec

APPLICATION = aggregate(DEMO)
TERMS = replace(s.TERMS, guarantor="gua_sure")
CONVENED = replace(s.CONVENED, terms=TERMS)
TEXT = s.TERMS_TEXT + (
    "external guarantor gua_sure, by a deed of its own: it may be asked from day 30 past due on, for what is overdue\n"
)
APPROVED = replace(s.APPROVED, terms=TERMS, terms_hash=hash_of(TEXT))
SIGNED = (
    *s.WITH_REPORT,
    CONVENED,
    *s.TWO_VOTES,
    s.voted("finance_supervisor", s.FS),
    replace(s.AGREED, terms=TERMS),
    s.ASKED,
    APPROVED,
    replace(s.ACCEPTED, text_hash=hash_of(TEXT)),
)
CHECKS = (*PRECEDENTS, GUARANTOR_SIGNED)
SEEN = replace(s.SEEN, checks=CHECKS)
MEET = MeetPrecedents(application_id="app_1", exposure_fen=90_000_00)
REQUESTED = GuaranteeRequested(
    application_id="app_1",
    loan_id="loan_1",
    applicant=s.BEA,
    guarantor="gua_sure",
    amount_fen=90_000_00,
    exposure_fen=90_000_00,
    related_to_staff=False,
)
AT_GUARANTOR = (*SIGNED, SEEN, REQUESTED)
CONFIRM = ConfirmGuarantee(application_id="app_1")
MET = replace(s.MET, checks=(*CHECKS, CAPS_CHECKED), exposure_fen=90_000_00, guarantor="gua_sure")
FAIL = FailPrecedents(application_id="app_1", code="guarantor_limit_exceeded")
DECLINED = s.declined("guarantor_limit_exceeded", "at_guarantor")

SPECS = [
    Spec(
        "the committee is told who stands in",
        s.WITH_REPORT,
        ConveneCommittee(application_id="app_1", terms=TERMS),
        (CONVENED,),
        s.by(s.RIA),
    ),
    Spec(
        "nobody stands in for himself",
        s.WITH_REPORT,
        ConveneCommittee(application_id="app_1", terms=replace(TERMS, guarantor="gua_bea")),
        "invalid_guarantor",
        s.by(s.RIA),
    ),
    Spec(
        "his signature is a precedent",
        SIGNED,
        ConfirmPrecedents(application_id="app_1", checks=CHECKS),
        (SEEN,),
        s.by(s.LEO),
    ),
    Spec(
        "without it there is no listing",
        SIGNED,
        ConfirmPrecedents(application_id="app_1", checks=PRECEDENTS),
        "precedents_missing",
        s.by(s.LEO),
    ),
    Spec("the register is asked after the caps", (*SIGNED, SEEN), MEET, (REQUESTED,), s.by("")),
    Spec("once", AT_GUARANTOR, MEET, (), s.by("")),
    Spec("it has room", AT_GUARANTOR, CONFIRM, (MET,), s.by("")),
    Spec("is said once", (*AT_GUARANTOR, MET), CONFIRM, (), s.by("")),
    Spec("and not before it is asked", (*SIGNED, SEEN), CONFIRM, "wrong_stage", s.by("")),
    Spec("of an application", (), CONFIRM, "unknown_application", s.by("")),
    Spec("or it has none", AT_GUARANTOR, FAIL, (DECLINED,), s.by("")),
]


#: What onboarding does about the register's answers, and about an application that has none to stand in.
ANSWERS = [
    (
        "repayment",
        GuaranteeReserved(
            guarantor="gua_sure",
            application_id="app_1",
            loan_id="loan_1",
            amount_fen=90_000_00,
            guaranteed_fen=90_000_00,
            limit_fen=100_000_00,
        ),
        [Send("guarantee", "app_1", CONFIRM)],
    ),
    (
        "repayment",
        GuaranteeDeclined(
            guarantor="gua_sure",
            application_id="app_1",
            loan_id="loan_1",
            amount_fen=90_000_00,
            code="guarantor_limit_exceeded",
        ),
        [Send("guarantee", "app_1", FAIL)],
    ),
    (
        "repayment",
        CommandRefused(
            command_type="repayment.ReserveGuarantee",
            code="unknown_guarantor",
            stream_id="gua_sure",
            about={"application_id": "app_1"},
        ),
        [Send("guarantee", "app_1", replace(FAIL, code="unknown_guarantor"))],
    ),
    (
        "onboarding",
        DECLINED,
        [
            Send(
                "release",
                s.BEA,
                ReleaseExposure(user_id=s.BEA, loan_id="loan_1", reason="guarantor_declined"),
            ),
            Send("ended", s.BEA, ReleaseApplicant(user_id=s.BEA, application_id="app_1")),
        ],
    ),
]


@pytest.mark.parametrize("row", SPECS, ids=lambda row: row.says)
def test_an_application_with_a_guarantor(row: Spec) -> None:
    """Each step that a guarantor adds, one row each."""
    row.check(APPLICATION)


def test_the_text_of_the_terms_names_him() -> None:
    """What the applicant signs says who stands in for the loan, and when that one may be asked."""
    request = {
        "application_id": "app_1",
        "loan_id": "loan_1",
        "applicant": s.BEA,
        "product": "consumer",
        "purpose": "renovation",
    }
    assert text_of(TERMS, **request) == TEXT

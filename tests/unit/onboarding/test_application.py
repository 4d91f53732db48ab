"""An application passes its gates in order, each by a person who may, and ends listable or with a reason."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st

from libs.events.deciding import Wake
from services.onboarding.commands import (
    AcceptTerms,
    ApproveApplication,
    CheckIntake,
    ConfirmPrecedents,
    DeclineApplicant,
    DeclineExposure,
    DeclineTerms,
    FailPrecedents,
    FulfilCondition,
    MeetPrecedents,
    RecordApplicant,
    RecordInterview,
    ResubmitApplication,
    ReturnPapers,
    ReviewEligibility,
)
from services.onboarding.domain.application import aggregate
from services.onboarding.domain.products import BUSINESS
from services.onboarding.domain.profile import CN_P2P_2016, PRECEDENTS
from services.onboarding.domain.terms import hash_of, text_of
from tests.unit.given import TODAY, context, fold, given
from tests.unit.onboarding.stories import (
    ACCEPTED,
    AGREED,
    APPROVED,
    ASKED,
    ASPECTS,
    AT_CAP_CHECK,
    AT_COMMITTEE,
    AT_INTAKE,
    AT_INTERVIEW,
    AT_INVESTIGATION,
    AT_RESERVATION,
    AT_REVIEW,
    BEA,
    BEFORE_LAST_VOTE,
    CHECKED,
    CONDITIONS,
    CONVENE,
    CONVENED,
    FS,
    FULFILLED,
    GM,
    IN_30_DAYS,
    INTERVIEWED,
    LEO,
    LISTABLE,
    MAX,
    MET,
    RA,
    RECORDED,
    REJECTED,
    REPORT,
    REPORTED,
    RESUBMITTED,
    RETURNED,
    REVIEWED,
    RIA,
    SEEN,
    SIGNED,
    SUBMIT,
    SUBMITTED,
    TERMS,
    TERMS_DECLINED,
    TERMS_OFFERED,
    TERMS_TEXT,
    WITH_CONDITIONS,
    WITH_REPORT,
    Spec,
    by,
    cast,
    declined,
    finding,
    lapsed,
    voted,
)

APPLICATION = aggregate(CN_P2P_2016)
LATE = IN_30_DAYS + timedelta(days=1)
OWNER = "stf_own"

RECORD = RecordApplicant(
    application_id="app_1", kind="person", region="CN-31", owner=OWNER, related=("usr_ann",)
)
NOT_VERIFIED = DeclineApplicant(application_id="app_1", code="not_verified")
RETURN = ReturnPapers(application_id="app_1", papers=("credit_report",), code="expired")
RESUBMIT = ResubmitApplication(application_id="app_1", documents=("utility_bills", "credit_report"))
CHECK = CheckIntake(application_id="app_1")
INTERVIEW = RecordInterview(application_id="app_1", repayment_source="salary", record="note_1")
ELIGIBLE = ReviewEligibility(application_id="app_1", is_eligible=True)
INELIGIBLE = ReviewEligibility(application_id="app_1", is_eligible=False, reasons=("age",))
FULFIL = FulfilCondition(application_id="app_1", condition="second_guarantor", evidence="doc_g")
APPROVE = ApproveApplication(application_id="app_1", owner=OWNER, related=("usr_ann", "usr_cem"))
NO_ROOM = DeclineExposure(application_id="app_1", code="exposure_cap_exceeded")
ACCEPT = AcceptTerms(application_id="app_1", text_hash=hash_of(TERMS_TEXT), evidence="sign_1")
DECLINE = DeclineTerms(application_id="app_1")
CONFIRM = ConfirmPrecedents(application_id="app_1", checks=PRECEDENTS)
MEET = MeetPrecedents(application_id="app_1")
FAIL = FailPrecedents(application_id="app_1", code="exposure_cap_exceeded")
OVER_CAP = declined("exposure_cap_exceeded", "at_cap_check")
ALL_VOTES = (voted("finance_supervisor", FS), AGREED, ASKED)


def terms(**other: Any) -> Any:
    """The committee is asked for other terms."""
    return replace(CONVENE, terms=replace(TERMS, **other))


def aspects(index: int, **other: Any) -> Any:
    """The report with one other aspect."""
    changed = [*ASPECTS]
    changed[index] = finding(ASPECTS[index].aspect, **other)
    return replace(REPORT, aspects=tuple(changed))


INTAKE = [
    Spec("a person asks for a loan", (), SUBMIT, (SUBMITTED,), by(BEA)),
    Spec("he asks once", AT_INTAKE, SUBMIT, (), by(BEA)),
    Spec("asking for another is another application", AT_INTAKE, replace(SUBMIT, amount_fen=1), "application_exists", by(BEA)),
    Spec("staff do not apply", (), SUBMIT, "invalid_applicant", by(MAX)),
    Spec("loan and application share their suffix", (), replace(SUBMIT, loan_id="loan_2"), "invalid_application", by(BEA)),
    Spec("what is not offered is not asked for", (), replace(SUBMIT, product="payday"), "invalid_product", by(BEA)),
    Spec("the product is for certain purposes", (), replace(SUBMIT, purpose="stocks"), "invalid_purpose", by(BEA)),
    Spec("for so much at least", (), replace(SUBMIT, amount_fen=999_99), "invalid_amount", by(BEA)),
    Spec("for so much at most", (), replace(SUBMIT, amount_fen=200_000_01), "invalid_amount", by(BEA)),
    Spec("for so long at most", (), replace(SUBMIT, tenor_months=37), "invalid_tenor", by(BEA)),
    Spec("and not for no time", (), replace(SUBMIT, tenor_months=0), "invalid_tenor", by(BEA)),
    Spec("a manner of repayment is known", (), replace(SUBMIT, method="barter"), "invalid_method", by(BEA)),
    Spec("another manner is another application", AT_INTAKE, replace(SUBMIT, method="bullet"), "application_exists", by(BEA)),
    Spec("so are other papers", AT_INTAKE, replace(SUBMIT, documents=("accounts",)), "application_exists", by(BEA)),
    Spec("a paper is named once", (), replace(SUBMIT, documents=("accounts", "accounts")), "invalid_documents", by(BEA)),
    Spec("and stands in the checklist", (), replace(SUBMIT, documents=("love_letter",)), "invalid_documents", by(BEA)),
    Spec("a confirmed applicant's papers are looked at", (SUBMITTED,), RECORD, (RECORDED,)),
    Spec(
        "not for a product that his kind is not offered", (SUBMITTED,), replace(RECORD, kind="organisation"),
        (replace(RECORDED, kind="organisation"), declined("product_not_offered", "at_intake")),
    ),
    Spec("he is confirmed once", AT_INTERVIEW, RECORD, ()),
    Spec("nothing asked, nobody confirmed", (), RECORD, "unknown_application"),
    Spec("an unverified one is declined", (SUBMITTED,), NOT_VERIFIED, (declined("not_verified", "submitted"),)),
    Spec("a confirmed one is not", AT_INTAKE, NOT_VERIFIED, ()),
    Spec("nothing asked, nothing declined", (), NOT_VERIFIED, "unknown_application"),
    Spec("papers go back", AT_INTAKE, RETURN, (RETURNED,), by(MAX)),
    Spec("for the same papers once", (*AT_INTAKE, RETURNED), RETURN, (), by(MAX)),
    Spec("for one of the checklist", AT_INTAKE, replace(RETURN, papers=("love_letter",)), "invalid_documents", by(MAX)),
    Spec("for none never", AT_INTAKE, replace(RETURN, papers=()), "invalid_documents", by(MAX)),
    Spec("not after they were found complete", AT_INTERVIEW, RETURN, "wrong_stage", by(MAX)),
    Spec("only by staff", AT_INTAKE, RETURN, "forbidden_not_staff", by(BEA)),
    Spec("papers come again under the same number", (*AT_INTAKE, RETURNED), RESUBMIT, (RESUBMITTED,), by(BEA)),
    Spec("only his own", (*AT_INTAKE, RETURNED), RESUBMIT, "unknown_application", by("usr_eve")),
    Spec("only when returned", AT_INTAKE, RESUBMIT, "wrong_stage", by(BEA)),
    Spec("not after the last day", (*AT_INTAKE, RETURNED), RESUBMIT, "too_late", by(BEA, LATE)),
    Spec("not without papers", (*AT_INTAKE, RETURNED), replace(RESUBMIT, documents=()), "invalid_documents", by(BEA)),
    Spec("not without the one that was named", (*AT_INTAKE, RETURNED), replace(RESUBMIT, documents=("utility_bills",)), "papers_missing", by(BEA)),
    Spec("complete papers pass", AT_INTAKE, CHECK, (CHECKED,), by(MAX)),
    Spec("once", AT_INTERVIEW, CHECK, (), by(MAX)),
    Spec("a required paper is required", (replace(SUBMITTED, documents=("identity_card",)), RECORDED), CHECK, "papers_missing", by(MAX)),
    Spec("a customer does not check himself", AT_INTAKE, CHECK, "forbidden_not_staff", by(BEA)),
    Spec("the interview follows", AT_INTERVIEW, INTERVIEW, (INTERVIEWED,), by(MAX)),
    Spec("once held", AT_REVIEW, INTERVIEW, (), by(MAX)),
    Spec("not before the papers are complete", AT_INTAKE, INTERVIEW, "wrong_stage", by(MAX)),
    Spec("a customer does not interview himself", AT_INTERVIEW, INTERVIEW, "forbidden_not_staff", by(BEA)),
]  # fmt: skip

CREDIT = [
    Spec("risk finds the conditions met", AT_REVIEW, ELIGIBLE, (REVIEWED,), by(RIA)),
    Spec("once", AT_INVESTIGATION, ELIGIBLE, (), by(RIA)),
    Spec("or declines with reasons", AT_REVIEW, INELIGIBLE, (declined("age", "at_review", RIA),), by(RIA)),
    Spec("never without", AT_REVIEW, replace(INELIGIBLE, reasons=()), "invalid_reasons", by(RIA)),
    Spec("the interview is compulsory before it", AT_INTERVIEW, ELIGIBLE, "wrong_stage", by(RIA)),
    Spec("another person than the customer manager", AT_REVIEW, ELIGIBLE, "forbidden_same_person", by(MAX)),
    Spec("not the customer's owner", AT_REVIEW, ELIGIBLE, "forbidden_owner", by(OWNER)),
    Spec("five aspects are reported", AT_INVESTIGATION, REPORT, (REPORTED,), by(RIA)),
    Spec(
        "one that advises against it ends it", AT_INVESTIGATION, replace(REPORT, recommends=False),
        (replace(REPORTED, recommends=False), declined("not_recommended", "reported", RIA)), by(RIA),
    ),
    Spec("a better report replaces it", WITH_REPORT, REPORT, (REPORTED,), by(RIA)),
    Spec("not after the committee met", AT_COMMITTEE, REPORT, "wrong_stage", by(RIA)),
    Spec("no aspect may be empty", AT_INVESTIGATION, replace(REPORT, aspects=ASPECTS[:4]), "invalid_aspects", by(RIA)),
    Spec("no finding from tomorrow", AT_INVESTIGATION, aspects(0, found_on=LATE), "invalid_aspects", by(RIA)),
    Spec("not applicable needs a reason", AT_INVESTIGATION, aspects(3, finding="not_applicable"), "aspect_without_reason", by(RIA)),
    Spec("operations are seen", AT_INVESTIGATION, aspects(2, manner="telephone"), "aspect_without_visit", by(RIA)),
    Spec("the guarantee was seen within 30 days", AT_INVESTIGATION, aspects(4, found_on=TODAY - timedelta(days=31)), "visit_too_old", by(RIA)),
    Spec("who brought the customer does not assess him", AT_INVESTIGATION, REPORT, "forbidden_same_person", by(MAX)),
    Spec("nor does who owns him", AT_INVESTIGATION, REPORT, "forbidden_owner", by(OWNER)),
    Spec("risk convenes the committee", WITH_REPORT, CONVENE, (CONVENED,), by(RIA)),
    Spec("once on the same terms", AT_COMMITTEE, CONVENE, (), by(RIA)),
    Spec("not without a report", AT_INVESTIGATION, CONVENE, "wrong_stage", by(RIA)),
    Spec("on a report of at most 60 days", WITH_REPORT, CONVENE, "report_too_old", by(RIA, TODAY + timedelta(days=61))),
    Spec("a term has an end, here too", WITH_REPORT, terms(tenor_months=0), "invalid_tenor", by(RIA)),
    Spec("a window of ten days", WITH_REPORT, terms(window_days=11), "invalid_window", by(RIA)),
    Spec("a fee leaves something", WITH_REPORT, terms(origination_fee_fen=90_000_00), "invalid_fee", by(RIA)),
    Spec("a contract states a rate", WITH_REPORT, terms(annual_rate=Decimal(0)), "invalid_rate", by(RIA)),
    Spec("a manner of repayment that is scheduled", WITH_REPORT, terms(method="bullet"), "invalid_method", by(RIA)),
    Spec("an amount of the product", WITH_REPORT, terms(amount_fen=999_99), "invalid_amount", by(RIA)),
    Spec("the report's grade", WITH_REPORT, terms(grade="A"), "invalid_grade", by(RIA)),
    Spec("at most the report's limit", WITH_REPORT, terms(amount_fen=120_000_01), "above_limit", by(RIA)),
    Spec("at most what was asked for", WITH_REPORT, terms(amount_fen=100_000_01), "above_request", by(RIA)),
    Spec("for no longer than was asked for", WITH_REPORT, terms(tenor_months=13), "above_request", by(RIA)),
    Spec("a condition is listed once", WITH_REPORT, replace(CONVENE, conditions=("a", "a")), "invalid_conditions", by(RIA)),
    Spec("sales do not convene", WITH_REPORT, CONVENE, "forbidden_same_person", by(MAX)),
    Spec("nor the owner", WITH_REPORT, CONVENE, "forbidden_owner", by(OWNER)),
    Spec("an office votes", AT_COMMITTEE, cast("general_manager"), (voted("general_manager", GM),), by(GM)),
    Spec("its vote stands", BEFORE_LAST_VOTE, cast("general_manager"), (), by(GM)),
    Spec("no member votes twice", BEFORE_LAST_VOTE, cast("finance_supervisor"), "already_voted", by(GM)),
    Spec("no office votes twice", BEFORE_LAST_VOTE, cast("general_manager"), "office_has_voted", by(FS)),
    Spec("the owner never votes", AT_COMMITTEE, cast("general_manager"), "forbidden_owner", by(OWNER)),
    Spec("sales never vote", AT_COMMITTEE, cast("general_manager"), "forbidden_same_person", by(MAX)),
    Spec("who wrote the report holds no other office", AT_COMMITTEE, cast("general_manager"), "forbidden_same_person", by(RIA)),
    Spec("but may vote as risk assessor", AT_COMMITTEE, cast("risk_assessor"), (voted("risk_assessor", RIA),), by(RIA)),
    Spec("a committee that has not met does not vote", WITH_REPORT, cast("general_manager"), "wrong_stage", by(GM)),
    Spec("three votes agree, the amount is asked for", BEFORE_LAST_VOTE, cast("finance_supervisor"), ALL_VOTES, by(FS)),
    Spec(
        "two of three are a majority", BEFORE_LAST_VOTE, cast("finance_supervisor", "disagree"),
        (voted("finance_supervisor", FS, "disagree"), replace(AGREED, agreed=2, disagreed=1), ASKED), by(FS),
    ),
    Spec(
        "and so are two against",
        (*AT_COMMITTEE, voted("general_manager", GM), voted("risk_assessor", RA, "disagree")),
        cast("finance_supervisor", "disagree"),
        (voted("finance_supervisor", FS, "disagree"), REJECTED), by(FS),
    ),
    Spec("a condition is marked on evidence", WITH_CONDITIONS, FULFIL, (FULFILLED,), by(RIA)),
    Spec("once", (*WITH_CONDITIONS, FULFILLED), FULFIL, (), by(RIA)),
    Spec(
        "the last one asks for the amount", (*WITH_CONDITIONS, FULFILLED), replace(FULFIL, condition=CONDITIONS[1]),
        (replace(FULFILLED, condition=CONDITIONS[1], missing=0), ASKED), by(RIA),
    ),
    Spec("only what the committee asked for", WITH_CONDITIONS, replace(FULFIL, condition="x"), "unknown_condition", by(RIA)),
    Spec("in time", WITH_CONDITIONS, FULFIL, "too_late", by(RIA, LATE)),
    Spec("sales bring the evidence and do not mark it", WITH_CONDITIONS, FULFIL, "forbidden_same_person", by(MAX)),
    Spec("nor does the owner", WITH_CONDITIONS, FULFIL, "forbidden_owner", by(OWNER)),
    Spec("there are none before the vote", AT_COMMITTEE, FULFIL, "wrong_stage", by(RIA)),
]  # fmt: skip

CLOSING = [
    Spec("reserved, approved", AT_RESERVATION, APPROVE, (APPROVED,)),
    Spec("once", SIGNED, APPROVE, ()),
    Spec("never before the committee agreed", AT_COMMITTEE, APPROVE, "wrong_stage"),
    Spec("what is above the cap is declined", AT_RESERVATION, NO_ROOM, (declined("exposure_cap_exceeded", "at_reservation"),)),
    Spec("once", (*AT_RESERVATION, declined("exposure_cap_exceeded", "at_reservation")), NO_ROOM, ()),
    Spec("an approved one is not", TERMS_OFFERED, NO_ROOM, "wrong_stage"),
    Spec("the applicant accepts with evidence", TERMS_OFFERED, ACCEPT, (ACCEPTED,), by(BEA)),
    Spec("once", SIGNED, ACCEPT, (), by(BEA)),
    Spec("the text that he was offered", TERMS_OFFERED, replace(ACCEPT, text_hash="a" * 64), "text_differs", by(BEA)),
    Spec("with other evidence never again", SIGNED, replace(ACCEPT, evidence="sign_2"), "wrong_stage", by(BEA)),
    Spec("only his own", TERMS_OFFERED, ACCEPT, "unknown_application", by(RIA)),
    Spec("in time", TERMS_OFFERED, ACCEPT, "too_late", by(BEA, LATE)),
    Spec("or he declines", TERMS_OFFERED, DECLINE, (TERMS_DECLINED,), by(BEA)),
    Spec("once", (*TERMS_OFFERED, TERMS_DECLINED), DECLINE, (), by(BEA)),
    Spec("not what he signed", SIGNED, DECLINE, "wrong_stage", by(BEA)),
    Spec("all green, the caps are looked at", SIGNED, CONFIRM, (SEEN,), by(LEO)),
    Spec("once", LISTABLE, CONFIRM, (), by(LEO)),
    Spec("they are kept, the listing may open", AT_CAP_CHECK, MEET, (MET,)),
    Spec("once", LISTABLE, MEET, ()),
    Spec("not before the post has looked", SIGNED, MEET, "wrong_stage"),
    Spec("they are not, nothing is listed", AT_CAP_CHECK, FAIL, (OVER_CAP,)),
    Spec("once", (*AT_CAP_CHECK, OVER_CAP), FAIL, ()),
    Spec("not what is listed", LISTABLE, FAIL, "wrong_stage"),
    Spec("the reservation is another question", AT_CAP_CHECK, NO_ROOM, "wrong_stage"),
    Spec("not before the signature", TERMS_OFFERED, CONFIRM, "wrong_stage", by(LEO)),
    Spec("not with one unseen", SIGNED, replace(CONFIRM, checks=PRECEDENTS[1:]), "precedents_missing", by(LEO)),
    Spec("in time", SIGNED, CONFIRM, "too_late", by(LEO, LATE)),
    Spec("not by the owner", SIGNED, CONFIRM, "forbidden_owner", by(OWNER)),
]  # fmt: skip

SPECS = [*INTAKE, *CREDIT, *CLOSING]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{type(spec.when).__name__}: {spec.says}")
def test_application(spec: Spec) -> None:
    """Each rule of the flow, in a sentence."""
    spec.check(APPLICATION)


@pytest.mark.parametrize("who", [MAX, RIA, GM, RA, FS])
def test_nobody_who_had_a_part_before_pays_out(who: str) -> None:
    """Approval and disbursement posts differ, by person, for every step that came before."""
    given(APPLICATION, *SIGNED).when(CONFIRM, by(who)).then_refused("forbidden_same_person")


@pytest.mark.parametrize(
    ("history", "stage", "reserved_fen"),
    [
        ((*AT_INTAKE, RETURNED), "returned", 0),
        (WITH_CONDITIONS, "conditional", 0),
        (TERMS_OFFERED, "approved", 90_000_00),
        (SIGNED, "accepted", 90_000_00),
    ],
)
def test_who_does_not_act_in_thirty_days_lapses(
    history: tuple[Any, ...], stage: str, reserved_fen: int
) -> None:
    """The last day counts; when it is closed, the application ends and says what was reserved."""
    waiting = given(APPLICATION, *history)
    assert APPLICATION.wake_on(waiting.state) == (IN_30_DAYS, 5)
    wake = Wake(business_date=IN_30_DAYS, phase=5)
    waiting.when(Wake(business_date=IN_30_DAYS, phase=4), context(IN_30_DAYS)).then_nothing()
    waiting.when(wake, context(IN_30_DAYS)).then(lapsed(stage, reserved_fen))
    ended = fold(APPLICATION, [*history, lapsed(stage, reserved_fen)])
    assert APPLICATION.wake_on(ended) is None


@pytest.mark.parametrize("history", [AT_INTAKE, AT_COMMITTEE, AT_RESERVATION, AT_CAP_CHECK, LISTABLE])
def test_what_waits_for_us_does_not_lapse(history: tuple[Any, ...]) -> None:
    """The applicant does not lose his application because staff are slow, nor a listing its loan."""
    assert APPLICATION.wake_on(fold(APPLICATION, history)) is None


def test_the_text_of_the_terms_is_never_edited() -> None:
    """Word for word what was signed: another wording has another hash, so it would be another version."""
    named = {"application_id": "app_1", "loan_id": "loan_1", "applicant": BEA}
    text = text_of(TERMS, product="consumer", purpose="renovation", **named)
    assert text == TERMS_TEXT
    signed = replace(TERMS, origination_fee_fen=450_00)
    text = text_of(signed, product="consumer", purpose="renovation", **named)
    assert hash_of(text) == "94d57edd19fdf6aa9e64a7f2ef089868c38e3a5806a47cd9735962507a12b719"


def test_a_product_taken_off_the_table_is_not_convened_on() -> None:
    """It was offered when it was applied for, and is not when the committee is to meet."""
    without = aggregate(replace(CN_P2P_2016, products=(BUSINESS,)))
    given(without, *WITH_REPORT).when(CONVENE, by(RIA)).then_refused("invalid_product")


COMMANDS = [spec.when for spec in SPECS]
PEOPLE = [BEA, MAX, RIA, GM, RA, FS, LEO, OWNER, ""]
HISTORIES = [AT_INTAKE, AT_REVIEW, WITH_REPORT, BEFORE_LAST_VOTE, AT_RESERVATION, TERMS_OFFERED, SIGNED]


@settings(max_examples=60, deadline=None)
@examples(
    st.sampled_from(HISTORIES),
    st.lists(st.tuples(st.sampled_from(COMMANDS), st.sampled_from(PEOPLE)), max_size=12),
)
def test_no_order_of_commands_reaches_a_listing_around_a_gate(
    history: tuple[Any, ...], tries: list[tuple[Any, str]]
) -> None:
    """Whoever tries whatever: one end at most, the listing only after the signature, never by one who voted or owns."""
    events = list(history)
    state = fold(APPLICATION, events)
    for command, who in tries:
        outcome = given(APPLICATION, *events).when(command, by(who))
        events += outcome.events
        state = outcome.state
    names = [type(event).__name__ for event in events]
    ends = (
        "ApplicationDeclined",
        "ApplicationRejected",
        "TermsDeclined",
        "ApplicationLapsed",
        "PrecedentsMet",
    )
    assert sum(names.count(end) for end in ends) <= 1
    if "PrecedentsMet" in names:
        met = events[names.index("PrecedentsMet")]
        assert state.kind == "ready"
        assert names.index("TermsAccepted") < names.index("PrecedentsMet")
        assert met.checked_by not in (
            OWNER,
            MAX,
            *(e.member for e in events if type(e).__name__ == "CommitteeVoted"),
        )

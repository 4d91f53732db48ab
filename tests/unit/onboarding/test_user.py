"""A user is known by codes, verified once, assessed for a year, and never owes more than the cap of the day."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st

from libs.events.deciding import Wake
from libs.events.onboarding import (
    ApplicantDeclined,
    ApplicantReleased,
    CardBound,
    ErasureDeclined,
    ErasureRequested,
    ExposureConfirmed,
    ExposureDeclined,
    ExposureReduced,
    ExposureReleased,
    ExposureRevoked,
    OwnerBound,
    ReferralCredited,
    RelationDeclared,
    SuitabilityAssessed,
    SuitabilityLapsed,
    UserErased,
    VerificationFailed,
)
from libs.events.reopening import ExposureRestored
from services.onboarding.commands import (
    AssessSuitability,
    BindOwner,
    CompleteErasure,
    ConfirmApplicant,
    ConfirmExposure,
    CreditReferral,
    DeclareRelation,
    DeclineErasure,
    EraseUser,
    RecordRelation,
    ReduceExposure,
    RefuseVerification,
    RegisterUser,
    ReleaseApplicant,
    ReleaseExposure,
    ReserveExposure,
    RestoreExposure,
    VerifyUser,
)
from services.onboarding.domain.profile import CN_P2P_2016, DEMO
from services.onboarding.domain.user import aggregate
from services.onboarding.domain.user_state import Verified
from tests.unit.given import TODAY, context, decided, fold, given
from tests.unit.onboarding.stories import BEA, CONFIRMED, MAX, REGISTERED, VERIFIED, Spec, reserved

USER = aggregate(CN_P2P_2016)
VALID_TO = TODAY + timedelta(days=365)

REGISTER = RegisterUser(user_id=BEA, kind="person", region="CN-31", owner=MAX)
REFER = CreditReferral(user_id=BEA, referred="usr_new")
BIND = BindOwner(user_id=BEA, owner="stf_new")
VERIFY = VerifyUser(user_id=BEA, provider="test", reference="ref_1")
CARD = "card_" + "a1" * 16
BY_CARD = replace(VERIFY, card_ref=CARD)
BOUND = CardBound(user_id=BEA, card_ref=CARD)
REFUSE = RefuseVerification(user_id=BEA, provider="test", reference="ref_1", code="name_differs")
ASSESS = AssessSuitability(user_id=BEA, answers=(3, 3, 3, 3, 3, 3, 2, 2))
ASSESSED = SuitabilityAssessed(user_id=BEA, level="C3", assessed_on=TODAY, valid_to=VALID_TO)
RELATE = DeclareRelation(user_id=BEA, related="usr_ann")
NOTE = RecordRelation(user_id=BEA, related="usr_ann")
RELATED = RelationDeclared(user_id=BEA, related="usr_ann")
CONFIRM = ConfirmApplicant(user_id=BEA, application_id="app_1")
RESERVE = ReserveExposure(user_id=BEA, application_id="app_1", loan_id="loan_1", amount_fen=100_000_00)
SECOND = ReserveExposure(user_id=BEA, application_id="app_2", loan_id="loan_2", amount_fen=100_000_01)
REDUCE = ReduceExposure(user_id=BEA, loan_id="loan_1", amount_fen=40_000_00)
REDUCED = (
    ExposureReduced(
        user_id=BEA,
        loan_id="loan_1",
        amount_fen=40_000_00,
        loan_exposure_after_fen=60_000_00,
        exposure_after_fen=60_000_00,
    ),
)
RESTORE = RestoreExposure(user_id=BEA, loan_id="loan_1", owed_fen=100_000_00)
RELEASE = ReleaseExposure(user_id=BEA, loan_id="loan_1", reason="listing_expired")
CHECK = ConfirmExposure(user_id=BEA, application_id="app_1", loan_id="loan_1", step="precedents")
KEPT = ExposureConfirmed(
    user_id=BEA,
    application_id="app_1",
    loan_id="loan_1",
    exposure_fen=100_000_00,
    cap_fen=200_000_00,
    step="precedents",
)
REVOKED = ExposureRevoked(
    user_id=BEA,
    application_id="app_1",
    loan_id="loan_1",
    amount_fen=100_000_00,
    exposure_after_fen=0,
    cap_fen=99_999_99,
    code="exposure_cap_exceeded",
    step="precedents",
)
UNKNOWN_LOAN = replace(REVOKED, amount_fen=0, cap_fen=None, code="exposure_unknown")
LET_GO = ReleaseApplicant(user_id=BEA, application_id="app_1")
LEAVING = ErasureRequested(user_id=BEA, requested_on=TODAY)
COMPLETE = CompleteErasure(user_id=BEA)
KEEP = DeclineErasure(user_id=BEA, code="has_money")
STAYS = ErasureDeclined(user_id=BEA, code="has_money")
ERASE = EraseUser(user_id=BEA)
ERASED = UserErased(user_id=BEA, erased_on=TODAY)

KNOWN = (REGISTERED, VERIFIED)
OWNERLESS = replace(REGISTERED, owner=None)
BY_ANN = replace(RELATED, by_other=True)
APPLYING = (*KNOWN, replace(CONFIRMED, related=()))
BORROWING = (*KNOWN, reserved())
GOING = (*KNOWN, LEAVING)
NOBODY = (REGISTERED, LEAVING, ERASED)


def over_cap(amount_fen: int, exposure_fen: int, **other: Any) -> ExposureDeclined:
    """The second loan does not fit."""
    fields: dict[str, Any] = {
        "user_id": BEA,
        "application_id": "app_2",
        "loan_id": "loan_2",
        "amount_fen": amount_fen,
        "exposure_fen": exposure_fen,
        "cap_fen": 200_000_00,
        "code": "exposure_cap_exceeded",
    }
    return ExposureDeclined(**(fields | other))


def released(amount_fen: int, reason: str) -> ExposureReleased:
    """The first loan does not count any more."""
    return ExposureReleased(
        user_id=BEA, loan_id="loan_1", amount_fen=amount_fen, exposure_after_fen=0, reason=reason
    )


def restored(more_fen: int, counts_fen: int) -> ExposureRestored:
    """The first loan counts so much again, and is all that does."""
    return ExposureRestored(
        user_id=BEA,
        loan_id="loan_1",
        amount_fen=more_fen,
        loan_exposure_after_fen=counts_fen,
        exposure_after_fen=counts_fen,
    )


SPECS = [
    Spec("somebody registers, his handler bound", (), REGISTER, (REGISTERED,)),
    Spec("once", KNOWN, REGISTER, ()),
    Spec("not as somebody else", KNOWN, replace(REGISTER, kind="organisation"), "user_exists"),
    Spec("not under an id that was erased", NOBODY, REGISTER, "user_exists"),
    Spec("as a user", (), replace(REGISTER, user_id="stf_1"), "invalid_user"),
    Spec("not by himself", (), replace(REGISTER, referrer=BEA), "invalid_referrer"),
    Spec("a customer refers", (), replace(REGISTER, referrer="stf_1"), "invalid_referrer"),
    Spec("staff own", (), replace(REGISTER, owner="usr_1"), "invalid_owner"),
    Spec("a referral names the referrer's owner", KNOWN, REFER, (ReferralCredited(user_id=BEA, referred="usr_new", owner=MAX),)),
    Spec("who is unknown refers nobody", (), REFER, ()),
    Spec("who has no owner gets one", (OWNERLESS,), BIND, (OwnerBound(user_id=BEA, owner="stf_new"),)),
    Spec("who has one keeps him", KNOWN, BIND, ()),
    Spec("a user owns nobody", (OWNERLESS,), replace(BIND, owner="usr_1"), "invalid_owner"),
    Spec("the provider confirms", (REGISTERED,), VERIFY, (VERIFIED,)),
    Spec("once", KNOWN, VERIFY, ()),
    Spec("by his card, where one was compared", (REGISTERED,), BY_CARD, (replace(VERIFIED, card_ref=CARD),)),
    Spec("another card is bound to who is verified", KNOWN, BY_CARD, (BOUND,)),
    Spec("once as well", (*KNOWN, BOUND), BY_CARD, ()),
    Spec("and it stays when no card is compared", (*KNOWN, BOUND), VERIFY, ()),
    Spec("who goes binds no card", GOING, BY_CARD, "erasure_requested"),
    Spec("somebody who is known", (), VERIFY, "unknown_user"),
    Spec("or refuses, and he may try again", (REGISTERED,), REFUSE, (VerificationFailed(user_id=BEA, provider="test", reference="ref_1", code="name_differs", failed_on=TODAY),)),
    Spec("not who is verified", KNOWN, REFUSE, "already_verified"),
    Spec("the questionnaire gives a level for a year", KNOWN, ASSESS, (ASSESSED,)),
    Spec("the same one of the same day nothing new", (*KNOWN, ASSESSED), ASSESS, ()),
    Spec("nobody unverified is assessed", (REGISTERED,), ASSESS, "not_verified"),
    Spec("every question has an answer", KNOWN, replace(ASSESS, answers=(3, 3)), "invalid_answers"),
    Spec("from one to five", KNOWN, replace(ASSESS, answers=(6,) * 8), "invalid_answers"),
    Spec("a relation is declared", KNOWN, RELATE, (RELATED,)),
    Spec("once", (*KNOWN, RELATED), RELATE, ()),
    Spec("by who answers for it with his name", (REGISTERED,), RELATE, "not_verified"),
    Spec("a relation holds both ways", KNOWN, NOTE, (BY_ANN,)),
    Spec("once", (*KNOWN, BY_ANN), NOTE, ()),
    Spec("whoever said it first", (*KNOWN, RELATED), NOTE, ()),
    Spec("and may be said by both", (*KNOWN, BY_ANN), RELATE, (RELATED,)),
    Spec("with nobody unknown", (), NOTE, ()),
    Spec("a thousand may say so", (*KNOWN, *(replace(BY_ANN, related=f"usr_{n}") for n in range(1_000))), NOTE, "too_many_relations"),
    Spec("which leaves his own word its room", (*KNOWN, *(replace(BY_ANN, related=f"usr_{n}") for n in range(1_000))), RELATE, (RELATED,)),
    Spec("and is told with the verification", (REGISTERED, BY_ANN), VERIFY, (replace(VERIFIED, related=("usr_ann",)),)),
    Spec("not with himself", KNOWN, replace(RELATE, related=BEA), "invalid_related"),
    Spec("with a user", KNOWN, replace(RELATE, related="stf_1"), "invalid_related"),
    Spec("with at most a hundred", (*KNOWN, *(replace(RELATED, related=f"usr_{n}") for n in range(100))), RELATE, "too_many_relations"),
    Spec("a verified user may apply", (*KNOWN, RELATED), CONFIRM, (CONFIRMED,)),
    Spec("another may not", (REGISTERED,), CONFIRM, (ApplicantDeclined(user_id=BEA, application_id="app_1", code="not_verified"),)),
    Spec("who is unknown gets no answer", NOBODY, CONFIRM, "unknown_user"),
    Spec("a loan counts against the cap", KNOWN, RESERVE, (reserved(),)),
    Spec("once", BORROWING, RESERVE, ()),
    Spec("one fen above the cap is declined", BORROWING, SECOND, (over_cap(100_000_01, 100_000_00),)),
    Spec("the cap itself is within", BORROWING, replace(SECOND, amount_fen=100_000_00), (reserved("loan_2", 100_000_00, 200_000_00),)),
    Spec("before the Interim Measures there was no cap", BORROWING, SECOND, (reserved("loan_2", 100_000_01, 200_000_01, cap_fen=None),), context(date(2016, 8, 23))),
    Spec("nobody unverified borrows", (REGISTERED,), SECOND, (over_cap(100_000_01, 0, code="not_verified"),)),
    Spec("nor anybody unknown", (), RESERVE, "unknown_user"),
    Spec("principal that came back does not count", BORROWING, REDUCE, (ExposureReduced(user_id=BEA, loan_id="loan_1", amount_fen=40_000_00, loan_exposure_after_fen=60_000_00, exposure_after_fen=60_000_00),)),
    Spec("all of it back is a release", BORROWING, replace(REDUCE, amount_fen=100_000_00), (released(100_000_00, "repaid"),)),
    Spec("what a correction makes owed again counts again", (*BORROWING, *REDUCED), RESTORE, (restored(40_000_00, 100_000_00),)),
    Spec("of a loan that was repaid as well", (*BORROWING, released(100_000_00, "repaid")), RESTORE, (restored(100_000_00, 100_000_00),)),
    Spec("above the cap too: it is a fact", BORROWING, replace(RESTORE, owed_fen=250_000_00), (restored(150_000_00, 250_000_00),)),
    Spec("once", BORROWING, RESTORE, ()),
    Spec("and what it makes paid does not", BORROWING, replace(RESTORE, owed_fen=60_000_00), REDUCED),
    Spec("to the last fen", BORROWING, replace(RESTORE, owed_fen=0), (released(100_000_00, "repaid"),)),
    Spec("of somebody forgotten nothing counts", (), RESTORE, ()),
    Spec("a loan without application never counted", KNOWN, replace(REDUCE, loan_id="loan_9"), ()),
    Spec("nor did that of somebody unknown", (), REDUCE, ()),
    Spec("a loan that came to nothing is released", BORROWING, RELEASE, (released(100_000_00, "listing_expired"),)),
    Spec("once", (*BORROWING, released(100_000_00, "repaid")), RELEASE, ()),
    Spec("within the cap of today the next step may be taken", BORROWING, CHECK, (KEPT,)),
    Spec("a loan that does not count is not lent", KNOWN, CHECK, (UNKNOWN_LOAN,)),
    Spec("nor to nobody", (), CHECK, (UNKNOWN_LOAN,)),
    Spec("an application that ended is not under way", APPLYING, LET_GO, (ApplicantReleased(user_id=BEA, application_id="app_1"),)),
    Spec("once", KNOWN, LET_GO, ()),
    Spec("nor is one of nobody", (), LET_GO, ()),
    Spec("who owes nothing may go: his account is asked", KNOWN, ERASE, (LEAVING,)),
    Spec("unverified too", (REGISTERED,), ERASE, (LEAVING,)),
    Spec("once", GOING, ERASE, ()),
    Spec("and never again", NOBODY, ERASE, ()),
    Spec("who owes stays", BORROWING, ERASE, "has_exposure"),
    Spec("who applies stays", APPLYING, ERASE, "has_application"),
    Spec("who was let go may", (*APPLYING, ApplicantReleased(user_id=BEA, application_id="app_1")), ERASE, (LEAVING,)),
    Spec("who was declined may", (*APPLYING, over_cap(1, 0, application_id="app_1")), ERASE, (LEAVING,)),
    Spec("who has repaid may", (*APPLYING, reserved(), released(100_000_00, "repaid")), ERASE, (LEAVING,)),
    Spec("an empty account lets him go", GOING, COMPLETE, (ERASED,)),
    Spec("once gone, gone", NOBODY, COMPLETE, ()),
    Spec("who did not ask is not forgotten", KNOWN, COMPLETE, ()),
    Spec("one that is not keeps him", GOING, KEEP, (STAYS,)),
    Spec("who did not ask is not kept", KNOWN, KEEP, ()),
    Spec("he may ask again", (*GOING, STAYS), ERASE, (LEAVING,)),
    Spec("who goes is not verified", (REGISTERED, LEAVING), VERIFY, "erasure_requested"),
    Spec("nor refused it", (REGISTERED, LEAVING), REFUSE, "erasure_requested"),
    Spec("nor assessed", GOING, ASSESS, "erasure_requested"),
    Spec("nor related", GOING, RELATE, "erasure_requested"),
    Spec("and does not apply", GOING, CONFIRM, (ApplicantDeclined(user_id=BEA, application_id="app_1", code="erasure_requested"),)),
    Spec("nor who never was", (), ERASE, "unknown_user"),
]  # fmt: skip


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{type(spec.when).__name__}: {spec.says}")
def test_user(spec: Spec) -> None:
    """Each rule about a user, in a sentence."""
    spec.check(USER)


def test_a_cap_that_came_into_force_since_approval_revokes_what_was_reserved() -> None:
    """It looks at all that counts, on the day of the question; what is revoked leaves room for the others."""
    strict = aggregate(replace(CN_P2P_2016, person_caps_fen=((date.min, 200_000_00), (TODAY, 99_999_99))))
    revoked = given(strict, *BORROWING).when(CHECK)
    revoked.then(REVOKED)
    assert isinstance(revoked.state, Verified)
    assert revoked.state.exposures == ()
    yesterday = context(TODAY - timedelta(days=1))
    given(strict, *BORROWING).when(CHECK, yesterday).then(KEPT)
    two = (*BORROWING, reserved("loan_2", 40_000_00, 140_000_00))
    given(strict, *two).when(CHECK).then(replace(REVOKED, exposure_after_fen=40_000_00))
    free = aggregate(DEMO)
    given(free, *two).when(CHECK).then(replace(KEPT, exposure_fen=140_000_00, cap_fen=None))


def test_organisations_have_their_own_cap() -> None:
    """A million for an organisation where a person has two hundred thousand; the demo has no cap at all."""
    firm = (replace(REGISTERED, kind="organisation"), replace(VERIFIED, kind="organisation"))
    million = replace(RESERVE, amount_fen=1_000_000_00)
    given(USER, *firm).when(million).then(
        reserved(amount_fen=1_000_000_00, after_fen=1_000_000_00, cap_fen=1_000_000_00)
    )
    [declined] = given(USER, *firm).when(replace(million, amount_fen=1_000_000_01)).events
    assert declined.code == "exposure_cap_exceeded"
    [free] = given(aggregate(DEMO), *firm).when(replace(million, amount_fen=10**12)).events
    assert free.cap_fen is None


@pytest.mark.parametrize(("answer", "level"), [(1, "C1"), (2, "C2"), (3, "C3"), (4, "C4"), (5, "C5")])
def test_levels_follow_the_answers(answer: int, level: str) -> None:
    """Somebody of one mind in every question has that level."""
    [assessed] = given(USER, *KNOWN).when(replace(ASSESS, answers=(answer,) * 8)).events
    assert assessed.level == level


def test_an_assessment_ends_with_its_last_day() -> None:
    """It wakes on the last day, not before, and a new one moves the day."""
    assessed = given(USER, *KNOWN, ASSESSED)
    assert USER.wake_on(assessed.state) == (VALID_TO, 5)
    lapsed = SuitabilityLapsed(user_id=BEA, level="C3", lapsed_on=VALID_TO)
    assessed.when(Wake(business_date=VALID_TO, phase=5), context(VALID_TO)).then(lapsed)
    assessed.when(Wake(business_date=VALID_TO - timedelta(days=1), phase=5)).then_nothing()
    again = replace(ASSESSED, assessed_on=VALID_TO, valid_to=VALID_TO + timedelta(days=365))
    assert USER.wake_on(fold(USER, [*KNOWN, ASSESSED, again])) == (VALID_TO + timedelta(days=365), 5)
    assert USER.wake_on(fold(USER, [*KNOWN, ASSESSED, lapsed])) is None


AMOUNTS = st.integers(1, 150_000_00)
LOANS = st.sampled_from(["loan_1", "loan_2", "loan_3"])
COMMANDS = st.one_of(
    st.builds(
        ReserveExposure,
        user_id=st.just(BEA),
        application_id=st.just("app_1"),
        loan_id=LOANS,
        amount_fen=AMOUNTS,
    ),
    st.builds(ReduceExposure, user_id=st.just(BEA), loan_id=LOANS, amount_fen=AMOUNTS),
    st.builds(ReleaseExposure, user_id=st.just(BEA), loan_id=LOANS, reason=st.just("repaid")),
)


@settings(max_examples=80, deadline=None)
@examples(st.lists(COMMANDS, max_size=12))
def test_nobody_ever_owes_more_than_the_cap(commands: list[Any]) -> None:
    """Whatever is reserved, reduced and released: the sum stays under the cap, and every event says the sum."""
    state = fold(USER, KNOWN)
    for command in commands:
        events = decided(USER, state, command, context())
        assert not isinstance(events, str)
        state = fold(USER, events, state)
        assert 0 <= state.exposure_fen <= 200_000_00
        for event in events:
            if not isinstance(event, ExposureDeclined):
                assert event.exposure_after_fen == state.exposure_fen

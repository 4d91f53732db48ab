"""Red line 3: the platform knows which customers are its staff, or related to them, and says so of every loan that they ask for."""

from dataclasses import replace

import pytest

import services.onboarding.domain.staff as staff
from libs.events.onboarding import ErasureRequested, RelationDeclared, StaffTieRecorded, UserErased
from services.onboarding.commands import (
    ConfirmExposure,
    DeclareRelation,
    MeetPrecedents,
    RecordRelation,
    RecordStaffTie,
)
from services.onboarding.domain.application import aggregate as application
from services.onboarding.domain.profile import CN_P2P_2016
from services.onboarding.domain.user import aggregate
from services.onboarding.policies import on_onboarding
from tests.unit.documents import history
from tests.unit.given import TODAY, context, given
from tests.unit.onboarding import stories as s
from tests.unit.onboarding.stories import BEA, REGISTERED, VERIFIED, Spec
from tests.unit.onboarding.test_staff import ADMIN, APPOINT, APPOINTED, DISMISSED

USER = aggregate(CN_P2P_2016)
IS_STAFF = RecordStaffTie(user_id=BEA, staff_id="stf_bea", himself=True)
KIN = RecordStaffTie(user_id=BEA, staff_id="stf_ria", himself=False)
TIED = StaffTieRecorded(user_id=BEA, staff_id="stf_bea", himself=True)
KINSHIP = StaffTieRecorded(user_id=BEA, staff_id="stf_ria", himself=False)
KNOWN = (REGISTERED, VERIFIED)
TO_ANN = RelationDeclared(user_id=BEA, related="usr_ann")
BY_CEM = RelationDeclared(user_id=BEA, related="usr_cem", by_other=True)
GONE = (
    REGISTERED,
    ErasureRequested(user_id=BEA, requested_on=TODAY),
    UserErased(user_id=BEA, erased_on=TODAY),
)
SPECS = [
    Spec("a user is staff", KNOWN, IS_STAFF, (TIED,)),
    Spec("once", (*KNOWN, TIED), IS_STAFF, ()),
    Spec("which may be known before he comes", (), IS_STAFF, (TIED,)),
    Spec("and is known then", (TIED, REGISTERED), IS_STAFF, ()),
    Spec("related to another of the staff, too", (TIED, *KNOWN), KIN, (KINSHIP,)),
    Spec(
        "those who are related to him hear of it",
        (*KNOWN, TO_ANN, BY_CEM, replace(BY_CEM, related="usr_ann")),
        IS_STAFF,
        (replace(TIED, related=("usr_ann", "usr_cem")),),
    ),
    Spec("of him, not of his kin", (*KNOWN, TO_ANN), KIN, (KINSHIP,)),
    Spec(
        "and whoever is related to him later",
        (*KNOWN, TIED),
        DeclareRelation(user_id=BEA, related="usr_ann"),
        (replace(TO_ANN, staff=("stf_bea",)),),
    ),
    Spec(
        "by his own word, too",
        (*KNOWN, TIED),
        RecordRelation(user_id=BEA, related="usr_cem"),
        (replace(BY_CEM, staff=("stf_bea",)),),
    ),
    Spec("nobody is told of somebody's kin", (*KNOWN, KINSHIP), DeclareRelation(user_id=BEA, related="usr_ann"), (TO_ANN,)),
    Spec("who is forgotten has no ties", GONE, IS_STAFF, ()),
]  # fmt: skip


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.says)
def test_ties_with_staff(spec: Spec) -> None:
    """Each rule about who knows himself near to the staff, in a sentence."""
    spec.check(USER)


STAFF_SPECS = [
    Spec("an appointment may name the user", (), replace(APPOINT, user_id=BEA), (replace(APPOINTED, user_id=BEA),), ADMIN),
    Spec("once", (replace(APPOINTED, user_id=BEA),), replace(APPOINT, user_id=BEA), (), ADMIN),
    Spec("later, too", (APPOINTED,), replace(APPOINT, user_id=BEA), (replace(APPOINTED, user_id=BEA),), ADMIN),
    Spec("what is known stays", (replace(APPOINTED, user_id=BEA),), APPOINT, (), ADMIN),
    Spec("for whoever comes back", (replace(APPOINTED, user_id=BEA), DISMISSED), APPOINT, (replace(APPOINTED, user_id=BEA),), ADMIN),
    Spec("nobody becomes somebody else", (replace(APPOINTED, user_id=BEA),), replace(APPOINT, user_id="usr_ann"), "user_differs", ADMIN),
    Spec("nor something else", (), replace(APPOINT, user_id="stf_bea"), "invalid_user", ADMIN),
]  # fmt: skip


@pytest.mark.parametrize("spec", STAFF_SPECS, ids=lambda spec: spec.says)
def test_appointments_name_users(spec: Spec) -> None:
    """Who of the staff is which customer is said once."""
    spec.check(staff.AGGREGATE)


def test_the_mark_reaches_the_listing() -> None:
    """The borrower's stream is asked when it counts, and what it answers stands in what bidding lists."""
    confirm = ConfirmExposure(user_id=BEA, application_id="app_1", loan_id="loan_1", step="precedents")
    (kept,) = given(USER, *KNOWN, s.reserved(), KINSHIP).when(confirm, context()).events
    assert kept.related_to_staff
    (send,) = on_onboarding(history(BEA, kept)[0])
    assert isinstance(send.command, MeetPrecedents)
    assert send.command.related_to_staff
    checked = s.AT_CAP_CHECK
    met = replace(s.MET, exposure_fen=send.command.exposure_fen, related_to_staff=True)
    given(application(CN_P2P_2016), *checked).when(send.command, context()).then(met)


def test_a_tie_needs_no_open_calendar() -> None:
    """Staff are appointed before the first business day, and no tie of theirs is refused for it; whatever else a user asks, is."""
    assert staff.AGGREGATE.dateless
    assert USER.dateless_commands == (RecordStaffTie,)

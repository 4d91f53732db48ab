"""The views of onboarding say where people and applications stand, whatever order the streams come in."""

from dataclasses import replace
from typing import get_args

from libs.events.onboarding import (
    ErasureDeclined,
    ErasureRequested,
    ExposureReleased,
    ExposureRevoked,
    OwnerBound,
    RelationDeclared,
    StaffAppointed,
    StaffDismissed,
    SuitabilityAssessed,
    UserErased,
    VerificationFailed,
)
from libs.events.staff import staff_view
from services.onboarding.projections import VIEWS
from services.onboarding.projections.applications import LISTING, READS, Stage
from services.onboarding.projections.applications import VIEW as APPLICATIONS
from services.onboarding.projections.pipeline import STAGES
from services.onboarding.projections.pipeline import VIEW as PIPELINE
from services.onboarding.projections.users import VIEW as USERS
from tests.unit.documents import documents, history, turn_about
from tests.unit.given import TODAY
from tests.unit.onboarding import stories as s
from tests.unit.onboarding.policy_story import CANCELLED, EXPIRED, REFUSED
from tests.unit.onboarding.test_guarantee import REQUESTED

USER = history(
    s.BEA,
    replace(s.REGISTERED, owner=None),
    OwnerBound(user_id=s.BEA, owner=s.MAX),
    VerificationFailed(user_id=s.BEA, provider="test", reference="r", code="name_differs", failed_on=TODAY),
    s.VERIFIED,
    RelationDeclared(user_id=s.BEA, related="usr_ann"),
    SuitabilityAssessed(user_id=s.BEA, level="C3", assessed_on=TODAY, valid_to=s.IN_30_DAYS),
    s.reserved(),
)
LISTED = history("app_1", *s.LISTABLE)
ENDS = ("declined", "rejected", "terms_declined", "lapsed")
OTHER = history("app_2", replace(s.SUBMITTED, application_id="app_2", loan_id="loan_2"))


def test_a_user_is_shown_by_codes() -> None:
    """State, owner, level and exposure; nothing that names him."""
    shown = documents(USERS, USER)[s.BEA]
    sources = {field: value for field, value in shown.items() if field.startswith("src.")}
    assert len(sources) == 1
    assert {field: value for field, value in shown.items() if field not in sources} == {
        "user_id": s.BEA,
        "state": "verified",
        "kind": "person",
        "region": "CN-31",
        "referrer": None,
        "owner": s.MAX,
        "verified_on": "2024-03-15",
        "suitability": "C3",
        "suitability_valid_to": "2024-04-14",
        "exposure_fen": 100_000_00,
        "cap_fen": 200_000_00,
        "relations": 1,
        "failed_verifications": 1,
        "erasure": None,
    }


def test_a_forgotten_user_stays_as_an_id() -> None:
    """Who is erased owes nothing and is shown as erased."""
    end = (
        ExposureReleased(
            user_id=s.BEA, loan_id="loan_1", amount_fen=1, exposure_after_fen=0, reason="repaid"
        ),
        UserErased(user_id=s.BEA, erased_on=TODAY),
    )
    shown = documents(USERS, history(s.BEA, s.REGISTERED, s.VERIFIED, s.reserved(), *end))[s.BEA]
    assert (shown["state"], shown["exposure_fen"]) == ("erased", 0)


def test_whoever_wants_to_leave_is_shown_how_far_it_is() -> None:
    """Asked, then why not, then asked again; what he owed and lost by a cap does not count."""
    asked = ErasureRequested(user_id=s.BEA, requested_on=TODAY)
    kept = ErasureDeclined(user_id=s.BEA, code="has_money")
    shown = [
        documents(USERS, history(s.BEA, s.REGISTERED, *said))[s.BEA]["erasure"]
        for said in ((asked,), (asked, kept), (asked, kept, asked))
    ]
    assert shown == ["requested", "has_money", "requested"]
    revoked = ExposureRevoked(
        user_id=s.BEA,
        application_id="app_1",
        loan_id="loan_1",
        amount_fen=100_000_00,
        exposure_after_fen=0,
        cap_fen=1,
        code="exposure_cap_exceeded",
        step="funding",
    )
    owed = documents(USERS, history(s.BEA, s.REGISTERED, s.VERIFIED, s.reserved(), revoked))[s.BEA]
    assert owed["exposure_fen"] == 0
    stranger = replace(revoked, user_id="usr_nobody", amount_fen=0, code="exposure_unknown")
    assert documents(USERS, history("usr_nobody", stranger)) == {}


def test_an_application_shows_its_stage_terms_and_signatures() -> None:
    """Every gate's signer stands there; the terms are those that were offered."""
    shown = documents(APPLICATIONS, LISTED)["app_1"]
    assert shown["stage"] == "listable"
    assert shown["terms"]["annual_rate"] == "0.12"
    assert shown["lapses_on"] is None
    assert {field.removeprefix("signed."): value for field, value in shown.items() if "signed." in field} == {
        "intake": s.MAX,
        "interview": s.MAX,
        "review": s.RIA,
        "report": s.RIA,
        "convene": s.RIA,
        "general_manager": s.GM,
        "risk_assessor": s.RA,
        "finance_supervisor": s.FS,
        "precedents": s.LEO,
    }


def test_each_end_and_each_pause_has_its_stage() -> None:
    """Returned and conditional say until when; an end says why where there is a code."""
    returned = documents(APPLICATIONS, history("app_1", *s.AT_INTAKE, s.RETURNED))["app_1"]
    assert (returned["stage"], returned["wanting"], returned["lapses_on"]) == (
        "returned",
        ["credit_report"],
        "2024-04-14",
    )
    resubmitted = documents(APPLICATIONS, history("app_1", *s.AT_INTAKE, s.RETURNED, s.RESUBMITTED))["app_1"]
    assert (resubmitted["stage"], resubmitted["wanting"]) == ("intake", [])
    conditional = documents(APPLICATIONS, history("app_1", *s.WITH_CONDITIONS, s.FULFILLED))["app_1"]
    assert (conditional["stage"], conditional["open_conditions"]) == ("conditional", 1)
    for end, stage in (
        (s.declined("age", "at_review"), "declined"),
        (s.REJECTED, "rejected"),
        (s.TERMS_DECLINED, "terms_declined"),
        (s.lapsed("approved", 1), "lapsed"),
    ):
        shown = documents(APPLICATIONS, history("app_1", *s.TERMS_OFFERED, end))["app_1"]
        assert (shown["stage"], shown["lapses_on"]) == (stage, None)


def test_a_queue_is_asked_for_by_a_stage_that_there_is() -> None:
    """The list of stages by which applications are narrowed down is that of the stages which they come to."""
    ways = [
        s.LISTABLE,
        (*s.AT_CAP_CHECK, REQUESTED),
        (*s.AT_INTAKE, s.RETURNED),
        (*s.WITH_CONDITIONS, s.FULFILLED),
        *((s.SUBMITTED, end) for end in (s.declined("age", "at_review"), s.REJECTED, s.TERMS_DECLINED)),
        (s.SUBMITTED, s.lapsed("approved", 1)),
    ]
    seen = {
        documents(APPLICATIONS, history("app_1", *way[:steps]))["app_1"]["stage"]
        for way in ways
        for steps in range(1, len(way) + 1)
    }
    assert seen == {*get_args(Stage)}


def test_every_event_of_an_application_is_shown() -> None:
    """No event of the aggregate is missing in the view."""
    from services.onboarding.domain.application import aggregate
    from services.onboarding.domain.profile import DEMO

    assert {*aggregate(DEMO).events} == {*READS} - {*LISTING}


def test_an_application_shows_what_became_of_its_listing() -> None:
    """Refused, expired or cancelled with its reason, whatever order the two streams come in; one listed by hand is of none."""
    ends = [
        (EXPIRED, {"listing.state": "expired"}),
        (CANCELLED, {"listing.state": "cancelled", "listing.code": "rejected"}),
        (REFUSED, {"listing.state": "refused", "listing.code": "rejected"}),
    ]
    for end, shown in ends:
        listing = history("lst_1", end)
        document = documents(APPLICATIONS, [*LISTED, *listing])["app_1"]
        assert {field: value for field, value in document.items() if "listing." in field} == shown
        assert documents(APPLICATIONS, [*listing, *LISTED]) == documents(APPLICATIONS, [*LISTED, *listing])
    assert documents(APPLICATIONS, history("lst_1", replace(EXPIRED, application_id=""))) == {}


def test_the_pipeline_counts_the_applications_that_have_reached_a_stage() -> None:
    """Two submitted, one listable with its amount; streams may come in any order, and the rows say the same."""
    streams = (USER, LISTED, OTHER)
    counted = documents(PIPELINE, [event for stream in streams for event in stream])
    assert counted == documents(PIPELINE, turn_about(*streams))
    reached = {
        "reached.submitted": 2,
        "reached.interviewed": 1,
        "reached.eligible": 1,
        "reached.investigated": 1,
        "reached.agreed": 1,
        "reached.approved": 1,
        "reached.accepted": 1,
        "reached.listable": 1,
    }
    nobody = dict.fromkeys((f"reached.{end}" for end in ENDS), 0)
    assert counted == {
        "all": reached | nobody | {"listable_fen": 90_000_00},
        "2024-03-15": reached | {"listable_fen": 90_000_00},
    }
    rows = documents(APPLICATIONS, [*LISTED, *OTHER]).values()
    assert {f"reached.{stage}" for stage in STAGES.values()} == reached.keys() | nobody.keys()
    for field, number in (reached | nobody).items():
        assert sum(field in row for row in rows) == number, field


def test_an_application_names_the_event_by_which_it_reached_a_stage() -> None:
    """The papers that came back are no stage; the end is one."""
    told = history("app_1", *s.AT_INTAKE, s.RETURNED, s.RESUBMITTED, s.lapsed("intake", 1))
    shown = documents(APPLICATIONS, told)["app_1"]
    assert {field: value for field, value in shown.items() if field.startswith("reached.")} == {
        "reached.submitted": told[0].address,
        "reached.lapsed": told[-1].address,
    }


def test_staff_who_left_have_no_roles() -> None:
    """An appointment shows the roles, a dismissal none."""
    appointed = StaffAppointed(staff_id=s.RIA, roles=("risk",), region=None)
    dismissed = StaffDismissed(staff_id=s.RIA, roles=("risk",), region=None)
    assert documents(staff_view("onboarding"), history(s.RIA, appointed))[s.RIA]["roles"] == ["risk"]
    left = documents(staff_view("onboarding"), history(s.RIA, appointed, dismissed))[s.RIA]
    assert (left["state"], left["roles"]) == ("dismissed", [])


def test_views_have_names_of_their_own() -> None:
    """Four views of this service."""
    assert [view.name for view in VIEWS] == [
        "onboarding.users",
        "onboarding.applications",
        "onboarding.pipeline",
        "onboarding.staff",
    ]

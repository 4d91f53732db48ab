"""Each event is answered by its next commands, and every decline by the command that undoes."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from libs.events.bidding import (
    AccountClosed,
    AccountClosureDeclined,
    FundingRequested,
    ListingCancelled,
    ListingExpired,
    ListingRefused,
)
from libs.events.codec import decode_object, name_of
from libs.events.onboarding import (
    ApplicantDeclined,
    ErasureRequested,
    ExposureConfirmed,
    ExposureDeclined,
    ExposureRevoked,
    ReferralCredited,
    RelationDeclared,
)
from libs.events.repayment import LoanRepaid, PaymentReceived
from libs.events.sagas import Saga, Send, Step
from libs.events.system import CommandHadNoEffect, CommandRefused
from services.onboarding.commands import (
    ApproveApplication,
    BindOwner,
    CompleteErasure,
    ConfirmApplicant,
    ConfirmExposure,
    CreditReferral,
    DeclineApplicant,
    DeclineErasure,
    DeclineExposure,
    FailPrecedents,
    MeetPrecedents,
    RecordApplicant,
    RecordRelation,
    RecordStaffTie,
    ReduceExposure,
    ReleaseApplicant,
    ReleaseExposure,
    ReserveExposure,
)
from services.onboarding.domain import aggregates
from services.onboarding.domain.profile import CN_P2P_2016, DEMO, PRECEDENTS
from services.onboarding.domain.terms import hash_of
from services.onboarding.policies import POLICIES, SAGAS
from tests.unit.documents import recorded
from tests.unit.given import context, decided, fold
from tests.unit.onboarding import stories as s
from tests.unit.onboarding import test_guarantee, test_staff, test_staff_tie, test_user
from tests.unit.onboarding.test_user import released

ABOUT = {"application_id": "app_1"}
ASKED_WHO = Send("applicant", s.BEA, ConfirmApplicant(user_id=s.BEA, application_id="app_1"), ABOUT)
UNKNOWN = CommandRefused(
    command_type="onboarding.ConfirmApplicant", code="unknown_user", stream_id=s.BEA, about=ABOUT
)
FORGOTTEN = replace(UNKNOWN, command_type="onboarding.ReserveExposure")
NO_ROOM = ExposureDeclined(
    user_id=s.BEA,
    application_id="app_1",
    loan_id="loan_1",
    amount_fen=90_000_00,
    exposure_fen=150_000_00,
    cap_fen=200_000_00,
    code="exposure_cap_exceeded",
)
#: As bidding writes them: with more than is read here.
ENDED: dict[str, Any] = {
    "listing_id": "lst_1",
    "loan_id": "loan_1",
    "borrower": s.BEA,
    "application_id": "app_1",
    "amount_fen": 90_000_00,
    "expired_on": "2024-03-25",
    "cancelled_on": "2024-03-25",
    "code": "rejected",
    "bids": [],
}
EXPIRED: ListingExpired = decode_object(ListingExpired, ENDED)
CANCELLED: ListingCancelled = decode_object(ListingCancelled, ENDED)
REFUSED: ListingRefused = decode_object(ListingRefused, ENDED)
OLD = ListingExpired(listing_id="lst_1", expired_on=date(2024, 3, 25), bids=())
PAID = PaymentReceived(
    loan_id="loan_1",
    borrower=s.BEA,
    payment_id="pay_1",
    amount_fen=8_000_00,
    value_date=date(2024, 4, 15),
    allocation=(),
    early=False,
    bucket="current",
    principal_before_fen=90_000_00,
    principal_after_fen=83_000_00,
    overdue_after_fen=0,
)
REPAID = LoanRepaid(loan_id="loan_1", borrower=s.BEA, repaid_on=date(2025, 3, 15), early=False)


RECHECKED: dict[str, Any] = {
    "user_id": s.BEA,
    "application_id": "app_1",
    "loan_id": "loan_1",
    "cap_fen": 200_000_00,
    "step": "precedents",
}
CAPS_KEPT = ExposureConfirmed(exposure_fen=90_000_00, **RECHECKED)
CAPS_BROKEN = ExposureRevoked(
    amount_fen=90_000_00, exposure_after_fen=0, code="exposure_cap_exceeded", **RECHECKED
)
TO_FUND = FundingRequested(
    listing_id="lst_1", loan_id="loan_1", borrower=s.BEA, application_id="app_1", amount_fen=90_000_00
)


def confirm(step: Any) -> list[Send]:
    """Bea's caps are looked at again."""
    again = ConfirmExposure(user_id=s.BEA, application_id="app_1", loan_id="loan_1", step=step)
    return [Send("confirm", s.BEA, again)]


LET_GO = [Send("ended", s.BEA, ReleaseApplicant(user_id=s.BEA, application_id="app_1"))]


def release(reason: str) -> list[Send]:
    """Bea's first loan does not count any more."""
    return [Send("release", s.BEA, ReleaseExposure(user_id=s.BEA, loan_id="loan_1", reason=reason))]


def declined_exposure(code: str) -> list[Send]:
    """The application hears that there is no room."""
    return [Send("reserved", "app_1", DeclineExposure(application_id="app_1", code=code))]


def kin_of(slot: str) -> Send:
    """Ann hears that she is related to staff."""
    return Send(slot, "usr_ann", RecordStaffTie(user_id="usr_ann", staff_id="stf_bea", himself=False))


ANSWERS: list[tuple[str, Any, list[Send]]] = [
    *test_guarantee.ANSWERS,
    ("onboarding", s.REGISTERED, []),
    (
        "onboarding",
        replace(s.REGISTERED, referrer="usr_ann"),
        [Send("referral", "usr_ann", CreditReferral(user_id="usr_ann", referred=s.BEA))],
    ),
    (
        "onboarding",
        ReferralCredited(user_id="usr_ann", referred=s.BEA, owner=s.MAX),
        [Send("owner", s.BEA, BindOwner(user_id=s.BEA, owner=s.MAX))],
    ),
    ("onboarding", ReferralCredited(user_id="usr_ann", referred=s.BEA, owner=None), []),
    (
        "onboarding",
        RelationDeclared(user_id=s.BEA, related="usr_ann"),
        [Send("relation", "usr_ann", RecordRelation(user_id="usr_ann", related=s.BEA))],
    ),
    ("onboarding", s.SUBMITTED, [ASKED_WHO]),
    (
        "onboarding",
        s.CONFIRMED,
        [
            Send(
                "applicant",
                "app_1",
                RecordApplicant(
                    application_id="app_1", kind="person", region="CN-31", owner=s.MAX, related=("usr_ann",)
                ),
            )
        ],
    ),
    (
        "onboarding",
        ApplicantDeclined(user_id=s.BEA, application_id="app_1", code="not_verified"),
        [Send("applicant", "app_1", DeclineApplicant(application_id="app_1", code="not_verified"))],
    ),
    (
        "onboarding",
        UNKNOWN,
        [Send("applicant", "app_1", DeclineApplicant(application_id="app_1", code="unknown_user"))],
    ),
    (
        "onboarding",
        s.ASKED,
        [
            Send(
                "reserve",
                s.BEA,
                ReserveExposure(
                    user_id=s.BEA, application_id="app_1", loan_id="loan_1", amount_fen=90_000_00
                ),
                ABOUT,
            )
        ],
    ),
    (
        "onboarding",
        s.reserved(),
        [
            Send(
                "reserved",
                "app_1",
                ApproveApplication(application_id="app_1", owner=s.MAX, related=()),
            )
        ],
    ),
    ("onboarding", NO_ROOM, declined_exposure("exposure_cap_exceeded")),
    ("onboarding", FORGOTTEN, declined_exposure("unknown_user")),
    ("onboarding", replace(FORGOTTEN, about={}), []),
    ("onboarding", replace(FORGOTTEN, command_type="onboarding.CastVote"), []),
    ("onboarding", s.TERMS_DECLINED, release("terms_declined")),
    ("onboarding", s.lapsed("approved", 90_000_00), release("application_lapsed")),
    ("onboarding", s.lapsed("returned"), LET_GO),
    ("onboarding", s.REJECTED, LET_GO),
    ("onboarding", s.declined("age", "at_review", s.RIA), LET_GO),
    ("onboarding", RelationDeclared(user_id=s.BEA, related="usr_ann", by_other=True), []),
    (
        "onboarding",
        RelationDeclared(user_id=s.BEA, related="usr_ann", by_other=True, staff=("stf_bea",)),
        [kin_of("staff:stf_bea")],
    ),
    (
        "onboarding",
        RelationDeclared(user_id=s.BEA, related="usr_ann", staff=("stf_bea",)),
        [
            Send("relation", "usr_ann", RecordRelation(user_id="usr_ann", related=s.BEA)),
            kin_of("staff:stf_bea"),
        ],
    ),
    ("onboarding", test_staff.APPOINTED, []),
    (
        "onboarding",
        replace(test_staff.APPOINTED, user_id=s.BEA),
        [Send("himself", s.BEA, RecordStaffTie(user_id=s.BEA, staff_id="stf_ria", himself=True))],
    ),
    ("onboarding", replace(test_staff_tie.TIED, related=("usr_ann",)), [kin_of("staff:usr_ann")]),
    ("onboarding", test_staff_tie.KINSHIP, []),
    ("onboarding", s.SEEN, confirm("precedents")),
    (
        "onboarding",
        CAPS_KEPT,
        [Send("caps", "app_1", MeetPrecedents(application_id="app_1", exposure_fen=90_000_00))],
    ),
    ("onboarding", replace(CAPS_KEPT, step="funding"), []),
    (
        "onboarding",
        CAPS_BROKEN,
        [Send("caps", "app_1", FailPrecedents(application_id="app_1", code="exposure_cap_exceeded"))],
    ),
    ("onboarding", replace(CAPS_BROKEN, step="funding"), []),
    ("onboarding", ErasureRequested(user_id=s.BEA, requested_on=date(2024, 3, 15)), []),
    ("bidding", TO_FUND, confirm("funding")),
    (
        "bidding",
        AccountClosed(account_id="acc_bea", owner=s.BEA, closed_on=date(2024, 3, 15)),
        [Send("erasure", s.BEA, CompleteErasure(user_id=s.BEA))],
    ),
    (
        "bidding",
        AccountClosureDeclined(account_id="acc_bea", owner=s.BEA, code="has_money"),
        [Send("erasure", s.BEA, DeclineErasure(user_id=s.BEA, code="has_money"))],
    ),
    ("onboarding", s.MET, []),
    ("bidding", EXPIRED, release("listing_expired")),
    ("bidding", OLD, []),
    ("bidding", CANCELLED, release("listing_cancelled")),
    ("bidding", REFUSED, release("listing_refused")),
    ("bidding", CommandHadNoEffect(command_type="bidding.OpenAccount", stream_id="acc_bea"), []),
    (
        "repayment",
        PAID,
        [Send("reduce", s.BEA, ReduceExposure(user_id=s.BEA, loan_id="loan_1", amount_fen=7_000_00))],
    ),
    ("repayment", replace(PAID, principal_after_fen=90_000_00), []),
    ("repayment", REPAID, release("repaid")),
    ("repayment", CommandHadNoEffect(command_type="repayment.OpenLoan", stream_id="loan_1"), []),
]


@pytest.mark.parametrize(("source", "event", "sends"), ANSWERS)
def test_each_event_is_answered(source: str, event: Any, sends: list[Send]) -> None:
    """An event's commands are these, to these streams, in slots of their own; other events are nobody's business here."""
    answer = POLICIES[source](recorded(event, service=source))
    assert answer == sends
    assert len({send.slot for send in answer}) == len(answer)


def answered(saga: Saga, kind: type) -> list[list[type]]:
    """The types of the commands that each event of a type is answered with, where it concerns the saga at all."""
    wanted = {name_of(refused) for refused in saga.expected_refusals}
    wanted |= {"repayment.ReserveGuarantee"} if saga.name == "guarantee" else set()

    def concerns(event: Any, sends: list[Send]) -> bool:
        return not isinstance(event, CommandRefused) or (bool(sends) and event.command_type in wanted)

    return [
        [type(send.command) for send in sends]
        for _, event, sends in ANSWERS
        if type(event) is kind and concerns(event, sends)
    ]


@pytest.mark.parametrize(
    ("saga", "step"),
    [(saga, step) for saga in SAGAS for step in saga.steps],
    ids=lambda part: str(getattr(part, "name", "")),
)
def test_each_step_sends_its_command_and_each_decline_its_compensation(saga: Saga, step: Step) -> None:
    """The saga tables are what the policies do: the step's event sends its command, a decline sends what undoes it."""
    assert any(step.send in commands for commands in answered(saga, step.on))
    for declined in step.declined_by:
        assert step.compensation is not None
        compensations = answered(saga, declined)
        assert compensations
        assert all(step.compensation in commands for commands in compensations)


def test_the_sagas_cover_every_command_that_a_policy_sends() -> None:
    """No policy sends a command that no saga's table names, and all of them are commands of this service's aggregates."""
    sent = {type(send.command) for _, _, sends in ANSWERS for send in sends}
    named = {kind for saga in SAGAS for step in saga.steps for kind in (step.send, step.compensation) if kind}
    declared = {kind for aggregate in aggregates(DEMO) for kind in aggregate.commands}
    assert sent == named
    assert sent <= declared


@pytest.mark.parametrize("saga", SAGAS, ids=lambda saga: saga.name)
def test_every_expected_refusal_is_handled(saga: Saga) -> None:
    """A refusal that a saga expects does not alarm, so it must be undone: its step is declined by CommandRefused."""
    for refused in saga.expected_refusals:
        steps = [step for step in saga.steps if step.send is refused]
        assert steps
        assert all(CommandRefused in step.declined_by for step in steps)


def test_what_opens_a_saga_and_what_closes_it_share_their_key() -> None:
    """A saga that an event opened is closed by the event that ends the same thing."""
    pairs = [
        ("applicant", s.SUBMITTED, s.RECORDED),
        ("applicant", s.SUBMITTED, s.declined("not_verified", "submitted")),
        ("approval", s.ASKED, s.APPROVED),
        ("approval", s.ASKED, s.declined("exposure_cap_exceeded", "at_reservation")),
        ("recheck", s.SEEN, s.MET),
        ("recheck", s.SEEN, s.declined("exposure_cap_exceeded", "at_cap_check")),
        ("erasure", test_user.LEAVING, test_user.ERASED),
        ("erasure", test_user.LEAVING, test_user.STAYS),
        ("release", s.TERMS_DECLINED, released(1, "terms_declined")),
    ]
    by_name = {saga.name: saga for saga in SAGAS}
    for name, opening, closing in pairs:
        saga = by_name[name]
        assert saga.opened_by[type(opening)](opening) == saga.closed_by[type(closing)](closing)
    opens = by_name["release"].opened_by[type(s.lapsed("approved", 1))]
    assert opens(s.lapsed("approved", 1)) == ("loan_1",)
    assert opens(s.lapsed("returned")) == ()


class Town:
    """Onboarding's streams with its policies between them: every command's events are answered until all is quiet."""

    def __init__(self) -> None:
        self.kinds = {aggregate.prefix: aggregate for aggregate in aggregates(CN_P2P_2016)}
        self.states: dict[str, Any] = {}
        self.said: list[Any] = []

    def tell(self, stream: str, command: Any, who: str = "") -> str | None:
        """Decide a command and all that follows. Returns the code of its refusal."""
        kind = self.kinds[stream.split("_")[0]]
        decision = decided(kind, self.states.get(stream, kind.initial), command, context(principal=who))
        if isinstance(decision, str):
            return decision
        self.states[stream] = fold(kind, decision, self.states.get(stream))
        self.said += decision
        for event in decision:
            self.hear("onboarding", event)
        return None

    def hear(self, source: str, event: Any) -> None:
        """An event reaches the policies."""
        for send in POLICIES[source](recorded(event, service=source)):
            code = self.tell(send.stream_id, send.command)
            if code is not None:
                about = dict(send.about)
                refused = CommandRefused(
                    command_type=name_of(type(send.command)), code=code, stream_id=send.stream_id, about=about
                )
                self.hear("onboarding", refused)


def test_the_whole_way_from_registration_to_a_listing_and_back() -> None:
    """A verified user's application is approved with its exposure reserved, listed, expires, and the cap is free again."""
    town = Town()
    for event in (s.REGISTERED, s.VERIFIED):
        town.states[s.BEA] = fold(town.kinds["usr"], [event], town.states.get(s.BEA))
    steps = [
        (s.BEA, s.SUBMIT),
        (s.MAX, _of("CheckIntake")),
        (s.MAX, _of("RecordInterview", repayment_source="salary", record="note_1")),
        (s.RIA, _of("ReviewEligibility", is_eligible=True)),
        (s.RIA, s.REPORT),
        (s.RIA, s.CONVENE),
        (s.GM, s.cast("general_manager")),
        (s.RA, s.cast("risk_assessor")),
        (s.FS, s.cast("finance_supervisor")),
        (s.BEA, _of("AcceptTerms", text_hash=hash_of(s.TERMS_TEXT), evidence="sign_1")),
        (s.LEO, _of("ConfirmPrecedents", checks=PRECEDENTS)),
    ]
    for who, command in steps:
        assert town.tell("app_1", command, who) is None
    assert town.states["app_1"].kind == "ready"
    assert town.states[s.BEA].exposure_fen == 90_000_00
    town.hear("repayment", PAID)
    assert town.states[s.BEA].exposure_fen == 83_000_00
    town.hear("bidding", EXPIRED)
    assert town.states[s.BEA].exposure_fen == 0


def test_a_stranger_s_application_is_declined() -> None:
    """Nobody of that name is registered: the refusal of his stream reaches the application."""
    town = Town()
    assert town.tell("app_1", s.SUBMIT, s.BEA) is None
    assert town.said[-1] == s.declined("unknown_user", "submitted")


def _of(name: str, **fields: Any) -> Any:
    from services.onboarding import commands

    return getattr(commands, name)(application_id="app_1", **fields)

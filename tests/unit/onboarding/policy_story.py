"""What the policies of onboarding are told, and the commands that each event is answered with."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from libs.events.bidding import (
    AccountClosed,
    AccountClosureDeclined,
    FundingRequested,
    ListingCancelled,
    ListingExpired,
    ListingRefused,
)
from libs.events.codec import decode, decode_object
from libs.events.corrections import LoanRestated
from libs.events.in_kind import DebtSettledInKind
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
from libs.events.sagas import Send
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
    RestoreExposure,
)
from tests.unit.onboarding import stories as s
from tests.unit.onboarding import test_guarantee, test_staff, test_staff_tie

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
IN_KIND: DebtSettledInKind = replace(
    decode(
        DebtSettledInKind,
        (Path(__file__).parents[2] / "contract/golden/repayment.DebtSettledInKind.v1.json").read_bytes(),
    ),
    loan_id="loan_1",
    borrower=s.BEA,
    principal_before_fen=90_000_00,
    principal_after_fen=83_000_00,
)
RESTATED: LoanRestated = decode(
    LoanRestated, (Path(__file__).parents[2] / "contract/golden/repayment.LoanRestated.v1.json").read_bytes()
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
    (
        "repayment",
        IN_KIND,
        [Send("reduce", s.BEA, ReduceExposure(user_id=s.BEA, loan_id="loan_1", amount_fen=7_000_00))],
    ),
    ("repayment", replace(PAID, principal_after_fen=90_000_00), []),
    ("repayment", REPAID, release("repaid")),
    (
        "repayment",
        RESTATED,
        [Send("restore", "usr_bo", RestoreExposure(user_id="usr_bo", loan_id="loan_7", owed_fen=100_000))],
    ),
    ("repayment", CommandHadNoEffect(command_type="repayment.OpenLoan", stream_id="loan_1"), []),
]

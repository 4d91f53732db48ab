"""The people around an application: who registers, is verified, assessed, related and forgotten, and the staff who decide."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from hashlib import sha256
from random import Random
from typing import Any

from libs.events.application import AspectFinding, LoanTerms
from libs.events.onboarding import Office
from services.bidding.commands import ReviewListing
from services.onboarding import commands as onboarding
from tools.simulator.guarantors import guarantor_applied
from tools.simulator.himself import customer_behind
from tools.simulator.manners import ORIGINATION_PERMILLE, wish
from tools.simulator.people import Api

_YUAN = 100
_USUAL_YUAN = (1_000, 2_000, 5_000, 7_777, 90_000, 150_000)
#: Two of these are more than one person may owe once the cap is in force.
_LARGE_YUAN = (5_000, 90_000, 150_000, 150_000)
_PAPERS = ("identity_card", "income_proof", "bank_statements", "asset_proof", "credit_report")
_CHECKS = (
    "approval_valid",
    "contract_signed",
    "guarantee_authentic",
    "conditions_fulfilled",
    "purpose_account_known",
)
_OFFICES: tuple[Office, ...] = ("general_manager", "risk_assessor", "finance_supervisor")
#: An application whose last event is one of these waits for a policy, not for a person.
_WAITING = (
    "ApplicationSubmitted",
    "ExposureRequested",
    "PrecedentsChecked",
    "GuaranteeRequested",
    "PrecedentsMet",
)
_ENDED = ("ApplicationDeclined", "ApplicationRejected", "ApplicationLapsed", "TermsDeclined")


@dataclass(slots=True)
class ApplicationSight:
    """An application as its people see it: the name of its last event, and what the next step needs."""

    application_id: str
    applicant: str
    amount_fen: int
    tenor_months: int
    product: str = "consumer"
    method: str = "equal_instalments"
    stage: str = "ApplicationSubmitted"
    terms_hash: str = ""
    open_conditions: tuple[str, ...] = ()
    guarantor: str = ""


@dataclass(slots=True)
class OfficeSight:
    """What applicants and staff know."""

    registered: dict[str, str] = field(default_factory=dict)
    verified: list[str] = field(default_factory=list)
    erased: set[str] = field(default_factory=set)
    applications: dict[str, ApplicationSight] = field(default_factory=dict)
    to_review: dict[str, None] = field(default_factory=dict)

    def fold(self, kind: str, data: Any) -> None:
        """Take in one event."""
        service, name, _ = kind.split(".")
        if name == "UserRegistered":
            self.registered[data["user_id"]] = data["kind"]
        elif name == "UserVerified":
            self.verified.append(data["user_id"])
        elif name == "UserErased":
            self.erased.add(data["user_id"])
        elif name == "ListingFilled" and data["reviews_needed"]:
            self.to_review[data["listing_id"]] = None
        elif name in ("FundingRequested", "LoanFunded", "ListingCancelled"):
            self.to_review.pop(data["listing_id"], None)
        elif name == "ApplicationSubmitted":
            self.applications[data["application_id"]] = ApplicationSight(
                data["application_id"],
                data["applicant"],
                data["amount_fen"],
                data["tenor_months"],
                data["product"],
                data["method"],
            )
        elif service == "onboarding" and data.get("application_id") in self.applications:
            self._application(self.applications[data["application_id"]], name, data)

    def _application(self, seen: ApplicationSight, name: str, data: Any) -> None:
        if name.startswith(("Exposure", "Applicant")) and name not in (
            "ExposureRequested",
            "ApplicantRecorded",
        ):
            return  # said on the user's stream
        seen.stage = name
        if name == "CommitteeAgreed":
            seen.open_conditions = tuple(data["conditions"])
        elif name == "ConditionFulfilled":
            seen.open_conditions = tuple(c for c in seen.open_conditions if c != data["condition"])
        elif name == "ApplicationApproved":
            seen.terms_hash = data["terms_hash"]
            seen.guarantor = data["terms"]["guarantor"]


class Officers:
    """Applicants and staff of one run."""

    def __init__(
        self, rng: Random, api: Api, people: list[str], *, applications: int, tenor: int, large: bool
    ) -> None:
        self.sight = OfficeSight()
        self._rng = rng
        self._api = api
        self._people = people
        self._left = applications
        self._tenor = tenor
        self._amounts = _LARGE_YUAN if large else _USUAL_YUAN
        self._numbers = 0

    def act(self, today: date) -> None:
        """One thing that an applicant or somebody of the staff does."""
        seen = self.sight
        working = [one for one in seen.applications.values() if one.stage not in (*_WAITING, *_ENDED)]
        actions: tuple[tuple[Callable[[], None], int], ...] = (
            (self._register, 8 if len(seen.registered) < len(self._people) else 1),
            (self._verify, 10 if len(seen.verified) < len(seen.registered) else 1),
            (self._assess, 4),
            (self._relate, 1),
            (self._appoint, 1),
            (self._erase, 1),
            (self._apply, 6 if self._left and seen.verified else 0),
            (lambda: self._next_step(self._rng.choice(working), today), 25 * len(working)),
            (self._review, 10 if seen.to_review else 0),
        )
        kinds, weights = zip(*actions, strict=True)
        self._rng.choices(kinds, weights)[0]()

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _ask(self, stream: str, command: Any, principal: str) -> None:
        self._api.ask("onboarding", stream, command, principal=principal)

    # --- users --------------------------------------------------------------------------------------------------

    def _register(self) -> None:
        user = self._rng.choice(
            [one for one in self._people if one not in self.sight.registered] or self._people
        )
        wish = onboarding.RegisterUser(
            user_id=user,
            kind="person" if self._rng.random() < 0.9 else "organisation",
            region=self._rng.choice(("north", "south")),
            referrer=self._rng.choice((None, None, *self._people)),
            owner=self._rng.choice((None, "stf_sales", "stf_fin1")),
        )
        self._ask(user, wish, user)

    def _verify(self) -> None:
        user = self._rng.choice(
            [one for one in self.sight.registered if one not in self.sight.verified] or self._people
        )
        reference = f"ver_{self._number()}"
        if self._rng.random() < 0.1:
            refusal = onboarding.RefuseVerification(
                user_id=user, provider="bank", reference=reference, code="no_match"
            )
            self._ask(user, refusal, user)
        else:
            # now and then another card than the last time
            card = f"card_{sha256(f'{user} {self._numbers % 3}'.encode()).hexdigest()[:32]}"
            confirmed = onboarding.VerifyUser(
                user_id=user, provider="bank", reference=reference, card_ref=card
            )
            self._ask(user, confirmed, user)

    def _assess(self) -> None:
        user = self._rng.choice(self.sight.verified or self._people)
        answers = tuple(self._rng.choice((3, 4, 5, 5)) for _ in range(8))
        self._ask(user, onboarding.AssessSuitability(user_id=user, answers=answers), user)

    def _relate(self) -> None:
        user, other = self._rng.choice(self._people), self._rng.choice(self._people)
        self._ask(user, onboarding.DeclareRelation(user_id=user, related=other), user)

    def _erase(self) -> None:
        if self._rng.random() < 0.5:
            return
        user = self._rng.choice(self._people)
        self._ask(user, onboarding.EraseUser(user_id=user), user)

    def _appoint(self) -> None:
        staff = self._rng.choice(("stf_col1", "stf_col2", "stf_col3"))
        if self._rng.random() < 0.15:
            self._ask(staff, onboarding.DismissStaff(staff_id=staff), "stf_admin")
            return
        region = self._rng.choice((None, None, "north"))
        himself = self._people[-int(staff[-1])] if self._rng.random() < 0.4 else None
        appointed = onboarding.AppointStaff(
            staff_id=staff, roles=("collector",), region=region, user_id=himself
        )
        self._ask(staff, appointed, "stf_admin")

    # --- applications -------------------------------------------------------------------------------------------

    def _apply(self) -> None:
        self._left -= 1
        number = self._number()
        user = self._rng.choice(self.sight.verified)
        product, purpose, method = wish(number)
        submitted = onboarding.SubmitApplication(
            application_id=f"app_{number}",
            loan_id=f"loan_{number}",
            product=product,
            purpose=purpose,
            amount_fen=self._rng.choice(self._amounts) * _YUAN,
            tenor_months=self._rng.randint(1, self._tenor),
            method=method,
            documents=(*_PAPERS, "purpose_evidence") if self._rng.random() < 0.9 else _PAPERS,
        )
        self._ask(f"app_{number}", submitted, user)

    def _next_step(self, seen: ApplicationSight, today: date) -> None:
        name = seen.application_id
        step: tuple[Any, str]
        match seen.stage:
            case "ApplicantRecorded" | "ApplicationResubmitted":
                step = self._intake(name)
            case "PapersReturned":
                step = (
                    onboarding.ResubmitApplication(application_id=name, documents=("purpose_evidence",)),
                    seen.applicant,
                )
            case "IntakeChecked":
                held = onboarding.RecordInterview(
                    application_id=name, repayment_source="salary", record=f"min_{name}"
                )
                step = held, "stf_sales"
            case "InterviewHeld":
                eligible = self._rng.random() < 0.95
                reasons = () if eligible else ("too_young",)
                step = (
                    onboarding.ReviewEligibility(application_id=name, is_eligible=eligible, reasons=reasons),
                    "stf_risk",
                )
            case "ApplicationReviewed":
                step = self._report(seen, today), "stf_risk"
            case "InvestigationReported":
                step = self._convene(seen), "stf_risk"
            case "CommitteeConvened" | "CommitteeVoted":
                step = self._vote(name)
            case "CommitteeAgreed" | "ConditionFulfilled":
                if not seen.open_conditions:
                    return
                condition = seen.open_conditions[0]
                step = (
                    onboarding.FulfilCondition(
                        application_id=name, condition=condition, evidence=f"evi_{name}"
                    ),
                    "stf_risk",
                )
            case "ApplicationApproved":
                step = self._answer(seen), seen.applicant
            case "TermsAccepted":
                checks = (*_CHECKS, "guarantor_signed") if seen.guarantor else _CHECKS
                step = onboarding.ConfirmPrecedents(application_id=name, checks=checks), "stf_pay"
            case _:
                raise AssertionError(f"nobody knows what comes after {seen.stage}")
        self._ask(name, *step)

    def _intake(self, name: str) -> tuple[Any, str]:
        if self._rng.random() < 0.1:
            back = onboarding.ReturnPapers(
                application_id=name, papers=("purpose_evidence",), code="unreadable"
            )
            return back, "stf_sales"
        if self._rng.random() < 0.1:
            return onboarding.ReturnPapers(application_id=name, papers=(), code="none"), "stf_sales"
        return onboarding.CheckIntake(application_id=name), "stf_sales"

    def _report(self, seen: ApplicationSight, today: date) -> onboarding.ReportInvestigation:
        seen_there = ("operations", "guarantee")
        aspects = tuple(
            AspectFinding(
                aspect=aspect,
                finding="not_applicable" if aspect in seen_there else "sound",
                score=80,
                manner="data",
                found_on=today,
                evidence=f"evi_{aspect}",
                reason="none" if aspect in seen_there else None,
            )
            for aspect in ("legal", "credit", "operations", "tax", "guarantee")
        )
        return onboarding.ReportInvestigation(
            application_id=seen.application_id,
            aspects=aspects,
            grade="A",
            limit_fen=seen.amount_fen,
            recommends=self._rng.random() < 0.95,
        )

    def _convene(self, seen: ApplicationSight) -> onboarding.ConveneCommittee:
        terms = LoanTerms(
            amount_fen=seen.amount_fen,
            annual_rate=Decimal(self._rng.choice(("0.06", "0.0999", "0.3"))),
            tenor_months=seen.tenor_months,
            method=seen.method,
            grade="A",
            origination_fee_fen=self._rng.choice(
                (0, *[seen.amount_fen * ORIGINATION_PERMILLE[seen.product] // 1_000] * 4)
            ),
            interest_fee_permille=self._rng.choice((0, 100, 100, 100, 100)),
            window_days=self._rng.randint(2, 6),
            guarantor=guarantor_applied(
                int(seen.application_id.rpartition("_")[2]), seen.applicant, self._people
            ),
        )
        conditions = ("guarantor", "insurance")[: self._rng.choice((0, 0, 1, 2))]
        return onboarding.ConveneCommittee(
            application_id=seen.application_id, terms=terms, conditions=conditions
        )

    def _vote(self, name: str) -> tuple[Any, str]:
        office = self._rng.choice(_OFFICES)
        members = {
            "general_manager": "stf_boss",
            "risk_assessor": "stf_risk",
            "finance_supervisor": "stf_fin1",
        }
        ballot = onboarding.CastVote(
            application_id=name,
            office=office,
            vote="agree" if self._rng.random() < 0.9 else "disagree",
            reason="sound",
        )
        return ballot, members[office] if self._rng.random() < 0.9 else "stf_risk"

    def _answer(self, seen: ApplicationSight) -> Any:
        chance = self._rng.random()
        if chance < 0.1:
            return onboarding.DeclineTerms(application_id=seen.application_id)
        text = "0" * 64 if chance < 0.2 else seen.terms_hash
        return onboarding.AcceptTerms(
            application_id=seen.application_id, text_hash=text, evidence=f"sig_{self._number()}"
        )

    def finish_reviews(self) -> bool:
        """No listing is left waiting for its reviewers when everybody goes home."""
        if not self.sight.to_review or not self._api.is_quiet:
            return False
        self._review()
        return True

    def _review(self) -> None:
        listing = self._rng.choice(list(self.sight.to_review))
        reviewer = self._rng.choice(("stf_fin1", "stf_fin2", "stf_fin3"))
        himself = customer_behind(reviewer)
        verdict = ReviewListing(verdict="approve" if self._rng.random() < 0.95 else "reject", himself=himself)
        self._api.ask("bidding", listing, verdict, principal=reviewer)

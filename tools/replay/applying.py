"""How people become customers and wishes become listings: each request sent by the one whose post it is."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any, Final, assert_never

from libs.events.application import ApplicantRecorded, ApplicationApproved, LoanTerms
from libs.events.bidding import AccountOpened, ListingOpened, SuitabilityRecorded
from services.onboarding.domain.profile import PRECEDENTS, REQUIRED_PAPERS
from services.onboarding.domain.terms import hash_of, text_of
from tools.replay.actions import Apply, Assess, Join, Stage, Terms
from tools.replay.gateway import ReplayFailed
from tools.replay.scene import Scene

#: The five aspects and how each was looked into: two of them on the spot.
_ASPECTS: Final = (
    ("legal", "data", 80),
    ("credit", "bureau", 70),
    ("operations", "field_visit", 75),
    ("tax", "data", 70),
    ("guarantee", "field_visit", 65),
)
_PRODUCT, _PURPOSE = "personal", "debt_consolidation"
_MANNER: Final[dict[str, Any]] = {"method": "equal_instalments", "window_days": 10}
_VISITED_BEFORE: Final = timedelta(days=2)


async def join(scene: Scene, action: Join) -> None:
    """Register, be verified, and have an account. Raises ReplayFailed."""
    person = action.person
    body = {"region": person.region, "name": person.name, "phone": person.phone}
    if action.referrer is not None:
        body["referrer"] = scene.users[action.referrer]
    path = "/onboarding/users" if action.helper is None else "/onboarding/assisted-users"
    registered = await scene.gateway.post(action.helper or "", path, action.key, body)
    user: str = registered["id"]
    scene.users[action.user] = user
    papers = {"identity": person.identity, "card": person.card}
    verified = await scene.gateway.post(user, f"/onboarding/users/{user}/verification", "verify", papers)
    if verified["status"] != "verified":
        raise ReplayFailed(f"{action.user} was not verified: {verified.get('code')}.")
    await scene.log.told((AccountOpened, scene.account(action.user)))


async def assess(scene: Scene, action: Assess, on: date) -> None:
    """Answer the questionnaire, until the account knows the result."""
    user = scene.users[action.user]
    await scene.gateway.post(
        user, f"/onboarding/users/{user}/suitability", action.key, {"answers": [*action.answers]}
    )
    valid_to = on + timedelta(days=365)
    await scene.log.told((SuitabilityRecorded, f"{scene.account(action.user)}/{valid_to}"))


async def apply(scene: Scene, action: Apply, on: date) -> None:
    """One step of an application, when what the one before brought about is in the log."""
    staff, loan = scene.staff, action.loan
    match action.stage:
        case Stage.SUBMIT:
            user = scene.users[action.user]
            asked = await scene.gateway.post(user, "/onboarding/applications", action.key, _wish(action))
            scene.loans[loan] = asked["id"].removeprefix("app_")
        case Stage.INTAKE:
            await scene.log.told((ApplicantRecorded, scene.application(loan)))
            await _step(scene, staff.of("manager"), loan, "intake", {})
            interview = {"repayment_source": "salary", "record": f"int:{loan}"}
            await _step(scene, staff.of("manager"), loan, "interview", interview)
        case Stage.REVIEW:
            await _step(scene, staff.of("reviewer"), loan, "review", {"is_eligible": True})
        case Stage.REPORT:
            await _step(scene, staff.of("investigator"), loan, "report", _report(action, on))
        case Stage.CONVENE:
            await _step(scene, staff.of("investigator"), loan, "committee", _terms(action.terms))
        case Stage.VOTE:
            votes = [
                _step(scene, who, loan, "votes", {"office": office, "vote": "agree", "reason": "as_reported"})
                for who, office in staff.committee()
            ]
            await asyncio.gather(*votes)
        case Stage.ACCEPT:
            await scene.log.told((ApplicationApproved, scene.application(loan)))
            signed = {"text_hash": hash_of(_offered(scene, action)), "evidence": f"click:{loan}"}
            await _step(scene, scene.users[action.user], loan, "acceptance", signed)
        case Stage.PRECEDENTS:
            await _step(scene, staff.of("releaser"), loan, "precedents", {"checks": [*PRECEDENTS]})
            await scene.log.told((ListingOpened, scene.listing(loan)))
        case _:
            assert_never(action.stage)


async def _step(scene: Scene, who: str, loan: str, step: str, body: Mapping[str, Any]) -> None:
    """An application passes each step once, so the step's name is the key."""
    await scene.gateway.post(who, f"/onboarding/applications/{scene.application(loan)}/{step}", step, body)


def _wish(action: Apply) -> dict[str, Any]:
    return {
        "product": _PRODUCT,
        "purpose": _PURPOSE,
        "amount_fen": action.terms.amount_fen,
        "tenor_months": action.terms.tenor_months,
        "documents": [*REQUIRED_PAPERS["person"]],
    }


def _report(action: Apply, on: date) -> dict[str, Any]:
    aspects = [
        {
            "aspect": aspect,
            "finding": "sound",
            "score": score,
            "manner": manner,
            "found_on": (on - _VISITED_BEFORE).isoformat(),
            "evidence": f"file:{action.loan}:{aspect}",
        }
        for aspect, manner, score in _ASPECTS
    ]
    terms = action.terms
    return {"aspects": aspects, "grade": terms.grade, "limit_fen": terms.amount_fen, "recommends": True}


def _offered(scene: Scene, action: Apply) -> str:
    """The text that the borrower signs, as his page shows it: made here from the same terms, so that no view need be awaited."""
    user, loan = scene.users[action.user], action.loan
    terms = LoanTerms(**asdict(action.terms), **_MANNER)
    return text_of(
        terms,
        application_id=scene.application(loan),
        loan_id=scene.loan(loan),
        applicant=user,
        product=_PRODUCT,
        purpose=_PURPOSE,
    )


def _terms(terms: Terms) -> dict[str, Any]:
    return asdict(terms) | _MANNER | {"annual_rate": f"{terms.annual_rate.normalize():f}"}

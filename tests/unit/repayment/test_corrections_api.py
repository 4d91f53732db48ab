"""The routes of corrections over the real decider: who asks and who allows, as the staff's register knows them as customers."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from libs.events.onboarding import StaffAppointed
from libs.events.staff import staff_view
from services.repayment.app import build
from services.repayment.projections.loans import VIEW as LOANS
from tests.unit.bidding.test_packs_api import problem, show
from tests.unit.given import TODAY
from tests.unit.runtime.edge_world import World, running

STAFF = staff_view("repayment")
BODY = {"payment_id": "pay_1", "kind": "reverse", "reason": "wrong_loan"}


@pytest.fixture
async def world(keys: Path) -> AsyncIterator[World]:
    """Repayment on a business day, with a payment, and a clerk and a supervisor who are customers too."""
    async with running(build("demo"), keys) as running_world:
        running_world.open_day(TODAY)
        for who, role, user in (
            ("stf_clerk", "accountant", "usr_ann"),
            ("stf_fay", "finance_supervisor", "usr_2"),
        ):
            appointed = StaffAppointed(staff_id=who, roles=(role,), region=None, user_id=user)
            show(running_world, STAFF, who, appointed)
        paid = {"payments": {"pay_1": {"value_date": TODAY.isoformat()}}}
        running_world.views.documents.setdefault(LOANS.name, {})["loan_7"] = {"_id": "loan_7", **paid}
        yield running_world


async def said(world: World, path: str, body: Any, who: str, scope: str) -> Any:
    """Somebody asks for something, and what of it is on the log."""
    headers = world.token(who, scope) | {"Idempotency-Key": f"{path}-{who}"}
    answer = await world.http.post(f"/repayment{path}", json=body, headers=headers)
    assert answer.status_code < 300, answer.text
    command = next(
        each
        for each in world.commands()
        if each["stream_id"] == answer.json()["id"] and each["principal"] == who
    )
    return answer.json()["id"], command["data"]["himself"]


async def test_the_register_says_who_asks_and_who_allows(world: World) -> None:
    """Both commands name the member of staff as a customer; nobody says it of himself."""
    correction, himself = await said(world, "/loans/loan_7/corrections", BODY, "stf_clerk", "finance")
    assert himself == "usr_ann"
    allow = f"/corrections/{correction}/authorisations"
    assert await said(world, allow, {"role": "supervisor"}, "stf_fay", "correction") == (correction, "usr_2")


async def test_a_payment_that_is_none_of_the_loans_is_not_found(world: World) -> None:
    """Under the status that every unknown thing has, and before the log."""
    headers = world.token("stf_clerk", "finance") | {"Idempotency-Key": "k"}
    asked = BODY | {"payment_id": "pay_9"}
    answer = await world.http.post("/repayment/loans/loan_7/corrections", json=asked, headers=headers)
    assert problem(answer) == (404, "unknown_payment")
    assert world.commands() == []

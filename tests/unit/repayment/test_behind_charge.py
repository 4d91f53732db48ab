"""Whoever proposes corrections finds the payments that were told behind a charge, until one puts them right."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from libs.events.adjustments import CorrectionSettled
from libs.events.onboarding import StaffAppointed
from libs.events.staff import staff_view
from services.repayment.app import build
from services.repayment.commands.corrections import CorrectPayment
from services.repayment.projections.corrections import VIEW
from tests.unit.bidding.test_packs_api import problem, show
from tests.unit.documents import documents, history, nested
from tests.unit.given import decided
from tests.unit.repayment.correction_story import PROPOSED
from tests.unit.repayment.late_story import Story
from tests.unit.repayment.stories import CONTRACTED, FIRST_DUE, INSTALLMENT, LOAN, days, on, pays
from tests.unit.repayment.test_correcting_measures import wrong
from tests.unit.runtime.edge_world import World, running

STAFF = staff_view("repayment")
SETTLED_AHEAD = CorrectionSettled(correction_id="cor_2", loan_id="loan_7")
TOLD_ON = days(FIRST_DUE, 33)
LISTED = {
    "id": "pay_1",
    "loan_id": "loan_7",
    "region": "",
    "product": "",
    "amount_fen": INSTALLMENT,
    "value_date": FIRST_DUE.isoformat(),
    "told_on": TOLD_ON.isoformat(),
    "answer_at": "/repayment/loans/loan_7/corrections",
}


def _late() -> Story:
    """Paid on the due date, told 33 days later; another payment came in time."""
    in_time = pays(TOLD_ON, 100, payment_id="pay_2")
    return Story(paid={TOLD_ON: [pays(FIRST_DUE, INSTALLMENT), in_time]}).live(TOLD_ON)


def _shown(story: Story, *more: Any) -> dict[str, dict[str, Any]]:
    events = [CONTRACTED, *(event for _, event in story.events), *more]
    return documents(VIEW, history("loan_7", *events))


def _corrected(story: Story, command: CorrectPayment) -> Any:
    events = decided(LOAN, story.state, command, on(TOLD_ON))
    assert not isinstance(events, str), events
    return events


def test_only_a_payment_behind_a_charge_is_in_the_list() -> None:
    """With its own date and the day on which it was told."""
    [(name, row)] = _shown(_late()).items()
    assert name == "loan_7/pay_1"
    assert {each: row[each] for each in ("value_date", "told_on", "amount_fen")} == {
        each: LISTED[each] for each in ("value_date", "told_on", "amount_fen")
    }


@pytest.mark.parametrize("to_date", [FIRST_DUE, None], ids=["redated", "reversed"])
def test_a_correction_takes_it_off_the_list(to_date: Any) -> None:
    """Dated back to its own date, or taken back; one of another payment leaves it there."""
    story = _late()
    assert _shown(story, *_corrected(story, wrong("pay_1", FIRST_DUE, to_date))) == {}
    [left] = _shown(story, *_corrected(story, wrong("pay_2", TOLD_ON)))
    assert left == "loan_7/pay_1"


@pytest.fixture
async def world(keys: Path) -> AsyncIterator[World]:
    """Repayment with such a payment, a correction of another, a clerk, and one of the staff who is none."""
    async with running(build("demo"), keys) as running_world:
        for who, role in (("stf_clerk", "accountant"), ("stf_ria", "risk")):
            show(running_world, STAFF, who, StaffAppointed(staff_id=who, roles=(role,), region=None))
        running_world.views.documents[VIEW.name] = {
            name: nested(name, fields)
            for name, fields in (
                *_shown(_late()).items(),
                *documents(VIEW, history("cor_1", PROPOSED)).items(),
                # Bidding's word of one that repayment's has not come of yet.
                *documents(VIEW, history("stl_2", SETTLED_AHEAD)).items(),
            )
        }
        yield running_world


async def test_who_may_propose_a_correction_finds_it(world: World) -> None:
    """With where to ask for one, apart from those that are proposed; of another region there is none, and another post is shown nothing."""
    path = "/repayment/payments/behind-charge"
    clerk = world.token("stf_clerk", "finance")
    page = (await world.http.get(path, headers=clerk)).json()
    [row] = page["items"]
    assert row.pop("events")
    assert (row, page["next"]) == (LISTED, None)
    proposed = await world.http.get("/repayment/corrections", headers=clerk)
    assert [each["id"] for each in proposed.json()["items"]] == ["cor_1"]
    elsewhere = await world.http.get(path, params={"region": "CN-44"}, headers=clerk)
    assert elsewhere.json()["items"] == []
    refused = await world.http.get(path, headers=world.token("stf_ria", "finance"))
    assert problem(refused) == (403, "forbidden_post")
